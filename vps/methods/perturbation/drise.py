"""D-RISE: random masks, weighted by how well the detector still finds the target through them."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import ClassVar, Literal

from torch import Tensor

from vps.core.numbers import check_whole
from vps.core.schema import check_fields
from vps.engine.budget import Budget
from vps.engine.problem import Problem
from vps.errors import InputError
from vps.methods.perturbation.masked import MaskedPasses
from vps.methods.perturbation.masks import MaskSums, Normalisation, random_masks
from vps.methods.perturbation.similarity import Compared, check_compared
from vps.methods.protocol import Attribution, MethodFamily


@dataclass(frozen=True)
class DRISE:
    """Petsiuk et al., "Black-box Explanation of Object Detectors via Saliency Maps", CVPR 2021.

        map = sum_k s(M_k) M_k / sum_k M_k

    with s of the image seen through mask M_k, see `vps.methods.perturbation.similarity.Similarity`.
    A pixel's value is the mean similarity of the masks, each weighed by how much of the pixel it
    shows; it is in [0, 1]. The paper divides by N p, how much N masks show of a pixel on average
    (`normalisation="expected"`). That is a constant, and changes no order, but leaves in the map
    how often chance showed each pixel: of finitely many masks, it then repeats less well
    (docs/methods.md has the numbers). The toolkit XAITK divides as here.

    Two things differ from the paper, so that methods can be compared and for what our detectors
    return. Where a mask is 0, pixels take the problem's fill, not black. And candidates come
    before score threshold and NMS: with IoU and cosine alone, as the paper has it for detectors
    without objectness, hundreds of candidates that nobody would see could vote, and of a detector
    asked for one label every cosine is 1, so that a mask would count by its boxes only. There the
    highest score of a candidate stands in for its objectness.

    With other settings it is what others compare with:

        DRISE(masks=1000, similarity="detections", normalisation="expected")
        DRISE(masks=5000, similarity="score")
        DRISE(masks=5000, similarity="class", normalisation="expected", grid=7)

    the D-RISE and the RISE of Visual Precision Search (Chen et al., CVPR 2025), and RISE as it was
    published (Petsiuk et al., BMVC 2018), which asks whether the class is there, wherever.

    The cost is `masks` passes, and, where candidates are compared, one for the whole image if a
    target is the detector's own; all targets share them. With fewer passes, or when the time is
    over, there are fewer masks. Memory does not grow with them.

    Attributes:
        masks: N, at least 1.
        grid: cells a side of a mask before it is enlarged, at least 2.
        p: the probability that a cell is shown, in (0, 1).
        objectness: of `similarity="candidates"`: "auto" takes the detector's objectness, or a
            candidate's highest score where there is none; "none" leaves the factor out.
        similarity: what is compared with a target: "candidates" by IoU, cosine and objectness;
            "detections", those of the target's label after NMS, by IoU times score; "score", all
            candidates by IoU times the label's score, which is what is explained; or "class", the
            highest score of the label in the image.
        normalisation: "coverage" divides by the sum of the masks, "expected" by N p.

    Raises:
        InputError: a setting out of range.
    """

    name: ClassVar[str] = "drise"
    family: ClassVar[MethodFamily] = MethodFamily.PERTURBATION
    needs: ClassVar[str] = ""

    masks: int = 5000
    grid: int = 16
    p: float = 0.5
    objectness: Literal["auto", "none"] = "auto"
    similarity: Compared = "candidates"
    normalisation: Normalisation = "coverage"

    def __post_init__(self) -> None:
        check_fields(self)
        check_compared(self.objectness, self.similarity)
        check_whole("masks", self.masks, 1, 10**9)
        check_whole("grid", self.grid, 2, 1_000)
        if not 0 < self.p < 1:
            raise InputError(f"p must be between 0 and 1, both excluded, got {self.p}")

    def planned_passes(self, problem: Problem) -> int:
        """The masks, and a look at the whole image."""
        return self.masks + 1

    def with_passes(self, passes: int) -> DRISE:
        """As many masks as they leave beside the look at the whole image."""
        return dataclasses.replace(self, masks=max(passes - 1, 1))

    def attribute(
        self, problem: Problem, budget: Budget | None = None, seed: int = 0
    ) -> Attribution:
        """The maps; see `vps.methods.protocol.Method`."""
        asked = MaskedPasses(
            problem,
            "D-RISE",
            budget,
            self.masks,
            objectness=self.objectness,
            compared=self.similarity,
        )
        pixels = problem.pixels
        size = (pixels.shape[1], pixels.shape[2])
        sums = MaskSums(len(problem.targets), size)

        def masks(numbers: range) -> Tensor:
            return random_masks(
                numbers, size, grid=self.grid, p=self.p, seed=seed, device=pixels.device
            )

        for seen in asked.see(masks):
            sums.add(seen.masks, seen.weights)
        return asked.attribution(sums.maps(self.normalisation, self.p))
