"""Pages of the journal: postings of a month, its trial balance, and the exchange rates."""

import re
from datetime import date
from decimal import Decimal
from itertools import groupby
from typing import Any

from django.contrib import messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy
from django.views.decorators.http import require_GET, require_http_methods

from billing.journal import selectors, services
from billing.journal.forms import RateForm
from billing.journal.services import RateInvalid, RateTold
from billing.models import ExchangeRate, LedgerAccount
from o2b import clock
from o2b.customers.models import LegalEntity
from o2b.errors import Refused
from o2b.web.forms import show_refusal
from o2b.web.http import HtmxRequest, door
from o2b.web.show import day_text, rate_text
from o2b.web.tables import Action, Column, Filter, ListPage

VIEW, TELL = "billing.view_posting", "billing.record_payment"


def _month_of(text: str) -> date | None:
    """2026-02 as its first day; the calendar's last month has no end."""
    known = re.fullmatch(r"[0-9]{4}-(0[1-9]|1[0-2])", text) and "1900" < text < "9999-12"
    if not known:
        return None
    return date.fromisoformat(f"{text}-01")


def _months(_request: HttpRequest) -> list[tuple[str, str]]:
    return [(f"{month:%Y-%m}", f"{month:%Y-%m}") for month in selectors.months_with_postings()]


def _asked_month(request: HttpRequest) -> date:
    """The month that is asked, or the current one."""
    return _month_of(request.GET.get("month", "")) or clock.today().replace(day=1)


def _sellers(_request: HttpRequest) -> list[tuple[str, str]]:
    return list(LegalEntity.objects.order_by("code").values_list("code", "code"))


def _of_seller(rows: QuerySet[Any], code: str) -> QuerySet[Any]:
    return rows.filter(legal_entity_id__in=LegalEntity.objects.filter(code=code).values("pk"))


def _touching(rows: QuerySet[Any], ledger: str) -> QuerySet[Any]:
    return rows.filter(Q(debit=ledger) | Q(credit=ledger))


class PostingList(ListPage):
    """The postings of a month; a posting goes from one ledger account (credit) to another."""

    permission = VIEW
    title = gettext_lazy("Journal")
    intro = gettext_lazy("One month at a time, this one if none is chosen. Nothing in it changes.")
    columns = (
        Column("on", gettext_lazy("Date"), sort=("on", "pk"), kind="day"),
        Column("debit", pgettext_lazy("journal", "Debit"), value="get_debit_display", sort="debit"),
        Column(
            "credit", pgettext_lazy("journal", "Credit"), value="get_credit_display", sort="credit"
        ),
        Column("amount", gettext_lazy("Amount"), sort="amount", kind="money", currency="currency"),
        Column("document", gettext_lazy("Document"), link=lambda row: _document(row), kind="code"),
        Column("reference", gettext_lazy("Account"), kind="code"),
        Column("seller", gettext_lazy("Seller"), sort=("legal_entity_id", "pk"), kind="code"),
        Column(
            "entity_amount",
            gettext_lazy("In own currency"),
            kind="money",
            note=lambda row: f"{rate_text(row.rate)} · {day_text(row.rate_on)}" if row.rate else "",
        ),
    )
    filters = (
        # The rows are those of the month already: see get_rows.
        Filter(
            "month",
            gettext_lazy("Month"),
            lambda rows, _value: rows,
            _months,
            unasked=gettext_lazy("this month"),
        ),
        Filter("ledger", gettext_lazy("Ledger account"), _touching, LedgerAccount.choices),
        Filter("seller", gettext_lazy("Seller"), _of_seller, _sellers),
        Filter("currency", gettext_lazy("Currency"), "currency__iexact", kind="word"),
        Filter("account", gettext_lazy("Account"), "reference", kind="word"),
    )
    csv_columns = (
        Column("on", gettext_lazy("Date"), kind="day"),
        Column("debit", pgettext_lazy("journal", "Debit")),
        Column("credit", pgettext_lazy("journal", "Credit")),
        Column("currency", gettext_lazy("Currency")),
        Column("amount", gettext_lazy("Amount"), kind="number"),
        Column("entity_amount", gettext_lazy("In own currency"), kind="number"),
        Column("rate", pgettext_lazy("currency", "Rate"), kind="number"),
        Column("rate_on", gettext_lazy("Day of the rate"), kind="day"),
        Column("document", gettext_lazy("Document")),
        Column("reference", gettext_lazy("Account")),
        Column("seller", gettext_lazy("Seller")),
    )
    default_sort = "on"
    csv_name = "journal"
    actions = (Action(gettext_lazy("Trial balance"), "billing:journal-balance", permission=VIEW),)
    empty = gettext_lazy("Nothing was posted in this month.")

    def get_rows(self) -> QuerySet[Any]:
        return selectors.postings_for_list(month=_asked_month(self.request))


