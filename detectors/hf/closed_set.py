"""The closed-set detectors of transformers: DETR and its relatives, RT-DETR, D-FINE, YOLOS."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

import numpy as np
import torch
from torch import Tensor

from detectors.hf.attention import attending, closed_set_attention
from detectors.hf.checkpoint import (
    MODEL_TYPES,
    find_checkpoint,
    loading,
    read_hf_model,
    transformers,
)
from detectors.hf.images import ImageProcessor, read_processor
from detectors.hf.layers import closed_set_layers
from detectors.shared.gradients import Differentiable, keeps_whole_gradients
from detectors.shared.pixels import check_batch, choose_device, choose_dtype, enough_places
from detectors.shared.watch import ChoiceWatch
from vps.core.boxes import cxcywh_to_xyxy
from vps.core.candidates import Candidates
from vps.core.detector import AttentionLayers, FeatureLayer
from vps.errors import DetectorError, InputError

CLOSED_SET = "hf-closed-set"


class HFClosedSet(Differentiable):
    """A model of `AutoModelForObjectDetection`, with the labels that it was trained for.

    All queries are candidates. A head with one column more than the model has labels is a softmax,
    whose last column means "no object" (DETR, Table Transformer, YOLOS); one with as many columns
    scores each label by a sigmoid of its own (all others).

    The weights stay float32; with another dtype the forward pass runs under autocast.

    Args:
        model: the model, on the device where it is to run.
        processor: how it wants its images.
        name: what reports call the detector.
        dtype: in which it computes.
        labels: one name a class, in order, instead of those of its configuration.

    Raises:
        InputError: the model's configuration names no labels, or not those of its columns; or
            others are given than it has classes.
    """

    def __init__(
        self,
        model: Any,
        processor: ImageProcessor,
        *,
        name: str,
        dtype: torch.dtype = torch.float32,
        labels: Sequence[str] | None = None,
    ) -> None:
        self.name = name
        self.model = model
        self.processor = processor
        self.dtype = dtype
        self.device: torch.device = model.device
        named = read_labels(model.config.id2label if labels is None else label_map(labels, model))
        self.labels = tuple(named.values())
        self._columns = torch.tensor(list(named), device=self.device)
        config = model.config
        # YOLOS has tokens for them.
        self._queries = getattr(config, "num_queries", getattr(config, "num_detection_tokens", 1))
        self._takes_mask = "pixel_mask" in inspect.signature(model.forward).parameters

    def prepare(self, image: np.ndarray) -> Tensor:
        """The image at the checkpoint's size; see `vps.core.detector.Detector.prepare`."""
        return self.processor.prepare(image, self.device)

    @keeps_whole_gradients
    def detect(self, pixels: Tensor, size: tuple[int, int]) -> Candidates:
        """All queries; see `vps.core.detector.Detector.detect`.

        Raises:
            InputError: the image is so narrow that the model has fewer places than queries.
            DetectorError: the model has no head of the kinds above.
        """
        grid = check_batch(pixels)
        inputs, mask = self.processor.inputs(pixels)
        masked = {"pixel_mask": mask} if mask is not None and self._takes_mask else {}
        half = self.dtype != torch.float32
        with (
            enough_places(inputs, self._queries),
            torch.autocast(self.device.type, dtype=self.dtype, enabled=half),
        ):
            output = self.model(pixel_values=inputs, return_dict=True, **masked)
        watch = ChoiceWatch()
        watch.see(output.get("enc_outputs_class"))
        scores = watch.mark(label_scores(output.logits.float(), self.model.config.num_labels))
        boxes = self.processor.to_image(cxcywh_to_xyxy(output.pred_boxes.float()), grid, size)
        return Candidates(boxes, scores[..., self._columns], self.labels)

    def feature_layers(self) -> dict[str, FeatureLayer]:
        """What the decoder looks at, "neck.0" the finest level; of YOLOS, "encoder", what its last
        layer looks at. See `vps.core.detector.FeatureDetector`.

        Raises:
            InputError: a model of which no layers are known.
        """
        return closed_set_layers(self.name, self.model, self.processor.placement)

    def attending(self) -> AbstractContextManager[AttentionLayers]:
        """See `vps.core.detector.AttentionDetector`; not meant for several threads.

        Raises:
            InputError: a model that looks at some places of the image only.
        """
        layers = closed_set_attention(self.name, self.model, self.processor.placement)
        return attending(self.model, layers)


