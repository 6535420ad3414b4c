"""Train the demo Grounding DINO from scratch on synthetic scenes.

    python tools/train_demo_detectors.py            # all stages, on two processes
    python tools/train_demo_detectors.py detector   # one stage; goes on from its checkpoint

Stages: draw (scenes to disk), backbone (alone, dense), detector (the whole), export (weights,
tokenizer and processor to detectors/demo/grounding_dino), evaluate (the table of the model card).
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import torch  # noqa: E402
import torch.distributed as dist  # noqa: E402
import torch.multiprocessing as mp  # noqa: E402
from transformers import GroundingDinoForObjectDetection  # noqa: E402

from detectors import load  # noqa: E402
from tools.demo_training.backbone import DenseHead, dense_loss  # noqa: E402
from tools.demo_training.batches import Prompts  # noqa: E402
from tools.demo_training.evaluate import measure  # noqa: E402
from tools.demo_training.export import export, write_card  # noqa: E402
from tools.demo_training.losses import detection_loss  # noqa: E402
from tools.demo_training.model import build_model, build_tokenizer  # noqa: E402
from tools.demo_training.pool import build_pool  # noqa: E402
from tools.demo_training.trainer import Schedule, train  # noqa: E402
from vps.data.layouts import CATEGORIES  # noqa: E402
from vps.detector import OpenVocabularyDetector  # noqa: E402

HELD_OUT_SEED = 900
STAGES = ("draw", "backbone", "detector", "export", "evaluate")


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("stages", nargs="*", default=STAGES, help=f"of {', '.join(STAGES)}")
    parser.add_argument("--work", type=Path, default=ROOT / "out" / "demo_training")
    parser.add_argument("--scenes", type=int, default=40_000, help="scenes drawn for training")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--backbone-batch", type=int, default=24, help="images a process and step")
    parser.add_argument("--detector-batch", type=int, default=16, help="images a process and step")
    parser.add_argument("--backbone-steps", type=int, default=2200)
    parser.add_argument("--detector-steps", type=int, default=7000)
    parser.add_argument("--held-out", type=int, default=500, help="scenes of the evaluation")
    parser.add_argument("--remark", help="a sentence for the model card")
    parser.add_argument("--model", type=Path, default=ROOT / "detectors/demo/grounding_dino")
    arguments = parser.parse_args()
    unknown = set(arguments.stages) - set(STAGES)
    if unknown:
        parser.error(f"unknown stage {', '.join(unknown)}; the stages are {', '.join(STAGES)}")
    return arguments


def train_backbone(rank: int, arguments: argparse.Namespace) -> None:
    _join(rank, arguments)
    prompts, model = _fresh(arguments)
    backbone = model.model.backbone.conv_encoder.model
    head = DenseHead(backbone, backbone.channels)
    schedule = Schedule(arguments.backbone_steps, arguments.backbone_batch, 2e-3, arguments.seed)
    train(
        head,
        lambda pixels, batch: dense_loss(head, pixels, batch),
        [{"params": list(head.parameters()), "lr": schedule.rate}],
        schedule,
        prompts=prompts,
        pool=arguments.work / "pool",
        checkpoint=arguments.work / "backbone.pt",
    )


def train_detector(rank: int, arguments: argparse.Namespace) -> None:
    _join(rank, arguments)
    prompts, model = _fresh(arguments)
    state = torch.load(arguments.work / "backbone.pt", weights_only=True)["average"]
    prefix = "module.backbone."
    backbone = model.model.backbone.conv_encoder.model
    backbone.load_state_dict(
        {
            name.removeprefix(prefix): value
            for name, value in state.items()
            if name.startswith(prefix)
        }
    )
    schedule = Schedule(
        arguments.detector_steps, arguments.detector_batch, 1e-3, arguments.seed + 1
    )
    pretrained = list(backbone.parameters())
    known = {id(parameter) for parameter in pretrained}
    fresh = [parameter for parameter in model.parameters() if id(parameter) not in known]
    train(
        model,
        lambda pixels, batch: detection_loss(model, pixels, batch),
        [
            {"params": fresh, "lr": schedule.rate},
            {"params": pretrained, "lr": schedule.rate * 0.3},
        ],
        schedule,
        prompts=prompts,
        pool=arguments.work / "pool",
        checkpoint=arguments.work / "detector.pt",
    )


def _join(rank: int, arguments: argparse.Namespace) -> None:
    torch.set_num_threads(max(1, (os.cpu_count() or 1) // arguments.processes))
    dist.init_process_group(
        "gloo",
        init_method=f"file://{arguments.rendezvous}",
        rank=rank,
        world_size=arguments.processes,
    )


def _fresh(arguments: argparse.Namespace) -> tuple[Prompts, GroundingDinoForObjectDetection]:
    torch.manual_seed(arguments.seed)
    tokenizer = build_tokenizer(arguments.work / "tokenizer")
    return Prompts(tokenizer), build_model(len(tokenizer))


def main() -> None:
    arguments = parse_arguments()
    arguments.work.mkdir(parents=True, exist_ok=True)
    if "draw" in arguments.stages:
        build_pool(
            arguments.work / "pool",
            seed=arguments.seed,
            start=0,
            stop=arguments.scenes,
            workers=arguments.processes,
        )
    _train(arguments)
    if "export" in arguments.stages:
        export(arguments.work / "detector.pt", arguments.model)
    if "evaluate" in arguments.stages:
        evaluate(arguments)


def evaluate(arguments: argparse.Namespace) -> None:
    """Measure the exported model and write its card."""
    began = time.perf_counter()
    detector = load(f"hf-grounding-dino:{arguments.model}", labels=CATEGORIES)
    assert isinstance(detector, OpenVocabularyDetector)
    table = measure(detector, seed=HELD_OUT_SEED, count=arguments.held_out)
    logs = [
        json.loads((arguments.work / name).read_text())
        for name in ("backbone.json", "detector.json")
    ]
    names = ("seed", "scenes", "backbone_steps", "detector_steps")
    settings = [f"--{name.replace('_', '-')} {getattr(arguments, name)}" for name in names]
    facts = {
        "command": f"`python tools/train_demo_detectors.py {' '.join(settings)}`",
        "backbone": _summary(logs[0]),
        "detector": _summary(logs[1]),
        "machine": f"{os.cpu_count()} CPU cores, no GPU",
        **({"remark": arguments.remark} if arguments.remark else {}),
    }
    write_card(arguments.model, facts, table)
    for name, value in table.items():
        print(f"{name:45} {value}")
    print(f"measured in {time.perf_counter() - began:.0f} s")


def _summary(log: dict) -> str:
    return (
        f"{log['steps']} steps of {log['images']} images, {log['seconds'] / 60:.0f} minutes, "
        f"final loss {log['loss']:.3f}"
    )


def _train(arguments: argparse.Namespace) -> None:
    for stage, worker in (("backbone", train_backbone), ("detector", train_detector)):
        if stage in arguments.stages:
            arguments.rendezvous = arguments.work / f"rendezvous_{stage}_{time.time_ns()}"
            mp.spawn(worker, args=(arguments,), nprocs=arguments.processes)


if __name__ == "__main__":
    main()
