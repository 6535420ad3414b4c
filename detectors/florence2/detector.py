"""Florence-2 as transformers implements it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from torch import Tensor

from detectors.florence2.asking import Florence2
from detectors.florence2.checkpoint import Florence2Checkpoint, read_florence2
from detectors.florence2.parse import bins_to_boxes
from detectors.florence2.targets import LikelihoodScorer
from detectors.florence2.tasks import make_settings
from detectors.names import DEMO_ASKED
from detectors.shared.pixels import scale_boxes
from detectors.shared.prompts import check_labels
from vps.core.candidates import Candidates
from vps.core.names import choose
from vps.errors import InputError

DEMO_FLORENCE2 = Path(__file__).parents[1] / "demo" / "florence_2"


class HFFlorence2(Florence2):
    """Florence-2 asked for boxes of some labels; a `PromptedDetector`.

    The candidates are the boxes that the model writes. Each has a score for one label, the one that
    the model gave it; boxes with other labels are no candidates. An image in which it writes none
    has none.

    In tasks that ask for each label in a prompt of its own, a pass looks at every image once and
    then reads every pair of image and label; labels do not influence each other. The model writes
    about what the prompt names, so that the label's probability hardly varies unless the model was
    trained to say nothing of what is not there: where it was not, "probability" comes close to
    "match", and the box alone tells how well the model finds the label.

    May be used from several threads.
    """

    @torch.no_grad()
    def detect(self, pixels: Tensor, size: tuple[int, int]) -> Candidates:
        """All boxes that the model writes; see `vps.core.detector.Detector.detect`."""
        found: list[list[tuple[tuple[int, ...], int, float]]] = [[] for _ in pixels]
        for image, prompt, answer in self.answers(pixels):
            found[image] += [
                (box.bins, column, self.settings.confidence(answer, box))
                for box, column in self.boxes(answer, prompt)
            ]
        most = max(map(len, found))
        bins = torch.zeros(len(found), most, 4)
        scores = torch.zeros(len(found), most, len(self.labels))
        for row, candidates in enumerate(found):
            for place, (box, column, score) in enumerate(candidates):
                bins[row, place] = torch.tensor(box)
                scores[row, place, column] = score
        boxes = scale_boxes(bins_to_boxes(bins, len(self.bins)), (1, 1), size)
        return Candidates(boxes.to(self.device), scores.to(self.device), self.labels)


class Florence2Likelihood(LikelihoodScorer, HFFlorence2):
    """Florence-2 that lists what it writes and scores targets by likelihood; a `TargetScorer`."""


SCORINGS = {"generate": HFFlorence2, "likelihood": Florence2Likelihood}


def load_florence2(
    source: str,
    *,
    labels: Sequence[str] | None,
    device: str = "cpu",
    dtype: str = "float32",
    task: str = "open-vocabulary",
    scoring: str = "generate",
    confidence: str = "probability",
    beams: int = 1,
    max_new_tokens: int = 256,
) -> HFFlorence2:
    """Florence-2 from a folder, or from the Hugging Face hub by name.

    Args:
        source: a checkpoint in the format of transformers, e.g. florence-community/Florence-2-base.
        labels: names; what the model calls otherwise is no candidate.
        device: "cpu", "cuda", "cuda:N" or "mps".
        dtype: in which the model computes, its weights included.
        task: "open-vocabulary" asks for each label, "grounding" takes each label for a caption and
            the phrases that are part of it for the label, "od" asks once for whatever there is; or
            the tags <OPEN_VOCABULARY_DETECTION>, <CAPTION_TO_PHRASE_GROUNDING>, <OD>. The VPS paper
            joins labels into one caption; here each is one, so that they do not depend on each
            other.
        scoring: how a target is scored: "generate" by what the model writes (`HFFlorence2`),
            "likelihood" by how likely it would write the target (`Florence2Likelihood`).
        confidence: score of a written box, "probability" or "match"; see
            `detectors.florence2.tasks.CONFIDENCES`.
        beams: of the search for an answer; 1 is greedy. The model's authors use 3.
        max_new_tokens: where an answer is cut off; a box is a label and four tokens.

    Raises:
        InputError: no such checkpoint, not one of Florence-2, weights that are not safetensors or
            not complete, a tokenizer without locations, a device that is not there, an option that
            does not exist, or labels that cannot be asked for.
    """
    make = florence2_maker(labels, task, scoring, confidence, beams, max_new_tokens)
    return make(read_florence2(source, device=device, dtype=dtype), f"hf-florence-2:{source}")


def load_demo_florence2(
    source: str,
    *,
    labels: Sequence[str] | None,
    device: str = "cpu",
    dtype: str = "float32",
    task: str = "open-vocabulary",
    scoring: str = "generate",
    confidence: str = "probability",
    beams: int = 1,
    max_new_tokens: int = 256,
) -> HFFlorence2:
    """The small Florence-2 that comes with this package, for drawn scenes.

    Raises:
        InputError: its files are not there, or as for `load_florence2`.
    """
    if labels is None:
        raise InputError(DEMO_ASKED)
    make = florence2_maker(labels, task, scoring, confidence, beams, max_new_tokens)
    if source:
        raise InputError(f"demo-florence-2 takes no path, got {source!r}")
    if not (DEMO_FLORENCE2 / "model.safetensors").is_file():
        raise InputError(
            "the demo detector's weights are not installed (detectors/demo/florence_2/"
            "model.safetensors is missing); reinstall the package, or train them with "
            "tools/train_demo_detectors.py"
        )
    return make(read_florence2(str(DEMO_FLORENCE2), device=device, dtype=dtype), "demo-florence-2")


def florence2_maker(
    labels: Sequence[str] | None,
    task: str = "open-vocabulary",
    scoring: str = "generate",
    confidence: str = "probability",
    beams: int = 1,
    max_new_tokens: int = 256,
) -> Callable[[Florence2Checkpoint, str], HFFlorence2]:
    """A detector out of checkpoint and name; all else is checked before one is read for nothing.

    Args:
        labels, task, scoring, confidence, beams, max_new_tokens: see `load_florence2`.

    Raises:
        InputError: labels that cannot be asked for, or an option that does not exist.
    """
    if labels is None:
        raise InputError(
            'Florence-2 finds what it is asked for; say what, e.g. --prompt "dog . cat ."'
        )
    names = check_labels(labels)
    kind = choose(SCORINGS, scoring, "scoring")
    settings = make_settings(task, confidence, beams, max_new_tokens)
    return lambda checkpoint, name: kind(checkpoint, names, settings, name=name)
