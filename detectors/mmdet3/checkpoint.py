"""Models of mmdet from a config and a checkpoint."""

from __future__ import annotations

import warnings
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from torch import Tensor

from detectors.mmdet3.candidates import find_mmdet_head
from detectors.mmdet3.pipeline import Pipeline
from detectors.shared.weight_files import read_weight_file
from detectors.shared.weights import find_state_dict, under_prefix
from vps.core.extras import require
from vps.errors import InputError, one_line

mmdet: Any = require("mmdet", extra="mmdet")
Config: Any = require("mmengine.config", extra="mmdet").Config
registry: Any = require("mmdet.registry", extra="mmdet")
DefaultScope: Any = require("mmengine.registry", extra="mmdet").DefaultScope
revert_sync_batchnorm: Any = require("mmengine.model", extra="mmdet").revert_sync_batchnorm
get_test_pipeline: Any = require("mmdet.utils", extra="mmdet").get_test_pipeline_cfg

FETCHED = ("init_cfg", "pretrained", "teacher_ckpt")
"""Settings of a model that name weights to begin a training with; they may lie on the web."""

BY_THE_WAY = ("num_batches_tracked", "data_preprocessor.")
"""Parts of the names of what some checkpoints hold and others do not, and what changes no score."""


def read_mmdet_model(
    config: Path, weights: Path, labels: Sequence[str] | None = None
) -> tuple[Any, tuple[str, ...], Pipeline]:
    """A model for inference on the CPU, the names of its classes, and its test pipeline.

    The config is run, as each tool of mmdet does; it is a program, to be trusted as one. The
    checkpoint is not: of it, tensors and plain values are read. Nothing is fetched from the web.

    Args:
        config: a Python file of mmdet 3, with the configs that it is based on beside it.
        weights: a checkpoint as mmengine saves it, or a state dict.
        labels: the names of the classes, if neither of the two tells or they are to be others.

    Raises:
        InputError: as for `detectors.mmdet3.detector.load_mmdet`.
    """
    settings = read_mmdet_config(config)
    state, meta = read_weights(weights)
    # mmengine resolves names like "Resize" in a scope of the whole process.
    with DefaultScope.overwrite_default_scope(settings.get("default_scope") or "mmdet"):
        with _building(f"config {config}", "the model"):
            model = revert_sync_batchnorm(registry.MODELS.build(settings.model))
        head = find_mmdet_head(model)
        pipeline = pipeline_of(settings, f"config {config}")
        names = find_labels(labels, meta, settings, head.num_classes, f"{config} with {weights}")
    state = under_prefix(state, model.state_dict(), weights)
    _fill(model, state, f"checkpoint {weights} does not fit config {config}")
    # Not in one line: some detectors of mmdet return None.
    model.eval()
    model.requires_grad_(False)
    return model, names, pipeline


def pipeline_of(settings: Any, where: str = "the model's cfg") -> Pipeline:
    """The test pipeline of a config.

    Args:
        settings: the config.
        where: it comes from, for messages.

    Raises:
        InputError: it cannot be built, or does more than load, resize, pad and pack.
    """
    with (
        DefaultScope.overwrite_default_scope(settings.get("default_scope") or "mmdet"),
        _building(where, "the test pipeline"),
    ):
        steps = [registry.TRANSFORMS.build(step) for step in get_test_pipeline(settings)]
    return Pipeline(steps)


def labels_in_memory(
    model: Any, settings: Any, given: Sequence[str] | None = None
) -> tuple[str, ...]:
    """The names of the classes of a model that `init_detector` gave; as for `find_labels`."""
    meta = {"dataset_meta": getattr(model, "dataset_meta", None)}
    count = find_mmdet_head(model).num_classes
    return find_labels(given, meta, settings, count, f"the {type(model).__name__}")


def read_mmdet_config(path: Path) -> Any:
    """The settings of a config file, without those that name weights to begin with.

    Raises:
        InputError: no such file, one that fails when it is run, or none of a model.
    """
    if not path.is_file():
        raise InputError(f"there is no config {path}; give the path of a config file of mmdet")
    try:
        settings = Config.fromfile(path)
    except Exception as error:
        # It is a program, and may fail as any.
        raise InputError(f"config {path} cannot be run: {one_line(error)}") from error
    if not isinstance(settings.get("model"), dict) or "type" not in settings.model:
        raise InputError(f"config {path} has no `model` with a `type`: it is not one of mmdet 3")
    if "language_model" in settings.model:
        # To be built, it would have to fetch a text encoder.
        raise InputError(
            f"the model of config {path} is asked in words, which the adapter of mmdet does not "
            "do; for MM-Grounding-DINO there is hf-grounding-dino:NAME"
        )
    _forget(settings.model)
    return settings


