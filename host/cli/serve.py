"""`darkroom serve`: its options, in ComfyUI's spelling where ComfyUI has them; and `darkroom worker`."""

import os
import secrets
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, Literal, NoReturn

import typer

from host.folders import installation

EVERYWHERE: Final = "0.0.0.0,::"
BARE: Final[Mapping[str, str]] = {"--listen": EVERYWHERE, "--enable-cors-header": "*"}
"""Options that may stand without a value, and what they mean then."""
SECRET_VARIABLE: Final = "DARKROOM_WEBHOOK_SECRET"
TOKEN_VARIABLE: Final = "DARKROOM_TOKEN"
_MIB: Final = 2**20

if TYPE_CHECKING:
    from host.server.settings import Settings

Folder = Annotated[Path | None, typer.Option(metavar="DIR", file_okay=False)]
TokenList = Annotated[
    list[str] | None,
    typer.Option(metavar="[ROLE:]TOKEN", help="A token for admin, editor, runner or viewer (default admin)."),
]


def serve(
    context: typer.Context,
    listen: Annotated[str, typer.Option(metavar="IP,...", help="Addresses; bare: every one.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0: any free one.")] = 8188,
    device: Annotated[str, typer.Option(metavar="NAME,...", help="A worker each: cuda:0,cuda:1.")] = "auto",
    cpu: Annotated[bool, typer.Option("--cpu", help="Compute on the CPU only.")] = False,
    base_directory: Folder = None,
    output_directory: Folder = None,
    input_directory: Folder = None,
    temp_directory: Folder = None,
    user_directory: Folder = None,
    models_directory: Folder = None,
    extra_model_paths_config: Annotated[list[Path] | None, typer.Option(metavar="FILE")] = None,
    cache_lru: Annotated[int, typer.Option(min=0, help="Keep so many results; 0: by bytes.")] = 0,
    cache_none: Annotated[bool, typer.Option("--cache-none", help="Keep no results.")] = False,
    preview_method: Annotated[Literal["none", "auto", "latent2rgb", "taesd"], typer.Option()] = "auto",
    preview_size: Annotated[int, typer.Option(min=16, max=4096, help="The longest side.")] = 512,
    multi_user: Annotated[bool, typer.Option("--multi-user", help="A folder for each user.")] = False,
    enable_cors_header: Annotated[
        str | None, typer.Option(metavar="ORIGIN", help="Let pages of this origin ask; bare: any.")
    ] = None,
    enable_compress_response_body: Annotated[bool, typer.Option("--enable-compress-response-body")] = False,
    max_upload_size: Annotated[float, typer.Option(min=0.01, help="MB that a request may hold.")] = 100.0,
    disable_metadata: Annotated[
        bool, typer.Option("--disable-metadata", help="Save pictures without their workflow.")
    ] = False,
    token: TokenList = None,
    insecure: Annotated[bool, typer.Option("--insecure", help="Listen anywhere without a token.")] = False,
    tls_cert: Annotated[Path | None, typer.Option("--tls-cert", "--tls-certfile", metavar="PEM")] = None,
    tls_key: Annotated[Path | None, typer.Option("--tls-key", "--tls-keyfile", metavar="PEM")] = None,
    frontend: Annotated[
        Literal["darkroom", "comfyui"], typer.Option(help="Which editor to serve.")
    ] = "darkroom",
    precision: Annotated[Literal["auto", "fp32", "bf16", "fp16"], typer.Option()] = "auto",
    keep_jobs: Annotated[int, typer.Option(min=0, help="Ended jobs to keep.")] = 10_000,
    keep_days: Annotated[float, typer.Option(min=0, help="Days to keep them; 0: any.")] = 0.0,
    watchdog: Annotated[float, typer.Option(min=0.5, help="Seconds of silence that end a worker.")] = 60.0,
    dev: Annotated[bool, typer.Option("--dev", help="Load plugins again when their files change.")] = False,
    log_json: Annotated[bool, typer.Option("--log-json", help="Log JSON in a terminal too.")] = False,
) -> None:
    """Serve the editor, our API and ComfyUI's; jobs run in worker processes."""
    from host.server.serving import CannotServe
    from host.server.serving import serve as serve_until_told
    from host.server.settings import Settings

    home = base_directory.expanduser().resolve() if base_directory else installation()
    settings = Settings(
        home=home,
        listen=_listed(listen),
        port=port,
        devices=tuple("cpu" for _ in _listed(device)) if cpu else _listed(device),
        input=_path(input_directory),
        output=_path(output_directory),
        temp=_path(temp_directory / "temp" if temp_directory else None),
        user=_path(user_directory),
        models=_path(models_directory),
        extra_configs=tuple(extra_model_paths_config or ()),
        cache=not cache_none,
        cache_lru=cache_lru,
        preview_method=preview_method,
        preview_size=preview_size,
        multi_user=multi_user,
        cors_origin=enable_cors_header,
        compress=enable_compress_response_body,
        largest_upload=int(max_upload_size * _MIB),
        metadata=not disable_metadata,
        insecure=insecure,
        tls_cert=_path(tls_cert),
        tls_key=_path(tls_key),
        frontend=frontend,
        precision=precision,
        keep_jobs=keep_jobs,
        keep_days=keep_days,
        silence=watchdog,
        log_json=log_json,
        dev=dev,
        webhook_secret=os.environ.get(SECRET_VARIABLE, ""),
        arguments=tuple(sys.argv),
    )
    try:
        raise typer.Exit(serve_until_told(context.obj, _with_tokens(settings, token or [])))
    except CannotServe as error:
        _refuse(str(error))


def worker(
    context: typer.Context,
    handle: Annotated[int, typer.Argument(help="The socket to the server.")],
    options: Annotated[str, typer.Argument(help="What to be, as JSON.")],
) -> None:
    """Be a worker of a server; servers start these."""
    from host.worker.process import work

    raise typer.Exit(work(context.obj, handle, options))


def spelled_out(arguments: Sequence[str]) -> list[str]:
    """Arguments with the values that ComfyUI lets be left out: a bare --listen means every address."""
    told = list[str]()
    for place, argument in enumerate(arguments):
        told.append(argument)
        following = arguments[place + 1] if place + 1 < len(arguments) else "-"
        if argument in BARE and following.startswith("-"):
            told.append(BARE[argument])
    return told


def _listed(text: str) -> tuple[str, ...]:
    found = tuple(part.strip() for part in text.split(",") if part.strip())
    if not found:
        _refuse("--listen and --device need a value.")
    return found


def _path(path: Path | None) -> Path | None:
    return None if path is None else path.expanduser().resolve()


def _with_tokens(settings: "Settings", given: Sequence[str]) -> "Settings":
    """The settings with the roles of all tokens; one is made where the server can be reached from outside."""
    if os.environ.get(TOKEN_VARIABLE):
        given = [*given, os.environ[TOKEN_VARIABLE]]
    tokens = dict(map(_token, given))
    if not tokens and not settings.insecure and not settings.is_local:
        made = secrets.token_urlsafe(24)
        tokens = {made: "admin"}
        print(f"Others can reach this server, so it needs a token: {made}")
        print("Open it with ?token=... once, or set one yourself with --token.", flush=True)
    return replace(settings, tokens=tokens)


def _token(text: str) -> tuple[str, str]:
    from host.server.security import ROLES

    role, separator, token = text.partition(":")
    if separator and role in ROLES and token:
        return token, role
    if not text:
        _refuse("A token must not be empty.")
    return text, "admin"


def _refuse(sentence: str) -> NoReturn:
    from host.cli.console import refuse

    refuse(sentence)
