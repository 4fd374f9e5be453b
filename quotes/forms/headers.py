"""What quotes and orders say above their lines."""

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from o2b.customers.models import Account
from o2b.customers.selectors import accounts_meant
from o2b.web.forms import DayField


class AccountForm(forms.Form):
    """For whom it is, and from when."""

    account = forms.CharField(
        label=gettext_lazy("Account"),
        help_text=gettext_lazy("Its number or its name."),
        max_length=200,
        widget=forms.TextInput({"list": "accounts", "autocomplete": "off"}),
    )
    start_on = DayField(
        label=gettext_lazy("Start"),
        required=False,
        help_text=gettext_lazy(
            "Billing starts on this day, or on delivery if that is later; empty: on delivery."
        ),
    )

    def clean_account(self) -> Account:
        found = accounts_meant(self.cleaned_data["account"])
        if not found:
            raise forms.ValidationError(_("No account has this number or name."))
        if len(found) > 1:
            names = ", ".join(account.reference for account in found[:5])
            raise forms.ValidationError(
                _("Several accounts match: %(names)s. Choose one.") % {"names": names}
            )
        return found[0]


class HeaderForm(AccountForm):
    """What a quote says above its lines."""

    title = forms.CharField(label=gettext_lazy("Title"), required=False, max_length=200)
    valid_until = DayField(label=gettext_lazy("Valid until"))

    def clean_account(self) -> Account:
        account = super().clean_account()
        if not account.is_open:
            raise forms.ValidationError(_("This account is closed."))
        return account
