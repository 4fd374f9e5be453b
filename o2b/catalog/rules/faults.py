"""A fault that a rule found: where it is and what is wrong, to be said in words by who asked."""

from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field as preset


@dataclass(frozen=True, slots=True)
class Fault:
    """`message` is English with %(named)s places for the `facts`; it is translated when shown."""

    field: str
    message: str
    facts: Mapping[str, object] = preset(default_factory=dict)
    code: str = "definition_invalid"


def gettext_noop(message: str) -> str:
    """Mark a message for the translators, and leave it as it is."""
    return message
