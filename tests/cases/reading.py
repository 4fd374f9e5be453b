"""What the adapter reads a case through: typed look-ups that know which keys nobody asked for."""

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Optional, TypeVar

T = TypeVar("T")

MaybeDecimal = Optional[Decimal]  # noqa: UP045 - the adapter has no operators, not even in types
MaybeDate = Optional[date]  # noqa: UP045
MaybeMoment = Optional[datetime]  # noqa: UP045


class Unknown(Exception):
    """A key or a word that the adapter has no rule for: the case is skipped with its name."""

    def __init__(self, name: str, word: object = None) -> None:
        told = name if word is None else f"{name} = {word!r}"
        super().__init__(f"unknown: {told}")


class Keys:
    """One object of a case. Every key must be asked for, every word must be in a table."""

    def __init__(self, name: str, found: Mapping[str, Any]) -> None:
        self.name = name
        self._found = found
        self._asked: set[str] = set()
        self._inner: list[Keys] = []

    def __contains__(self, key: str) -> bool:
        return key in self._found

    def has(self, *keys: str) -> bool:
        """Whether all of these keys are there; asking does not count as reading."""
        return all(key in self._found for key in keys)

    def raw(self, key: str) -> Any:
        """The value as it stands; a key that a rule needs and the case lacks is unknown, too."""
        self._asked.add(key)
        if key not in self._found:
            raise Unknown(f"{self.name} without {key}")
        return self._found[key]

    def maybe(self, key: str) -> Any:
        """The value, or None where the key is not there."""
        self._asked.add(key)
        return self._found.get(key)

    def decimal(self, key: str) -> Decimal:
        return self._to(key, self.raw(key), to_decimal)

    def maybe_decimal(self, key: str) -> MaybeDecimal:
        value = self.maybe(key)
        return None if value is None else self._to(key, value, to_decimal)

    def decimals(self, key: str) -> list[Decimal]:
        return [self._to(key, each, to_decimal) for each in self.values(key)]

    def integer(self, key: str) -> int:
        return self._to(key, self.raw(key), to_integer)

    def day(self, key: str) -> date:
        return self._to(key, self.raw(key), to_date)

    def maybe_date(self, key: str) -> MaybeDate:
        value = self.maybe(key)
        return None if value is None else self._to(key, value, to_date)

    def days(self, key: str) -> list[date]:
        return [self._to(key, each, to_date) for each in self.values(key)]

    def moment(self, key: str) -> datetime:
        return self._to(key, self.raw(key), to_moment)

    def values(self, key: str) -> list[Any]:
        found = self.raw(key)
        if not isinstance(found, list):
            raise Unknown(f"{self.name}.{key}", found)
        return found

    def flag(self, key: str) -> bool:
        found = self.maybe(key)
        if found not in (None, True, False):
            raise Unknown(f"{self.name}.{key}", found)
        return bool(found)

    def word(self, key: str, table: Mapping[str, T], default: T = ...) -> T:  # type: ignore[assignment]
        """What a table says about a text; with a default the key may be missing."""
        if key not in self._found and default is not ...:
            return default
        found = self.raw(key)
        if not isinstance(found, str) or found not in table:
            raise Unknown(f"{self.name}.{key}", found)
        return table[found]

    def match(self, key: str, *patterns: str) -> dict[str, str]:
        """The named parts of a text that one of the patterns describes whole."""
        found = self.raw(key)
        for pattern in patterns if isinstance(found, str) else ():
            if matched := re.fullmatch(pattern, found):
                return matched.groupdict()
        raise Unknown(f"{self.name}.{key}", found)

    def match_of(self, key: str, n: int, *patterns: str) -> dict[str, str]:
        """The same of one text of a list, by its place."""
        return Keys(f"{self.name}.{key}", {str(n): self.values(key)[n]}).match(str(n), *patterns)

    def inside(self, key: str) -> "Keys":
        """An object within the object."""
        found = self.raw(key)
        return self._enter(key, found)

    def each(self, key: str) -> "list[Keys]":
        """The objects of a list."""
        return [self._enter(f"{key}[{n}]", each) for n, each in enumerate(self.values(key))]

    def unread(self) -> list[str]:
        """The keys that nobody asked for, here and within."""
        found = [f"{self.name}.{key}" for key in self._found if key not in self._asked]
        for each in self._inner:
            found.extend(each.unread())
        return found

    def _enter(self, key: str, found: Any) -> "Keys":
        if not isinstance(found, Mapping):
            raise Unknown(f"{self.name}.{key}", found)
        inner = Keys(f"{self.name}.{key}", found)
        self._inner.append(inner)
        return inner

    def _to(self, key: str, value: Any, convert: Callable[[Any], T]) -> T:
        try:
            return convert(value)
        except (ValueError, TypeError, InvalidOperation) as error:
            raise Unknown(f"{self.name}.{key}", value) from error


class CaseInput:
    """A case as the adapter sees it: inputs, conventions, and the names of what is expected."""

    def __init__(
        self,
        topic: str,
        given: Mapping[str, Any],
        conventions: Mapping[str, Any],
        wanted: frozenset[str],
    ) -> None:
        self.topic = topic
        self.given = Keys("given", given)
        self.conventions = Keys("conventions", conventions)
        self.wanted = wanted

    def unread(self) -> list[str]:
        return [*self.given.unread(), *self.conventions.unread()]


def to_decimal(value: Any) -> Decimal:
    if isinstance(value, bool | float) or not isinstance(value, str | int):
        raise TypeError(value)
    found = Decimal(value)
    if not found.is_finite():
        raise ValueError(value)
    return found


def to_integer(value: Any) -> int:
    if isinstance(value, bool | float):
        raise TypeError(value)
    return int(value)


def to_date(value: Any) -> date:
    return date.fromisoformat(value)


def to_moment(value: Any) -> datetime:
    return datetime.fromisoformat(value)
