"""What plugins hang on a MODEL: functions told of stages, what is put in while it runs, other models.

Kinds and stages bear the field's names: "callbacks" ("on_pre_run", "on_cleanup", ...), "injections" (with
inject and eject), "attachments" and "additional_models".
"""

from collections.abc import Generator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

from diffusion.parts import replaced_parts
from diffusion.values import Model, Network, own_options
from diffusion.weights import applied, ready

Hung = dict[str, dict[Any, Any]]


def copied(hung: Mapping[str, Any]) -> Hung:
    """The same for a clone: an attachment that wants to make its own copy does, other models are cloned."""
    made = own_options(hung)
    for key, held in made.get("attachments", {}).items():
        copy = getattr(held, "on_model_patcher_clone", None)
        made["attachments"][key] = copy() if copy else held
    for key, models in made.get("additional_models", {}).items():
        made["additional_models"][key] = [model.clone() for model in models]
    return made


def tell(model: Model, stage: str, *values: Any) -> None:
    """Call what wants to be told of a stage, with the MODEL and what belongs to the stage."""
    told = model.hung.get("callbacks", {}).get(stage, {})
    for function in [function for functions in told.values() for function in functions]:
        function(model, *values)


def inject(model: Model) -> None:
    """Put in what is put into the network while it runs; once."""
    injections = [item for items in model.hung.get("injections", {}).values() for item in items]
    if model.is_injected or not injections:
        return
    for injection in injections:
        injection.inject(model)
        model.is_injected = True
    tell(model, "on_inject_model")


def eject(model: Model) -> None:
    """Take out what was put in."""
    if not model.is_injected:
        return
    for injection in [item for items in model.hung.get("injections", {}).values() for item in items]:
        injection.eject(model)
    model.is_injected = False
    tell(model, "on_eject_model")


def others(model: Any) -> list[Any]:
    """The models that a MODEL brings, and those that they bring; each once."""
    found, asked = list[Any](), [model]
    while asked:
        held = getattr(asked.pop(0), "hung", {}).get("additional_models", {})
        new = [item for items in held.values() for item in items if not any(item is f for f in found)]
        found += new
        asked += new
    return found


def pre_run(model: Model) -> None:
    """A run begins."""
    object.__setattr__(model.model, "current_patcher", model)
    tell(model, "on_pre_run")


def cleanup(model: Model) -> None:
    """A run has ended."""
    object.__setattr__(model.model, "current_patcher", None)
    tell(model, "on_cleanup")


@contextmanager
def loaded(model: Model) -> Generator[None]:
    """The network as this MODEL runs it: where it computes, with its weights, parts and what is put in."""
    network, unet = model.network, model.model.diffusion_model
    ready(unet, network.compute.device, network.compute.dtype)
    with applied(unet, model.patches, network.compute.dtype), replaced_parts(model):
        tell(model, "on_load_after", network.compute.device, 0, False, True)
        try:
            inject(model)
            yield
        finally:
            eject(model)
            tell(model, "on_detach_after", True)


@dataclass
class LoadedModels:
    """What a run loaded beside its MODEL, until it is closed."""

    models: tuple[Any, ...]
    stack: ExitStack = field(default_factory=ExitStack)

    def __iter__(self) -> Any:
        return iter(self.models)

    def __len__(self) -> int:
        return len(self.models)

    def close(self) -> None:
        """Take out of the networks what this run put in."""
        self.stack.close()


def load(model: Model, more: list[Any]) -> LoadedModels:
    """Load a MODEL for a run, with the models that it brings and more."""
    made = LoadedModels((*others(model), *more))
    try:
        for one in (model, *(item for item in made.models if isinstance(item, Model))):
            if isinstance(one.model, Network):
                made.stack.enter_context(loaded(one))
    except BaseException:
        made.close()
        raise
    return made
