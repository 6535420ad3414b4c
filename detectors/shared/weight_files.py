"""Files of weights as users have them: opened without running anything in them, or refused."""

from __future__ import annotations

import argparse
import difflib
import re
from pathlib import Path
from typing import Any

import torch

from detectors.shared.stand_ins import check_no_stand_in
from vps.core.extras import require
from vps.core.files import is_address, shown_path
from vps.errors import InputError, one_line

BESIDE_WEIGHTS = (
    "_codecs.encode",
    "builtins.getattr",
    "collections.defaultdict",
    "lightning.fabric.utilities.data.AttributeDict",
    "lightning_fabric.utilities.data.AttributeDict",
    "mmengine.config.config.ConfigDict",
    "mmengine.logging.history_buffer.HistoryBuffer",
    "numpy.core.multiarray._reconstruct",
    "numpy.core.multiarray.scalar",
    "numpy._core.multiarray._reconstruct",
    "numpy._core.multiarray.scalar",
    "numpy.dtype",
    "numpy.ndarray",
    "omegaconf.base.ContainerMetadata",
    "omegaconf.base.Metadata",
    "omegaconf.dictconfig.DictConfig",
    "omegaconf.listconfig.ListConfig",
    "omegaconf.nodes.AnyNode",
    "pathlib.Path",
    "pathlib.PosixPath",
    "pathlib.PurePosixPath",
    "pathlib.WindowsPath",
    "pathlib._local.PosixPath",
    "pathlib._local.WindowsPath",
    "types.SimpleNamespace",
    "typing.Any",
    "yacs.config.CfgNode",
)
"""What training scripts save beside tensors and plain values: settings, and the history of a
training. Nothing of it is made or called: `Ignored` stands for each."""

# How files begin that lie where weights should.
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")


class Ignored:
    """Stands for an object of `BESIDE_WEIGHTS`, which is so neither made nor called."""

    def __new__(cls, *_: Any, **__: Any) -> Ignored:
        return super().__new__(cls)

    def __init__(self, *_: Any, **__: Any) -> None:
        pass

    def __setstate__(self, _: Any) -> None:
        pass


def read_weight_file(path: Path) -> Any:
    """What a file of torch.save or safetensors holds: tensors, plain values and Namespaces.

    Raises:
        InputError: no such file, one that is something else (a web page, say) or damaged, or one
            that names classes or functions beyond torch's own, argparse's and `BESIDE_WEIGHTS`.
        MissingExtraError: safetensors is not installed, and the file needs it.
    """
    check_weight_file(path)
    if path.suffix == ".safetensors":
        load_file = require("safetensors.torch", extra="hf").load_file
    else:
        load_file = _load_plain
    try:
        return load_file(path)
    except Exception as error:
        # What a damaged file raises depends on where it is damaged.
        named = _unsafe(path)
        reason = f"of {', '.join(named[:4])}" if named else _COLOURS.sub("", one_line(error, 200))
        raise InputError(
            f"weights {path} cannot be read: they are damaged, or hold more than weights, which "
            "could run code; where you trust them, save model.state_dict() alone, with torch.save "
            f"or safetensors ({reason})"
        ) from error


def check_weight_file(path: Path) -> None:
    """Refuse what cannot be a file of weights by where it lies or how it begins.

    Raises:
        InputError: nothing there, an address on the web, a folder, a Git LFS pointer, a web page,
            or an empty file.
    """
    if is_address(path):
        raise InputError(
            f"weights {shown_path(path)} are an address on the web, which nothing is fetched from: "
            "download the file, and give its path"
        )
    if path.is_dir():
        raise InputError(f"weights {shown_path(path)} are a folder; give the file in it")
    if not path.is_file():
        raise InputError(
            f"there are no weights {shown_path(path)}{near_names(path)}; give their file as the "
            "option weights=FILE"
        )
    check_no_stand_in(path, "weights")


def near_names(path: Path) -> str:
    """What in the folder may have been meant, as a part of a message."""
    try:
        names = [one.name for one in path.parent.iterdir()]
    except OSError:
        return ""
    near = difflib.get_close_matches(path.name, names, n=1, cutoff=0.7)
    return f", did you mean {path.with_name(near[0])}?" if near else ""


def _unsafe(path: Path) -> list[str]:
    """The classes and functions that a file names and that it may not."""
    try:
        named = torch.serialization.get_unsafe_globals_in_checkpoint(str(path))
    except Exception:  # An old or a damaged file.
        return []
    known = {*BESIDE_WEIGHTS, "argparse.Namespace"}
    return sorted(name for name in named if name not in known)


def _load_plain(path: Path) -> Any:
    admitted: list[Any] = [argparse.Namespace, *((Ignored, name) for name in BESIDE_WEIGHTS)]
    with torch.serialization.safe_globals(admitted):
        return torch.load(path, map_location="cpu", weights_only=True)
