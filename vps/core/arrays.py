"""Arrays from archives that others may have written: told by their heads before they are read."""

from __future__ import annotations

import io
import math
import re
import struct
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import IO

import numpy as np
from numpy.lib import format as npy

from vps.errors import InputError, one_line

MOST_BYTES = 1 << 29
"""Of an archive, packed and unpacked: three maps of 40 megapixels."""

_ROUNDING = 1e-6  # by which a sum may leave its range
_HEAD = 10_000  # bytes of the head of an array
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # those that numpy writes
_HEADS = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}
_KINDS = {"f": "numbers", "i": "whole numbers", "u": "whole numbers", "b": "true or false"}


@dataclass(frozen=True)
class ArraySchema:
    """What an array must be.

    Attributes:
        kinds: letters of numpy's kinds of type, e.g. "f" or "iu".
        shape: of each axis its length, by a number, a letter, or a letter and what is added to it
            ("m+1"); a letter stands for one length in all arrays of an archive.
        low, high: the range of its values, but for rounding; all are finite.
        optional: whether the archive may be without it.
    """

    kinds: str
    shape: tuple[int | str, ...]
    low: float = -math.inf
    high: float = math.inf
    optional: bool = False


def read_arrays(
    payload: bytes, schema: Mapping[str, ArraySchema], what: str
) -> dict[str, np.ndarray]:
    """The arrays of an .npz archive; nothing larger than its schema allows is unpacked.

    Args:
        payload: the bytes of the archive.
        schema: what arrays there may be.
        what: the archive, for messages.

    Raises:
        InputError: it is no archive, has other arrays, is packed in another way than numpy does, or
            an array is of another type, shape or range, or too large; one line with its name.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(payload)) as archive:
            members = _members(archive, schema, what)
            lengths: dict[str, int] = {}
            left = MOST_BYTES
            arrays = {}
            for name, about in schema.items():
                if name not in members:
                    continue
                with archive.open(members[name]) as member:
                    array = _read(member, about, lengths, left, f"{what}: {name}")
                left -= array.nbytes
                arrays[name] = array
            return arrays
    except InputError:
        raise
    except (
        EOFError,
        KeyError,
        NotImplementedError,
        OSError,
        OverflowError,
        RuntimeError,
        SyntaxError,
        TypeError,
        ValueError,
        struct.error,
        zipfile.BadZipFile,
        zlib.error,
    ) as error:
        raise InputError(f"{what} is no archive of arrays: {one_line(error)}") from error


def _members(
    archive: zipfile.ZipFile, schema: Mapping[str, ArraySchema], what: str
) -> dict[str, zipfile.ZipInfo]:
    """The entries of an archive by the names of their arrays."""
    members: dict[str, zipfile.ZipInfo] = {}
    for info in archive.infolist():
        name = info.filename.removesuffix(".npy")
        if name not in schema or name in members:
            raise InputError(f"{what} holds {name[:100]!r}, which belongs to no result, or twice")
        if info.compress_type not in _METHODS or info.flag_bits & 1:
            raise InputError(f"{what}: {name} is packed in another way than results are")
        members[name] = info
    missing = [name for name, one in schema.items() if not one.optional and name not in members]
    if missing:
        raise InputError(f"{what} has no array {', '.join(missing)}")
    return members


def _read(
    member: IO[bytes], about: ArraySchema, lengths: dict[str, int], left: int, what: str
) -> np.ndarray:
    version = npy.read_magic(member)
    if version not in _HEADS:
        raise InputError(f"{what} is an array of format {version}, which no result has")
    shape, fortran, dtype = _HEADS[version](member, max_header_size=_HEAD)
    if dtype.kind not in about.kinds or dtype.itemsize > 8:
        wanted = _KINDS[about.kinds[0]]
        raise InputError(f"{what} must hold {wanted}, got an array of type {str(dtype)[:50]}")
    _check_shape(shape, about, lengths, what)
    size = math.prod(shape) * dtype.itemsize
    if size > left:
        raise InputError(f"{what} would take {size} bytes of memory, more than any result does")
    # One more, so that what comes after its end is noticed.
    content = member.read(size + 1)
    if len(content) != size:
        raise InputError(f"{what} is not as long as it says")
    array = np.frombuffer(content, dtype).reshape(shape, order="F" if fortran else "C")
    if array.dtype.kind != "b":
        _check_values(array.min(), array.max(), about, what)
    return array


def _check_values(lowest: float, highest: float, about: ArraySchema, what: str) -> None:
    # Of NaN, numpy says that it is the lowest and the highest; it compares with nothing.
    within = about.low - _ROUNDING <= lowest <= highest <= about.high + _ROUNDING
    if not (within and np.isfinite([lowest, highest]).all()):
        span = f" in [{about.low:g}, {about.high:g}]" if np.isfinite(about.high) else ""
        found = f"{lowest:g} to {highest:g}"
        raise InputError(f"{what} must hold finite numbers{span}, got {found}")


def _check_shape(
    shape: tuple[int, ...], about: ArraySchema, lengths: dict[str, int], what: str
) -> None:
    """Raise InputError unless the axes are as long as the schema and the other arrays say."""
    wanted = []
    for axis, length in enumerate(about.shape):
        if isinstance(length, str):
            letter, _, more = re.sub(r"\s", "", length).partition("+")
            here = shape[axis] - int(more or 0) if axis < len(shape) else 0
            length = lengths.setdefault(letter, here) + int(more or 0)
        wanted.append(length)
    if shape != tuple(wanted) or min(shape, default=1) < 1:
        raise InputError(f"{what} must have shape {tuple(wanted)}, got {shape}")
