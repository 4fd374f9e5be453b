"""Every account of a run beside its last bill; first bills; and the form that sets some aside."""

from decimal import Decimal
from typing import Any, ClassVar

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods

from billing import selectors as billing
from billing.control import selectors
from billing.control.forms import ReasonForm, chosen_accounts
from billing.models import BillRun, ParkCode, Rule, Variance
from billing.runs import services
from billing.runs.services.taking_out import CHANGED, FIRST, RULES
from o2b import clock
from o2b.customers.models import Account
from o2b.errors import Refused
from o2b.web.columns import Chip
from o2b.web.filters import Filter
from o2b.web.forms import show_refusal
from o2b.web.http import HtmxRequest, door
from o2b.web.show import badge_html, day_text, money_text, number_text
from o2b.web.tables import Column, ListPage

VIEW, RUN = "billing.view_billrun", "billing.run_bills"
TONES = {
    Rule.MORE: "warn",
    Rule.LESS: "warn",
    Rule.CREDIT: "bad",
    Rule.MISSING: "bad",
    ParkCode.SET_ASIDE: "",
    ParkCode.VETO: "bad",
}
OUTLIERS = "outliers"
LABELS: dict[str, Any] = {
    OUTLIERS: gettext_lazy("Outliers"),
    **{str(key): label for key, label in Rule.choices},
    CHANGED: gettext_lazy("after a change"),
    FIRST: gettext_lazy("first bill"),
}


def why_html(row: Any) -> str:
    """Why a row is worth a look, or that it is out of the run already."""
    if row.out:
        label = dict(ParkCode.choices).get(row.out) or _("parked")
        return badge_html(row.out, label, TONES.get(row.out, "warn"))
    if row.rule:
        return badge_html(row.rule, row.get_rule_display(), TONES[row.rule])
    return badge_html("changed", _("after a change"), "go") if row.is_changed else ""


def percent_text(percent: Decimal | None) -> str:
    """'+321 %'; from nothing there is no percentage."""
    if percent is None:
        return _("new")
    shown = number_text(percent.quantize(Decimal("0.1")).normalize())
    return f"+{shown} %" if percent > 0 else f"{shown} %"


def change_text(row: Any) -> str:
    """'+€120.00'."""
    text = money_text(row.change, row.currency)
    return f"+{text}" if row.change > 0 else text


class OfRun(ListPage):
    """A list of one run."""

    permission = VIEW
    template_name = "billing/control/of_run.html"
    run: BillRun

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.user.has_perm(self.permission):
            rows = BillRun.objects.select_related("legal_entity")
            self.run = get_object_or_404(rows, pk=kwargs["pk"])
        return super().dispatch(request, *args, **kwargs)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {"run": self.run, "may_set_aside": self.may}

    @property
    def may(self) -> bool:
        """Whether this person may take accounts out of the run now."""
        is_open = self.run.state == BillRun.State.TO_APPROVE
        return is_open and self.request.user.has_perm(RUN)

    def _chips(self) -> Any:
        yield from super()._chips()
        first = reverse("billing:run-first-bills", args=[self.run.pk])
        yield Chip(_("first bills"), first, self.request.path == first)

    @property
    def set_aside_href(self) -> str:
        """Where all that a chip shows are set aside; empty where no one rule is shown."""
        rule = self.state if self.state in RULES else ""
        if not self.may or not rule or rule == Rule.MISSING:
            return ""
        return f"{reverse('billing:run-set-aside', args=[self.run.pk])}?rule={rule}"


