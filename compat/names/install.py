# pyright: standard
# Packs call this with anything: the contract has no types, and torch's are not strict.
"""Putting the import names in place: modules in sys.modules, and a finder for deep names."""

import importlib
import importlib.machinery
import sys
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from types import ModuleType
from typing import Any, Final

from compat.names import attention, blocks
from compat.names.core_extras import beside_classes, is_here
from compat.names.core_methods import CLASS_NAMES
from compat.names.core_nodes import nodes
from compat.names.execution import (
    cli_args,
    execution,
    graph_names,
    graph_utils,
    latent_preview,
    node_helpers,
    node_typing,
)
from compat.names.folders import folder_paths
from compat.names.objects import add_published_names, answer_to_names
from compat.names.placeholders import is_offered, placeholder, placeholder_module
from compat.names.probing import is_probed
from compat.names.prompt_server import server
from compat.names.session import Session
from compat.names.v3_modules import put_api
from diffusion.values import Network

Build = Callable[[Session], dict[str, Any]]
_SHARED: Final = ("nodes", "server")
"""Names that our own modules have too: what packs do not ask for is found in ours."""
_PACKAGES: Final = (
    "comfy",
    "comfy_execution",
    "comfy_api",
    "comfy_extras",
    "comfy.k_diffusion",
    "comfy.comfy_types",
)


def _builders() -> dict[str, Build]:
    """What makes each module, in the order they need each other."""
    from compat.names import (
        comfy_utils,
        cond_props,
        conds,
        deep,
        facades,
        latent_formats,
        lora,
        management,
        model_sampling,
        prompt_text,
        sampling,
        v3_node,
        v3_ui,
    )

    return {
        "folder_paths": folder_paths,
        "comfy.cli_args": cli_args,
        "comfy.utils": comfy_utils.comfy_utils,
        "comfy.model_management": management.model_management,
        "comfy.samplers": sampling.samplers,
        "comfy.sample": sampling.sample_module,
        "comfy.k_diffusion.sampling": sampling.k_sampling,
        "comfy.k_diffusion.utils": sampling.k_utils,
        "comfy.comfy_types.node_typing": node_typing,
        "comfy.comfy_types": node_typing,
        "comfy_execution.graph": graph_names,
        "comfy_execution.graph_utils": graph_utils,
        "node_helpers": node_helpers,
        "latent_preview": latent_preview,
        "server": server,
        "nodes": nodes,
        "execution": execution,
        "comfy.sd": facades.sd,
        "comfy.model_patcher": facades.model_patcher,
        "comfy.clip_vision": facades.clip_vision,
        "comfy.latent_formats": latent_formats.latent_formats,
        "comfy.model_sampling": model_sampling.model_sampling,
        "comfy.model_base": facades.model_base,
        "comfy.lora": lora.lora,
        "comfy.lora_convert": lora.lora_convert,
        "comfy.weight_adapter": lora.weight_adapter,
        "comfy.patcher_extension": facades.patcher_extension,
        "comfy.controlnet": facades.controlnet,
        "comfy.ops": deep.ops,
        "comfy.hooks": cond_props.hooks,
        "comfy.sd1_clip": prompt_text.prompt_text,
        "comfy.conds": conds.conds,
        "comfy.sampler_helpers": deep.sampler_helpers,
        "comfy.ldm.common_dit": deep.common_dit,
        "comfy.ldm.modules.diffusionmodules.util": deep.diffusion_util,
        "comfy.ldm.modules.attention": facades.attention,
        "comfy.ldm.modules.diffusionmodules.openaimodel": facades.openaimodel,
        "comfy_extras.chainner_models.model_loading": facades.chainner,
        "comfy_api.latest._io": v3_node.v3_names,
        "comfy_api.latest._ui": v3_ui.v3_ui,
    }


def install(session: Session) -> Session:
    """Make ComfyUI's import names work in this process, for this session's packs."""
    sys.meta_path[:] = [item for item in sys.meta_path if not isinstance(item, _DeepNames)]
    for name in [name for name in sys.modules if _is_alias(name)]:
        del sys.modules[name]
    answer_to_names()
    add_published_names()
    for name in _PACKAGES:
        _put(session, name, _package(name))
    for name, build in _builders().items():
        known = build(session)
        made = placeholder_module(name, known) if is_offered(name) else _module(name, known)
        _put(session, name, made)
    session.modules["comfy.samplers"].__dict__["k_diffusion_sampling"] = session.modules[
        "comfy.k_diffusion.sampling"
    ]
    put_api(session, lambda name, known: _put(session, name, _api_module(name, known)))
    sys.meta_path.append(_DeepNames(session))
    return session


@contextmanager
def names_kept() -> Generator[None]:
    """Take everything back that was installed meanwhile."""
    modules, finders, path = dict(sys.modules), list(sys.meta_path), list(sys.path)
    parts = [(kind, dict(vars(kind))) for kind in (Network, *attention.LAYERS, *blocks.LAYERS)]
    try:
        yield
    finally:
        for name in [
            name for name in sys.modules if name not in modules and (_is_installed(name) or _is_alias(name))
        ]:
            del sys.modules[name]
        sys.modules.update({name: modules[name] for name in _SHARED if name in modules})
        sys.meta_path[:], sys.path[:] = finders, path
        for kind, own in parts:
            _put_back(kind, own)


