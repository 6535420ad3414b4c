import io
import zipfile

import numpy as np
import pytest

from vps.core.arrays import ArraySchema, read_arrays
from vps.errors import InputError

SCHEMA = {
    "order": ArraySchema("iu", ("m",), 0),
    "curve": ArraySchema("f", ("m+1",), 0, 1),
    "seen": ArraySchema("b", ("m+1",), optional=True),
}
ORDER, CURVE = np.array([2, 0, 1]), np.array([0, 0.5, 0.25, 1])


def archive(**arrays):
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    return buffer.getvalue()


def test_arrays_are_those_that_were_saved():
    found = read_arrays(archive(order=ORDER, curve=CURVE), SCHEMA, "a.npz")
    assert found["order"].tolist() == ORDER.tolist()
    assert found["curve"].tolist() == CURVE.tolist()
    assert "seen" not in found
    turned = read_arrays(archive(order=ORDER.astype(">i2"), curve=CURVE), SCHEMA, "a.npz")
    assert turned["order"].tolist() == ORDER.tolist()


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"order": ORDER}, "a.npz has no array curve"),
        ({"order": ORDER, "curve": CURVE, "more": CURVE}, "a.npz holds 'more'"),
        ({"order": ORDER, "curve": CURVE[:3]}, r"a.npz: curve must have shape \(4,\), got \(3,\)"),
        ({"order": ORDER[None], "curve": CURVE}, "order must have shape"),
        ({"order": ORDER[:0], "curve": CURVE[:1]}, "order must have shape"),
        ({"order": ORDER, "curve": 5 * CURVE}, r"in \[0, 1\], got 0 to 5"),
        ({"order": -ORDER, "curve": CURVE}, "order must hold"),
        ({"order": ORDER, "curve": CURVE * np.nan}, "curve must hold finite numbers"),
        ({"order": CURVE, "curve": CURVE}, "order must hold whole numbers, got .* float64"),
        ({"order": ORDER, "curve": CURVE.astype(str)}, "curve must hold numbers"),
        ({"order": ORDER, "curve": CURVE, "seen": CURVE}, "seen must hold true or false"),
    ],
)
def test_other_arrays_are_refused_by_name(arrays, message):
    with pytest.raises(InputError, match=message):
        read_arrays(archive(**arrays), SCHEMA, "a.npz")


def with_head(shape, version=1, data=b""):
    head = io.BytesIO()
    about = {"descr": "<f8", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(head, about)
    content = bytearray(head.getvalue() + data)
    content[6] = version
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("curve.npy", bytes(content))
    return packed.getvalue()


@pytest.mark.parametrize(
    ("payload", "message"),
    [
        (with_head((10**9,)), "would take 8000000000 bytes"),
        (with_head((10**30,)), "would take"),
        (with_head((4,), data=bytes(24)), "not as long as it says"),
        (with_head((4,), data=bytes(40)), "not as long as it says"),
        (with_head((-4,)), "must have shape"),
        (with_head((4,), version=9, data=bytes(32)), "format"),
        (b"", "no archive"),
        (b"\x93NUMPY", "no archive"),
    ],
)
def test_heads_are_not_believed(payload, message):
    with pytest.raises(InputError, match=message):
        read_arrays(payload, {"curve": ArraySchema("f", ("n",))}, "a.npz")
