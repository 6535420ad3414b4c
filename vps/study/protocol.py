"""Protocols by name: what a study or `vps explain` is set to where it is not set otherwise.

docs/vps_paper.md goes through the protocol row by row, and says where our own defaults differ.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from vps.core.names import choose
from vps.core.targets import Kind
from vps.study.region_counts import RegionCounts, region_count

_Settings = Mapping[str, Any]


@dataclass(frozen=True)
class Protocol:
    """Settings that belong together, under the names that a study's config gives them.

    Attributes:
        regions: how many, by the format of the data set and the kind of case; "" is of formats that
            are not named.
        by_detector: of detectors, by a part of their name: settings that go before the others;
            "regions" counts for all data sets, and "phrases" holds those of a study all of whose
            data sets are of phrases.
        sections: settings of a study, section by section.
        methods: entries of a config's methods, by their name; of an entry of another name, those
            of its method.
        compared: what a study compares that names no methods.
    """

    regions: Mapping[str, RegionCounts]
    by_detector: Mapping[str, _Settings]
    sections: _Settings
    methods: Mapping[str, _Settings]
    compared: tuple[str, ...]

    def of_detector(self, name: str) -> _Settings:
        """What goes before the other settings for a detector."""
        matches = (own for part, own in self.by_detector.items() if part in name.lower())
        return next(matches, {})

    def counts(self, data_format: str, detector: str) -> RegionCounts:
        """How many regions the cases of a data set get."""
        usual = self.regions.get(data_format, self.regions[""])
        counts: RegionCounts = self.of_detector(detector).get("regions", usual)
        return counts


_COCO = {"correct": 64, "classification": 100, "missed": 50, "other": 100}
_REFCOCO = 64
PHRASE_FORMATS = frozenset({"refcoco", "refcoco-mdetr", "refcoco-tsv"})
"""Formats of data sets of phrases, each of which is asked for by itself."""

VPS_PAPER = Protocol(
    regions={
        "coco": _COCO,
        "lvis": {"correct": 50, "other": 100},
        **dict.fromkeys(PHRASE_FORMATS, _REFCOCO),
        "": _COCO,
    },
    by_detector={
        "florence": {"regions": 50},
        "mmdet": {"regions": 64, "fill": "black"},
        # Of "hf-grounding-dino", "demo-grounding-dino" and "groundingdino".
        # The fill is 0 after the model's normalisation, as the mean colour is where it gets RGB.
        "grounding": {
            "detector": {"options": {"channels": "bgr"}},
            "fill": [0.406, 0.456, 0.485],
            "phrases": {"detector": {"options": {"phrase": "caption"}}},
        },
    },
    sections={
        "fill": "mean",
        "mode": "object",
        "regions": {"method": "opencv-slico", "numbering": "distance"},
        "select": {"target": "truth"},
        "lambdas": [1.0, 1.0],
        "metrics": {
            "map_rule": "vps-paper",
            "pointing_rule": "vps-paper",
            "map_replay": "pixel-steps",
            "success": [[0.35, 0.5], [0.25, 0.5]],
        },
    },
    methods={
        "vps": {"options": {"search": "greedy"}},
        "drise": {
            "options": {
                "masks": 1000,
                "similarity": "detections",
                "normalisation": "expected",
            }
        },
        "rise": {
            "method": "drise",
            "options": {
                "masks": 5000,
                "similarity": "score",
                "normalisation": "coverage",
                "grid": 16,
            },
        },
        "d-hsic": {"options": {"masks": 1000, "grid": 16, "similarity": "score"}},
    },
    compared=("vps", "drise", "rise"),
)
"""The protocol of Chen et al., "Interpreting Object-level Foundation Models via Visual Precision
Search", CVPR 2025, as the authors' code has it. Of kinds and formats that it does not have, the
numbers of regions are ours: those of a wrong class, and those of COCO."""

PROTOCOLS: dict[str, Protocol] = {"vps-paper": VPS_PAPER}
"""By the name that `protocol:` of a config and `--protocol` take."""


def with_protocol(content: Mapping[str, Any]) -> dict[str, Any]:
    """The keys of a config with those that its protocol adds; what the config sets itself stays.

    Args:
        content: a config as YAML gives it; without a `protocol`, nothing is added.

    Returns:
        A copy.

    Raises:
        InputError: an unknown protocol.

    >>> config = {"protocol": "vps-paper", "metrics": {"map_rule": "vps"}}
    >>> with_protocol(config)["metrics"]["map_rule"], with_protocol(config)["fill"]
    ('vps', 'mean')
    """
    filled: dict[str, Any] = copy.deepcopy(dict(content))
    if filled.get("protocol") is None:
        return filled
    protocol = choose(PROTOCOLS, filled["protocol"], "protocol")
    detector = _at(filled, "detector").get("name")
    name = detector if isinstance(detector, str) else ""
    own = dict(protocol.of_detector(name))
    own.pop("regions", None)
    phrases = own.pop("phrases", {})
    if _formats(filled) <= PHRASE_FORMATS:
        _fill(filled, phrases)
    _fill(filled, own)
    _fill(filled, protocol.sections)
    if "count" not in _at(filled, "regions"):
        for data in _at(filled, "datasets").values():
            if isinstance(data, dict):
                data.setdefault("regions", protocol.counts(str(data.get("format")), name))
    methods = filled.setdefault("methods", dict.fromkeys(protocol.compared))
    if isinstance(methods, dict):
        filled["methods"] = {key: _method(protocol, key, one) for key, one in methods.items()}
    return filled


def explain_settings(
    protocol: str, *, detector: str, kind: Kind, method: str, searched: bool
) -> dict[str, Any]:
    """What `vps explain` is set to by a protocol, under the names of its options.

    Args:
        protocol: a key of `PROTOCOLS`.
        detector: its name.
        kind: of what is explained; images on the command line count as those of COCO.
        method: its name.
        searched: whether the search, or what it may cost, is chosen already.

    Returns:
        regions, region_method, numbering, fill, map_rule, map_replay; "method_options", by name,
        without those of a search where that is chosen already; and "detector_options".

    Raises:
        InputError: an unknown protocol.

    >>> explain_settings("vps-paper", detector="mmdet:a.py", kind=Kind.MISSED, method="drise",
    ...     searched=False)["fill"]
    'black'
    """
    chosen = choose(PROTOCOLS, protocol, "protocol")
    options = dict(chosen.methods.get(method, {}).get("options", {}))
    if searched:
        options.pop("search", None)
    own, sections = chosen.of_detector(detector), chosen.sections
    return {
        "regions": region_count(chosen.counts("", detector), kind),
        "region_method": sections["regions"]["method"],
        "numbering": sections["regions"]["numbering"],
        "fill": own.get("fill", sections["fill"]),
        **{key: sections["metrics"][key] for key in ("map_rule", "map_replay")},
        "method_options": options,
        "detector_options": dict(own.get("detector", {}).get("options", {})),
    }


def _at(content: Mapping[str, Any], key: str) -> dict[str, Any]:
    """A section; what is empty or none is said to be by whoever reads the config."""
    found = content.get(key)
    return found if isinstance(found, dict) else {}


def _formats(content: Mapping[str, Any]) -> set[str]:
    """Those of a config's data sets."""
    sets = _at(content, "datasets").values()
    return {str(data.get("format")) for data in sets if isinstance(data, dict)}


def _fill(content: dict[str, Any], added: _Settings) -> None:
    """Add what a config has not set, section by section."""
    for key, value in added.items():
        if not isinstance(value, Mapping):
            content.setdefault(key, copy.deepcopy(value))
            continue
        section = content.get(key)
        if section is None:
            section = content[key] = {}
        if isinstance(section, dict):
            _fill(section, value)


def _method(protocol: Protocol, key: str, given: Any) -> Any:
    """A config's entry of a method with the protocol's options."""
    entry = {} if given is None else given
    if not isinstance(entry, dict):
        return given
    own = protocol.methods.get(key, {}).get("method", key)
    kind = entry.get("method") or own
    _fill(entry, protocol.methods.get(key if kind == own else kind, {}))
    return entry
