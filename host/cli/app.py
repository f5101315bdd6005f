"""The command line as a whole: its commands, and what becomes of errors nobody foresaw."""

import os
import sys
import tempfile
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, Literal

import typer

from host.cli.codes import CANCELLED, DONE, FAILED
from host.cli.plugin import plugin_app
from host.cli.serve import serve, spelled_out, worker

if TYPE_CHECKING:
    from host.services import Services

SOURCE: Final = "A workflow of any format, or a picture that carries one; - reads standard input."
ExtraPaths = Annotated[
    list[Path] | None,
    typer.Option(
        "--extra-model-paths-config", metavar="FILE", help="Use the model folders that this YAML file names."
    ),
]
INTERRUPTED: Final = 130
"""What typer makes of Ctrl-C."""


def build() -> typer.Typer:
    """The commands."""
    app = typer.Typer(
        name="darkroom",
        help="Darkroom: run workflows that make pictures.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    for command in (serve, run, validate, nodes, models, convert, doctor, version):
        app.command()(command)
    app.add_typer(plugin_app())
    app.command(hidden=True)(worker)
    app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})(test)
    return app


def run(
    context: typer.Context,
    workflow: Annotated[str, typer.Argument(metavar="WORKFLOW", help=SOURCE)],
    sets: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="Set a port, or an input as node.input."),
    ] = None,
    prompt: Annotated[str | None, typer.Option(help="Set the port called prompt.")] = None,
    seed: Annotated[str | None, typer.Option(metavar="N|random", help="Set every seed.")] = None,
    out: Annotated[Path | None, typer.Option(metavar="DIR", help="Where pictures are saved.")] = None,
    repeat: Annotated[int, typer.Option(min=1, help="Run so many times, each with seeds one higher.")] = 1,
    precision: Annotated[
        Literal["auto", "fp32", "bf16", "fp16"], typer.Option(help="What models compute in.")
    ] = "auto",
    explain: Annotated[bool, typer.Option("--explain", help="Say why each node ran or did not.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print events, one JSON object a line.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but results.")] = False,
    sweeps: Annotated[
        list[str] | None,
        typer.Option(
            "--sweep",
            metavar="NAME=VALUES",
            help="Run for each value of an input: 1,2,3 or START:STOP:STEP or @FILE.csv:COLUMN; "
            "several options make every combination, @FILE.csv alone sets a column's name each.",
        ),
    ] = None,
    cache: Annotated[bool, typer.Option("--cache/--no-cache", help="Keep results on disk.")] = True,
    cache_dir: Annotated[Path | None, typer.Option(metavar="DIR", help="Where results are kept.")] = None,
    model_map: Annotated[
        list[str] | None,
        typer.Option(
            metavar="OLD=NEW|auto",
            help="Use another model file; OLD may hold * and ?. auto: the nearest for any missing.",
        ),
    ] = None,
    extra_paths: ExtraPaths = None,
) -> None:
    """Run a workflow and print the paths of its pictures."""
    from host.cli.run import RunOptions, run_file

    options = RunOptions(
        workflow,
        tuple(sets or ()),
        prompt,
        seed,
        out,
        as_json,
        explain,
        repeat,
        precision,
        cache,
        cache_dir,
        tuple(model_map or ()),
        quiet,
        tuple(sweeps or ()),
        tuple(extra_paths or ()),
    )
    raise typer.Exit(run_file(context.obj, options))


def validate(
    context: typer.Context,
    files: Annotated[list[str], typer.Argument(metavar="FILE...", help="Workflows, or pictures with one.")],
    strict: Annotated[bool, typer.Option("--strict", help="Count warnings as errors.")] = False,
    extra_paths: ExtraPaths = None,
) -> None:
    """Say everything that is wrong with workflows, and how to mend it."""
    from host.cli.validate import validate_files

    raise typer.Exit(validate_files(context.obj, files, strict, extra_paths or ()))


def nodes(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="[NAME]", help="A node type to describe in full.")] = "",
) -> None:
    """List the node types, or describe one in full."""
    from host.cli.nodes import list_nodes

    list_nodes(context.obj, name)


def models(
    kind: Annotated[str, typer.Argument(metavar="[KIND]", help="One kind only, such as checkpoints.")] = "",
    download: Annotated[
        str | None,
        typer.Option(
            metavar="OWNER/NAME[@REVISION]", help="Fetch a model from the hub into models/diffusers."
        ),
    ] = None,
    extra_paths: ExtraPaths = None,
) -> None:
    """List the model files with their family, precision and size, or fetch one from the hub."""
    from host.cli.models import download_model, list_models

    if download is not None:
        download_model(download, extra_paths or ())
    else:
        list_models(kind, extra_paths or ())


def convert(
    context: typer.Context,
    source: Annotated[
        str, typer.Argument(metavar="IN", help="A workflow or a picture; - reads standard input.")
    ],
    target: Annotated[str, typer.Argument(metavar="OUT", help="The file to write; - is standard output.")],
    to: Annotated[
        Literal["darkroom", "api", "editor"], typer.Option(help="The format to write.")
    ] = "darkroom",
) -> None:
    """Write a workflow in another format: ours, ComfyUI's API format or its editor format."""
    from host.cli.convert import convert_file

    convert_file(context.obj, source, target, to)


def doctor() -> None:
    """Say what works on this machine, what does not, and what to do about it."""
    from host.cli.doctor import examine

    raise typer.Exit(examine())


def test(context: typer.Context) -> None:
    """Run every check of the project; with arguments, only pytest with those."""
    from host.checks import run_checks

    raise typer.Exit(run_checks(context.args))


def version() -> None:
    """Print the versions of Darkroom and of what it computes with."""
    from host.versions import versions

    for name, number in versions().items():
        print(f"{name} {number}")


def main(arguments: Sequence[str] | None, services: "Services") -> int:
    """The exit code of a command: 0 done, 2 wrong workflow or arguments, 3 a node failed, 4 cancelled."""
    try:
        given = spelled_out(sys.argv[1:] if arguments is None else arguments)
        build()(args=given, obj=services, prog_name="darkroom")
    except SystemExit as end:
        return _exit_code(end.code)
    except KeyboardInterrupt:
        return CANCELLED
    except Exception as error:  # the last resort: nobody is shown a traceback
        from host.cli.console import say

        say(f"Something went wrong inside Darkroom: {_sentence(error)} The details are in {_trace()}.", "red")
        return FAILED
    return DONE


def _exit_code(code: object) -> int:
    if code == INTERRUPTED:
        return CANCELLED
    return code if isinstance(code, int) else DONE if code is None else FAILED


def _sentence(error: Exception) -> str:
    text = (str(error).strip() or type(error).__name__).splitlines()[0]
    return text if text.endswith(".") else f"{text}."


def _trace() -> Path | str:
    """The file that the trace of the current exception was written to."""
    try:
        handle, name = tempfile.mkstemp(prefix="darkroom-", suffix=".log")
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(" ".join(sys.argv) + "\n\n" + traceback.format_exc())
        return Path(name)
    except OSError:
        return "no file, for none could be written"
