"""Rows of a made-up study, as a runner would write them."""

from __future__ import annotations

from typing import Any

import numpy as np

KINDS = ("correct", "missed", "classification", "background")
METHODS = ("vps", "drise", "random")
SHARES = {"vps": 0.9, "drise": 0.6, "random": 0.5}


def study_rows(count: int = 12, dataset: str = "coco", methods=METHODS) -> list[dict[str, Any]]:
    """`count` cases of `count` / 2 images; missed objects have no pointing game."""
    rng = np.random.default_rng(count)
    rows = []
    for number in range(count):
        kind = KINDS[number % len(KINDS)]
        full = float(rng.uniform(0.2, 0.9))
        for method in methods:
            areas = np.sort([0, *rng.random(3), 1])
            insertion = full * areas ** (1 / SHARES[method])
            deletion = full * (1 - areas)
            metrics = {
                "insertion": float(rng.uniform(0.5, 1) * full * SHARES[method]),
                "deletion": float(rng.uniform(0.2, 0.5) * full),
                "success_35at50": float(full > 0.35),
                "pointing": float("nan") if kind == "missed" else float(rng.random() < 0.7),
                "passes": {"vps": 300.0, "drise": 5000.0, "random": 0.0}[method],
            }
            rows.append(
                {
                    "dataset": dataset,
                    "image_id": 100 + number // 2,
                    "case": f"{'a' if kind == 'missed' else 'd'}{number % 2 + 1}",
                    "image_name": f"{100 + number // 2:012d}.jpg",
                    "kind": kind,
                    "label": ("dog", "cat", "traffic_light 5%")[number % 3],
                    "predicted_label": "cow" if kind == "classification" else None,
                    "box": [1.0, 2.0, 30.0, 40.0],
                    "size": ("small", "medium", "large")[number % 3],
                    "frequency": None,
                    "score": 0.0 if kind == "missed" else full,
                    "method": method,
                    "digest": "1a2b3c4d5e6f",
                    "replay": "regions, mean",
                    "metrics": metrics,
                    "curves": {
                        "areas": areas.tolist(),
                        "insertion": insertion.tolist(),
                        "deletion": deletion.tolist(),
                    },
                    "picture": f"cases/{dataset}/{100 + number // 2}/{number}/{method}.jpg",
                    "warnings": [],
                }
            )
    return rows


def repair_rows(count: int = 12, dataset: str = "coco") -> list[dict[str, Any]]:
    """The same study with repairs of its failures: by a method, every other is repaired, the one
    of number k by hiding 0.02 (k + 1) of the image, over its share in SHARES."""
    rows = study_rows(count, dataset)
    for place, row in enumerate(rows):
        number = place // len(METHODS)
        if row["kind"] == "correct":
            continue
        repaired = number % 2 == 1
        area = 0.02 * (number + 1) / SHARES[row["method"]]
        found = {"repair_area": area} if repaired else {}
        row["metrics"] |= {
            "repaired": float(repaired),
            "repaired_all_fills": float(repaired and number % 4 == 1),
            "repaired_beside": float(repaired and area > 0.1),
            "repaired_0": 0.0,
            "repaired_5": float(repaired and area <= 0.05),
            "repaired_10": float(repaired and area <= 0.1),
            "repaired_20": float(repaired and area <= 0.2),
            **found,
            "repair_auc": 1 - area if repaired else 0.0,
            "repair_passes": 600.0,
        }
    return rows
