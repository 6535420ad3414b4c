import collections
import os
import pickle

import numpy as np
import pytest

from vps.data.readers.restricted_pickle import read_plain_pickle
from vps.errors import InputError

PLAIN = [
    {"ref_id": 1, "box": (1.5, 2), "text": "é", "raw": b"x", "big": 2**70, "none": [None, True]}
]


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_plain_values_are_read(tmp_path, protocol):
    content = PLAIN if protocol >= 3 else [{**PLAIN[0], "raw": "x"}]
    (tmp_path / "a.p").write_bytes(pickle.dumps(content, protocol))
    assert read_plain_pickle(tmp_path / "a.p") == content


def test_text_of_python_2_is_latin_1(tmp_path):
    # {'sent': 'caf\\xe9', u'raw': u'caf\\xe9'} of Python 2, protocol 2.
    payload = (
        b"\x80\x02}q\x00(U\x04sentq\x01U\x04caf\xe9q\x02"
        b"X\x03\x00\x00\x00rawX\x05\x00\x00\x00caf\xc3\xa9u."
    )
    (tmp_path / "a.p").write_bytes(payload)
    assert read_plain_pickle(tmp_path / "a.p") == {"sent": "café", "raw": "café"}


class Harmful:
    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize(
    ("function", "named"), [(os.mkdir, r"(posix|nt)\.mkdir"), (eval, r"_*builtins?_*\.eval")]
)
def test_nothing_in_a_pickle_runs(tmp_path, protocol, function, named):
    trace = tmp_path / "trace"
    argument = str(trace) if function is os.mkdir else f"__import__('os').mkdir({str(trace)!r})"
    path = tmp_path / "a.p"
    path.write_bytes(pickle.dumps([{"ref_id": 1}, Harmful(function, argument)], protocol))
    with pytest.raises(InputError, match=rf"a\.p is refused: it asks for {named}"):
        read_plain_pickle(path)
    assert not trace.exists()
    # The same bytes do run where they are trusted.
    with path.open("rb") as file:
        pickle.Unpickler(file).load()
    assert trace.exists()


def test_old_ways_to_call_are_refused_too(tmp_path):
    trace = tmp_path / "trace"
    path = tmp_path / "a.p"
    for payload in (
        f"(S{str(trace)!r}\nios\nmkdir\n.",
        f"cos\nmkdir\n(S{str(trace)!r}\ntR.",
        f"(cos\nmkdir\nS{str(trace)!r}\no.",
    ):
        path.write_bytes(payload.encode())
        with pytest.raises(InputError, match=r"it asks for os\.mkdir"):
            read_plain_pickle(path)
        assert not trace.exists()


@pytest.mark.parametrize(
    "content",
    [
        collections.OrderedDict(a=1),
        np.zeros(2),
        np.complex64(1),
        np.datetime64(1, "s"),
        np.void(b"abc"),
        np.dtype("O"),
        complex(1, 2),
        InputError,
        print,
    ],
)
def test_other_values_are_refused(tmp_path, content):
    (tmp_path / "a.p").write_bytes(pickle.dumps(content))
    with pytest.raises(InputError, match="is refused"):
        read_plain_pickle(tmp_path / "a.p")


NUMBERS = [
    np.int64(-7), np.int32(7), np.uint8(255), np.float64(1.5), np.float32(0.5), np.float16(2),
    np.bool_(True), np.bool_(False), np.str_("é"), np.dtype(">i4").type(9),
    np.array([258], ">i4")[0],
]  # fmt: skip


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_numbers_of_numpy_become_plain_ones(tmp_path, protocol):
    (tmp_path / "a.p").write_bytes(pickle.dumps([NUMBERS, {"ann_id": np.int64(6)}], protocol))
    found, ref = read_plain_pickle(tmp_path / "a.p")
    assert found == [number.item() for number in NUMBERS]
    assert {type(value) for value in found} == {int, float, bool, str}
    assert ref == {"ann_id": 6}


@pytest.mark.parametrize(
    ("function", "arguments"),
    [
        ("numpy\ndtype", "(VO8\n"),
        ("numpy\ndtype", "(Vi8,i8\n"),
        ("numpy\ndtype", "(VU9999999\n"),
        ("numpy\ndtype", "(I5\n"),
        ("numpy.core.multiarray\nscalar", "(Vi8\nVabc\n"),
        ("numpy.core.multiarray\nscalar", "(cnumpy\ndtype\n(Vi8\ntRVabc\n"),
        ("numpy.core.multiarray\nscalar", "(cnumpy\ndtype\n(Vi8\ntR(I1\nVx\ntbVabcdefgh\n"),
        ("_codecs\nencode", "(Vabc\nVrot13\n"),
        ("numpy.core.multiarray\n_reconstruct", "("),
        ("numpy\nload", "(Vx\n"),
        ("_codecs\nencode", "(c_codecs\nencode\n(N(Vname\nI1\ndtb"),
    ],
)
def test_what_is_admitted_takes_nothing_else(tmp_path, function, arguments):
    (tmp_path / "a.p").write_bytes(f"c{function}\n{arguments}tR.".encode())
    with pytest.raises(InputError, match=r"a\.p is refused: it (asks for|holds)"):
        read_plain_pickle(tmp_path / "a.p")


def test_broken_files(tmp_path):
    path = tmp_path / "a.p"
    with pytest.raises(InputError, match="does not exist"):
        read_plain_pickle(path)
    whole = pickle.dumps(PLAIN, 4)
    for payload in (
        b"",
        whole[:-1],
        whole[:20],
        b"{}",
        b"\x80\x09.",
        b"\x80\x02P1\n.",
        b"no pickle",
    ):
        path.write_bytes(payload)
        with pytest.raises(InputError, match=r"a\.p is truncated, or no pickle"):
            read_plain_pickle(path)
