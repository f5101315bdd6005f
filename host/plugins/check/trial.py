"""The trial of a plugin, in a process of its own: it is loaded, its nodes are called. `main` runs there."""

import gc
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any, Final, cast

import psutil

from graph.context import Cancelled, NodeContext
from graph.registry import bare_name
from graph.spec import MISSING, Input, NodeSpec
from host.folders import PLUGINS, Folders, folders_of
from host.headless import HeadlessJob
from host.plugins.check.findings import Finding
from host.plugins.check.samples import NoSample, same, samples, wrong_output
from host.plugins.check.watching import Watch
from host.plugins.found import Found, find_plugins
from host.plugins.hooks import new_hooks
from host.plugins.native import Loading, load_native
from host.plugins.packs import Site

if TYPE_CHECKING:
    from graph.registry import Registry

SLOW: Final = 0.5
"""Seconds of computing that loading may take."""
LOADS_FOR: Final = 3.0
CALLED_FOR: Final = 1.0
"""Seconds after which waiting, for a network or a clock, counts too; less may be a busy machine's doing."""
LONG: Final = 0.5
"""Seconds after which a node that cannot be stopped is one too many."""
_CALLS: Final = 6
_LEAK: Final = 24 * 2**20


def main(folder: str, answer: str) -> int:
    """Try the plugin in a folder and write the findings to a file."""
    with tempfile.TemporaryDirectory(prefix="darkroom-check-") as home:
        found = list(_Trial(Path(folder), Path(home)).findings())
    Path(answer).write_text(json.dumps([item.to_json() for item in found]), "utf-8")
    return 0