def _put_back(kind: type, own: dict[str, Any]) -> None:
    """Give a class its methods again, in whose place a pack put others."""
    for name, value in own.items():
        if vars(kind).get(name) is not value:
            setattr(kind, name, value)


def _is_installed(name: str) -> bool:
    tops = (
        "comfy",
        "comfy_execution",
        "comfy_api",
        "comfy_extras",
        "folder_paths",
        "execution",
        "server",
        "nodes",
    )
    return name.partition(".")[0] in (*tops, "node_helpers", "latent_preview") and not name.startswith(
        "nodes."
    )


def _is_alias(name: str) -> bool:
    return isinstance(getattr(getattr(sys.modules.get(name), "__spec__", None), "loader", None), _Alias)


def _module(name: str, known: dict[str, Any]) -> ModuleType:
    made = ModuleType(name)
    made.__dict__.update(known)
    made.__dict__["__getattr__"] = _missing(name)
    return made


def _package(name: str) -> ModuleType:
    """A package; parts of it that nobody imported yet are there all the same, as after ComfyUI's start."""
    made = _module(name, {})
    made.__dict__["__path__"] = []

    def find(wanted: str) -> Any:
        if not wanted.startswith("__") and is_offered(f"{name}.{wanted}"):
            return importlib.import_module(f"{name}.{wanted}")
        raise AttributeError(f"Not supported by this host: {name}.{wanted}")

    made.__dict__["__getattr__"] = find
    return made


def _missing(module: str) -> Callable[[str], Any]:
    def find(name: str) -> Any:
        raise AttributeError(f"Not supported by this host: {module}.{name}")

    return find


def _put(session: Session, name: str, module: ModuleType) -> None:
    """Put a module in place; packs ask some for their file to learn where the host lies, and write there."""
    parts, home = name.split("."), session.home
    is_package = "__path__" in module.__dict__ and len(parts) == 1
    file = home.joinpath(*parts, "__init__.py") if is_package else home.joinpath(*parts).with_suffix(".py")
    if name in _SHARED:
        _lean_on_ours(name, module)
        file = home / f"{name}.py"
    module.__dict__.update(__file__=str(file), __host__="Darkroom")
    module.__spec__ = importlib.machinery.ModuleSpec(name, None, is_package="__path__" in module.__dict__)
    session.modules[name] = sys.modules[name] = module
    if len(parts) > 1:
        parent = ".".join(parts[:-1])
        if parent not in sys.modules:
            _put(session, parent, placeholder_module(parent) if is_offered(parent) else _package(parent))
        setattr(sys.modules[parent], parts[-1], module)


def _lean_on_ours(name: str, module: ModuleType) -> None:
    """Find in our own module of the name what packs never ask for: the program goes on using it."""
    ours = sys.modules.get(name)
    if ours is not None and hasattr(ours, "__host__"):
        ours = ours.__dict__.get("__ours__")
    if ours is None:
        return
    module.__dict__["__ours__"] = ours
    if hasattr(ours, "__path__"):
        module.__dict__["__path__"] = ours.__path__

    def find(wanted: str) -> Any:
        if name == "nodes" and wanted[:1].isupper() and not hasattr(ours, wanted) and not is_probed():
            return placeholder(f"nodes.{wanted}")
        return getattr(ours, wanted)

    module.__dict__["__getattr__"] = find


def _api_module(name: str, known: dict[str, Any]) -> ModuleType:
    module = placeholder_module(name)
    module.__dict__.update(known)
    return module


class _DeepNames:
    """Finds modules of deep names: placeholders, and core classes among comfy_extras."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def find_spec(self, name: str, path: Sequence[str] | None = None, target: Any = None) -> Any:
        """How a module is found."""
        if self._is_bare(name):
            alias: Any = _Alias(f"comfy.{name}")
            return importlib.machinery.ModuleSpec(name, alias, is_package=True)
        if not is_here(name) and (not is_offered(name) or is_probed()):
            return None
        return importlib.machinery.ModuleSpec(name, self, is_package=True)  # type: ignore[arg-type]

    def _is_bare(self, name: str) -> bool:
        """Whether a module of the package comfy is meant: ComfyUI has that folder in its search path."""
        whole = f"comfy.{name}"
        return (
            name != "utils"
            and not whole.startswith("comfy.comfy")
            and (whole in self._session.modules or (is_offered(whole) and not is_probed()))
        )

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType:
        """The module."""
        classes = self._session.classes if spec.name.startswith("comfy_extras") else {}
        made = placeholder_module(spec.name, beside_classes(spec.name))
        if classes:
            placeholders = made.__dict__["__getattr__"]

            def find(name: str) -> Any:
                id = CLASS_NAMES.get(name, name)
                return classes[id] if id in classes else placeholders(name)

            made.__dict__["__getattr__"] = find
        made.__file__ = str(self._session.home.joinpath(*spec.name.split(".")).with_suffix(".py"))
        return made

    def exec_module(self, module: ModuleType) -> None:
        """Nothing is left to do."""


class _Alias:
    """Gives a module that is there under another name."""

    def __init__(self, name: str) -> None:
        self._name = name

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType:
        """A module with the other's names."""
        other = importlib.import_module(self._name)
        made = ModuleType(spec.name)
        made.__dict__["__getattr__"] = lambda name: getattr(other, name)
        return made

    def exec_module(self, module: ModuleType) -> None:
        """Nothing is left to do."""
