"""One training loop for all stages: several processes, averaged gradients, checkpoints, resume."""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar

import numpy as np
import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from tools.demo_training.pool import Bucket, read_pool

MEAN = torch.tensor([0.485, 0.456, 0.406])[:, None, None]
STD = torch.tensor([0.229, 0.224, 0.225])[:, None, None]
_REPORT_EVERY = 50


class HasPixels(Protocol):
    """Any batch."""

    @property
    def pixels(self) -> Tensor:
        """(B, 3, h, w) float32 in [0, 1]."""


B = TypeVar("B", bound=HasPixels)
Draw = Callable[[list[Bucket], int, np.random.Generator, float], B]
Loss = Callable[[Tensor, B], tuple[Tensor, dict[str, float]]]


@dataclass(frozen=True)
class Schedule:
    """How long and how fast; `batch` is images a process and step, `rate` the peak."""

    steps: int
    batch: int
    rate: float
    seed: int
    warmup: int = 200

    def factor(self, step: int) -> float:
        """The learning rate at a step, as a share of the peak: linear warm-up, then a cosine."""
        if step < self.warmup:
            return (step + 1) / self.warmup
        done = (step - self.warmup) / max(self.steps - self.warmup, 1)
        return 0.01 + 0.99 * (1 + math.cos(math.pi * min(done, 1.0))) / 2


def join(rank: int, processes: int, rendezvous: Path) -> None:
    """Make this process one of a group that trains together and shares the cores."""
    torch.set_num_threads(max(1, (os.cpu_count() or 1) // processes))
    dist.init_process_group(
        "gloo", init_method=f"file://{rendezvous}", rank=rank, world_size=processes
    )


def train(
    model: nn.Module,
    loss: Loss[B],
    groups: list[dict],
    schedule: Schedule,
    *,
    draw: Draw[B],
    pool: Path,
    checkpoint: Path,
    save_every: int = 250,
) -> None:
    """Train until `schedule.steps`, going on from `checkpoint` where it exists.

    Run in every process of a torch.distributed group; the first one writes. The checkpoint keeps
    weights, their running average (what is shipped), the optimiser's state and the step. `draw`
    makes a batch out of the pool's buckets, its size, a source of chance, and a number in [0, 1)
    that is the same in all processes and chooses the shape.
    """
    rank, world = dist.get_rank(), dist.get_world_size()
    optimiser = torch.optim.AdamW(groups, lr=schedule.rate, weight_decay=0.02)
    base_rates = [group["lr"] for group in optimiser.param_groups]
    average = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(0.999))
    start, seconds = 0, 0.0
    if checkpoint.exists():
        state = torch.load(checkpoint, weights_only=True)
        model.load_state_dict(state["model"])
        average.load_state_dict(state["average"])
        optimiser.load_state_dict(state["optimiser"])
        start, seconds = state["step"], state["seconds"]
    buckets = read_pool(pool)
    began = time.perf_counter()
    sums: dict[str, float] = {}
    model.train()
    for step in range(start, schedule.steps):
        for group, rate in zip(optimiser.param_groups, base_rates, strict=True):
            group["lr"] = rate * schedule.factor(step)
        # The shape is drawn alike in all processes, so that none waits for a larger one.
        rng = np.random.default_rng([schedule.seed, step, rank])
        shape = np.random.default_rng([schedule.seed, step]).random()
        batch = draw(buckets, schedule.batch, rng, shape)
        total, parts = loss((batch.pixels - MEAN) / STD, batch)
        optimiser.zero_grad()
        total.backward()
        _average_gradients(model, world)
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        average.update_parameters(model)
        for name, value in parts.items():
            sums[name] = sums.get(name, 0.0) + value
        done = step + 1
        if rank == 0 and (done % _REPORT_EVERY == 0 or done == schedule.steps):
            spent = seconds + time.perf_counter() - began
            past = (done - 1) % _REPORT_EVERY + 1
            means = {name: round(value / past, 3) for name, value in sums.items()}
            sums = {}
            log = {
                "steps": done,
                "images": schedule.batch * world,
                "seed": schedule.seed,
                "seconds": round(spent),
                "loss": round(sum(means.values()), 3),
                "parts": means,
            }
            print(json.dumps(log), flush=True)
            checkpoint.with_suffix(".json").write_text(json.dumps(log))
        if rank == 0 and (done % save_every == 0 or done == schedule.steps):
            state = {
                "model": model.state_dict(),
                "average": average.state_dict(),
                "optimiser": optimiser.state_dict(),
                "step": done,
                "seconds": seconds + time.perf_counter() - began,
            }
            torch.save(state, checkpoint.with_suffix(".partial"))
            checkpoint.with_suffix(".partial").replace(checkpoint)


def _average_gradients(model: nn.Module, world: int) -> None:
    """The mean over processes, in one message; a parameter without gradient counts as zero."""
    if world == 1:
        return
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    gradients = [
        torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
        for parameter in parameters
    ]
    flat = torch.cat([gradient.flatten() for gradient in gradients])
    dist.all_reduce(flat)
    flat /= world
    for parameter, piece in zip(
        parameters, flat.split([parameter.numel() for parameter in parameters]), strict=True
    ):
        parameter.grad = piece.view_as(parameter)
