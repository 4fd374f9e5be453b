"""The way up to who knows what is in service: there a quote's changes are priced and ordered.

Settings name the callables (O2B_QUOTED_CHANGES), so that quotes and orders import nothing of it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.utils.module_loading import import_string


@dataclass(frozen=True, slots=True)
class PromisedLine:
    """What a line that changes a service is promised: all that the line of a quote keeps."""

    line_id: int
    product_version_id: int
    quantity: Decimal
    characteristics: dict[str, Any]
    terms_id: int
    book_version_id: int | None
    contract_id: int | None
    why: Sequence[dict[str, object]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class PromisedChanges:
    """What all changes and additions of a quote come to: by how much a month, and once."""

    lines: Sequence[PromisedLine]
    monthly: Decimal
    one_time: Decimal


def of_changes(what: str) -> Callable[..., Any]:
    """Who does this with the changes of quotes: "promise", "revise" or "order"."""
    done: Callable[..., Any] = import_string(settings.O2B_QUOTED_CHANGES[what])
    return done
