"""What people fill in about prepaid money: a grant to ask for, how a wallet pays."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from billing.models import TopUp, Wallet
from billing.models.wallets import BY_HAND
from billing.wallets.services.granting import LONGEST_REASON
from o2b.charging.terms.granted import DEFAULT_PRIORITY, MOST_PRIORITY
from o2b.web.forms import AmountField, DayField


class GrantForm(forms.Form):
    """Money that somebody wants to give to an account."""

    amount = AmountField(label=_("Amount"), max_digits=19, decimal_places=4, localize=False)
    source = forms.ChoiceField(
        label=_("Kind"), choices=[(each.value, each.label) for each in BY_HAND]
    )
    reason = forms.CharField(
        label=_("Reason"),
        max_length=LONGEST_REASON,
        help_text=_("Who approves it reads this, and so does the customer on the statement."),
    )
    ends_on = DayField(
        label=_("Gone on"),
        required=False,
        help_text=_("First day on which it is gone; empty: it never ends."),
    )
    priority = forms.IntegerField(
        label=_("Priority"),
        min_value=0,
        max_value=MOST_PRIORITY,
        initial=DEFAULT_PRIORITY,
        help_text=_("The lowest is drawn first."),
    )


class TopUpForm(forms.Form):
    """When a wallet is refilled, and by what."""

    below = AmountField(label=_("When less is left than"), max_digits=19, decimal_places=4)
    product = forms.CharField(
        label=pgettext_lazy("top-up", "Order"),
        max_length=60,
        help_text=_("The code of a product that brings money."),
    )
    quantity = AmountField(label=_("Quantity"), decimal_places=6)
    most_a_month = forms.IntegerField(
        label=_("At most, times a month"), min_value=1, max_value=100, initial=1
    )

    @classmethod
    def of(cls, rule: TopUp | None, data: Any = None) -> "TopUpForm":
        """The form as the standing order is."""
        if rule is None:
            return cls(data)
        told = {"below": rule.below.normalize(), "quantity": rule.quantity.normalize()}
        shown = {name: f"{value:f}" for name, value in told.items()}
        more = {"product": rule.product.code, "most_a_month": rule.most_a_month}
        return cls(data, initial=shown | more)


class WalletForm(forms.Form):
    """How a wallet pays."""

    covers = forms.ChoiceField(label=_("Pays"), choices=Wallet.Covers.choices)
    usable = forms.ChoiceField(label=_("Ordered money is usable"), choices=Wallet.Usable.choices)

    @classmethod
    def of(cls, wallet: Wallet, data: Any = None) -> "WalletForm":
        """The form as the wallet is set."""
        return cls(data, initial={"covers": wallet.covers, "usable": wallet.usable})
