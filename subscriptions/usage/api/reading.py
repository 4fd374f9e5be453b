"""What the lists of usage share: who may read, words that name, and days."""

from typing import Any, ClassVar

from django_filters import rest_framework as filters

from o2b.api.views import Noun
from subscriptions.models import UsageKind
from subscriptions.usage.rules.judging import LONGEST_TEXT

SEE, MEND = "subscriptions.see_usage", "subscriptions.mend_usage"
SERVICE = "The number of a service (S-3.7) or subscription (S-3), or a subject of theirs."
KINDS = {UsageKind.USED: "used", UsageKind.REPLACES: "replaces", UsageKind.RETRACTS: "retracts"}


class Word(filters.CharFilter):
    """A text; it narrows nothing by itself."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=LONGEST_TEXT, **kwargs)

    def filter(self, qs: Any, value: Any) -> Any:
        return qs


class Read(Noun):
    """A list that has no page of each row."""

    doors: ClassVar[dict[str, str]] = {"list": SEE}


def with_days(filterset: type[filters.FilterSet]) -> None:
    """`from` and `to`, which are no names in Python."""
    first, last = "The first day.", "The last day."
    filterset.base_filters["from"] = filters.DateFilter(
        field_name="day", lookup_expr="gte", help_text=first
    )
    filterset.base_filters["to"] = filters.DateFilter(
        field_name="day", lookup_expr="lte", help_text=last
    )
