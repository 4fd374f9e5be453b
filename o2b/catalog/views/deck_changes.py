"""What changed between two versions of a rate deck: ?from= and ?to= are their numbers."""

from typing import Any

from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy

from o2b.catalog.models import RateDeck, RateDeckVersion
from o2b.catalog.selectors import decks as selectors
from o2b.catalog.selectors.deck_changes import RateChange, RateChanges
from o2b.web.tables import Column, ListPage

_KINDS = (
    ("dearer", gettext_lazy("dearer")),
    ("cheaper", gettext_lazy("cheaper")),
    ("new", gettext_lazy("new")),
    ("gone", gettext_lazy("gone")),
    ("other", gettext_lazy("other")),
)
_TONES = {"dearer": "warn", "cheaper": "good", "new": "go", "gone": "bad", "other": ""}


def _terms_before(change: RateChange) -> str:
    return _terms(change.fee_before, change.first_before, change.next_before)


def _terms_after(change: RateChange) -> str:
    return _terms(change.fee_after, change.first_after, change.next_after)


def _terms(fee: Any, first: int | None, then: int | None) -> str:
    if first is None:
        return ""
    return f"{first}/{then}" + (f" + {fee.normalize():f}" if fee else "")


class DeckComparison(ListPage):
    """Prefixes that came, went, or cost something else; sorted and paged by Postgres."""

    permission = "catalog.view_product"
    template_name = "catalog/deck_compare.html"
    columns = (
        Column("prefix", gettext_lazy("Prefix"), sort="prefix"),
        Column("destination", gettext_lazy("Destination"), sort="destination"),
        Column(
            "kind",
            gettext_lazy("Change"),
            kind="badge",
            sort="kind",
            label=lambda change: dict(_KINDS)[change.kind],
            tone=lambda change: _TONES[change.kind],
        ),
        Column("before", gettext_lazy("Before"), kind="number", sort="before", note=_terms_before),
        Column("after", gettext_lazy("After"), kind="number", sort="after", note=_terms_after),
        Column("percent", gettext_lazy("Percent"), kind="number", sort="percent"),
    )
    search = ("prefix", "destination")
    search_hint = gettext_lazy("Prefix or destination…")
    state_field = "kind"
    states = _KINDS
    default_sort = "prefix"
    csv_name = "rate-changes"
    empty = gettext_lazy("No rate differs between these two versions.")

    @cached_property
    def versions(self) -> list[RateDeckVersion]:
        return selectors.versions_of_deck(RateDeck.objects.get(code=self.kwargs["code"]))

    @cached_property
    def pair(self) -> tuple[RateDeckVersion, RateDeckVersion]:
        by_number = {str(version.number): version for version in self.versions}
        if not self.versions:
            raise RateDeckVersion.DoesNotExist("the deck has no versions")
        after = by_number.get(self.request.GET.get("to", ""), self.versions[0])
        earlier = next((v for v in self.versions if v.number < after.number), after)
        return by_number.get(self.request.GET.get("from", ""), earlier), after

    def get_queryset(self) -> Any:
        before, after = self.pair
        return RateChanges(before.pk, after.pk, kind=self.state, words=self.words, sort=self.sort)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        before, after = self.pair
        return super().get_context_data(
            title=after.deck.name,
            deck=after.deck,
            before=before,
            after=after,
            versions=self.versions,
            counts=RateChanges(before.pk, after.pk).counts(),
            **kwargs,
        )
