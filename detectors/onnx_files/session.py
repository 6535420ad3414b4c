"""onnxruntime's session for a file, or what lies there instead."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from detectors.shared.stand_ins import check_no_stand_in
from vps.core.extras import require
from vps.core.numbers import check_threads
from vps.errors import InputError, one_line


def open_session(path: Path, threads: int = 1) -> Any:
    """A session of onnxruntime for a file.

    Raises:
        InputError: the file is missing or broken, or what a download left instead of it.
    """
    check_no_stand_in(path, "ONNX model")
    check_threads(threads)
    runtime = require("onnxruntime", extra="onnx")
    options = runtime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    try:
        return runtime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:
        # onnxruntime raises classes of its own that have only Exception in common.
        raise InputError(f"ONNX model {path} cannot be loaded: {one_line(error)}") from error