class VarianceList(OfRun):
    """Accounts with their last bill, this one, and the change; outliers by rule."""

    title = gettext_lazy("Compared with the last bills")
    intro = gettext_lazy("Net, against all that the account's last run billed it.")
    columns = (
        Column(
            "account",
            gettext_lazy("Account"),
            value="account.name",
            sort="account__name",
            note="account.reference",
            link="account.get_absolute_url",
        ),
        Column("why", gettext_lazy("Why"), value=why_html),
        Column(
            "before",
            gettext_lazy("Last bill"),
            sort="before",
            kind="money",
            currency="currency",
            note=lambda row: day_text(row.before_on),
        ),
        Column("now", gettext_lazy("This bill"), sort="now", kind="money", currency="currency"),
        Column(
            "change",
            gettext_lazy("Change"),
            value=change_text,
            sort="size",
            figures=True,
        ),
        Column(
            "percent",
            gettext_lazy("Change in %"),
            value=lambda row: percent_text(row.percent),
            sort="percent",
            may_be_empty=True,
            figures=True,
        ),
    )
    csv_columns = (
        Column("reference", gettext_lazy("Account"), value="account.reference"),
        Column("name", gettext_lazy("Name"), value="account.name"),
        Column("rule", gettext_lazy("Why")),
        Column("out", gettext_lazy("Out of the run")),
        Column("before_on", gettext_lazy("Date of the last bill"), kind="day"),
        Column("currency", gettext_lazy("Currency")),
        Column("before", gettext_lazy("Last bill"), kind="number"),
        Column("now", gettext_lazy("This bill"), kind="number"),
        Column("change", gettext_lazy("Change"), kind="number"),
        Column("percent", gettext_lazy("Change in %"), kind="number"),
    )
    search = ("account__name", "account__reference")
    search_hint = gettext_lazy("Account or number…")
    state_field = "rule"
    states: ClassVar[Any] = [
        (OUTLIERS, LABELS[OUTLIERS]),
        *Rule.choices,
        (CHANGED, LABELS[CHANGED]),
    ]
    filters = (
        Filter(
            "out",
            gettext_lazy("In the run"),
            lambda rows, value: rows.filter(out__isnull=value == "in"),
            choices=(("in", gettext_lazy("yes")), ("out", gettext_lazy("no"))),
        ),
    )
    default_sort = "-change"
    csv_name = "variance"
    empty = gettext_lazy("Nothing to compare: no account of this run was billed before.")

    def get_rows(self) -> QuerySet[Any]:
        return selectors.variances_for_list(run_id=self.run.pk)

    def filter_state(self, rows: QuerySet[Any], state: str) -> QuerySet[Any]:
        if state == CHANGED:
            return rows.filter(is_changed=True)
        return rows.exclude(rule="") if state == OUTLIERS else rows.filter(rule=state)


class FirstBillList(OfRun):
    """Documents to be of accounts that were never billed."""

    title = gettext_lazy("First bills")
    intro = gettext_lazy("Nothing to compare with: look at what they say.")
    columns = (
        Column(
            "account_name",
            gettext_lazy("Account"),
            sort="account_name",
            note="account_reference",
            link=lambda row: reverse("customers:detail", args=[row.account_id]),
        ),
        Column("line_count", gettext_lazy("Lines"), sort="line_count", kind="number"),
        Column("net", gettext_lazy("Net"), sort="net", kind="money", currency="currency"),
        Column("total", gettext_lazy("Total"), sort="total", kind="money", currency="currency"),
    )
    search = ("account_name", "account_reference")
    search_hint = gettext_lazy("Account or number…")
    default_sort = "-total"
    csv_name = "first-bills"
    empty = gettext_lazy("No first bill is waiting in this run.")

    def get_rows(self) -> QuerySet[Any]:
        return selectors.first_bills_for_list(run_id=self.run.pk)

    @property
    def set_aside_href(self) -> str:
        if not self.may:
            return ""
        return f"{reverse('billing:run-set-aside', args=[self.run.pk])}?rule={FIRST}"


@door(RUN)
@require_http_methods(["GET", "HEAD", "POST"])
def set_aside(request: HtmxRequest, pk: int) -> HttpResponse:
    """Ask for the reason, then take accounts, or all of a rule, out of the run."""
    run = billing.run(run_id=pk)
    asked = request.POST if request.method == "POST" else request.GET
    accounts = chosen_accounts(asked.getlist("account"))
    rule = asked.get("rule", "") if not accounts else ""
    form = ReasonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            n = services.set_aside(
                run_id=pk,
                account_ids=accounts or None,
                rule=rule,
                reason=form.cleaned_data["reason"],
                by=int(request.user.pk or 0),
                at=clock.now(),
            )
        except Refused as refusal:
            show_refusal(form, refusal)
        else:
            text = ngettext("%(n)s account is set aside.", "%(n)s accounts are set aside.", n)
            messages.success(request, text % {"n": number_text(n)})
            return redirect(run)
    context = {
        "run": run,
        "form": form,
        "accounts": Account.objects.filter(pk__in=accounts).order_by("name"),
        "rule": rule,
        "rule_label": LABELS.get(rule, ""),
        "amounts": Variance.objects.filter(run=run, account__in=accounts),
    }
    status = 422 if form.errors else 200
    return render(request, "billing/control/set_aside.html", context, status=status)