def read_weights(path: Path) -> tuple[dict[str, Tensor], Mapping[str, Any]]:
    """The state dict of a checkpoint, and what the checkpoint says of it.

    Raises:
        InputError: no such file, a damaged one, or one with something else than weights.
    """
    content = read_weight_file(path)
    # With a moving average, mmengine saves that as the state dict, and the rest beside it.
    named: Any = OrderedDict(find_state_dict(content, path, averages=False))
    # Tells layers by which version of them the weights were written.
    named._metadata = getattr(content.get("state_dict", content), "_metadata", None)
    meta = content.get("meta")
    return named, meta if isinstance(meta, dict) else {}


def find_labels(
    given: Sequence[str] | None, meta: Mapping[str, Any], settings: Any, count: int, where: str
) -> tuple[str, ...]:
    """The names of a model's classes: those given, or the checkpoint's, or the config's.

    Raises:
        InputError: none are to be found, or not as many different ones as there are classes.
    """
    # mmdet 2 wrote them in capitals and right into `meta`.
    data = {str(key).lower(): value for key, value in _mapping(meta.get("dataset_meta")).items()}
    dataset = _mapping(_mapping(settings.get("test_dataloader")).get("dataset"))
    known = [
        (given, "given as labels"),
        (data.get("classes", meta.get("CLASSES")), "in the checkpoint"),
        (_mapping(dataset.get("metainfo")).get("classes"), "in the config"),
        (_of_data_set(dataset, count), "in the data set of the config"),
    ]
    for found, place in known:
        names = (found,) if isinstance(found, str) else found
        if not isinstance(names, (list, tuple)) or not all(isinstance(n, str) for n in names):
            continue
        if len(names) == count == len(set(names)):
            return tuple(names)
        raise InputError(
            f"{where}: the model scores {count} classes, but there are {len(set(names))} "
            f"different names {place}; give the {count} in order as labels"
        )
    raise InputError(
        f"neither the checkpoint nor the config names the classes ({where}); give the {count} in "
        'order as labels, e.g. --prompt "cat . dog ."'
    )


def _of_data_set(dataset: Mapping[str, Any], count: int) -> Any:
    """The classes that the data set of the config has by itself, if they are as many."""
    kind = dataset.get("type")
    kind = registry.DATASETS.get(kind) if isinstance(kind, str) else kind
    classes = _mapping(getattr(kind, "METAINFO", None)).get("classes", ())
    return classes if len(classes) == count else None


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _forget(settings: Any) -> None:
    """Set all that names weights to begin with to None, in place."""
    if isinstance(settings, dict):
        for key in settings:
            if key in FETCHED:
                settings[key] = None
            else:
                _forget(settings[key])
    elif isinstance(settings, (list, tuple)):
        for part in settings:
            _forget(part)


@contextmanager
def _building(config: str, what: str) -> Iterator[None]:
    """Within the block, whatever a builder of mmdet raises becomes an InputError."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except Exception as error:
        raise InputError(
            f"{config}: {what} cannot be built with mmdet {mmdet.__version__}: {one_line(error)}"
        ) from error


def _fill(model: Any, state: Mapping[str, Tensor], trouble: str) -> None:
    """Load weights that must fit exactly, but for what `BY_THE_WAY` names.

    Raises:
        InputError: a weight is missing, left over or of another shape.
    """
    try:
        report = model.load_state_dict(state, strict=False)
    except RuntimeError as error:
        raise InputError(f"{trouble}: {one_line(error)}") from error
    for what, keys in (("lacks", report.missing_keys), ("has, too,", report.unexpected_keys)):
        odd = [key for key in keys if not any(part in key for part in BY_THE_WAY)]
        if odd:
            raise InputError(f"{trouble}: it {what} {len(odd)} weights: {', '.join(odd[:3])} ...")
