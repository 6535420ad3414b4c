"""What words mean in YAML: yes and no are words, and labels."""

from __future__ import annotations

import re
from typing import Any

_BOOL = "tag:yaml.org,2002:bool"
_TRUTH = re.compile("^(?:true|True|TRUE|false|False|FALSE)$")


def plain_words(loader: Any) -> Any:
    """A loader of PyYAML that reads only true and false as truth values, as YAML 1.2 has it.

    Yes, no, on and off stay text, for a detector may have labels of these names. Where a setting is
    true or false, `vps.core.schema.build` takes them as such.

    Args:
        loader: a class such as `yaml.SafeLoader`.

    Returns:
        A class derived from it.
    """
    words = {
        first: [(tag, pattern) for tag, pattern in resolvers if tag != _BOOL]
        for first, resolvers in loader.yaml_implicit_resolvers.items()
    }
    plain: Any = type("PlainWordsLoader", (loader,), {"yaml_implicit_resolvers": words})
    plain.add_implicit_resolver(_BOOL, _TRUTH, list("tTfF"))
    return plain
