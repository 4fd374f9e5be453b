"""The forms of a price book: a new one, a new version, and what a version says of itself."""

from typing import Any

from django import forms
from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _

from o2b.catalog.models import PriceBook, PriceBookVersion
from o2b.customers.models import Account
from o2b.customers.references import account_named
from o2b.errors import Refused
from o2b.money import is_currency
from o2b.web.forms import DayField


class BookForm(forms.Form):
    """A new price list."""

    code = forms.SlugField(label=_("Code"), help_text=_("Short, without blanks; it stays."))
    name = forms.CharField(label=_("Name"), max_length=200)
    currency = forms.CharField(label=_("Currency"), max_length=3, initial="EUR")
    segment = forms.SlugField(
        label=_("Segment"),
        required=False,
        help_text=_("Whose prices they are; empty: everybody’s."),
    )
    account = forms.CharField(
        label=_("Account"),
        max_length=40,
        required=False,
        help_text=_("Its number, if the book is this account’s own; then no segment."),
        widget=forms.TextInput(
            {
                "autocomplete": "off",
                "list": "accounts",
                "hx-get": reverse_lazy("catalog:simulator-accounts"),
                "hx-trigger": "input changed delay:250ms",
                "hx-target": "#accounts",
                "hx-swap": "innerHTML",
                "hx-sync": "this:replace",
            }
        ),
    )
    is_default = forms.BooleanField(
        label=_("The default of its currency: it answers where no other does."), required=False
    )
    valid_from = DayField(label=_("Valid from"))

    def clean_code(self) -> str:
        code: str = self.cleaned_data["code"]
        if PriceBook.objects.filter(code=code).exists():
            raise forms.ValidationError(_("There is a price book “%(code)s”.") % {"code": code})
        return code

    def clean_account(self) -> Account | None:
        reference: str = self.cleaned_data["account"]
        try:
            return account_named(reference) if reference else None
        except Refused as refusal:
            raise forms.ValidationError(refusal.message) from refusal

    def clean_currency(self) -> str:
        currency: str = self.cleaned_data["currency"].upper()
        if not is_currency(currency):
            raise forms.ValidationError(_("This is no currency."))
        return currency


class PolicyForm(forms.Form):
    """What a draft says of itself: its days, and what it does to subscriptions that run."""

    valid_from = DayField(label=_("Valid from"))
    valid_to = DayField(
        label=_("Until before"), required=False, help_text=_("Empty: until the next version.")
    )
    policy = forms.ChoiceField(
        label=_("Subscriptions that run already"), choices=PriceBookVersion.Policy.choices
    )
    policy_on = DayField(
        label=_("They move on"), required=False, help_text=_("For “move on a date” only.")
    )
    notice_days = forms.IntegerField(
        label=_("Days of notice"),
        min_value=0,
        max_value=3650,
        initial=0,
        widget=forms.TextInput({"inputmode": "numeric", "autocomplete": "off"}),
    )
    note = forms.CharField(
        label=_("Note for the colleague who publishes"),
        required=False,
        max_length=2000,
        widget=forms.Textarea({"rows": 2}),
    )

    @staticmethod
    def of(version: PriceBookVersion) -> dict[str, Any]:
        names = ("valid_from", "valid_to", "policy", "policy_on", "notice_days", "note")
        return {name: getattr(version, name) for name in names}
