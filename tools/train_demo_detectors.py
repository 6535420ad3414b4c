"""Train the demo detectors from scratch on synthetic scenes.

    python tools/train_demo_detectors.py                    # the Grounding DINO, all stages
    python tools/train_demo_detectors.py detector           # one stage, on from its checkpoint
    python tools/train_demo_detectors.py --architecture florence-2

Stages: draw (scenes to disk), backbone (alone, dense; not of Florence-2), detector (the whole),
export (weights, tokenizer and processor to detectors/demo), evaluate (the table of the model card).
Two processes train together.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import torch.multiprocessing as mp  # noqa: E402

from tools.demo_training import florence_recipe, grounding_dino_recipe  # noqa: E402
from tools.demo_training.export import write_card  # noqa: E402
from tools.demo_training.recipe import Recipe  # noqa: E402

RECIPES = {
    "grounding-dino": grounding_dino_recipe.RECIPE,
    "florence-2": florence_recipe.RECIPE,
}


def parse_arguments(given: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("stages", nargs="*", help="which stages; by default all")
    parser.add_argument("--architecture", choices=RECIPES, default="grounding-dino")
    parser.add_argument("--work", type=Path, help="where scenes and checkpoints are kept")
    parser.add_argument("--scenes", type=int, help="scenes drawn for training")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--backbone-batch", type=int, help="images a process and step")
    parser.add_argument("--detector-batch", type=int, help="images a process and step")
    parser.add_argument("--backbone-steps", type=int)
    parser.add_argument("--detector-steps", type=int)
    parser.add_argument("--held-out", type=int, default=500, help="scenes of the evaluation")
    parser.add_argument("--remark", help="a sentence for the model card")
    parser.add_argument("--model", type=Path, help="where the model is written")
    arguments = parser.parse_args(given)
    recipe = RECIPES[arguments.architecture]
    for name, value in {**recipe.defaults, "model": recipe.folder}.items():
        if getattr(arguments, name) is None:
            setattr(arguments, name, value)
    arguments.stages = arguments.stages or list(recipe.stages)
    unknown = set(arguments.stages) - set(recipe.stages)
    if unknown:
        parser.error(
            f"unknown stage {', '.join(unknown)}; the stages are {', '.join(recipe.stages)}"
        )
    return arguments


def main() -> None:
    arguments = parse_arguments()
    recipe = RECIPES[arguments.architecture]
    arguments.work.mkdir(parents=True, exist_ok=True)
    if "draw" in arguments.stages:
        recipe.draw(arguments)
    for stage, worker in recipe.training.items():
        if stage in arguments.stages:
            arguments.rendezvous = arguments.work / f"rendezvous_{stage}_{time.time_ns()}"
            mp.spawn(worker, args=(arguments,), nprocs=arguments.processes)
    if "export" in arguments.stages:
        recipe.export(arguments.work / f"{list(recipe.training)[-1]}.pt", arguments.model)
    if "evaluate" in arguments.stages:
        evaluate(recipe, arguments)


def evaluate(recipe: Recipe, arguments: argparse.Namespace) -> None:
    """Measure the exported model and write its card."""
    began = time.perf_counter()
    table = recipe.measure(arguments.model, arguments.held_out)
    logs = {
        stage: json.loads((arguments.work / f"{stage}.json").read_text())
        for stage in recipe.training
    }
    names = ("architecture", "seed", "scenes", *(f"{stage}_steps" for stage in recipe.training))
    settings = [f"--{name.replace('_', '-')} {getattr(arguments, name)}" for name in names]
    facts = {
        "command": f"`python tools/train_demo_detectors.py {' '.join(settings)}`",
        **{stage: _summary(log) for stage, log in logs.items()},
        "machine": f"{os.cpu_count()} CPU cores, no GPU",
        **({"remark": arguments.remark} if arguments.remark else {}),
    }
    write_card(arguments.model, recipe, facts, table)
    for name, value in table.items():
        print(f"{name:45} {value}")
    print(f"measured in {time.perf_counter() - began:.0f} s")


def _summary(log: dict) -> str:
    return (
        f"{log['steps']} steps of {log['images']} images, {log['seconds'] / 60:.0f} minutes, "
        f"final loss {log['loss']:.3f}"
    )


if __name__ == "__main__":
    main()
