"""Detectors of the user's own: a function by its module and name, which builds one."""

from __future__ import annotations

import difflib
import importlib
import importlib.util
import inspect
import os
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from detectors.shared.options import fit_options
from detectors.shared.pixels import choose_device, choose_dtype
from detectors.wrapping import wrap
from vps.core.detector import Detector, OpenVocabularyDetector
from vps.errors import InputError, LabelsError, VpsError, one_line

_HANDED = ("labels", "device", "dtype")


def load_own(
    name: str,
    *,
    labels: Sequence[str] | None = None,
    usual: Sequence[str] | None = None,
    kinds: Iterable[str] = (),
    device: str = "cpu",
    dtype: str = "float32",
    **options: Any,
) -> Detector:
    """What a function of the user's own gives, as a detector.

    The function may have parameters `labels`, `device` and `dtype`, and gets them; all others are
    options. It gives what `detectors.wrap` takes: a detector, a model, or a tuple of a model and
    what belongs to it, such as its processor. A model or detector that a module holds ready may
    be named instead of a function.

    Args:
        name: "module:function", in the working directory or where Python finds modules; or
            "path/to/file.py:function".
        labels: what the user asks for; of a closed set, the names of its classes.
        usual: what to ask for where the user says nothing, e.g. the labels of a data set: handed
            to a function that cannot do without `labels`, and to an open vocabulary.
        kinds: names of the kinds of detectors, of which one may be meant.
        device, dtype: where and in what to compute.
        options: of the function.

    Raises:
        InputError: no such module or function, one that fails, an option that it does not have, or
            what it gives is no detector.
    """
    built = _find(name, kinds)
    taken: tuple[str, ...] = ()
    choose_device(device)
    choose_dtype(dtype)
    if inspect.isroutine(built) or inspect.isclass(built):
        parameters = inspect.signature(built).parameters
        taken = tuple(one for one in _HANDED if one in parameters)
        needs_labels = "labels" in taken and parameters["labels"].default is inspect.Parameter.empty
        asked = usual if labels is None and needs_labels else labels
        if needs_labels and asked is None:
            raise InputError(f"{name} wants labels: say what to look for (--prompt, or labels)")
        given = {"labels": asked, "device": device, "dtype": dtype}
        handed = {one: given[one] for one in taken if given[one] is not None}
        fitted = fit_options(built, options, name, common=_HANDED)
        _check_arguments(name, built, {**handed, **fitted})
        built = _called(name, built, {**handed, **fitted})
    elif options:
        raise InputError(f"{name} is no function, and so has no options: {', '.join(options)}")
    if "dtype" not in taken and dtype != "float32":
        raise InputError(f"{name} has no parameter dtype: it cannot be asked for {dtype}")
    parts = built if isinstance(built, tuple) else (built,)
    named = None if "labels" in taken else labels
    open_vocabulary = isinstance(parts[0], OpenVocabularyDetector)
    settings: dict[str, Any] = {} if named is None or open_vocabulary else {"labels": named}
    if not isinstance(parts[0], Detector):
        settings["name"] = name
    try:
        detector = wrap(*parts, **settings)
    except LabelsError:
        # An open vocabulary that was given as a model, and not told what to look for.
        if named is not None or usual is None:
            raise
        detector = wrap(*parts, labels=tuple(usual), **settings)
    if isinstance(detector, OpenVocabularyDetector) and "labels" not in taken:
        wanted = usual if labels is None else labels
        detector = detector if wanted is None else detector.with_labels(tuple(wanted))
    if detector.device.type != choose_device(device).type:
        raise InputError(
            f"{name} gave a detector on {detector.device} and not on {device}: let the function "
            "take `device`, or ask for that one"
        )
    return detector


def _find(name: str, kinds: Iterable[str]) -> Any:
    """What stands behind a name."""
    source, _, function = name.rpartition(":")
    try:
        module = _from_file(source) if source.endswith(".py") else _imported(source)
    except InputError:
        raise
    except Exception as error:
        near = difflib.get_close_matches(source, list(kinds), n=1)
        hint = f"; did you mean {near[0]}:{function}?" if near else ""
        raise InputError(
            f"detector {name}: the module {source} cannot be imported: {type(error).__name__}, "
            f"{one_line(error)}{hint}"
        ) from error
    found = getattr(module, function, None)
    if found is None:
        near = difflib.get_close_matches(function, dir(module), n=1)
        hint = f", did you mean {near[0]!r}?" if near else ""
        raise InputError(f"detector {name}: {source} has no {function!r}{hint}")
    return found


def _imported(module: str) -> ModuleType:
    """A module by its name; the working directory is looked at last."""
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        here = os.getcwd()
        if error.name is None or not f"{module}.".startswith(f"{error.name}.") or here in sys.path:
            raise
        # It stays there: what the module imports later lies there, too.
        sys.path.append(here)
        importlib.invalidate_caches()
        return importlib.import_module(module)


def _from_file(source: str) -> ModuleType:
    path = Path(source).expanduser()
    # Workers on other machines start in other folders, and find the first one's in their path.
    places = [path, *(Path(folder) / path for folder in sys.path if not path.is_absolute())]
    found = next((place.resolve() for place in places if place.is_file()), None)
    if found is None:
        raise InputError(f"there is no file {source}")
    key = f"vps_own_{found.stem}_{abs(hash(str(found)))}"
    if key in sys.modules:
        return sys.modules[key]
    spec = importlib.util.spec_from_file_location(key, found)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[key] = module
    if str(found.parent) not in sys.path:
        sys.path.append(str(found.parent))
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[key]
        raise
    return module


def _check_arguments(name: str, function: Any, given: dict[str, Any]) -> None:
    """Raise InputError for a function that wants more than there is, before it is called."""
    try:
        inspect.signature(function).bind(**given)
    except TypeError as error:
        hint = ""
        if not inspect.isclass(function) and len(inspect.signature(function).parameters) == 1:
            short = name.rpartition(":")[2]
            hint = (
                "; if it detects in an image itself, name a function that wraps it: def build(): "
                f"return detectors.wrap({short}, labels=[...])"
            )
        raise InputError(
            f"detector {name}: {error}; options are given by --option NAME=VALUE, or as "
            f"detector.options in a config{hint}"
        ) from error


def _called(name: str, function: Any, given: dict[str, Any]) -> Any:
    try:
        built = function(**given)
    except VpsError:
        raise
    except Exception as error:
        what = f"{type(error).__name__}, {one_line(error)}"
        raise InputError(f"detector {name} fails: {what}") from error
    if built is None:
        raise InputError(f"detector {name} gave nothing: let the function return the detector")
    return built
