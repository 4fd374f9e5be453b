"""What is asked for an import: the file, what it holds, and for prices the book."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from o2b.catalog.models.exchange import SheetKind
from o2b.web.forms import DayField

OF_A_BOOK = (
    "book",
    "valid_from",
    "valid_to",
    "name",
    "currency",
    "segment",
    "account",
    "is_default",
)
OF_A_NEW_BOOK = OF_A_BOOK[3:]


class ImportForm(forms.Form):
    """A sheet to be tried; the fields of a book count for prices only."""

    kind = forms.ChoiceField(label=_("The sheet holds"), choices=SheetKind.choices)
    file = forms.FileField(
        label=_("File"),
        help_text=_("CSV (UTF-8) or XLSX, fewer than 100,000 rows. It is tried first."),
        widget=forms.ClearableFileInput(attrs={"accept": ".csv,.txt,.tsv,.xlsx"}),
    )
    book = forms.CharField(
        label=_("Price book"),
        help_text=_("Its code."),
        max_length=50,
        required=False,
        widget=forms.TextInput({"autocomplete": "off", "list": "book-codes"}),
    )
    valid_from = DayField(label=_("Valid from"), required=False)
    valid_to = DayField(
        label=_("Until before"),
        help_text=_("The first day outside; empty: no end."),
        required=False,
    )
    name = forms.CharField(label=_("Name"), max_length=200, required=False)
    currency = forms.CharField(
        label=_("Currency"),
        help_text=_("Three letters, such as EUR."),
        max_length=3,
        required=False,
    )
    segment = forms.CharField(
        label=_("Segment"),
        help_text=_("Whose prices; empty for a book for everybody."),
        max_length=50,
        required=False,
    )
    account = forms.CharField(
        label=_("Account"),
        help_text=_("Its number, if the book is this account’s own; then no segment."),
        max_length=40,
        required=False,
    )
    is_default = forms.BooleanField(label=_("For everybody"), required=False)

    @property
    def says_new_book(self) -> bool:
        """Whether something of a new book is said, or wrong."""
        return any(self[name].errors or self[name].data for name in OF_A_NEW_BOOK)

    def options(self) -> dict[str, Any]:
        """As `import_catalog` wants them: what was told, and days as text."""
        if self.cleaned_data["kind"] != SheetKind.BOOKS:
            return {}
        told = {name: self.cleaned_data[name] for name in OF_A_BOOK if self.cleaned_data[name]}
        days = {name: told[name].isoformat() for name in ("valid_from", "valid_to") if name in told}
        return told | days
