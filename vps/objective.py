"""The objective of the search; batches, caches and counts passes through the detector."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from vps.detector import Detector
from vps.errors import DetectorError, InputError
from vps.masking import Colour, Masker, make_fill
from vps.names import choose
from vps.regions import Regions
from vps.scoring import MODES, best_candidates
from vps.targets import Target
from vps.types import unknown_label


@dataclass(frozen=True, eq=False)
class Evaluation:
    """What the detector says of K subsets; all float64.

    Attributes:
        score: (K,) s(S) in [0, 1].
        class_score: (K,) score of the target's label of the candidate that attains s(S).
        iou: (K,) IoU of that candidate with the target box.
        box: (K, 4) that candidate, xyxy, pixels of the original image.

    All four are zero where s(S) is 0: then no candidate attains it.
    """

    score: np.ndarray
    class_score: np.ndarray
    iou: np.ndarray
    box: np.ndarray


class Objective:
    """F(S) = lambda1 * s(S) + lambda2 * (1 - s(V - S)) of subsets S of the regions V.

    s(S) = max_i IoU(b_i, b*) * p_ic over all candidates i of the image that shows S alone, in
    mode "object"; for the modes "class" and "box" see `vps.scoring.MODES`. The first term is
    the paper's consistency, the second its collaboration. Each subset goes through the detector
    once, however often it is asked for.

    Args:
        detector: what is explained.
        pixels: (3, h, w) float32, what `detector.prepare` gave.
        size: (H, W) of the original image.
        regions: a partition of the (h, w) grid into m regions.
        target: the box b* and the label c.
        fill: what hides a region, see `vps.masking.make_fill`.
        mode: "object", "class" or "box".
        lambdas: (lambda1, lambda2), not negative and not both 0.
        batch_size: the most images that go through the detector at a time; does not change
            scores.
        on_passes: called after each batch with the number of passes so far.

    Raises:
        InputError: a label that the detector does not know, a box outside the image, regions of
            another grid, or a setting out of range.
        DetectorError: pixels of another shape or type.
    """

    def __init__(
        self,
        detector: Detector,
        pixels: Tensor,
        size: tuple[int, int],
        regions: Regions,
        target: Target,
        *,
        fill: str | Colour = "mean",
        mode: str = "object",
        lambdas: tuple[float, float] = (1.0, 1.0),
        batch_size: int = 8,
        on_passes: Callable[[int], None] | None = None,
    ) -> None:
        check_settings(detector, size, target, mode, lambdas, batch_size)
        if pixels.ndim != 3 or pixels.shape[0] != 3 or pixels.dtype != torch.float32:
            raise DetectorError(
                f"{detector.name}: prepare must give float32 (3, h, w), "
                f"got {pixels.dtype} {tuple(pixels.shape)}"
            )
        if regions.label_map.shape != tuple(pixels.shape[1:]):
            raise InputError(
                f"the regions are on a grid of {regions.label_map.shape}, the detector sees "
                f"{tuple(pixels.shape[1:])}: cut what detector.prepare gives"
            )
        self.regions = regions
        self.passes = 0
        self._detector = detector
        self._size = size
        self._mode = mode
        self._lambdas = lambdas
        self._batch_size = batch_size
        self._on_passes = on_passes
        self._column = detector.labels.index(target.label)
        self._box = torch.tensor(target.box, device=pixels.device)
        labels = torch.tensor(regions.label_map, device=pixels.device)
        self._mask = Masker(pixels, labels, make_fill(fill, pixels), batch_size)
        self._cache: dict[bytes, np.ndarray] = {}

    def evaluate(self, keep: np.ndarray) -> Evaluation:
        """s(S) of each subset and the candidate that attains it.

        Args:
            keep: (K, m) bool, True where a region is shown.

        Raises:
            InputError: another shape or type.
            DetectorError: the detector breaks its contract.
        """
        keep = np.asarray(keep)
        if keep.ndim != 2 or keep.shape[1] != self.regions.count or keep.dtype != np.bool_:
            raise InputError(
                f"subsets must be (K, {self.regions.count}) bool, got {keep.dtype} {keep.shape}"
            )
        keys = [row.tobytes() for row in np.packbits(keep, axis=1)]
        # A dict and not a set: it drops duplicates and keeps the order.
        new = {key: i for i, key in enumerate(keys) if key not in self._cache}
        todo = list(new.items())
        for start in range(0, len(todo), self._batch_size):
            batch = todo[start : start + self._batch_size]
            rows = self._detect(keep[[i for _, i in batch]])
            self._cache.update((key, row) for (key, _), row in zip(batch, rows, strict=True))
            self.passes += len(batch)
            if self._on_passes is not None:
                self._on_passes(self.passes)
        table = np.array([self._cache[key] for key in keys], np.float64).reshape(-1, 7)
        return Evaluation(table[:, 0], table[:, 1], table[:, 2], table[:, 3:])

    def value(self, keep: np.ndarray) -> np.ndarray:
        """F(S) of each subset; subsets and complements share their batches.

        Args:
            keep: (K, m) bool, True where a region is shown.

        Returns:
            (K,) float64 in [0, lambda1 + lambda2].

        Raises:
            InputError: another shape or type.
            DetectorError: the detector breaks its contract.
        """
        keep = np.asarray(keep)
        score = self.evaluate(np.concatenate([keep, ~keep])).score
        return self.combine(score[: len(keep)], score[len(keep) :])

    def combine(self, shown: np.ndarray, hidden: np.ndarray) -> np.ndarray:
        """F from s(S) and s(V - S), elementwise."""
        return self._lambdas[0] * shown + self._lambdas[1] * (1 - hidden)

    def _detect(self, keep: np.ndarray) -> np.ndarray:
        """(B, 7) rows of `best_candidates` for (B, m) subsets, in one pass of the detector."""
        with torch.no_grad():
            shown = self._mask(torch.from_numpy(keep).to(self._box.device))
            try:
                detections = self._detector.detect(shown, self._size)
            except DetectorError as error:
                raise DetectorError(self._blame(keep, str(error))) from error
            if len(detections) != len(keep):
                raise DetectorError(
                    self._blame(keep, f"{len(keep)} images went in, {len(detections)} came out")
                )
            if detections.labels != self._detector.labels:
                raise DetectorError(self._blame(keep, "the columns are not the detector's labels"))
            best = best_candidates(detections, self._box, self._column, self._mode)
        # The only transfer of a batch, and with it the only synchronisation of the engine's own.
        rows = best.cpu().numpy()
        if not np.isfinite(rows).all():
            raise DetectorError(self._blame(keep, "NaN or infinite boxes or scores"))
        return rows

    def _blame(self, keep: np.ndarray, what: str) -> str:
        sizes = ", ".join(str(count) for count in keep.sum(axis=1))
        return (
            f"{self._detector.name}: {what} (a batch that shows {sizes} of {keep.shape[1]} regions)"
        )


def check_settings(
    detector: Detector,
    size: tuple[int, int],
    target: Target,
    mode: str,
    lambdas: tuple[float, float],
    batch_size: int,
) -> None:
    """Raise InputError for a target or a setting that no pass needs to be made to refuse."""
    if target.label not in detector.labels:
        raise InputError(unknown_label(target.label, tuple(detector.labels)))
    target.check_inside(size)
    choose(MODES, mode, "mode")
    usable = len(lambdas) == 2 and all(math.isfinite(x) and x >= 0 for x in lambdas)
    if not usable or not any(lambdas):
        raise InputError(f"lambdas must be two numbers >= 0, not both 0; got {lambdas}")
    if batch_size < 1:
        raise InputError(f"the batch size must be at least 1, got {batch_size}")
