"""What is filled in about purchases: what arrived, when it is expected, why one is called off."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from o2b.web.forms import AmountField, DayField


class ReceiveForm(forms.Form):
    """So many arrived on a day, with these serial numbers."""

    quantity = AmountField(label=_("How many arrived"), max_digits=18, decimal_places=6)
    on = DayField(label=_("On"))
    serials = forms.CharField(
        label=_("Serial numbers, one a line"),
        required=False,
        max_length=200_000,
        widget=forms.Textarea({"rows": 4, "autocomplete": "off", "spellcheck": "false"}),
    )

    def goods(self) -> dict[str, Any]:
        """The arguments of receive_goods."""
        said = self.cleaned_data
        return {**said, "serials": said["serials"].splitlines()}


class ExpectForm(forms.Form):
    """When the goods come after all, and why on another day."""

    prefix = "expect"
    expected_on = DayField(label=_("Expected on"))
    reason = forms.CharField(label=_("Reason"), max_length=2000, widget=forms.Textarea({"rows": 3}))


class CancelForm(forms.Form):
    """Why."""

    reason = forms.CharField(label=_("Reason"), max_length=2000, widget=forms.Textarea({"rows": 3}))
