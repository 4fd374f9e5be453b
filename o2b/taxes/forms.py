"""Forms of tax rates: a new one from a day on, and the end of one."""

from django import forms
from django.utils.translation import gettext_lazy as _

from o2b.web.forms import AmountField, DayField


class RateForm(forms.Form):
    """A rate from a day on; the one before it ends by itself."""

    country = forms.CharField(
        label=_("Country"),
        max_length=2,
        help_text=_("Of the company that sells: two letters, such as DE."),
    )
    code = forms.CharField(
        label=_("Tax code"),
        max_length=50,
        required=False,
        help_text=_("As prices name it; empty: the standard rate."),
    )
    name = forms.CharField(label=_("Name"), max_length=80, required=False)
    percent = AmountField(label=_("Percent"), max_digits=9, decimal_places=6)
    valid_from = DayField(
        label=_("From"), help_text=_("The rate that holds until then ends on this day.")
    )


class CloseForm(forms.Form):
    """The first day on which a rate does not hold any more."""

    on = DayField(label=_("Ends before"), help_text=_("The first day on which it does not hold."))
