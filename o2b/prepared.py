"""Statements that a session plans once: what a big statement costs before it does anything."""

from collections.abc import Iterable, Mapping
from typing import Any
from weakref import WeakSet

from django.db import connection
from django.db.backends.utils import CursorWrapper

# Left to itself Postgres plans a statement anew for few rows, which takes longer than to run it. A
# plan that stays looks rows up by index, however few a table has on the day.
GENERIC = "SET LOCAL plan_cache_mode = force_generic_plan; SET LOCAL enable_seqscan = off"


class Prepared:
    """One statement; its parameters stand in it as %(name)s, and `types` names the type of each.

    It is prepared at its first use in a session and planned once, and again when the statistics of
    its tables change; so its plan has to be good for few rows and for many. Run it in a
    transaction, the rest of which prefers indexes too.
    """

    def __init__(self, name: str, text: str, types: Mapping[str, str]) -> None:
        places = {parameter: f"${n}" for n, parameter in enumerate(types, start=1)}
        told = ", ".join(f"%({parameter})s" for parameter in types)
        self._prepare = f"PREPARE {name} ({', '.join(types.values())}) AS {text % places}"
        self._execute = f"{GENERIC}; EXECUTE {name} ({told})"
        self._known: WeakSet[Any] = WeakSet()

    def execute(self, cursor: CursorWrapper, values: Mapping[str, Any]) -> None:
        """Run it with a value for each parameter; arrays as text (`array_of`) are the quickest."""
        session = connection.connection
        if session not in self._known:
            cursor.execute(self._prepare)
            self._known.add(session)
        cursor.execute(self._execute, values)


def array_of(texts: Iterable[str]) -> str:
    r"""Texts as one literal of an array.

    >>> array_of(["a", 'b"c'])
    '{"a","b\\"c"}'
    """
    told = list(texts)
    if not told:
        return "{}"
    inner = '","'.join(told)
    if "\\" in inner or inner.count('"') != 2 * (len(told) - 1):
        return f"{{{','.join(map(quoted, told))}}}"
    return f'{{"{inner}"}}'


def quoted(text: str) -> str:
    """A text as an array has it."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def numbers_of(numbers: Iterable[object]) -> str:
    """Numbers (or their texts) as one literal of an array.

    >>> numbers_of([1, "2.5"])
    '{1,2.5}'
    """
    return f"{{{','.join(map(str, numbers))}}}"
