"""What doors of changes share: where a refusal belongs."""

import re

from o2b.errors import Refused

INDEX = re.compile(r"^(?:changes|lines)\[\d+\](?:\.|$)")


def place_of(refusal: Refused) -> str:
    """The field at fault as somebody names it who asks for one change.

    >>> place_of(Refused("no", field="lines[0].characteristics.edition"))
    'characteristics.edition'
    """
    return INDEX.sub("", refusal.field or "")
