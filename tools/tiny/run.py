"""What all stages of training share: their progress on disk, their clock, log and learning rate."""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import cos, pi
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

State = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Run:
    """One training run: its folder, and the minutes each stage may take from its first start to its end."""

    folder: Path
    minutes: dict[str, float]

    def log(self, stage: str, **figures: float | str) -> None:
        line = json.dumps({"stage": stage, "at": time.strftime("%H:%M:%S"), **figures})
        print(line, flush=True)
        with (self.folder / "log.txt").open("a") as file:
            file.write(line + "\n")

    def save(self, stage: str, state: State) -> None:
        part = self.folder / f"{stage}.part"
        torch.save(state, part)
        part.replace(self.folder / f"{stage}.pt")

    def load(self, stage: str) -> State | None:
        path = self.folder / f"{stage}.pt"
        return torch.load(path, weights_only=False) if path.exists() else None


@dataclass(slots=True)
class Clock:
    """Seconds a stage has used of its budget, counted over restarts."""

    budget: float
    used: float = 0.0

    def ticks(self) -> Iterator[float]:
        """The share of the budget used, 0 to 1, once a step, until it is spent."""
        while self.used < self.budget:
            start = time.monotonic()
            yield self.used / self.budget
            self.used += time.monotonic() - start


def rate(peak: float, done: float, warm: float = 0.02) -> float:
    """A learning rate that warms up for a share of the budget, then falls with a cosine to 2 % of it."""
    if done < warm:
        return peak * (0.05 + 0.95 * done / warm)
    return peak * (0.02 + 0.98 * 0.5 * (1 + cos(pi * (done - warm) / (1 - warm))))


def optimise(loss: Tensor, model: nn.Module, optimizer: torch.optim.Optimizer, lr: float) -> None:
    """One optimizer step at a learning rate, with gradients clipped to norm 1."""
    for group in optimizer.param_groups:
        group["lr"] = lr * group.get("scale", 1.0)
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()


def learn(
    run: Run,
    stage: str,
    module: nn.Module,
    loss_of: Callable[[float], Tensor],
    peak: float,
    average: nn.Module | None = None,
) -> None:
    """Trains a module on what loss_of gives for the share of the stage's minutes that is used, until they are
    spent; goes on where it stopped. average, of the same kind, follows the module's values slowly."""
    clock = Clock(run.minutes[stage] * 60)
    optimizer = torch.optim.AdamW(
        [value for value in module.parameters() if value.requires_grad], weight_decay=0.01, betas=(0.9, 0.98)
    )
    parts = {"model": module, "optimizer": optimizer} | ({"average": average} if average is not None else {})
    step, running = 0, 0.0
    if state := run.load(stage):
        for name, part in parts.items():
            part.load_state_dict(state[name])
        clock.used, step = state["used"], state["step"]
    for done in clock.ticks():
        loss = loss_of(done)
        optimise(loss, module, optimizer, rate(peak, done))
        if average is not None:
            follow(average, module, step)
        step += 1
        running = 0.98 * running + 0.02 * loss.item() if running else loss.item()
        if step % 50 == 0:
            run.log(stage, step=step, done=round(done, 3), loss=round(running, 5))
        if step % 200 == 0:
            states = {name: part.state_dict() for name, part in parts.items()}
            run.save(stage, {**states, "used": clock.used, "step": step})
    states = {name: part.state_dict() for name, part in parts.items()}
    run.save(stage, {**states, "used": clock.used, "step": step})


@torch.no_grad()
def follow(average: nn.Module, module: nn.Module, step: int) -> None:
    """Moves the average a little towards the network."""
    decay = min(0.998, (1 + step) / (20 + step))
    for kept, new in zip(average.parameters(), module.parameters(), strict=True):
        kept.lerp_(new, 1 - decay)
