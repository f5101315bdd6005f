"""Parts of a network that a MODEL's patches put in the place of its own, for the length of a run."""

from collections.abc import Generator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

from diffusion.values import Model, Network


@contextmanager
def replaced_parts(model: Model) -> Generator[None]:
    """The network with every part that this MODEL replaces; afterwards its own are back."""
    with ExitStack() as stack:
        for name, value in in_place(model).items():
            stack.enter_context(_replaced(model.model, name, value))
        yield


def in_place(model: Model) -> Mapping[str, Any]:
    """What is put in a network by dotted name, whole parts first: others may lie in them."""
    whole = model.whole_parts()
    inner = {name: part for name, part in model.object_patches.items() if name not in whole}
    inner.pop("manual_cast_dtype", None)
    return {**whole, **inner}


@contextmanager
def _replaced(network: Network, name: str, value: Any) -> Generator[None]:
    path, _, leaf = name.rpartition(".")
    owner: Any = network
    for part in path.split(".") if path else ():
        owner = getattr(owner, part)
    kept, is_own = getattr(owner, leaf), _is_own(owner, leaf)
    _set(owner, leaf, value)
    try:
        yield
    finally:
        if is_own:
            _set(owner, leaf, kept)
        else:
            object.__delattr__(owner, leaf)


def _is_own(owner: Any, name: str) -> bool:
    """Whether an object has something itself, and not from its class."""
    return (
        name in vars(owner)
        or not hasattr(type(owner), name)
        or isinstance(vars(type(owner)).get(name), property)
    )


def _set(owner: Any, name: str, value: Any) -> None:
    if isinstance(owner, Network):
        object.__setattr__(owner, name, value)
    else:
        setattr(owner, name, value)
