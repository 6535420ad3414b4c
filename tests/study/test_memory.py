from __future__ import annotations

import pytest
import torch

from vps.errors import DetectorError, InputError
from vps.study.memory import BatchFit, is_broken, is_out_of_memory


def fits(limit, error):
    """A computation whose batches must not be larger than `limit`."""

    def compute(batch_size):
        if batch_size > limit:
            raise error
        return batch_size

    return compute


def test_batches_are_halved_until_they_fit_and_stay_so():
    fitting = BatchFit(16)
    assert fitting.run(fits(5, torch.OutOfMemoryError())) == 4
    assert fitting.run(fits(99, torch.OutOfMemoryError())) == 4
    assert fitting.batch_size == 4


def test_what_does_not_fit_alone_is_a_failure_and_does_not_slow_down_the_rest():
    fitting = BatchFit(8)
    with pytest.raises(torch.OutOfMemoryError):
        fitting.run(fits(0, torch.OutOfMemoryError()))
    assert fitting.batch_size == 8


def test_other_errors_pass():
    fitting = BatchFit(8)
    with pytest.raises(ValueError, match="other"):
        fitting.run(fits(0, ValueError("other")))
    assert fitting.batch_size == 8


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError(),
        MemoryError(),
        RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB"),
        RuntimeError("[ONNXRuntimeError] : Failed to allocate memory for requested buffer"),
        RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"),
    ],
)
def test_a_lack_of_memory_is_seen_behind_our_own_errors(error):
    ours = DetectorError("rule: it failed")
    ours.__cause__ = error
    assert is_out_of_memory(ours)


def test_other_errors_are_no_lack_of_memory():
    assert not is_out_of_memory(DetectorError("rule: NaN"))


@pytest.mark.parametrize("words", ["cuda error 0.jpg", "CUDA error: bad_alloc, out of memory"])
@pytest.mark.parametrize("kind", [InputError, DetectorError, OSError, ValueError, KeyError])
def test_names_that_a_user_gives_are_no_state_of_the_device(kind, words):
    error = DetectorError(f"rule: {words} is too long a phrase")
    error.__cause__ = kind(words)
    error.__cause__.__cause__ = RuntimeError(f"no phrase is {words!r}")
    assert not is_broken(error)
    fitting = BatchFit(8)
    with pytest.raises(kind):
        fitting.run(fits(0, kind(words)))
    assert fitting.batch_size == 8


def test_a_gpu_is_lost_by_other_errors_than_a_lack_of_memory():
    error = DetectorError("rule: it failed")
    error.__cause__ = RuntimeError("CUDA error: an illegal memory access was encountered")
    assert is_broken(error)
    if hasattr(torch, "AcceleratorError"):
        error.__cause__ = torch.AcceleratorError("device-side assert triggered", 710)
        assert is_broken(error)
    assert not is_broken(RuntimeError("CUDA error: out of memory"))
    assert not is_broken(RuntimeError("boxes must have shape (B, N, 4)"))
