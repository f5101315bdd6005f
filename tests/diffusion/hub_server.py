"""A server on this machine that answers like a hub: listing, facts of files, files with ranges."""

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote

COMMIT = "c" * 40


@dataclass
class Hub:
    """What the server has and what it was asked.

    repositories: files by name, by "owner/name" and "owner/name@revision"; gated and private ones want a
    token.
    """

    repositories: dict[str, Mapping[str, bytes]]
    gated: frozenset[str] = frozenset()
    asked: list[tuple[str, str, str, str]] = field(default_factory=list[tuple[str, str, str, str]])
    url: str = ""


@contextmanager
def serving(hub: Hub) -> Iterator[Hub]:
    """The hub, answering at hub.url."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(hub))
    hub.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _handler(hub: Hub) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *args: object) -> None:
            pass

        def do_HEAD(self) -> None:
            self._answer()

        def do_GET(self) -> None:
            self._answer()

        def _answer(self) -> None:
            path = unquote(self.path.partition("?")[0]).strip("/")
            range_, token = self.headers.get("Range", ""), self.headers.get("Authorization", "")
            hub.asked.append((self.command, path, range_, token))
            if path.startswith("api/models/"):
                self._list(path.removeprefix("api/models/"), token)
            else:
                self._file(path, range_, token)

        def _list(self, path: str, token: str) -> None:
            repository, _, revision = path.partition("/revision/")
            files = self._found(repository, revision or "main", token)
            if files is not None:
                siblings = [{"rfilename": n, "size": len(b), "blobId": "0" * 40} for n, b in files.items()]
                answer = {"id": repository, "modelId": repository, "sha": COMMIT, "siblings": siblings}
                self._send(200, json.dumps(answer).encode(), {"Content-Type": "application/json"})

        def _file(self, path: str, range_: str, token: str) -> None:
            repository, _, rest = path.partition("/resolve/")
            revision, _, name = rest.partition("/")
            files = self._found(repository, revision, token)
            if files is None:
                return
            if name not in files:
                self._send(404, b"", {"X-Error-Code": "EntryNotFound", "X-Repo-Commit": COMMIT})
                return
            data = files[name]
            facts = {
                "ETag": f'"{sha256(data).hexdigest()}"',
                "X-Repo-Commit": COMMIT,
                "Accept-Ranges": "bytes",
            }
            start = int(range_.removeprefix("bytes=").partition("-")[0]) if range_ else 0
            if start:
                facts["Content-Range"] = f"bytes {start}-{len(data) - 1}/{len(data)}"
            self._send(206 if start else 200, data[start:], facts)

        def _found(self, repository: str, revision: str, token: str) -> Mapping[str, bytes] | None:
            name = repository if revision in ("main", COMMIT) else f"{repository}@{revision}"
            if repository in hub.gated and token != "Bearer secret":
                self._send(403, b"", {"X-Error-Code": "GatedRepo"})
            elif name in hub.repositories:
                return hub.repositories[name]
            else:
                known = repository in hub.repositories
                self._send(404, b"", {"X-Error-Code": "RevisionNotFound" if known else "RepoNotFound"})
            return None

        def _send(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                try:
                    self.wfile.write(body)
                except (BrokenPipeError, ConnectionResetError):
                    self.close_connection = True

    return Handler
