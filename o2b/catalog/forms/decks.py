"""The forms of a rate deck: a new one, a draft's file and day, the end of a version, a number."""

from django import forms
from django.utils.translation import gettext_lazy as _

from o2b.catalog.models.decks import MOST_SECONDS
from o2b.web.forms import DayField


class DeckForm(forms.Form):
    """What is the same for every version of a deck."""

    code = forms.SlugField(
        label=_("Code"), max_length=40, help_text=_("What prices name it by; it stays for ever.")
    )
    name = forms.CharField(label=_("Name"), max_length=200)
    currency = forms.CharField(
        label=_("Currency"), max_length=3, min_length=3, help_text=_("EUR, USD…; stays for ever.")
    )
    per_seconds = forms.IntegerField(
        label=_("A rate is for so many seconds"),
        min_value=1,
        max_value=MOST_SECONDS,
        initial=60,
        help_text=_("60: rates are by the minute; stays for ever."),
    )

    def clean_currency(self) -> str:
        return str(self.cleaned_data["currency"]).upper()


class RatesForm(forms.Form):
    """The rates of a draft, and the day that they count from."""

    starts_on = DayField(label=_("Counts from"), help_text=_("The day of the call."))
    file = forms.FileField(
        label=_("Rates"),
        required=False,
        help_text=_("CSV (UTF-8) or XLSX. It stands in for all rates of the draft."),
        widget=forms.ClearableFileInput(attrs={"accept": ".csv,.txt,.tsv,.xlsx"}),
    )


class RetireDeckForm(forms.Form):
    """The first day whose calls a version does not rate any more."""

    on = DayField(label=_("From the day on"))


class NumberForm(forms.Form):
    """Which rate does a number get on a day?"""

    number = forms.CharField(label=_("Number"), max_length=40)
    on = DayField(label=_("Day of the call"))
