"""What the catalog answers when a door of the ground asks."""

from typing import Any

from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext as _

from o2b.asks import Affected, Card, Found, GrantWords, Impact, Panel
from o2b.catalog import selectors
from o2b.catalog.models import Contract, Product
from o2b.catalog.publications import MOST_EXAMPLES, reach_of
from o2b.charging import Grant
from o2b.web import words
from o2b.web.show import number_text

MOST_FOUND = 5


def home_cards(user: Any) -> list[Card]:
    """Drafts that wait for a second person, and one's own; nothing where there are none."""
    if not user.has_perm("catalog.change_product"):
        return []
    books, products, plans, meters, decks = selectors.drafts_for(user.pk)
    url = reverse("catalog:deck-list") + "?state=draft" if decks.for_me or decks.mine else ""
    url = reverse("catalog:meter-list") + "?state=draft" if meters.for_me or meters.mine else url
    url = reverse("catalog:plan-list") + "?state=draft" if plans.for_me or plans.mine else url
    url = reverse("catalog:tree") if products.for_me or products.mine else url
    url = reverse("catalog:book-list") if books.for_me or books.mine else url
    kinds = (books, products, plans, meters, decks)
    to_publish, mine = (sum(kind[n] for kind in kinds) for n in (0, 1))
    cards = []
    if to_publish and user.has_perm("catalog.publish"):
        title = _("Drafts for me to publish")
        cards.append(Card(title, number_text(to_publish), url, tone="warn"))
    if mine:
        cards.append(Card(_("Drafts that I prepare"), number_text(mine), url))
    return cards


def search(user: Any, text: str) -> list[Found]:
    """Products by code or name."""
    if not user.has_perm("catalog.view_product"):
        return []
    clean = text.replace("\0", "").strip()
    found = Product.objects.filter(Q(code__icontains=clean) | Q(name__icontains=clean))
    return [
        Found(_("Product"), product.name, product.get_absolute_url(), product.code)
        for product in found[:MOST_FOUND]
    ]


def affected_by_publication(user: Any, version_id: int) -> list[Impact]:
    """Contracts whose own prices win over the book."""
    contracts = reach_of(version_id).contracts()
    total = contracts.count()
    if not total:
        return []
    reason = _("its own prices win over every book")
    told = []
    if user.has_perm("catalog.view_product"):
        told = [_told(contract, reason) for contract in contracts.order_by("pk")[:MOST_EXAMPLES]]
    return [Impact("contract", _("Contracts"), False, reason, total, told)]


def account_panels(user: Any, account_id: int) -> list[Panel]:
    """The account's contracts."""
    if not user.has_perm("catalog.view_product"):
        return []
    return [Panel(_("Contracts"), reverse("catalog:of-account", args=[account_id]))]


def grant_words() -> list[GrantWords]:
    """One who reads the meters once; amounts of money are told without their currency."""
    meters = selectors.MeterNames()

    def say(grant: Grant, recurring: bool) -> str:
        return words.grant_words(grant, recurring=recurring, currency="", meters=meters)

    return [GrantWords(say)]


def _told(contract: Contract, reason: str) -> Affected:
    url = reverse("catalog:contract", args=[contract.pk])
    title = f"{contract} · {contract.account.name}"
    return Affected("contract", title, url, False, reason)