class _Trial:
    """One plugin under trial, with an installation of its own."""

    def __init__(self, folder: Path, home: Path) -> None:
        self._home = home.resolve()
        self._folders = folders_of(self._home)
        self._found = _only(folder)
        self._watch = Watch(str(folder), (folder, self._home))

    def findings(self) -> Iterator[Finding]:
        """Everything that is found."""
        loading, seconds = self._loaded()
        yield from _told_of_loading(loading, seconds)
        if loading.packs[0].state != "loaded":
            return
        for spec in loading.specs:
            yield from _told_of_docs(spec)
            yield from self._tried(spec)
        yield from self._capabilities()

    def _loaded(self) -> tuple[Loading, float]:
        types = _built_in()
        self._watch.start()
        clock = _Clock()
        with self._watch.watching():
            site = Site(Folders({**self._folders.places, PLUGINS: ()}), types)
            loading = load_native(site, new_hooks(), [self._found], frozenset(), lambda path: nullcontext())
        return loading, clock.seconds(LOADS_FOR)

    def _capabilities(self) -> Iterator[Finding]:
        said = set[str](self._found.manifest.capabilities)
        undeclared = {kind: what for kind, what in self._watch.seen.items() if kind not in said}
        for kind, what in sorted(undeclared.items()):
            fix = f'Leave that out, or write capabilities = ["{kind}"] in plugin.toml, so that people know.'
            yield Finding("capabilities", "error", f"Undeclared: {'; '.join(sorted(what)[:3])}.", fix)
        if not undeclared:
            yield Finding("capabilities", "good", "It did nothing that plugin.toml does not say.")

    # One node

    def _tried(self, spec: NodeSpec) -> Iterator[Finding]:
        name = bare_name(spec)
        try:
            given, kept = samples(spec), samples(spec)
        except NoSample as why:
            yield Finding("outputs", "skipped", f"Not called: {why}.", node=name)
            return
        try:
            first = self._called(spec, given)
        except Exception as error:
            said = f"Called with its defaults it raised {type(error).__name__}: {error}"
            yield Finding("outputs", "error", said, "Let defaults be values that work.", name)
            return
        yield _told_of_outputs(spec, first, name)
        yield _told_of_inputs(given, kept, name)
        clock = _Clock()  # of the second call: the first also imports what it needs
        try:
            yield self._told_of_determinism(spec, self._called(spec, samples(spec)), first, name)
        except Exception as error:
            said = f"Called a second time it raised {type(error).__name__}: {error}"
            yield Finding("determinism", "error", said, "Keep nothing of a call in the module.", name)
            return
        seconds = clock.seconds(CALLED_FOR)
        yield self._told_of_cancelling(spec, seconds, name)
        yield self._told_of_memory(spec, seconds, name)
        yield _told_of_key(spec, name)

    def _called(self, spec: NodeSpec, given: dict[str, Any], cancel: Event | None = None) -> Any:
        token = cancel or Event()
        context = NodeContext("trial", _job(self._folders), lambda event: None, token)
        hidden = {name: context if kind == "context" else None for name, kind in spec.hidden.items()}
        import torch

        with self._watch.watching(), torch.no_grad():
            result = spec.run(**given, **hidden)
            if spec.is_async:
                import asyncio

                result = asyncio.run(result)
        return getattr(result, "values", result)

    def _told_of_determinism(self, spec: NodeSpec, second: Any, first: Any, name: str) -> Finding:
        if same(first, second):
            return Finding("determinism", "good", "Twice the same.", node=name)
        fix = "Take an input `seed: Seed` and make a torch.Generator of it, or declare a fingerprint."
        state = "good" if spec.fingerprint is not None or not spec.idempotent else "error"
        return Finding(
            "determinism", state, "Called twice with the same inputs it gave different outputs.", fix, name
        )

    def _told_of_cancelling(self, spec: NodeSpec, seconds: float, name: str) -> Finding:
        cancelled = Event()
        cancelled.set()
        fix = "Take a parameter `context: Context` and call context.check_cancelled() between steps."
        if "context" not in spec.hidden.values():
            if seconds < LONG:
                return Finding("cancelling", "good", "It is over at once.", node=name)
            return Finding(
                "cancelling", "warning", f"It takes {seconds:.1f} s and cannot be stopped.", fix, name
            )
        try:
            self._called(spec, samples(spec), cancelled)
        except Cancelled:
            return Finding("cancelling", "good", "It stops.", node=name)
        except Exception as error:
            said = f"It raised {type(error).__name__} when its job was cancelled."
            return Finding(
                "cancelling", "error", said, "Let Cancelled pass: catch no bare Exception around it.", name
            )
        state = "good" if seconds < LONG else "error"
        return Finding("cancelling", state, "It went on to its end when its job was cancelled.", fix, name)

    def _told_of_memory(self, spec: NodeSpec, seconds: float, name: str) -> Finding:
        if seconds > LONG:
            return Finding("memory", "skipped", "Not measured: it takes long.", node=name)
        process, call = psutil.Process(), lambda: self._called(spec, samples(spec))
        half = _grown(process, call, _CALLS)
        grown = _grown(process, call, _CALLS)
        if min(half, grown) < _LEAK:
            return Finding("memory", "good", "It grew no larger.", node=name)
        said = f"{_CALLS} calls left {grown // 2**20} MB behind."
        return Finding("memory", "error", said, "Keep nothing of a call in the module.", name)


class _Clock:
    """Seconds of computing since it was made, or of all, where these are many."""

    def __init__(self) -> None:
        self._began, self._computed = time.perf_counter(), time.process_time()

    def seconds(self, many: float) -> float:
        """What has passed."""
        passed = time.perf_counter() - self._began
        return passed if passed > many else time.process_time() - self._computed


def _grown(process: psutil.Process, call: Callable[[], Any], times: int) -> int:
    gc.collect()
    before = process.memory_info().rss
    for _ in range(times):
        call()
    gc.collect()
    return process.memory_info().rss - before


def _only(folder: Path) -> Found:
    found = [item for item in find_plugins((folder.parent,)) if item.path == folder]
    if not found:
        from host.plugins.manifest import Manifest

        return Found(
            folder.name,
            folder,
            Manifest(name="plugin"),
            trouble="It has no plugin.toml and no function marked @node.",
        )
    return found[0]


def _built_in() -> "Registry":
    from host.plugins.built_in import node_types

    return node_types()


