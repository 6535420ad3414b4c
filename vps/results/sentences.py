"""What an answer says, in plain English: what was measured, and no more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vps.core.targets import Kind

if TYPE_CHECKING:
    from vps.results.answer import Answer, RegionSet


def sentence_of(answer: Answer) -> str:
    """An answer's sentence, without its words and without a full stop.

    Scores are those that `vps.detect` gives, of what is found: a detection of the label with an
    IoU above 0.5.
    """
    if answer.kind.traits.rival and answer.rival is not None:
        return _contrast(answer)
    if answer.kind is Kind.MISSED:
        return _missed(answer)
    name, at = the(answer.target.label), _at(answer)
    if not answer.found_at_once:
        return f"{name} is not found here: it scores {_below(answer.whole_score, answer)} {at}"
    if answer.kind.traits.false_box:
        return _false_box(answer)
    text = f"{name} ({answer.whole_score:.2f}) is found" + _from(answer, " from {part} alone", "")
    if answer.sufficient is not None:
        text += f", at {answer.sufficient.found_score:.2f},"
    if answer.necessary is None:
        return (
            f"{text} and no part was found within {answer.passes} passes whose hiding loses it {at}"
        )
    return f"{text} and is lost when {part_of(answer.necessary)} are hidden {at}"


def _missed(answer: Answer) -> str:
    name, at, repair = the(answer.target.label), _at(answer), answer.repair
    if answer.found_at_once:
        return f"{name} is found here, at {answer.whole_score:.2f} {at}"
    text = f"{name} is missed"
    if repair is not None:
        return (
            f"{text}; hiding {part_of(repair)} is enough for it to be found, at "
            f"{repair.found_score:.2f} {at}{_caveats(repair)}; other ways may exist"
        )
    if not answer.best_score > 0:
        return (
            f"{text}: in none of {answer.passes} passes, whatever was hidden or shown, was it a "
            "detection"
        )
    text += f", and no part was found within {answer.passes} passes whose hiding has it found"
    if answer.best_score < answer.threshold:
        return f"{text}; the best seen was {_below(answer.best_score, answer)} {at}"
    return (
        f"{text}; it was found where less of the image was shown, at {answer.best_score:.2f} {at}"
    )


def _false_box(answer: Answer) -> str:
    at, repair = _at(answer), answer.repair
    what = "second box" if answer.kind is Kind.DUPLICATE else "false box"
    text = f"the {what} called {answer.target.label} ({answer.whole_score:.2f})"
    text += _from(answer, " is there for {part} alone", " is there")
    if repair is None:
        effect = "removes it" if answer.rival is None else "leaves only one box"
        return f"{text}; no part was found within {answer.passes} passes whose hiding {effect} {at}"
    text += f"; hiding {part_of(repair)} is enough"
    if answer.rival is not None:
        return f"{text} to leave only one box, at {repair.rival_found:.2f} {at}{_caveats(repair)}"
    text += " for it to be gone"
    if repair.other_label is not None and repair.other_score >= answer.threshold:
        text += f", though then {the(repair.other_label)} is found there ({repair.other_score:.2f})"
    return f"{text} {at}{_caveats(repair)}"


def _contrast(answer: Answer) -> str:
    assert answer.rival is not None
    before = answer.before
    assert before.rival_found is not None
    at, repair = _at(answer), answer.repair
    name = ours = the(answer.target.label)
    theirs = the(answer.rival.label)
    if ours == theirs:
        name, ours, theirs = f"the true box of {name}", "the true box", "the detector's box"
    held = f"{theirs} ({before.rival_found:.2f})"
    if repair is not None and not repair.regions:
        return f"{name} is found as it is, at {repair.found_score:.2f}, before {held} {at}"
    if answer.found_at_once:
        text = f"{held} is found beside {name} ({answer.whole_score:.2f})"
    else:
        text = f"{held} is found, not {name}" if before.rival_found > 0 else f"{name} is not found"
        # Of a candidate that is called something else.
        text += f", which scores {before.class_score:.2f} there" if before.class_score > 0 else ""
    if answer.rival_sufficient is not None and answer.rival_sufficient.regions:
        text += f"; for {theirs}, {part_of(answer.rival_sufficient)} is enough"
    if repair is not None:
        return (
            f"{text}; hiding {part_of(repair)} is enough for {ours} to be found before all else, "
            f"at {repair.found_score:.2f} ({theirs} then has {repair.rival_found:.2f}) {at}"
            f"{_caveats(repair)}; other ways may exist"
        )
    text += f"; no part was found within {answer.passes} passes whose hiding has {ours} found first"
    if answer.best_score >= answer.threshold:
        return (
            f"{text}: where it was found, at {answer.best_score:.2f} at the most, it was not first"
        )
    return f"{text}; the best seen of it was {_below(answer.best_score, answer)} {at}"


def _caveats(found: RegionSet) -> str:
    """How far a repair can be relied on."""
    text = ""
    if found.fills:
        held = sum(found.fills.values())
        text += f"; that holds under {held} of {len(found.fills)} fills"
    if found.inside > 0:
        text += f"; {as_percent(found.inside)} of what is hidden lies in the object's own box"
    return text


def _from(answer: Answer, text: str, otherwise: str) -> str:
    """What is enough, said with its `{part}`; otherwise where nothing need be shown."""
    if answer.sufficient is None:
        return ""
    if not answer.sufficient.regions:
        return f"{otherwise} even with the whole image hidden"
    return text.format(part=part_of(answer.sufficient))


def _at(answer: Answer) -> str:
    return f"(threshold {answer.threshold:.2f})"


def _below(score: float, answer: Answer) -> str:
    """A score that misses the threshold, with as many digits as show that it does."""
    digits = 2
    while f"{score:.{digits}f}" >= f"{answer.threshold:.{digits}f}" and digits < 6:
        digits += 1
    return f"{score:.{digits}f}"


def the(label: str) -> str:
    """A label with its article; a phrase may have its own."""
    return label if label.lower().startswith(("the ", "a ", "an ")) else f"the {label}"


def as_percent(share: float) -> str:
    """A share in [0, 1] for people: "6 %", "0.4 %"."""
    return f"{100 * share:.0f} %" if share >= 0.01 else f"{100 * share:.1f} %"


def part_of(found: RegionSet) -> str:
    """A set of regions in words: "these 6 % of the image (3 regions)"."""
    regions = "1 region" if len(found.regions) == 1 else f"{len(found.regions)} regions"
    which = "these" if found.hidden else ""
    return f"{which} {as_percent(found.area)} of the image ({regions})".strip()
