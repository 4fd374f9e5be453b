"""Lists of prepaid money: wallets, one with its lots and statement, grants by hand."""

from typing import Any, ClassVar

from django.db.models import QuerySet
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing.models import TopUp, WalletGrant, WalletMovement
from billing.wallets import selectors
from billing.wallets.forms import WalletForm
from billing.wallets.selectors.topups import refills_of
from o2b import clock
from o2b.web.filters import Filter
from o2b.web.tables import Action, Column, ListPage

VIEW = "billing.view_invoice"
TONES = {
    "granted": "good",
    "drawn": "",
    "returned": "good",
    "taken": "warn",
    "lapsed": "bad",
}


class WalletList(ListPage):
    """Every wallet with what it holds."""

    permission = VIEW
    title = gettext_lazy("Prepaid credit")
    columns = (
        Column("number", gettext_lazy("Wallet"), value=str, sort="pk", link=True, kind="code"),
        Column(
            "account",
            gettext_lazy("Account"),
            value="account.name",
            sort="account__name",
            note="account.reference",
            link="account.get_absolute_url",
        ),
        Column("covers", gettext_lazy("Pays"), value="get_covers_display"),
        Column("held", gettext_lazy("Holds"), sort="held", kind="money", currency="currency"),
    )
    search = ("pk", "account__name", "account__reference")
    search_hint = gettext_lazy("Number or account…")
    default_sort = "-number"
    csv_name = "wallets"
    actions = (
        Action(gettext_lazy("Grants"), "billing:wallet-grants", permission=VIEW, primary=False),
    )
    empty = gettext_lazy("No prepaid credit yet. It comes with an order, or as a grant.")

    def get_rows(self) -> QuerySet[Any]:
        return selectors.wallets_for_list()


class WalletPage(ListPage):
    """One wallet: what it holds, its lots, and its statement, the newest movement first."""

    permission = VIEW
    template_name = "billing/wallets/wallet.html"
    columns = (
        Column("on", gettext_lazy("Date"), sort="pk", kind="day"),
        Column(
            "kind",
            gettext_lazy("Movement"),
            kind="badge",
            label="get_kind_display",
            tone=lambda row: TONES[row.kind],
        ),
        Column("lot", gettext_lazy("Lot"), kind="code", note="lot.text"),
        Column(
            "invoice",
            gettext_lazy("Document"),
            value="invoice.number",
            link=lambda row: row.invoice.get_absolute_url() if row.invoice else None,
        ),
        Column("ends_on", gettext_lazy("Good until"), value="lot.ends_on", kind="day"),
        Column("amount", gettext_lazy("Amount"), kind="money", currency="wallet.currency"),
        Column("balance", gettext_lazy("Balance"), kind="money", currency="wallet.currency"),
    )
    search = ("lot__id", "lot__text", "invoice__number")
    search_hint = gettext_lazy("Lot, reason or invoice…")
    state_field = "kind"
    states: ClassVar[Any] = WalletMovement.Kind.choices
    filters = (
        Filter("since", gettext_lazy("From"), "on__gte", kind="day"),
        Filter("until", gettext_lazy("Until"), "on__lte", kind="day"),
    )
    default_sort = "-on"
    csv_name = "wallet-statement"
    empty = gettext_lazy("Nothing has moved yet.")

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.user.is_authenticated and request.user.has_perm(self.permission):
            self.wallet = get_object_or_404(selectors.wallets_for_list(), pk=kwargs["pk"])
        return super().dispatch(request, *args, **kwargs)

    def get_rows(self) -> QuerySet[Any]:
        return selectors.movements_of(self.wallet)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        today = clock.today(self.wallet.account)
        return super().get_context_data(
            title=_("Wallet %(number)s") % {"number": self.wallet},
            wallet=self.wallet,
            account=self.wallet.account,
            today=today,
            standing=selectors.standing_of(self.wallet, today=today),
            lots=selectors.lots_of(self.wallet),
            grants=selectors.grants_to_approve(self.wallet.account),
            form=WalletForm.of(self.wallet),
            rule=TopUp.objects.select_related("product").filter(wallet=self.wallet).first(),
            refills=refills_of(self.wallet),
            **kwargs,
        )


class GrantList(ListPage):
    """Grants by hand: those that wait for a second person, and what became of the others."""

    permission = VIEW
    title = gettext_lazy("Grants of prepaid credit")
    columns = (
        Column("number", gettext_lazy("Grant"), value=str, sort="pk", kind="code"),
        Column(
            "account",
            gettext_lazy("Account"),
            value="account.name",
            sort="account__name",
            note="account.reference",
            link=lambda row: reverse("billing:of-account-wallet", args=[row.account_id]),
        ),
        Column("state", gettext_lazy("State"), kind="badge", label="get_state_display"),
        Column("reason", gettext_lazy("Reason"), note="get_source_display"),
        Column("asked_by", gettext_lazy("Asked by")),
        Column("ends_on", gettext_lazy("Gone on"), kind="day", sort="ends_on", may_be_empty=True),
        Column("amount", gettext_lazy("Amount"), sort="amount", kind="money", currency="currency"),
    )
    search = ("pk", "reason", "account__name", "account__reference")
    state_field = "state"
    states: ClassVar[Any] = WalletGrant.State.choices
    default_sort = "-number"
    csv_name = "wallet-grants"
    empty = gettext_lazy("No grants yet. Ask for one on the page of an account.")

    def get_rows(self) -> QuerySet[Any]:
        return selectors.grants_for_list()
