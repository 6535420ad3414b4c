"""Subsets of an image's regions through the detector: each once, for all targets at a time."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from vps.core.asking import candidates, check_pixels
from vps.core.candidates import as_seen, label_column
from vps.core.detector import Detector, TargetScorer
from vps.core.masking import Colour, Masker, make_fill
from vps.core.names import choose
from vps.core.numbers import check_whole
from vps.core.regions import Regions
from vps.core.scoring import COLUMNS, MODES, BestCandidates, attained_by, best_candidates
from vps.core.targets import Target
from vps.engine.budget import Budget, Progress
from vps.engine.repeats import WholeImage
from vps.errors import DetectorError, InputError, one_line

_MOST_IN_BATCH = 4_096  # the memory of a batch is taken before the first pass


class SubsetPasses(ABC):
    """Subsets of n parts through a detector, each once, and what it says of T targets.

    Args:
        detector: what is explained.
        count: n.
        targets: T.
        batch_size: the most subsets that go through the detector at a time.
    """

    parts = "regions"

    def __init__(self, detector: Detector, count: int, targets: int, batch_size: int) -> None:
        self._detector = detector
        self.count = count
        self.batch_size = batch_size
        self._index: dict[bytes, int] = {}
        self._subsets = np.empty((0, count), bool)
        self._table = np.empty((0, targets, COLUMNS))

    @abstractmethod
    def _score(self, keep: np.ndarray) -> BestCandidates[Tensor]:
        """(B, T) for (B, n) subsets, a batch at most, in one pass of the detector."""

    @property
    def passes(self) -> int:
        """How many subsets went through the detector; the look of a `TargetScorer` at the whole
        image beforehand is not among them."""
        return len(self._index)

    @property
    def subsets(self) -> np.ndarray:
        """(k, n) bool, all that went through the detector, in the order of their passes."""
        return self._subsets[: self.passes]

    @property
    def seen(self) -> BestCandidates[np.ndarray]:
        """(k, T) float64, what the detector says of `subsets`."""
        return BestCandidates(self._table[: self.passes])

    def new(self, keep: np.ndarray) -> np.ndarray:
        """(K,) bool: which of (K, n) subsets still need a pass; of equals, the first."""
        first: dict[bytes, int] = {}
        for row, key in enumerate(_keys(keep)):
            if key not in self._index:
                first.setdefault(key, row)
        flags = np.zeros(len(keep), bool)
        flags[list(first.values())] = True
        return flags

    def known(self, keep: np.ndarray) -> np.ndarray:
        """(K,) bool: which of (K, n) subsets went through the detector already."""
        return np.array([key in self._index for key in _keys(keep)], bool)

    def evaluate(self, keep: np.ndarray) -> BestCandidates[np.ndarray]:
        """What the detector says of each subset, by a pass where there was none yet.

        Args:
            keep: (K, n) bool, True where a part is shown.

        Returns:
            (K, T) float64.

        Raises:
            InputError: another shape or type.
            DetectorError: the detector fails or breaks its contract. What passed before is kept.
        """
        keep = np.asarray(keep)
        if keep.ndim != 2 or keep.shape[1] != self.count or keep.dtype != np.bool_:
            raise InputError(
                f"subsets must be (K, {self.count}) bool, got {keep.dtype} {keep.shape}"
            )
        todo = keep[self.new(keep)]
        for start in range(0, len(todo), self.batch_size):
            batch = todo[start : start + self.batch_size]
            self._store(batch, self._detect(batch))
        return BestCandidates(self._table[[self._index[key] for key in _keys(keep)]])

    def show(self, keep: np.ndarray, budget: Budget) -> None:
        """Show (K, n) subsets that have not passed yet, as long as a budget lets one begin a batch.

        Raises:
            Stopped: its time is over, no passes are left, or it was cancelled.
            InputError, DetectorError: as for `evaluate`.
        """
        todo = keep[self.new(keep)]
        for start in range(0, len(todo), self.batch_size):
            batch = todo[start : start + self.batch_size]
            budget.check(len(batch))
            self.evaluate(batch)
            budget.report(Progress(self.passes))

    def _store(self, batch: np.ndarray, table: np.ndarray) -> None:
        start, end = self.passes, self.passes + len(batch)
        if end > len(self._subsets):
            # Twice as much at a time: a search asks thousands of times.
            room = max(end, 256)
            self._subsets = np.pad(self._subsets, ((0, room), (0, 0)))
            self._table = np.pad(self._table, ((0, room), (0, 0), (0, 0)))
        self._subsets[start:end], self._table[start:end] = batch, table
        self._index.update((key, start + i) for i, key in enumerate(_keys(batch)))

    def _detect(self, keep: np.ndarray) -> np.ndarray:
        """The table (B, T, COLUMNS) of what `_score` says of (B, n) subsets."""
        with torch.no_grad():
            try:
                best = self._score(keep)
            except Exception as error:
                # Whatever a model raises, it is the detector's failure.
                what = str(error) or type(error).__name__
                raise DetectorError(self._blame(keep, what)) from error
        # The only transfer of a batch.
        table = best.table.cpu().numpy()
        finite = np.isfinite(table).all(axis=(1, 2))
        if not finite.all():
            raise DetectorError(self._blame(keep[~finite], "NaN or infinite boxes or scores"))
        return table

    def _blame(self, keep: np.ndarray, what: str) -> str:
        sizes = ", ".join(str(count) for count in keep.sum(axis=1))
        return (
            f"{self._detector.name}: {what} (a batch that shows {sizes} of {self.count} "
            f"{self.parts})"
        )


class Passes(SubsetPasses):
    """Shows subsets of regions to a detector and keeps what it says of every target.

    One pass tells the scores of all targets of the image, and no subset passes twice.

    Args:
        detector: what is explained.
        pixels: (3, h, w) float32, what `detector.prepare` gave.
        size: (H, W) of the original image.
        regions: a partition of the (h, w) grid into m regions.
        targets: T boxes with labels.
        fill: what hides a region, see `vps.core.masking.make_fill`.
        mode: "object", "class" or "box", see `vps.core.scoring.MODES`.
        batch_size: the most images that go through the detector at a time; does not change
            scores.
        scorer: of a `TargetScorer`, what `scorer_of` gave, where it has been asked already.
        whole: is told what is said of the whole image, when a pass shows it.

    Raises:
        InputError: no targets, a label that the detector does not know, a box outside the image,
            regions of another grid, or a setting out of range.
        DetectorError: pixels of another shape or type, or no memory for a batch of them.
    """

    def __init__(
        self,
        detector: Detector,
        pixels: Tensor,
        size: tuple[int, int],
        regions: Regions,
        targets: Sequence[Target],
        *,
        fill: str | Colour = "mean",
        mode: str = "object",
        batch_size: int = 8,
        scorer: TargetScorer | None = None,
        whole: WholeImage | None = None,
    ) -> None:
        targets = check_targets(detector, size, targets)
        check_pass_settings(mode, batch_size)
        check_pixels(detector, pixels)
        check_grid(regions, pixels)
        super().__init__(detector, regions.count, len(targets), batch_size)
        self.pixels = pixels
        self.regions = regions
        self.targets = targets
        self.size = size
        self._scorer = scorer or scorer_of(detector, pixels, size, targets)
        self._mode = mode
        self._whole = whole
        self._columns = [label_column(target.label, detector.labels) for target in targets]
        self._boxes = torch.tensor([target.box for target in targets], device=pixels.device)
        self._apart = [
            None if box is None else torch.tensor(box, device=pixels.device)
            for box in (target.apart_from for target in targets)
        ]
        labels = torch.tensor(regions.label_map, device=pixels.device)
        try:
            self._mask = Masker(pixels, labels, make_fill(fill, pixels), batch_size)
        except (MemoryError, RuntimeError) as error:  # RuntimeError is torch's word for it, too.
            height, width = pixels.shape[1:]
            raise DetectorError(
                f"a batch of {batch_size} images of {width} x {height} pixels does not fit into "
                f"the memory: set a smaller batch size ({one_line(error, 100)})"
            ) from error

    def _store(self, batch: np.ndarray, table: np.ndarray) -> None:
        super()._store(batch, table)
        for row in np.flatnonzero(batch.all(axis=1)):
            if self._whole is not None:
                self._whole.see(table[row])

    def _score(self, keep: np.ndarray) -> BestCandidates[Tensor]:
        shown = self._mask(torch.from_numpy(keep).to(self._boxes.device))
        if self._scorer is not None:
            found = self._scorer.score_targets(shown, self.size, self.targets)
            if found.ious.shape != (len(shown), len(self.targets)):
                raise DetectorError(
                    f"scores of shape {(len(shown), len(self.targets))} were asked for, (images, "
                    f"targets); got {tuple(found.ious.shape)}"
                )
            return attained_by(found, self._mode)
        detections = candidates(self._detector, shown, self.size)
        seen = as_seen(detections, near=self._boxes)
        best = [
            best_candidates(detections, box, column, self._mode, apart, seen).table
            for box, column, apart in zip(self._boxes, self._columns, self._apart, strict=True)
        ]
        return BestCandidates(torch.stack(best, dim=1))


def scorer_of(
    detector: Detector, pixels: Tensor, size: tuple[int, int], targets: Sequence[Target]
) -> TargetScorer | None:
    """What scores the targets instead of the detector's candidates, if it is one that does.

    Raises:
        DetectorError: it fails at the whole image.
    """
    if not isinstance(detector, TargetScorer):
        return None
    try:
        with torch.no_grad():
            return detector.about(pixels, size, targets)
    except Exception as error:
        what = str(error) or type(error).__name__
        raise DetectorError(f"{detector.name}: {what} (at the whole image)") from error


def check_targets(
    detector: Detector, size: tuple[int, int], targets: Sequence[Target]
) -> tuple[Target, ...]:
    """The targets, their boxes cut off at the borders of the image of size (H, W).

    Raises:
        InputError: targets that no pass needs to be made to refuse.
    """
    if not targets:
        raise InputError("there is nothing to explain: give at least one target")
    for target in targets:
        label_column(target.label, tuple(detector.labels))
    return tuple(target.clipped(size) for target in targets)


def check_grid(regions: Regions, pixels: Tensor) -> None:
    """Raise InputError for regions that are not of the grid of the pixels."""
    if regions.label_map.shape != tuple(pixels.shape[1:]):
        raise InputError(
            f"the regions are on a grid of {regions.label_map.shape}, the detector sees "
            f"{tuple(pixels.shape[1:])}: cut what detector.prepare gives"
        )


def check_pass_settings(mode: str, batch_size: int) -> None:
    """Raise InputError for a mode or a batch size that no pass can be made with."""
    choose(MODES, mode, "mode")
    check_whole("the batch size", batch_size, 1, _MOST_IN_BATCH)


def _keys(keep: np.ndarray) -> list[bytes]:
    return [row.tobytes() for row in np.packbits(keep, axis=1)]
