"""A prompt as people write it, split into labels as they are meant, or asked back."""

from __future__ import annotations

import ast
import re

from vps.errors import InputError

_LISTED = re.compile(r"^\s*(?:[-*\u2022]\s+|\d+[.)]\s+)")  # "- dog", "2. dog"
_SURE = re.compile("[?;|\n\uff1f\uff1b\uff5c\u3002\uff61\uff0e\u3001]")
"""What stands between labels wherever it stands: full-width stops, the Chinese list comma."""

_COMMA = re.compile(r"(?<!\d),|,(?!\d)|\uff0c")
_STOP = re.compile(r"(?<!\d)\.|\.(?!\d)")  # not that of 0.5
_QUOTES = (('"', '"'), ("\u201c", "\u201d"), ("\u201e", "\u201c"), ("\u300c", "\u300d"))
_QUOTED = re.compile("|".join(f"{left}([^{left}{right}]*){right}" for left, right in _QUOTES))
_HELD = "\ue000"  # stands for a quoted label; of the private area, which no text uses


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_SHORT = 3  # words of a name
_OF_PHRASES = _words(
    "a an the this that these those and or not on in at of to with without by from for near next "
    "behind under above below over between beside left right front back top bottom middle who "
    "which whose is are it its his her their my wearing holding standing sitting looking"
)
_ABBREVIATIONS = _words(
    "st mt ft dr mr mrs ms jr sr prof no nr vs etc approx vol fig inc ltd co corp dept sp spp ssp "
    "var cf ca max min"
)


def split_prompt(prompt: str) -> list[str]:
    """The labels of a prompt, in order, as they were written.

    Labels are separated by full stops and question marks as in "dog . cat .", by semicolons, bars
    or lines, and by commas where all between them are names of up to three words. A name in double
    quotes is taken as it stands, and so is each of a list as Python writes it. A stop within a
    number separates nothing.

    >>> split_prompt('dog, traffic light'), split_prompt('"st. bernard" . 0.5 l bottle')
    (['dog', 'traffic light'], ['st. bernard', '0.5 l bottle'])

    Raises:
        InputError: it can be read in more than one way; the message has those.
    """
    if prompt.lstrip().startswith("["):
        return _list_of(prompt)
    names: list[str] = []

    def hold(match: re.Match[str]) -> str:
        names.append(next(part for part in match.groups() if part is not None))
        return _HELD

    text = _QUOTED.sub(hold, prompt.replace(_HELD, " "))
    if any(mark in text for pair in _QUOTES for mark in pair):
        raise InputError(f"the prompt {prompt!r} has a quote that is not closed: close it")
    lines = text.strip().splitlines()
    if len(lines) > 1:
        text = "\n".join(_LISTED.sub("", line) for line in lines)
    found = [
        label
        for part in _SURE.split(text)
        for name in _at_stops(part, prompt)
        for label in _at_commas(name, prompt)
        if label.strip()
    ]
    held = iter(names)
    for place, label in enumerate(found):
        if _HELD in label:
            if label.strip() != _HELD:
                raise InputError(
                    f"the prompt {prompt!r} has quotes around a part of a label: quote all of it"
                )
            found[place] = next(held)
    return [label.strip() for label in found]


def _list_of(prompt: str) -> list[str]:
    try:
        found = ast.literal_eval(prompt.strip())
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        found = None
    if not isinstance(found, list) or not all(isinstance(label, str) for label in found):
        raise InputError(
            f"the prompt {prompt!r} begins as a list: write it as "
            '["st. bernard", "cat"], or without the bracket'
        )
    return found


def _at_stops(part: str, prompt: str) -> list[str]:
    """A part of a prompt, split at its stops, if it is sure that they separate labels."""
    stops = [match.start() for match in _STOP.finditer(part)]
    inner = [place for place in stops if part[place + 1 :].strip(" .") and part[:place].strip(" .")]
    tight = [place for place in inner if not part[place - 1].isspace() and part[place - 1] != "."]
    words = [re.findall(r"\w+", part[:place])[-1:] for place in tight]
    short = [word for word in words if word and _is_short(word[0])]
    if tight and (len(tight) < len(inner) or short):
        before, after = part[: tight[0]].split(" . ")[-1], part[tight[0] :].split(" . ")[0]
        name = f"{before}{after}".strip(" .")
        raise InputError(
            f"in the prompt {prompt!r} a stop may be a part of a name: write "
            f"{_joined(_STOP.split(part))!r} if it separates labels, or put the name into quotes, "
            f"""as in '"{name}" . ...'"""
        )
    return _STOP.split(part)


def _is_short(word: str) -> bool:
    return len(word) == 1 and word.isalpha() and word.isascii() or word.lower() in _ABBREVIATIONS


def _at_commas(part: str, prompt: str) -> list[str]:
    """A part of a prompt, split at its commas, if all between them are names."""
    names = [name for name in _COMMA.split(part) if name.strip()]
    if len(names) > 1 and not all(map(_is_name, names)):
        raise InputError(
            f"the prompt {prompt!r} has commas that may separate labels or be within one: write "
            f"{_joined(names)!r} for {len(names)} labels, or "
            f"""'"{part.strip()}"' for one"""
        )
    return names


def _is_name(text: str) -> bool:
    words = text.lower().split()
    return len(words) <= _SHORT and not _OF_PHRASES.intersection(words)


def _joined(labels: list[str]) -> str:
    return " . ".join(label.strip() for label in labels if label.strip())
