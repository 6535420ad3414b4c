"""The detectors of the page, of which one is in memory at a time."""

from __future__ import annotations

import gc
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import torch

from detectors import DETECTORS, load
from detectors.shared.prompts import parse_prompt
from vps.core.detector import Detector, OpenVocabularyDetector, WordHider
from vps.data.scenes.layouts import CATEGORIES
from vps.errors import InputError

_USUAL_PROMPT = "person . dog . cat . car ."


@dataclass(frozen=True)
class DetectorChoices:
    """Which detectors there are, and how they are loaded.

    Attributes:
        names: as for `detectors.load`.
        prompt: what to look for until a visitor says something else; None for the usual.
        device, dtype, options: as for `detectors.load`, the same for all.
    """

    names: tuple[str, ...]
    prompt: str | None = None
    device: str = "cpu"
    dtype: str = "float32"
    options: Mapping[str, str] = field(default_factory=dict)

    def prompt_of(self, name: str) -> str | None:
        """What stands in the field of the prompt at first; None where a detector takes none."""
        kind = name.partition(":")[0]
        if kind in DETECTORS and not DETECTORS[kind].prompted:
            return None
        if self.prompt is not None or kind not in DETECTORS:
            return self.prompt
        return " . ".join(CATEGORIES) + " ." if kind.startswith("demo-") else _USUAL_PROMPT


class HeldDetector:
    """Loads a detector when it is asked for, and lets go of the one before; for one thread."""

    def __init__(self, choices: DetectorChoices) -> None:
        self.choices = choices
        self._name = ""
        self._detector: Detector | None = None

    def get(self, name: str, prompt: str | None) -> Detector:
        """A detector, asked for what a prompt says.

        Raises:
            InputError: a detector that is not among the choices or cannot be loaded, or a prompt
                that names nothing.
            MissingExtraError: its library is not installed.
        """
        if name not in self.choices.names:
            raise InputError("there is no such detector in the list")
        labels = parse_prompt(prompt) if prompt else None
        if self._name != name or self._detector is None:
            self._detector = None
            gc.collect()
            if torch.cuda.is_available():
                torch.cuda.empty_cache()
            chosen = self.choices
            self._detector = load(
                name,
                labels=labels,
                device=chosen.device,
                dtype=chosen.dtype,
                **chosen.options,
            )
            self._name = name
        found = self._detector
        if labels is not None and labels != tuple(found.labels):
            if not isinstance(found, OpenVocabularyDetector):
                raise InputError(f"{found.name} has labels of its own: it takes no prompt")
            return found.with_labels(labels)
        return found


def hides_words(detector: Detector, labels: Sequence[str]) -> bool:
    """Whether it can be asked which words of a label matter, and some label has several."""
    return isinstance(detector, WordHider) and any(" " in label for label in labels)