def _document(row: Any) -> str:
    return row.invoice.get_absolute_url() if row.invoice_id else ""


@door(VIEW)
@require_GET
def balance(request: HtmxRequest) -> HttpResponse:
    """The trial balance of a month: by seller and currency, each of which sums to nothing."""
    month = _asked_month(request)
    rows = selectors.balances_of(month=month)
    sellers = LegalEntity.objects.in_bulk({row.legal_entity_id for row in rows})
    words = dict(LedgerAccount.choices)
    books = []
    for (entity, currency), own in groupby(rows, lambda r: (r.legal_entity_id, r.currency)):
        lines = list(own)
        books.append(
            {
                "seller": sellers[entity],
                "currency": currency,
                "lines": [(words[each.ledger], each) for each in lines],
                "debit": sum((each.debit for each in lines), Decimal(0)),
                "credit": sum((each.credit for each in lines), Decimal(0)),
                "unvalued": sum(each.unvalued for each in lines) // 2,
                "foreign": currency != sellers[entity].currency,
            }
        )
    months = [f"{each:%Y-%m}" for each in selectors.months_with_postings()]
    context = {"month": f"{month:%Y-%m}", "months": months, "books": books}
    return render(request, "billing/journal_balance.html", context)


class RateList(ListPage):
    """Every exchange rate that was told, the newest day first."""

    permission = VIEW
    title = gettext_lazy("Exchange rates")
    intro = gettext_lazy(
        "Asked by sellers whose books are kept in their own currency. Of two for a day the later "
        "one counts; what was booked keeps its rate."
    )
    columns = (
        Column("on", gettext_lazy("Day"), sort=("on", "currency", "pk"), kind="day"),
        Column("currency", gettext_lazy("Currency"), sort="currency", kind="code"),
        Column("into", gettext_lazy("Into"), sort="into", kind="code"),
        Column(
            "rate",
            pgettext_lazy("currency", "Rate"),
            figures=True,
            value=lambda row: rate_text(row.rate),
        ),
        Column("recorded_by", gettext_lazy("Told by")),
    )
    search = ("currency", "into")
    search_hint = gettext_lazy("Currency…")
    default_sort = "-on"
    csv_name = "exchange-rates"
    actions = (Action(pgettext_lazy("currency", "New rate"), "billing:rate-new", permission=TELL),)
    empty = gettext_lazy("No exchange rate yet. Tell one, or many by a file.")

    def get_rows(self) -> QuerySet[ExchangeRate]:
        return selectors.rates_for_list()


@door(TELL)
@require_http_methods(["GET", "HEAD", "POST"])
def tell(request: HtmxRequest) -> HttpResponse:
    """Tell a rate, or a file of them, or say beside the field why not."""
    form = RateForm(request.POST or None, request.FILES or None, initial={"on": clock.today()})
    if request.method == "POST" and form.is_valid():
        try:
            rates = _rates(form.cleaned_data)
            told = services.tell_rates(rates=rates, actor_id=request.user.pk, at=clock.now())
        except Refused as refusal:
            show_refusal(form, refusal)
        else:
            messages.success(request, _("%(n)s rates are told.") % {"n": told})
            return redirect("billing:rate-list")
    status = 422 if form.errors else 200
    return render(request, "billing/rate_new.html", {"form": form}, status=status)


def _rates(told: dict[str, Any]) -> list[RateTold]:
    if not told.get("file"):
        codes = told["currency"].upper(), told["into"].upper()
        return [RateTold(*codes, told["on"], told["rate"])]
    try:
        return services.rates_in(told["file"].read().decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise RateInvalid(_("The file is not UTF-8 text."), field="file") from None
