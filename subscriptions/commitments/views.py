"""Pages of commitments: the renewals that come, and what is agreed of one service."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, ClassVar

from django.contrib import messages
from django.db.models import F, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from o2b import clock
from o2b.customers.models import Account
from o2b.errors import Refused
from o2b.people.models import User
from o2b.web.csv import stream_csv
from o2b.web.filters import Filter
from o2b.web.http import HtmxRequest, door
from o2b.web.tables import Column, ListPage
from subscriptions.changes.permission import may_change, require_change
from subscriptions.changes.services import WAIVE
from subscriptions.commitments import selectors, services, shown
from subscriptions.commitments.forms import Blamed, CommitForm, CoTermForm, RenewalForm
from subscriptions.models import Renewal

VIEW = "subscriptions.view_subscription"
OVERDUE = "overdue"
DAYS: list[tuple[str, Any]] = [
    (OVERDUE, gettext_lazy("overdue")),
    *((str(n), gettext_lazy("within %(n)s days") % {"n": n}) for n in (30, 60, 90, 365)),
]


def _within(rows: QuerySet[Any], days: str) -> QuerySet[Any]:
    if days == OVERDUE:
        return rows.filter(due_on__lt=F("its_day"))
    return rows.filter(due_on__lte=F("its_day") + timedelta(days=int(days)))


def _of_advocate(rows: QuerySet[Any], advocate: str) -> QuerySet[Any]:
    own = Account.objects.filter(advocate=int(advocate)).order_by()
    return rows.filter(holder__in=own.values("pk"))


def _advocates(request: HttpRequest) -> list[tuple[int, str]]:
    """Those who answer for an account with a renewal; oneself first."""
    users = User.objects.filter(pk__in=selectors.advocates()).order_by("first_name", "pk")
    me = request.user.pk
    found = [(user.pk, str(user)) for user in users if user.pk != me]
    return [(me or 0, _("me")), *found]


def agreement_url(row: Any) -> str:
    return reverse("subscriptions:commitments", args=[row.service.pk])


class RenewalsDue(ListPage):
    """Every term that comes to an end, what comes then, and the price now and then."""

    permission = VIEW
    title = gettext_lazy("Renewals due")
    intro = gettext_lazy("Terms that come to an end, the next first, and what each costs then.")
    columns = (
        Column(
            "service",
            gettext_lazy("Service"),
            value=lambda row: row.product or "—",
            link=agreement_url,
            note="service.number",
        ),
        Column(
            "account",
            gettext_lazy("Account"),
            value="account.name",
            link="account.get_absolute_url",
            note="account.reference",
        ),
        Column("due_on", gettext_lazy("Ends on"), sort="due_on", kind="day"),
        Column("notice_on", gettext_lazy("Notice until"), kind="day"),
        Column("renewal", gettext_lazy("Then it"), value=shown.kind_words),
        Column("price", gettext_lazy("Price of a full period"), value=shown.price_words),
        Column(
            "standing",
            gettext_lazy("Standing"),
            value=shown.standing,
            label=shown.standing_words,
            tone=shown.standing_tone,
            kind="badge",
        ),
        Column("advocate", gettext_lazy("Advocate"), value="account.advocate"),
    )
    csv_columns = (
        Column("item", gettext_lazy("Service"), value="service.number"),
        Column("product", gettext_lazy("Product"), value="product"),
        Column("account", gettext_lazy("Account"), value="account.name", note="account.reference"),
        Column("due_on", gettext_lazy("Ends on")),
        Column("notice_on", gettext_lazy("Notice until")),
        Column("renewal", gettext_lazy("Then it"), value=shown.kind_words),
        Column(
            "before",
            gettext_lazy("Price now"),
            kind="money",
            value="before",
            currency="account.currency",
        ),
        Column("after", gettext_lazy("Price then"), kind="money", value="after"),
        Column("standing", gettext_lazy("Standing"), value=shown.standing),
        Column("fault", gettext_lazy("Why not")),
        Column("advocate", gettext_lazy("Advocate"), value="account.advocate"),
    )
    filters = (
        Filter("days", gettext_lazy("Ends"), _within, DAYS),
        Filter("advocate", gettext_lazy("Advocate"), _of_advocate, _advocates),
    )
    search_hint = gettext_lazy("Account, customer or number of the service…")
    states: ClassVar[Any] = Renewal.choices
    state_field = "commitment__renewal"
    default_sort = "due_on"
    csv_name = "renewals"
    empty = gettext_lazy("No service is committed to a day. Commit one from its page.")

    def get_rows(self) -> QuerySet[Any]:
        return selectors.renewals(machine_now=clock.now())

    def search_rows(self, rows: QuerySet[Any], words: str) -> QuerySet[Any]:
        """By words of the account and its customer, or by the number S-3.7."""
        return rows.filter(
            Q(holder__in=selectors.accounts_named(words)) | Q(item__in=selectors.numbered(words))
        )

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        if request.GET.get("format") == "csv":
            rows: Any = shown.Shown(self.get_queryset())
            return stream_csv(self.csv_name, self.csv_columns, rows)
        return super().get(request, *args, **kwargs)

    def get_page(self) -> Any:
        page = super().get_page()
        page.object_list = shown.dress(list(page.object_list))
        return page


@door(VIEW)
@require_http_methods(["GET", "HEAD", "POST"])
def commitments(request: HtmxRequest, pk: int) -> HttpResponse:
    """What is agreed of one service, and how to agree otherwise."""
    item = selectors.holder_of(pk, machine_now=clock.now())
    forms = _forms(request, item)
    if request.method == "POST":
        require_change(request.user)
        verb = VERBS.get(request.POST.get("do", ""))
        if verb is None:
            return _show(request, item, forms, status=422)
        return _done(request, item, forms, verb)
    return _show(request, item, forms)


def _forms(request: HtmxRequest, item: Any) -> dict[str, Blamed]:
    """The three forms; the one that was sent holds what was sent."""
    did = request.POST.get("do", "")
    sent = {name: request.POST if did == name else None for name in VERBS}
    running = selectors.running(item)
    own = selectors.committed_with(item)
    return {
        "commit": CommitForm(sent["commit"], auto_id="commit_%s"),
        "renewal": RenewalForm(
            sent["renewal"],
            may_waive=request.user.has_perm(WAIVE),
            auto_id="renewal_%s",
            initial={
                "renewal": running.renewal if running else None,
                "uplift_percent": shown.percent(running) if running else None,
            },
        ),
        "co_term": CoTermForm(sent["co_term"], services=own, auto_id="co_term_%s"),
        "renew": Blamed(sent["renew"]),
    }


def _done(request: HtmxRequest, item: Any, forms: dict[str, Blamed], verb: Any) -> HttpResponse:
    name = request.POST["do"]
    form = forms[name]
    if not form.is_valid():
        return _show(request, item, forms, status=422)
    told = {
        "account_id": item.account_id,
        "at": clock.now(item.account),
        "actor_id": request.user.pk,
    }
    try:
        verb(item, form, told)
    except Refused as refusal:
        form.blame(refusal)
        return _show(request, item, forms, status=refusal.status)
    messages.success(request, SAID[name])
    return redirect("subscriptions:commitments", item.pk)


def _commit(item: Any, form: Any, told: dict[str, Any]) -> None:
    services.commit(wishes=[services.Commit(item_id=item.pk, **form.words())], **told)


def _change_renewal(item: Any, form: Any, told: dict[str, Any]) -> None:
    words = {"uplift_percent": 0} | form.words()
    if words["renewal"] != Renewal.UPLIFT:
        words["uplift_percent"] = 0
    services.change_renewal(item_ids=[item.pk], **words, **told)


def _co_term(item: Any, form: Any, told: dict[str, Any]) -> None:
    services.co_term(item_ids=form.cleaned_data["items"], to=form.cleaned_data["to"], **told)


def _renew(item: Any, form: Any, told: dict[str, Any]) -> None:
    services.renew_by_hand(item_ids=[item.pk], **told)


VERBS: dict[str, Callable[[Any, Any, dict[str, Any]], None]] = {
    "commit": _commit,
    "renewal": _change_renewal,
    "co_term": _co_term,
    "renew": _renew,
}
SAID = {
    "commit": gettext_lazy("The term is agreed."),
    "renewal": gettext_lazy("That is what comes when the term ends."),
    "co_term": gettext_lazy("The terms end together."),
    "renew": gettext_lazy("It is renewed."),
}


def _show(
    request: HtmxRequest, item: Any, forms: dict[str, Blamed], status: int = 200
) -> HttpResponse:
    due = selectors.due_of(item, machine_now=clock.now())
    if due:
        shown.dress([due])
    context = {
        "item": item,
        "due": due,
        "price": shown.price_words(due) if due else "",
        "running": selectors.running(item),
        "terms": selectors.agreed_of(item),
        "forms": forms,
        "several": len(selectors.committed_with(item)) > 1,
        "today": clock.today(item.account),
        "may_change": may_change(request.user) and item.state != "ended",
    }
    return render(request, "subscriptions/commitments.html", context, status=status)
