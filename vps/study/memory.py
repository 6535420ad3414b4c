"""When a device runs out of memory: smaller batches, remembered; and when it is lost."""

from __future__ import annotations

import gc
from collections.abc import Callable
from typing import TypeVar

import torch

Computed = TypeVar("Computed")

# What libraries that have no error type of their own for it say: onnxruntime, cuDNN, cuBLAS, C++.
_WORDS = ("out of memory", "failed to allocate", "alloc_failed", "allocate memory", "bad_alloc")
_LIBRARIES = ("torch", "onnxruntime")
_ACCELERATOR: tuple[type[Exception], ...] = (
    (torch.AcceleratorError,) if hasattr(torch, "AcceleratorError") else ()
)


class BatchFit:
    """Computes in batches as large as the memory of the device allows.

    Attributes:
        batch_size: the largest that is tried; halved for good when a batch does not fit.
    """

    def __init__(self, batch_size: int) -> None:
        self.batch_size = batch_size

    def run(self, compute: Callable[[int], Computed]) -> Computed:
        """What `compute` gives for a batch size, after as many halvings as it takes.

        Raises:
            Exception: whatever `compute` raises, also for lack of memory at batch size 1. The batch
                size is then as before: what does not fit alone tells nothing about the rest.
        """
        before = self.batch_size
        while True:
            try:
                return compute(self.batch_size)
            except Exception as error:
                if not is_out_of_memory(error):
                    raise
                if self.batch_size == 1:
                    self.batch_size = before
                    raise
                self.batch_size //= 2
            # Only here does the traceback no longer hold on to the tensors.
            free_memory()


def is_out_of_memory(error: BaseException | None) -> bool:
    """Whether a lack of memory lies behind an error, by type or by what a library says of it."""
    while error is not None:
        if isinstance(error, (MemoryError, torch.OutOfMemoryError)):
            return True
        if any(word in _said_by_library(error) for word in _WORDS):
            return True
        error = _behind(error)
    return False


def is_broken(error: BaseException | None) -> bool:
    """Whether an error has left this process without its GPU, as all but a lack of memory do."""
    if is_out_of_memory(error):
        return False
    while error is not None:
        if isinstance(error, _ACCELERATOR) or _said_by_library(error).startswith("cuda error"):
            return True
        error = _behind(error)
    return False


def _said_by_library(error: BaseException) -> str:
    """What a library of computing says, in small letters; "" where another speaks.

    Torch and C++ raise RuntimeError itself, and ONNX Runtime has classes without a common one. Our
    own errors, and those of files, quote names that a user gave, and an image may be called
    "CUDA error".
    """
    known = type(error) is RuntimeError or type(error).__module__.split(".")[0] in _LIBRARIES
    return str(error).strip().lower() if known else ""


def free_memory() -> None:
    """Give the device back what nothing refers to any more."""
    gc.collect()
    if torch.cuda.is_initialized():
        torch.cuda.empty_cache()


def _behind(error: BaseException) -> BaseException | None:
    """What an error comes from, as a traceback shows it."""
    return error.__cause__ or (None if error.__suppress_context__ else error.__context__)
