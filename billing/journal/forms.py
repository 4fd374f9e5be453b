"""What finance fills in: an exchange rate, or a file of many."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from o2b.web.forms import AmountField, DayField

MOST_BYTES = 1_000_000


class RateForm(forms.Form):
    """One rate, or a CSV file of rates."""

    on = DayField(label=gettext_lazy("Day"), required=False)
    currency = forms.CharField(label=gettext_lazy("Currency"), max_length=3, required=False)
    into = forms.CharField(
        label=gettext_lazy("Into"),
        max_length=3,
        required=False,
        help_text=gettext_lazy("The currency of the seller."),
    )
    rate = AmountField(
        label=pgettext_lazy("currency", "Rate"),
        max_digits=19,
        decimal_places=10,
        localize=False,
        required=False,
        help_text=gettext_lazy("What one unit is worth."),
    )
    file = forms.FileField(
        label=gettext_lazy("Or a file"),
        required=False,
        help_text=gettext_lazy("CSV: day, currency, into, rate. 2026-01-30,USD,EUR,0.8412"),
    )

    def clean(self) -> dict[str, Any]:
        told = super().clean() or self.cleaned_data
        if told.get("file"):
            if told["file"].size > MOST_BYTES:
                self.add_error("file", _("The file is too large."))
            return told
        for name in ("on", "currency", "into", "rate"):
            if not told.get(name) and name not in self.errors:
                self.add_error(name, _("This field is required."))
        return told
