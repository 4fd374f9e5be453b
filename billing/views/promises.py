"""Pages of promises: all of them with those broken first, and the four stations of an order's."""

from dataclasses import dataclass
from typing import Any, ClassVar

from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET

from billing import selectors
from billing.models import Breach, Promise, PromiseFact
from billing.selectors import Kept
from o2b.web.http import HtmxRequest, door, is_partial
from o2b.web.show import day_text, money_text, number_text
from o2b.web.tables import Column, ListPage
from orders.models import Order
from subscriptions.explained import explain_terms

VIEW = "billing.view_promise"
STATES = [
    (selectors.BREACH, gettext_lazy("breach")),
    (selectors.OPEN, gettext_lazy("not delivered yet")),
    (selectors.KEPT, gettext_lazy("kept")),
]


class PromiseList(ListPage):
    """What every line was promised, and whether it is so; open breaches first."""

    permission = VIEW
    title = gettext_lazy("Promises")
    intro = gettext_lazy("Quoted = ordered = delivered = billed, line by line.")
    template_name = "billing/promises.html"
    columns = (
        Column(
            "promise",
            gettext_lazy("Promised"),
            value="product_version.product.name",
            sort="product",
            note=lambda row: (
                _("%(n)s × version %(version)s")
                % {"n": number_text(row.quantity), "version": row.version}
            ),
        ),
        Column(
            "account",
            gettext_lazy("Account"),
            value="account.name",
            sort="account__name",
            note="account.reference",
        ),
        Column(
            "order_line",
            gettext_lazy("Order line"),
            sort="order_line",
            link="order_line.order.get_absolute_url",
        ),
        Column(
            "status",
            gettext_lazy("State"),
            kind="badge",
            label=lambda row: dict(STATES)[row.status],
        ),
        Column("opened_at", gettext_lazy("Since"), sort="opened_at", kind="day"),
    )
    search = ("product", "account__name", "account__reference", "order_id")
    search_hint = gettext_lazy("Product, account or order…")
    state_field = "status"
    states: ClassVar[Any] = STATES
    csv_name = "promises"
    empty = gettext_lazy("No promises yet. Each order line makes one.")

    def get_rows(self) -> QuerySet[Any]:
        return selectors.promises_for_list()

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        if is_partial(self.request):
            return super().get_context_data(**kwargs)
        counts = selectors.promise_counts()
        figures = [
            {
                "title": _("Open breaches"),
                "value": number_text(counts[selectors.BREACH]),
                "tone": "bad" if counts[selectors.BREACH] else "good",
            },
            {"title": _("Kept"), "value": number_text(counts[selectors.KEPT])},
            {"title": _("Not delivered yet"), "value": number_text(counts[selectors.OPEN])},
        ]
        breaches = selectors.open_breaches()
        return super().get_context_data(figures=figures, breaches=breaches, **kwargs)


@dataclass(frozen=True)
class Station:
    """One of the four proofs of a line: what was said where, and whether it is as promised."""

    title: str
    value: str
    note: str
    is_breach: bool


@dataclass(frozen=True)
class KeptShown:
    """One line's promise, its stations and what is wrong with it."""

    promise: Promise
    title: str
    stations: list[Station]
    breaches: list[Breach]
    state: str
    label: str


@door(VIEW)
@require_GET
def of_order(request: HtmxRequest, pk: int) -> HttpResponse:
    """Panel: quoted, ordered, delivered and billed, for each line of an order."""
    order = get_object_or_404(Order, pk=pk)
    context = {
        "order": order,
        "promises": [_shown(each) for each in selectors.kept_of(order_id=pk)],
    }
    template = "_promises_of_order.html" if is_partial(request) else "promises_of_order.html"
    return render(request, f"billing/{template}", context)


def _shown(kept: Kept) -> KeptShown:
    promise, line = kept.promise, kept.promise.order_line
    name = promise.product_version.product.name
    state, label = "open", _("not delivered yet")
    if kept.breaches:
        fields = ", ".join(sorted({breach.field for breach in kept.breaches}))
        state, label = "breach", _("breach: %(fields)s") % {"fields": fields}
    elif line.delivered_on:
        state, label = "kept", _("kept")
    return KeptShown(
        promise=promise,
        title=_("line %(n)s, %(product)s") % {"n": line.position, "product": name},
        stations=[_quoted(kept), _ordered(kept), _delivered(kept), _billed(kept)],
        breaches=kept.breaches,
        state=state,
        label=label,
    )


