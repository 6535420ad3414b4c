"""Models of Ultralytics from a YAML file and a state dict: their own checkpoints are pickles."""

from __future__ import annotations

from os import PathLike
from pathlib import Path
from typing import Any

from detectors.names import PICKLES, export_hint
from detectors.shared.pixels import choose_device, choose_dtype
from detectors.shared.weights import read_state_dict
from vps.core.extras import require
from vps.errors import InputError, one_line

tasks: Any = require("ultralytics.nn.tasks", extra="ultralytics")


def read_model(source: str, weights: str | PathLike[str] | None, device: str, dtype: str) -> Any:
    """A model by its YAML file with the weights of a state dict, in evaluation mode.

    Args:
        source, weights, device, dtype: see `load_ultralytics`.

    Raises:
        InputError: likewise.
    """
    if Path(source).suffix in PICKLES:
        raise InputError(
            f"ultralytics:{source} is a checkpoint of objects, and reading it would run what is in "
            f"it: {export_hint(source)}, and name a function that does so by --detector "
            "my_module:build"
        )
    if not source or weights is None:
        raise InputError(
            "ultralytics needs a YAML file and weights: ultralytics:MODEL.yaml with the option "
            "weights=FILE, a state dict"
        )
    if choose_dtype(dtype) != choose_dtype("float32"):
        raise InputError(f"models of Ultralytics run in float32 here, not in {dtype}")
    place = choose_device(device)
    file = Path(weights).expanduser()
    if file.suffix == ".pt" and not file.is_file():
        raise InputError(f"there are no weights {weights}; {export_hint(str(weights))}")
    names = [f"model.{end}" for end in ("0.conv.weight", "0.stem1.conv.weight")]
    state = read_state_dict(file, names)
    model = _built(source, state)
    try:
        model.load_state_dict(state)
    except RuntimeError as error:
        raise InputError(f"weights {weights} do not fit {source}: {one_line(error)}") from error
    return model.eval().requires_grad_(False).to(place)


def _built(source: str, state: dict[str, Any]) -> Any:
    """The model that a YAML file describes, with as many classes as the weights score."""
    try:
        settings = tasks.yaml_model_load(str(Path(source).expanduser()))
        kind = tasks.guess_model_task(settings)
        classes = {
            "detect": tasks.DetectionModel,
            "segment": tasks.SegmentationModel,
            "pose": tasks.PoseModel,
            "obb": tasks.OBBModel,
        }
        build = classes.get(kind, tasks.DetectionModel)
        if "RTDETRDecoder" in str(settings.get("head")):
            build = tasks.RTDETRDetectionModel
        return build(settings, nc=_class_count(state), verbose=False)
    except Exception as error:
        raise InputError(
            f"ultralytics:{source} describes no model that can be built: {one_line(error)}"
        ) from error


def _class_count(state: dict[str, Any]) -> int | None:
    """How many classes the weights score, by the last layer of the head; None if it is unknown."""
    last = [key for key in state if ".cv3." in key and key.endswith(".2.bias")]
    last += [key for key in state if key.endswith("enc_score_head.bias")]
    return int(state[last[-1]].numel()) if last else None
