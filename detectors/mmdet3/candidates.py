"""All candidates of an mmdet model with all their class scores, whatever its head."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from detectors.shared.watch import ChoiceWatch, share
from vps.core.extras import require
from vps.errors import InputError

ConfigDict: Any = require("mmengine.config", extra="mmdet").ConfigDict
get_box_tensor: Any = require("mmdet.structures.bbox", extra="mmdet").get_box_tensor

Rows = tuple[Tensor, Tensor]
"""Boxes (n, 4) xyxy and scores (n, L) of the candidates of one image."""

KEEP_ALL = {
    "score_thr": -math.inf,
    "conf_thr": -math.inf,
    "nms_pre": sys.maxsize,
    "max_per_img": sys.maxsize,
    "nms": None,
    "min_bbox_size": -1,
}
"""The test settings with which a head drops nothing: no threshold, no top-k, no NMS."""

REFUSED = {
    "CenterNetHead": "picks the peaks of its heat maps",
    "CornerHead": "picks pairs of corners",
    "GridRoIHead": "refines each candidate with another head",
    "MultiInstanceRoIHead": "has an NMS of its own",
    "YOLACTHead": "has an NMS of its own",
}
"""Heads of mmdet that cannot be asked for all candidates, and why."""

COMPARISONS = (torch.Tensor.gt, torch.Tensor.__gt__, torch.Tensor.ge, torch.Tensor.__ge__)
RANKINGS = (torch.sort, torch.Tensor.sort, torch.topk, torch.Tensor.topk)
MAXIMA = (torch.max, torch.Tensor.max)


def find_mmdet_head(model: Any) -> Any:
    """The head that scores a model's classes; it has `num_classes`.

    Raises:
        InputError: the model has none, wants more than an image, or is in `REFUSED`.
    """
    kind = type(model).__name__
    if hasattr(model, "language_model"):
        raise InputError(f"{kind} is asked in words, which the adapter of mmdet does not do")
    if getattr(model, "with_roi_head", False):
        if not model.with_rpn:
            raise InputError(f"{kind} wants proposals with each image; use one with an RPN")
        owner, head = model.roi_head, model.roi_head.bbox_head
        # A cascade ends with its last stage.
        head = head[-1] if isinstance(head, nn.ModuleList) else head
    else:
        owner = head = getattr(model, "bbox_head", None)
    if not hasattr(head, "num_classes"):
        raise InputError(f"{kind} has no head that gives boxes with labels; use a detector")
    for base in type(owner).__mro__:
        if base.__name__ in REFUSED:
            raise InputError(
                f"the {type(owner).__name__} of {kind} {REFUSED[base.__name__]}, so it has no list "
                "of all candidates with all scores, which an explanation needs"
            )
    return head


def find_candidates(
    model: Any, inputs: Tensor, samples: Sequence[Any], floor: float = 0.0
) -> list[Rows]:
    """Run a model up to the point where it has all candidates and would begin to drop some.

    What runs is the model's own `predict`, on a copy that shares all weights and differs in the
    test settings of its head. The model itself is not changed. Masks are not computed.

    Args:
        model: a detector of mmdet that `find_mmdet_head` takes.
        inputs: (B, 3, h, w), what its data preprocessor gives.
        samples: B `DetDataSample`s with the meta information of the images.
        floor: candidates that reach it with no label are left out.

    Returns:
        For each image, the boxes in the frame of `samples` and the scores of all labels.

    Raises:
        InputError: a head of a kind that cannot be asked for all candidates.
    """
    head, watch = find_mmdet_head(model), ChoiceWatch()
    try:
        _copy_for(model, head.num_classes, watch)(inputs, samples, mode="predict")
    except _Found as found:
        rows = _assemble(found.results, found.scores, head.num_classes, floor)
        if rows is not None:
            return [(boxes, watch.mark(scores)) for boxes, scores in rows]
    except RuntimeError as error:
        # Too small for a kernel, or for as many proposals as queries.
        if not any(part in str(error) for part in ("out of range", "Kernel size")):
            raise
        raise InputError(
            f"images of {inputs.shape[2]} x {inputs.shape[3]} pixels (height x width) are too "
            f"small for {type(model).__name__}: {error}; crop the image to a less narrow one"
        ) from error
    raise InputError(
        f"the {type(head).__name__} of {type(model).__name__} drops candidates in a way that the "
        "adapter of mmdet does not know"
    )


class _Found(Exception):
    """Ends a forward pass: the candidates are there, and what would follow is not needed."""

    def __init__(self, results: list[Any], scores: list[Tensor]) -> None:
        super().__init__()
        self.results = results
        self.scores = scores


def _copy_for(model: Any, classes: int, watch: ChoiceWatch) -> Any:
    """A copy of a model that shares its weights, and whose forward pass ends with `_Found`."""
    twin = share(model)
    if getattr(model, "with_roi_head", False):
        twin.rpn_head = watch.watched(model.rpn_head)
        # Gradients stop at proposals, as in training: RoIAlign has none of where it pools.
        twin.rpn_head.predict = torch.no_grad()(twin.rpn_head.predict)
        owner = twin.roi_head = share(model.roi_head)
        # Heads for masks want as few candidates as they are used to.
        owner._modules.pop("mask_head", None)
        step = "predict_bbox"
    else:
        owner = twin.bbox_head = share(model.bbox_head)
        step = "predict_by_feat"
        if getattr(model, "as_two_stage", False):
            # Those behind the decoder's choose which places of the image become queries.
            layers, number = list(owner.cls_branches), model.decoder.num_layers
            chosen = [watch.watched(layer) for layer in layers[number:]]
            owner.cls_branches = nn.ModuleList([*layers[:number], *chosen])
    owner.test_cfg = ConfigDict({**(owner.test_cfg or {}), **KEEP_ALL})
    _adjust(owner)
    setattr(owner, step, _ending(getattr(owner, step), classes))
    return twin


def _adjust(head: Any) -> None:
    """What some heads need beyond `KEEP_ALL`; the others do not know these attributes."""
    # PAA: boxes are averaged after the NMS.
    head.with_score_voting = False
    # RTMDet-Ins: a mask for each candidate.
    if hasattr(head, "_bbox_mask_post_process"):
        head._bbox_mask_post_process = lambda mask_feat, **kwargs: head._bbox_post_process(**kwargs)
    # Cascades: what a stage refines is a proposal of the next one, and has no gradients either.
    if hasattr(head, "_refine_roi"):
        head._refine_roi = _with_fixed_rois(head._refine_roi)
    # SSD: mmdet 3.2 and later ask for it, and fail (issue 11780 of open-mmlab/mmdetection).
    if not hasattr(head, "loss_cls"):
        head.loss_cls = None


def _with_fixed_rois(refine: Callable[..., Any]) -> Callable[..., Any]:
    def refined(*args: Any, **kwargs: Any) -> tuple[Any, ...]:
        rois, *others = refine(*args, **kwargs)
        with torch.no_grad():
            return tuple(part.clone() for part in rois), *others

    return refined


def _ending(post_process: Callable[..., Any], classes: int) -> Callable[..., Any]:
    def end(*args: Any, **kwargs: Any) -> None:
        with _Unfiltered(classes) as seen:
            results = post_process(*args, **kwargs)
        raise _Found(results, seen.scores)

    return end


class _Unfiltered(TorchFunctionMode):
    """Within it, the functions with which heads filter and rank leave all candidates in place.

    Heads compare class scores with a threshold and rank the pairs of box and label that pass; or
    they take the best label of each box; or they rank all pairs. So:

    - class scores (n, L) > -inf is true of the best label of each row only, so that each box is
      decoded once, and not once a label; `scores` keeps the whole;
    - anything else > -inf is true, also NaN, which must not pass as a candidate left out;
    - the maximum over the labels of (n, L) is as ever, and `scores` keeps the whole;
    - `sort` and `topk` of a vector give all of it as it is.

    It holds for the thread that enters it, and for nothing that was there before.
    """

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.scores: list[Tensor] = []
        self._classes = classes

    def __torch_function__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        values, other = (*args, None, None)[:2]
        if isinstance(values, Tensor) and values.ndim == 1 and func in RANKINGS:
            return values, torch.arange(len(values), device=values.device)
        table = isinstance(values, Tensor) and values.ndim == 2
        table = table and values.shape[1] == self._classes
        if func in COMPARISONS and isinstance(other, float) and other == -math.inf:
            if not table:
                return torch.ones_like(values, dtype=torch.bool)
            self.scores.append(values)
            best = values.argmax(dim=1, keepdim=True)
            return torch.zeros_like(values, dtype=torch.bool).scatter_(1, best, True)
        if table and func in MAXIMA and isinstance(other, int) and other in (1, -1):
            self.scores.append(values)
        return func(*args, **(kwargs or {}))


def _assemble(
    results: list[Any], seen: list[Tensor], classes: int, floor: float
) -> list[Rows] | None:
    """Boxes and scores of each image from a head's results and the scores that it filtered.

    Returns:
        None if the head left something out.
    """
    if not seen:
        complete = all(_has_all_pairs(found.labels, classes) for found in results)
        return [_of_pairs(found, classes, floor) for found in results] if complete else None
    table, counts = torch.cat(seen), [len(found.scores) for found in results]
    if len(table) != sum(counts):
        return None
    parts = zip(results, table.split(counts), strict=True)
    return [_of_rows(found, scores, floor) for found, scores in parts]


def _of_rows(found: Any, scores: Tensor, floor: float) -> Rows:
    """One candidate a box. By what the head multiplied its best score (with centreness, say, or
    objectness), all its scores are multiplied."""
    best = scores.amax(dim=1)
    # A score that is 0 before stays 0.
    factor = torch.where(best > 0, found.scores / best.clamp(min=torch.finfo(best.dtype).tiny), 0)
    scores = (scores * factor[:, None]).clamp(0, 1)
    kept = _reaches(scores.amax(dim=1), floor)
    return get_box_tensor(found.bboxes)[kept], scores[kept]


def _has_all_pairs(labels: Tensor, classes: int) -> bool:
    """Whether the labels are those of all pairs of candidate and label, in order."""
    expected = torch.arange(classes, device=labels.device).repeat(len(labels) // classes)
    return torch.equal(labels, expected)


def _of_pairs(found: Any, classes: int, floor: float) -> Rows:
    """One candidate a box: where each label has a box of its own, the pairs of both."""
    boxes = get_box_tensor(found.bboxes).reshape(-1, classes, 4)
    scores = found.scores.reshape(-1, classes)
    if bool((boxes == boxes[:, :1]).all()):
        kept = _reaches(scores.amax(dim=1), floor)
        return boxes[kept, 0], scores[kept]
    row, label = _reaches(scores, floor).nonzero(as_tuple=True)
    alone = scores.new_zeros(len(row), classes)
    alone.scatter_(1, label[:, None], scores[row, label, None])
    return boxes[row, label], alone


def _reaches(scores: Tensor, floor: float) -> Tensor:
    """Not so: `scores >= floor`. NaN must not pass as a candidate left out."""
    return ~(scores < floor)
