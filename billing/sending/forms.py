"""What is asked for when an invoice is sent once more, or was sent otherwise."""

from django import forms
from django.utils.translation import gettext_lazy as _


class SendForm(forms.Form):
    """Where it goes."""

    to = forms.EmailField(
        label=_("To"),
        required=False,
        max_length=254,
        help_text=_("Empty: where the account's invoices go."),
    )


class SettleForm(forms.Form):
    """How it reached the customer."""

    note = forms.CharField(
        label=_("How it was sent"), max_length=250, help_text=_("Such as: by post on 3 March.")
    )
