"""Drafts of the catalog as a person sees them: one's own, and those that wait for one."""

from typing import NamedTuple

from django.db.models import Count, Q

from o2b.catalog.models import (
    DeliveryPlan,
    MeterVersion,
    PriceBookVersion,
    ProductVersion,
    RateDeckVersion,
)
from o2b.catalog.models.products import Lifecycle


class Drafts(NamedTuple):
    """How many somebody may publish, and how many one prepares."""

    for_me: int
    mine: int


def drafts_for(user_id: int) -> tuple[Drafts, Drafts, Drafts, Drafts, Drafts]:
    """Of price books, products, delivery plans, meters and rate decks; five queries."""
    mine = Q(prepared_by=user_id)
    submitted = Q(submitted_at__isnull=False) & ~mine
    counts = {"for_me": Count("pk", filter=submitted), "mine": Count("pk", filter=mine)}
    books = PriceBookVersion.objects.filter(state=Lifecycle.DRAFT).aggregate(**counts)
    products = ProductVersion.objects.filter(state=Lifecycle.DRAFT).aggregate(**counts)
    plans = DeliveryPlan.objects.filter(state=Lifecycle.DRAFT).aggregate(**counts)
    meters = MeterVersion.objects.filter(state=Lifecycle.DRAFT).aggregate(**counts)
    mine |= Q(filled_by=user_id)
    submitted = Q(submitted_at__isnull=False) & ~mine
    counts = {"for_me": Count("pk", filter=submitted), "mine": Count("pk", filter=mine)}
    decks = RateDeckVersion.objects.filter(state=Lifecycle.DRAFT).aggregate(**counts)
    return (
        Drafts(**books),
        Drafts(**products),
        Drafts(**plans),
        Drafts(**meters),
        Drafts(**decks),
    )
