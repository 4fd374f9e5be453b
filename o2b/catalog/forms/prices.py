"""One price as a plain form, for who has no JavaScript or a phone in hand."""

from collections.abc import Iterable, Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from o2b.catalog.forms.grid import NEW_ROW, CellFault, GridColumn
from o2b.web.forms import DecimalInput

LONGEST_CELL = 5000
TIERS_HELP = _(
    "One a line: up to : unit price : flat fee : block size. The last one begins with *. "
    "Such as 10:5.00:20 and then *:4.50."
)
HELP = {
    "interval": _("month, 3 months, quarter, half-year, year, 14 days; empty: once."),
    "unit_price": _("Counts for nothing where tiers or rates price."),
    "tiers": TIERS_HELP,
    "product": _("Its code."),
    "key": _("A short word, such as monthly or setup."),
    "meter": _("What usage is measured by; empty: the meter whose code is that of the charge."),
    "deck": _("Of rated calls: the code of the deck that has their rates."),
    "number": _("The dimension of the meter that says which number was called."),
    "where": _("Such as zone=national|eu; carrier=a. Empty: all usage of the meter."),
    "grants": _(
        "What it brings into a pool or the wallet: 500 data; rollover 100 for 2 periods. Or "
        "50 money; lasts 3 months. Also: priority 10; prorated; once (whatever the quantity)."
    ),
}


class PriceForm(forms.Form):
    """The cells of a row of the grid, one field each."""

    def __init__(self, *args: Any, columns: Sequence[GridColumn], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for column in columns:
            self.fields[column.name] = _field_of(column)

    @property
    def main(self) -> list[forms.BoundField]:
        return [self[name] for name in self.fields]

    def cells(self) -> dict[str, str]:
        """What was said, as the grid says it."""
        said: dict[str, str] = dict(self.cleaned_data)
        said["tiers"] = "; ".join(line.strip() for line in said["tiers"].splitlines() if line)
        return said

    def blame(self, faults: Iterable[CellFault]) -> None:
        """Each fault beside its field."""
        for fault in faults:
            known = fault.row >= 0 and fault.column in self.fields
            self.add_error(fault.column if known else None, fault.message)

    @staticmethod
    def of(cells: dict[str, str] | None) -> dict[str, str]:
        """What stands in the fields at first."""
        said = dict(cells if cells is not None else NEW_ROW)
        return said | {"tiers": said.get("tiers", "").replace("; ", "\n")}


def _field_of(column: GridColumn) -> forms.Field:
    given: dict[str, Any] = {
        "label": column.title,
        "required": False,
        "help_text": HELP.get(column.name, ""),
    }
    if column.kind == "choice":
        return forms.ChoiceField(choices=column.choices, **given)
    if column.kind == "tiers":
        widget: forms.Widget = forms.Textarea({"rows": 4, "class": "num"})
        return forms.CharField(max_length=LONGEST_CELL, widget=widget, **given)
    widget = DecimalInput() if column.kind == "number" else forms.TextInput({"autocomplete": "off"})
    if column.kind == "product":
        widget = forms.TextInput({"autocomplete": "off", "list": "product-codes"})
    return forms.CharField(max_length=LONGEST_CELL, widget=widget, **given)
