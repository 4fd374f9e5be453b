"""Who is named with @ in a text."""

import re

# Not the second half of an e-mail address.
NAMED = re.compile(r"(?<![\w@.+-])@([\w][\w.+-]*)")


def names_in(text: str) -> list[str]:
    """User names after an @, each once, in order; a full stop that ends a sentence is none of it.

    >>> names_in("@ada, please ask @jo.w. Not me@example.com; @ada knows.")
    ['ada', 'jo.w']
    """
    found = (name.rstrip(".+-") for name in NAMED.findall(text))
    return list(dict.fromkeys(found))