def _quoted(kept: Kept) -> Station:
    line = kept.promise.order_line
    fact = kept.facts.get(PromiseFact.Kind.QUOTED)
    if fact is None or line.quote_line is None:
        return Station(_("Quoted"), _("no quote"), _("ordered without one"), False)
    notes = [str(line.quote_line.quote)]
    if line.contract:
        notes.append(_("contract %(code)s") % {"code": line.contract.code})
    title = _("Quoted %(day)s") % {"day": day_text(line.quote_line.quote.sent_at or fact.at)}
    return Station(title, _said(kept, fact), " · ".join(notes), _differs(kept, fact))


def _ordered(kept: Kept) -> Station:
    fact = kept.facts.get(PromiseFact.Kind.ORDERED)
    if fact is None:
        return Station(_("Ordered"), "—", "", False)
    quoted = kept.facts.get(PromiseFact.Kind.QUOTED)
    same = quoted is not None and quoted.terms_digest == fact.terms_digest
    terms = kept.terms.get(fact.terms_digest)
    words = _("same terms %(terms)s") if same else _("terms %(terms)s")
    title = _("Ordered %(day)s") % {"day": day_text(kept.promise.order_line.accepted_at)}
    broken = _differs(kept, fact) or _broken_at(kept, Breach.Stage.ORDER)
    return Station(title, _said(kept, fact), words % {"terms": terms or "—"}, broken)


def _delivered(kept: Kept) -> Station:
    fact = kept.facts.get(PromiseFact.Kind.DELIVERED)
    line = kept.promise.order_line
    broken = _broken_at(kept, Breach.Stage.DELIVERY)
    if fact is None:
        if line.delivered_on:
            title = _("Delivered %(day)s") % {"day": day_text(line.delivered_on)}
            return Station(title, _what(kept, kept.promise), _("no evidence was asked for"), broken)
        return Station(_("To be delivered"), line.get_state_display(), "", broken)
    title = _("Delivered %(day)s") % {"day": day_text(line.delivered_on or fact.at)}
    note = _("evidence %(n)s") % {"n": fact.source_id}
    return Station(title, _what(kept, fact), note, broken or _differs(kept, fact))


def _billed(kept: Kept) -> Station:
    bill = kept.bill
    broken = _broken_at(kept, Breach.Stage.RUN)
    due = bill.next_due_on if bill else None
    if bill is not None and bill.amount is not None:
        note = _("next on %(day)s") % {"day": day_text(due)} if due else _("nothing more is due")
        return Station(_("Billed so far"), money_text(bill.amount), note, broken)
    if kept.breaches:
        return Station(_("To be billed"), _("held"), _("until the breach is mended"), broken)
    if due:
        title = _("To be billed %(day)s") % {"day": day_text(due)}
        return Station(title, _price(kept, kept.promise.terms_digest), "", broken)
    return Station(_("To be billed"), _("not yet"), _("billing begins with service"), broken)


def _said(kept: Kept, fact: PromiseFact) -> str:
    """'Fibre 1 G, v4 · €390.00'."""
    return f"{_what(kept, fact)} · {_price(kept, fact.terms_digest)}"


def _what(kept: Kept, said: PromiseFact | Promise) -> str:
    product = kept.promise.product_version.product
    name = product.name if said.product == product.code else said.product
    text = f"{name}, v{said.version}"
    return text if said.quantity == 1 else f"{number_text(said.quantity)} × {text}"


def _price(kept: Kept, digest: str) -> str:
    """What the Terms cost a month, or once where nothing recurs."""
    terms = kept.terms.get(digest)
    if terms is None:
        return "—"
    explained = explain_terms(terms, quantity=kept.promise.quantity)
    return money_text(explained.monthly if explained.monthly else explained.once)


def _differs(kept: Kept, fact: PromiseFact) -> bool:
    promise = kept.promise
    other_terms = bool(fact.terms_digest) and fact.terms_digest != promise.terms_digest
    return other_terms or (fact.product, fact.version, fact.quantity) != (
        promise.product,
        promise.version,
        promise.quantity,
    )


def _broken_at(kept: Kept, stage: str) -> bool:
    return any(breach.stage == stage for breach in kept.breaches)
