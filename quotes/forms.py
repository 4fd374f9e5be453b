"""The quote editor: what its fields said, what is wrong with them, and what the draft comes to."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, cast

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from o2b.catalog.models import ProductVersion
from o2b.customers.models import Account
from o2b.customers.selectors import accounts_meant
from o2b.errors import Refused
from o2b.web.forms import DayField
from quotes.inputs import LineInput
from quotes.models import Quote, QuoteLine
from quotes.rules.totals import LineTotals, Totals

MOST_LINES = 100
AT_LINE = re.compile(r"lines\[(\d+)\]\.(.+)")


class HeaderForm(forms.Form):
    """What a quote says above its lines."""

    account = forms.CharField(
        label=gettext_lazy("Account"),
        help_text=gettext_lazy("Its number or its name."),
        max_length=200,
        widget=forms.TextInput({"list": "accounts", "autocomplete": "off"}),
    )
    title = forms.CharField(label=gettext_lazy("Title"), required=False, max_length=200)
    valid_until = DayField(label=gettext_lazy("Valid until"))
    start_on = DayField(
        label=gettext_lazy("Start"),
        required=False,
        help_text=gettext_lazy("Billing starts on this day; empty: on delivery."),
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
        if not found[0].is_open:
            raise forms.ValidationError(_("This account is closed."))
        return found[0]


@dataclass
class Choice:
    """One characteristic of a line as an input: what the version asks for, and what was said."""

    name: str
    label: str
    kind: str
    value: str
    options: list[tuple[str, str]]
    required: bool
    fault: str


@dataclass
class EditorLine:
    """One line of the editor; `faults` are told by field, `totals` when the price is known."""

    product: str = ""
    quantity: str = "1"
    discount_percent: str = ""
    characteristics: dict[str, str] = field(default_factory=dict)
    faults: dict[str, str] = field(default_factory=dict)
    totals: LineTotals | None = None
    version: ProductVersion | None = None
    fresh: bool = False

    @classmethod
    def of(cls, line: QuoteLine) -> "EditorLine":
        return cls(
            product=line.product_version.product.code,
            quantity=f"{line.quantity.normalize():f}",
            discount_percent=f"{line.discount_percent.normalize():f}"
            if line.discount_percent
            else "",
            characteristics={name: _said(value) for name, value in line.characteristics.items()},
        )

    @classmethod
    def read(cls, data: Mapping[str, str], index: int) -> "EditorLine":
        at = f"lines-{index}-"
        named = f"{at}c-"
        return cls(
            product=data.get(f"{at}product", ""),
            quantity=data.get(f"{at}quantity", "").strip(),
            discount_percent=data.get(f"{at}discount_percent", "").strip(),
            characteristics={
                name.removeprefix(named): data[name] for name in data if name.startswith(named)
            },
        )

    @property
    def wish(self) -> LineInput:
        """What was said as a service takes it; what the chosen product does not ask is left out."""
        specs = self.version.characteristics if self.version else []
        asked = {spec["name"] for spec in specs}
        return LineInput(
            product=self.product,
            quantity=self.quantity,
            characteristics={k: v for k, v in self.characteristics.items() if k in asked and v},
            discount_percent=self.discount_percent or "0",
        )

    @property
    def choices(self) -> list[Choice]:
        return [self._choice(s) for s in (self.version.characteristics if self.version else [])]

    def _choice(self, spec: Mapping[str, Any]) -> Choice:
        name, kind = spec["name"], spec.get("type", "text")
        options = [(str(c), str(c)) for c in spec.get("choices", [])]
        if kind == "boolean":
            options = [("true", _("yes")), ("false", _("no"))]
        return Choice(
            name=name,
            label=spec.get("label") or name,
            kind=kind,
            value=self.characteristics.get(name, _said(spec.get("default"))),
            options=options,
            required=bool(spec.get("required")),
            fault=self.faults.get(f"characteristics.{name}", ""),
        )


@dataclass
class Editor:
    """The whole editor, between the browser's fields and the service's arguments."""

    header: HeaderForm
    lines: list[EditorLine]
    products: list[ProductVersion]
    totals: Totals | None = None

    def __post_init__(self) -> None:
        known = {version.product.code: version for version in self.products}
        for line in self.lines:
            line.version = known.get(line.product)

    @classmethod
    def read(cls, data: Mapping[str, str], products: list[ProductVersion]) -> "Editor":
        """What the browser sent, however mangled."""
        said = data.get("lines", "")
        count = int(said) if said.isascii() and said.isdigit() and len(said) < 5 else 0
        lines = [EditorLine.read(data, i) for i in range(min(count, MOST_LINES))]
        return cls(HeaderForm(data), lines, products)

    @classmethod
    def of(
        cls, quote: Quote | None, products: list[ProductVersion], initial: dict[str, Any]
    ) -> "Editor":
        """A stored draft, or a blank one with one line."""
        if quote is None:
            return cls(HeaderForm(initial=initial), [EditorLine()], products)
        stored = quote.lines.select_related("product_version__product").order_by("position")
        lines = [EditorLine.of(line) for line in stored]
        header = {
            "account": quote.account.reference,
            "title": quote.title,
            "valid_until": quote.valid_until,
            "start_on": quote.start_on,
        }
        return cls(HeaderForm(initial=header), lines or [EditorLine()], products)

    @property
    def account(self) -> Account | None:
        """The account, once the browser has named one."""
        if not self.header.is_bound:
            return None
        self.header.is_valid()
        return cast("Account | None", self.header.cleaned_data.get("account"))

    @property
    def start_on(self) -> date | None:
        return cast("date | None", self.header.cleaned_data.get("start_on"))

    @property
    def wishes(self) -> list[LineInput]:
        return [line.wish for line in self.lines]

    def rearrange(self, deed: str) -> None:
        """Add, remove or move a line: "add", "remove-2", "up-2", "down-2", counted from 0."""
        verb, _dash, digits = deed.partition("-")
        if verb == "add" and len(self.lines) < MOST_LINES:
            self.lines.append(EditorLine(fresh=True))
        i = int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 5 else -1
        if not 0 <= i < len(self.lines):
            return
        if verb == "remove":
            del self.lines[i]
        j = i + {"up": -1, "down": 1}.get(verb, 0)
        if verb in {"up", "down"} and 0 <= j < len(self.lines):
            self.lines[i], self.lines[j] = self.lines[j], self.lines[i]

    def blame(self, fault: Refused, *, gently: bool = False) -> None:
        """Put a refusal beside its field; gently, not where nothing has been chosen yet."""
        at = AT_LINE.fullmatch(fault.field or "")
        if at and int(at[1]) < len(self.lines):
            line = self.lines[int(at[1])]
            if not gently or line.product:
                line.faults[at[2]] = fault.message
            return
        field = fault.field if fault.field in self.header.fields else None
        said: Any = self.header.errors.get(field or NON_FIELD_ERRORS, [])
        if (field or not gently) and fault.message not in said:
            self.header.add_error(field, fault.message)

    def show(self, totals: Totals) -> None:
        """Put the amounts where they belong."""
        self.totals = totals
        for line, amounts in zip(self.lines, totals.lines, strict=True):
            line.totals = amounts


def _said(value: Any) -> str:
    """A stored characteristic as a field shows it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)