def label_scores(logits: Tensor, labels: int) -> Tensor:
    """Scores (..., L) in [0, 1] out of logits (..., L) or, with "no object", (..., L + 1).

    Raises:
        DetectorError: the logits have another number of columns.
    """
    columns = logits.shape[-1]
    if columns == labels + 1:
        return logits.softmax(-1)[..., :-1]
    if columns == labels:
        return logits.sigmoid()
    raise DetectorError(
        f"the model has {columns} columns for {labels} labels; an adapter must say what they mean"
    )


def label_map(labels: Sequence[str], model: Any) -> dict[int, str]:
    """Labels that are given, by their columns.

    Raises:
        InputError: more or fewer than the model has classes.
    """
    names, count = tuple(labels), int(model.config.num_labels)
    if isinstance(labels, str) or len(names) != count:
        raise InputError(
            f"the model finds the {count} classes that it was trained for, and takes no prompt; "
            f"labels only name those {count} anew, in their order, and {len(names)} were given: "
            "leave them out, or use hf-zero-shot to look for other things"
        )
    return dict(enumerate(names))


def read_labels(names: Mapping[int, Any]) -> dict[int, str]:
    """Columns with the names of their labels, each name once.

    COCO's ids have gaps, which published models call "N/A"; those are left out. Of labels with one
    name, the later ones get their id behind it. A number is a name as any.

    Args:
        names: `config.id2label`.

    Raises:
        InputError: no name is left, or the ids are not those of the columns.
    """
    if sorted(names) != list(range(len(names))):
        raise InputError(
            f"id2label in the model's config.json numbers its {len(names)} labels from "
            f"{min(names, default=0)} to {max(names, default=0)}, and the columns of its scores "
            f"are numbered from 0 to {len(names) - 1}: give the names of the columns as labels, in "
            'order (--prompt "cat . dog ."), or mend id2label and label2id in config.json'
        )
    named: dict[int, str] = {}
    for column in sorted(names):
        name = str(names[column]).strip()
        if name and name.upper() != "N/A":
            while name in named.values():
                name = f"{name} ({column})"
            named[column] = name
    if not named:
        raise InputError(
            "id2label in the model's config.json names no labels; give them as labels, in order"
        )
    return named


def load_closed_set(
    source: str, *, labels: Sequence[str] | None, device: str = "cpu", dtype: str = "float32"
) -> HFClosedSet:
    """A closed-set detector from a folder, or from the Hugging Face hub by name.

    Args:
        source: a folder, or a name on the hub.
        labels: one name a class, in order, where the checkpoint names them not or wrongly.
        device: where it computes.
        dtype: in what it computes.

    Raises:
        InputError: more or fewer labels than the model has classes; no such checkpoint, not one of
            a closed-set detector, weights that are not safetensors or do not fit; or a device that
            is not there.
        MissingExtraError: the model's backbone is one of timm, which is not installed.
    """
    folder, computed = find_checkpoint(source, CLOSED_SET), choose_dtype(dtype)
    place = choose_device(device)
    with loading(source):
        auto = transformers.AutoModelForObjectDetection
        model = read_hf_model(folder, auto, MODEL_TYPES[CLOSED_SET])
        processor = read_processor(folder)
    return HFClosedSet(
        model.to(place), processor, name=f"{CLOSED_SET}:{source}", dtype=computed, labels=labels
    )
