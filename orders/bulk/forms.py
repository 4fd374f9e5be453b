"""What is asked for a bulk order: the file."""

from django import forms
from django.utils.translation import gettext_lazy as _


class SheetForm(forms.Form):
    """A sheet to be tried."""

    file = forms.FileField(
        label=_("File"),
        help_text=_("CSV (UTF-8) or XLSX, at most 20,000 rows and 10 MB. It is tried first."),
        widget=forms.ClearableFileInput(attrs={"accept": ".csv,.txt,.tsv,.xlsx"}),
    )
