"""The order team's editor: account, lines without prices, start; what is wrong with them."""

from collections.abc import Mapping
from dataclasses import dataclass

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from o2b.catalog.models import ProductVersion
from o2b.customers.models import Account
from o2b.customers.selectors import accounts_meant
from o2b.errors import Refused
from o2b.web.forms import DayField
from quotes.forms import AT_LINE, EditorLine
from quotes.inputs import LineInput
from quotes.rules.totals import Totals

MOST_LINES = 100


class OrderForm(forms.Form):
    """What an order says above its lines."""

    account = forms.CharField(
        label=gettext_lazy("Account"),
        help_text=gettext_lazy("Its number or its name."),
        max_length=200,
        widget=forms.TextInput({"list": "accounts", "autocomplete": "off"}),
    )
    start_on = DayField(
        label=gettext_lazy("Start"),
        required=False,
        help_text=gettext_lazy("Billing starts on this day; empty: on delivery."),
    )
    note = forms.CharField(
        label=gettext_lazy("Note"),
        required=False,
        max_length=2000,
        widget=forms.Textarea({"rows": 2}),
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


@dataclass
class OrderEditor:
    """The editor between the browser's fields and the service's arguments."""

    header: OrderForm
    lines: list[EditorLine]
    products: list[ProductVersion]
    totals: Totals | None = None

    def __post_init__(self) -> None:
        known = {version.product.code: version for version in self.products}
        for line in self.lines:
            line.version = known.get(line.product)

    @classmethod
    def read(cls, data: Mapping[str, str], products: list[ProductVersion]) -> "OrderEditor":
        said = data.get("lines", "")
        count = int(said) if said.isascii() and said.isdigit() and len(said) < 5 else 0
        lines = [EditorLine.read(data, i) for i in range(min(count, MOST_LINES))]
        return cls(OrderForm(data), lines, products)

    @property
    def wishes(self) -> list[LineInput]:
        return [line.wish for line in self.lines]

    def rearrange(self, deed: str) -> None:
        """Add or remove a line: "add", "remove-2", counted from 0."""
        verb, _dash, digits = deed.partition("-")
        if verb == "add" and len(self.lines) < MOST_LINES:
            self.lines.append(EditorLine(fresh=True))
        i = int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 5 else -1
        if verb == "remove" and 0 <= i < len(self.lines):
            del self.lines[i]

    def blame(self, fault: Refused) -> None:
        """Put a refusal beside its field."""
        at = AT_LINE.fullmatch(fault.field or "")
        if at and int(at[1]) < len(self.lines):
            self.lines[int(at[1])].faults[at[2]] = fault.message
        else:
            known = fault.field in self.header.fields
            self.header.add_error(fault.field if known else None, fault.message)
