"""What the server was told on its command line."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from typing import Literal

PreviewMethod = Literal["none", "auto", "latent2rgb", "taesd"]


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything `./darkroom serve` can be told.

    cors_origin: None: no other site may ask; "*" or an origin. largest_upload: in bytes. cache_lru: the
    number of results kept in memory, 0: by bytes. devices: one worker each. tokens: the role of
    each token; empty: none is needed.
    input, output, temp, user: folders. models: the folder of all models. extra_configs: files that name more.
    arguments: the command line, as clients are told it. worker_command: what starts a worker, before its own
    arguments. dev: load plugins again when their files change. silence: seconds without a sign of life after
    which a worker counts as hanging.
    """

    home: Path
    listen: tuple[str, ...] = ("127.0.0.1",)
    port: int = 8188
    devices: tuple[str, ...] = ("auto",)
    input: Path | None = None
    output: Path | None = None
    temp: Path | None = None
    user: Path | None = None
    models: Path | None = None
    extra_configs: tuple[Path, ...] = ()
    plugins: tuple[Path, ...] = ()
    cache: bool = True
    cache_lru: int = 0
    preview_method: PreviewMethod = "auto"
    preview_size: int = 512
    multi_user: bool = False
    cors_origin: str | None = None
    compress: bool = False
    largest_upload: int = 100 * 2**20
    metadata: bool = True
    tokens: Mapping[str, str] = field(default_factory=dict[str, str])
    insecure: bool = False
    tls_cert: Path | None = None
    tls_key: Path | None = None
    frontend: str = "darkroom"
    precision: str = "auto"
    log_json: bool = False
    dev: bool = False
    webhook_secret: str = ""
    keep_jobs: int = 10_000
    keep_days: float = 0.0
    silence: float = 60.0
    worker_command: tuple[str, ...] = ()
    arguments: tuple[str, ...] = ()

    @property
    def is_local(self) -> bool:
        """Whether only this machine can reach the server."""
        return all(is_loopback(address) for address in self.listen)


def is_loopback(host: str) -> bool:
    """Whether a name or address stands for this machine: localhost, 127.0.0.0/8, ::1."""
    if host.lower().rstrip(".") == "localhost":
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
