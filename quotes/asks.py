"""What quotes answers when a door of the ground asks."""

from typing import Any

from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from o2b import clock
from o2b.asks import Card, Found, Impact, Panel, Trace
from o2b.catalog.publications import reach_of
from quotes import selectors
from quotes.reached import reached_quotes

MOST_FOUND = 8


def home_cards(user: Any) -> list[Card]:
    """A rep's own drafts, open offers, and those that end within a week."""
    if not user.has_perm("quotes.edit_quote"):
        return []
    waiting = selectors.waiting_of(user_id=user.pk, today=clock.today())
    mine = reverse("quotes:list") + "?mine=1&state="
    ending = waiting["ending"]
    return [
        Card(_("My drafts"), str(waiting["drafts"]), f"{mine}draft"),
        Card(_("Sent, waiting for an answer"), str(waiting["sent"]), f"{mine}sent", "go"),
        Card(
            _("Open offers that end within 7 days"),
            str(ending),
            f"{mine}sent&sort=valid_until",
            "warn" if ending else "",
        ),
    ]


def search(user: Any, text: str) -> list[Found]:
    """Quotes by number ("Q-123"), title or customer."""
    if not user.has_perm("quotes.view_quote"):
        return []
    clean = text.replace("\0", "").strip()
    number = clean.upper().removeprefix("Q-").split(" ")[0]
    meant = Q(account__customer__name__icontains=clean) | Q(title__icontains=clean)
    if number.isascii() and number.isdigit() and len(number) < 18:
        meant |= Q(pk=int(number))
    found = selectors.quotes_for_list().filter(meant).order_by("-pk")[:MOST_FOUND]
    return [
        Found(_("Quote"), quote.number, quote.get_absolute_url(), _note(quote)) for quote in found
    ]


def affected_by_publication(user: Any, version_id: int) -> list[Impact]:
    """Open quotes that take a new price when they are sent, and those that do not."""
    shown = user.has_perm("quotes.view_quote")
    return reached_quotes(reach_of(version_id), shown=shown)


def account_panels(user: Any, account_id: int) -> list[Panel]:
    if not user.has_perm("quotes.view_quote"):
        return []
    return [Panel(_("Quotes"), reverse("quotes:of-account", args=[account_id]))]


def _note(quote: Any) -> str:
    return f"{quote.account.customer} · {quote.get_state_display()}"


def traces(account_id: int) -> list[Trace]:
    """Offers that the customer has seen."""
    n = selectors.quotes_of_account(account_id).filter(sent_at__isnull=False).count()
    words = ngettext("%(n)s quote was sent", "%(n)s quotes were sent", n)
    return [Trace(words % {"n": n})] if n else []
