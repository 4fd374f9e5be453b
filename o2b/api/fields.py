"""The serializer fields and bases that every resource uses: what is asked, and what is shown."""

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from o2b.money import quantise

NUMBER = re.compile(r"[+-]?\d{1,40}(\.\d{1,40})?([eE][+-]?\d{1,3})?", re.ASCII)
MOST_DIGITS = 28  # what decimal arithmetic keeps without rounding
LARGEST_KEY = 2**63 - 1


class Asked(serializers.Serializer):
    """What a client sends. A name that is not known is refused: no price slips in unseen."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, Mapping) and (unknown := [n for n in data if n not in self.fields]):
            raise serializers.ValidationError(
                {name[:80]: [_("This field is not known.")] for name in unknown[:20]}
            )
        return super().to_internal_value(data)


class Exact(serializers.Field):
    """A decimal number, sent as a string or a JSON number; how large is for the service to say."""

    default_error_messages = {
        "invalid": _('A number is wanted, such as "12.50".'),
        "digits": _("The number has too many digits."),
    }

    def to_internal_value(self, data: Any) -> Decimal:
        if isinstance(data, bool) or not isinstance(data, int | str | Decimal):
            self.fail("invalid")
        if isinstance(data, int) and abs(data) >= 10**40:
            self.fail("digits")
        text = str(data).strip()
        if not NUMBER.fullmatch(text):
            self.fail("invalid")
        number = Decimal(text)
        if len(number.as_tuple().digits) > MOST_DIGITS + 12 or _places(number) > MOST_DIGITS:
            self.fail("digits")
        return number

    def to_representation(self, value: Decimal) -> str:
        return plain(value)


class Plain(serializers.Field):
    """A quantity or a rate as a string, exact, without zeros that say nothing."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(read_only=True, **kwargs)

    def to_representation(self, value: Decimal) -> str:
        return plain(value)


class Amount(serializers.Field):
    """Money as a string with the decimals of its currency, which stands in another field."""

    def __init__(self, *, currency: str = "currency", **kwargs: Any) -> None:
        self.currency = currency.split(".")
        super().__init__(read_only=True, **kwargs)

    def get_attribute(self, instance: Any) -> tuple[Decimal | None, str]:
        currency = instance
        for name in self.currency:
            currency = getattr(currency, name)
        return super().get_attribute(instance), currency

    def to_representation(self, value: tuple[Decimal | None, str]) -> str | None:
        amount, currency = value
        return None if amount is None else f"{quantise(amount, currency):f}"


class Key(serializers.IntegerField):
    """A row's number; whether there is such a row is for the service to say."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"min_value": 1, "max_value": LARGEST_KEY} | kwargs)

    def to_internal_value(self, data: Any) -> int:
        if isinstance(data, bool):
            self.fail("invalid")
        return super().to_internal_value(data)


class KeyOrReference(serializers.Field):
    """A row's number (an integer) or the reference that people know it by (a string)."""

    default_error_messages = {"invalid": _("An integer id or a reference (a string) is wanted.")}

    def to_internal_value(self, data: Any) -> int | str:
        if isinstance(data, str) and 0 < len(data.strip()) <= 200:
            return data.strip()
        if isinstance(data, bool) or not isinstance(data, int) or not 0 < data <= LARGEST_KEY:
            self.fail("invalid")
        return data

    def to_representation(self, value: int | str) -> int | str:
        return value


class Facts(serializers.DictField):
    """Named values of any simple kind; decimals are kept as strings, as JSON columns keep them."""

    default_error_messages = {"simple": _("A value is a text, a number, true, false or null.")}

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        found = super().to_internal_value(data)
        return {key: self._simple(value) for key, value in found.items()}

    def _simple(self, value: Any) -> Any:
        if isinstance(value, Decimal):
            return str(value)
        if isinstance(value, dict | list):
            self.fail("simple")
        return value


class Link(serializers.Field):
    """The path of a row in the API, by URL name."""

    def __init__(self, to: str, *, key: str = "pk", **kwargs: Any) -> None:
        self.to, self.key = to, key
        super().__init__(read_only=True, **{"source": key} | kwargs)

    def to_representation(self, value: Any) -> str:
        return reverse(self.to, args=[value])


class State(serializers.CharField):
    """Where a thing stands; `name` and `choices` make one named enumeration in the schema."""

    def __init__(self, *, name: str, choices: Iterable[Any], **kwargs: Any) -> None:
        self.enumeration = name
        self.values = [str(value) for value, label in choices]
        super().__init__(read_only=True, **kwargs)


def plain(value: Decimal) -> str:
    """Exact, without exponent and without zeros that say nothing.

    >>> plain(Decimal("2.500000")), plain(Decimal("100"))
    ('2.5', '100')
    """
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _places(number: Decimal) -> int:
    exponent = number.as_tuple().exponent
    return max(-exponent, 0) if isinstance(exponent, int) else 0