def _job(folders: Folders) -> Any:
    from graph.document import Workflow
    from graph.registry import Registry
    from host.lock import Hashes
    from host.services import Services

    empty = Workflow({})
    return HeadlessJob(
        empty,
        empty,
        Services(tuple, Registry),
        Registry(),
        folders,
        Hashes(folders.folder("temp") / "hashes.json"),
    )


def _told_of_loading(loading: Loading, seconds: float) -> Iterator[Finding]:
    pack = loading.packs[0]
    if pack.state != "loaded":
        said = pack.message or f"It is {pack.state}."
        yield Finding("loading", "error", said, pack.trace.strip() or "Mend that first.")
        return
    for note in pack.notes:
        yield Finding("loading", "warning", note, "Leave the rest of the program alone while loading.")
    brought = [f"{len(pack.nodes)} node types", *pack.samplers, *pack.schedules]
    yield Finding("loading", "good", f"It brings {', '.join(brought)}.")
    lazy = 'Import it when it is first used: `torch = LazyModule("torch")` from nodes.lazy.'
    if "torch" in sys.modules:
        yield Finding("import time", "error", "Loading it loads torch, which slows every command down.", lazy)
    elif seconds > SLOW:
        yield Finding("import time", "warning", f"Loading it takes {seconds:.1f} s.", lazy)
    else:
        yield Finding("import time", "good", f"It loads in {seconds:.2f} s, without torch.")


def _told_of_docs(spec: NodeSpec) -> Iterator[Finding]:
    name = bare_name(spec)
    mute = [item.name for item in spec.inputs if not item.hint.tooltip and _needs_words(item)]
    if mute:
        fix = 'Write Annotated[..., Hint("What it does.")].'
        yield Finding("docs", "warning", f"Nothing says what {', '.join(mute)} is for.", fix, name)
    elif not spec.category:
        yield Finding("docs", "warning", "It is in no category.", 'Write @node(..., category="image").', name)
    else:
        yield Finding("docs", "good", spec.description.partition("\n")[0], node=name)


def _needs_words(item: Input) -> bool:
    return item.widget is not None and item.default is not MISSING


def _told_of_outputs(spec: NodeSpec, given: Any, name: str) -> Finding:
    values = cast("tuple[Any, ...]", given if isinstance(given, tuple) else (given,))
    wrong = [
        (item.name, said)
        for item, value in zip(spec.outputs, values, strict=False)
        if (said := wrong_output(item, value))
    ]
    if wrong:
        said = "; ".join(f"{output} {why}" for output, why in wrong)
        return Finding("outputs", "error", f"{said}.", "Give what the return annotation says.", name)
    return Finding(
        "outputs",
        "good",
        f"It gives {', '.join(item.name for item in spec.outputs) or 'nothing'}.",
        node=name,
    )


def _told_of_inputs(given: dict[str, Any], kept: dict[str, Any], name: str) -> Finding:
    changed = [key for key in given if not same(given[key], kept[key])]
    if changed:
        fix = "Work on a copy: value.clone(), or operations without a trailing underscore."
        return Finding("inputs kept", "error", f"It changed its input {', '.join(changed)}.", fix, name)
    return Finding("inputs kept", "good", "Its inputs stayed as they were.", node=name)


def _told_of_key(spec: NodeSpec, name: str) -> Finding:
    if spec.fingerprint is None:
        return Finding("cache key", "good", "It is kept by its inputs and its code.", node=name)
    import inspect

    from graph.keys import canonical

    known = samples(spec)
    wanted = inspect.signature(spec.fingerprint).parameters.values()
    every = any(item.kind is item.VAR_KEYWORD for item in wanted)
    told = {key: value for key, value in known.items() if every or key in {item.name for item in wanted}}
    try:
        key = canonical(spec.fingerprint(**told))
    except Exception:  # a plugin's code
        key = None
    if key is None:
        fix = "Let it give a number, a text or a list of them, if results are to be kept."
        return Finding("cache key", "warning", "Its fingerprint never repeats, so it always runs.", fix, name)
    return Finding("cache key", "good", "Its fingerprint joins its key.", node=name)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
