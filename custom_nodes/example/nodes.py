"""The node of the example: typed parameters are its inputs, the return type is its output."""

from typing import TYPE_CHECKING, Annotated

from graph.context import Context
from graph.node import node
from graph.sockets import Socket
from graph.spec import Hint, Number
from nodes.lazy import LazyModule
from nodes.sockets import Image

if TYPE_CHECKING:
    import torch
    from PIL import Image as Pictures
else:
    torch = LazyModule("torch")
    Pictures = LazyModule("PIL.Image")

Amount = Annotated[float, Number(0.0, 1.0, 0.01, look="slider"), Hint("0 leaves pictures as they are.")]
Colour = Annotated[list[float], Socket("EXAMPLE_COLOUR"), Hint("Red, green and blue, each from 0 to 1.")]
WARM = [1.0, 0.8, 0.5]


@node("Tint", title="Tint", category="example")
def tint(context: Context, image: Image, amount: Amount = 0.3, colour: Colour | None = None) -> Image:
    """Pictures with a colour laid over them."""
    over = torch.tensor(WARM if colour is None else colour)
    tinted = []
    for number, picture in enumerate(image, start=1):
        tinted.append(torch.lerp(picture, (picture * over).clamp(0, 1), amount))
        small = Pictures.fromarray((tinted[-1] * 255).byte().cpu().numpy())
        context.progress(number, len(image), small)
    return torch.stack(tinted)
