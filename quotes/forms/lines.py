"""One line of an editor: what its fields said, and what its product asks for."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from o2b.catalog.characteristics import label_of, with_unit
from o2b.catalog.models import ProductVersion
from o2b.catalog.rules.definitions import number_of
from o2b.charging import StartRule
from quotes.inputs import LineInput
from quotes.models import QuoteLine
from quotes.rules.totals import LineTotals

KEYBOARDS = {"integer": "numeric", "decimal": "decimal"}


@dataclass
class Choice:
    """One characteristic of a line as an input: what the version asks for, and what was said."""

    name: str
    label: str
    kind: str
    unit: str
    value: str
    default: str
    options: list[tuple[str, str]]
    required: bool
    hint: str
    fault: str

    @property
    def keyboard(self) -> str:
        return KEYBOARDS.get(self.kind, "text")


@dataclass(frozen=True)
class Offered:
    """An option of a bundle as its line shows it: how many of what."""

    name: str
    range: str


@dataclass
class EditorLine:
    """One line of the editor; `faults` are told by field, `totals` when the price is known.

    `version` is what would be ordered: for a retired product of a legacy form, its successor.
    """

    product: str = ""
    quantity: str = "1"
    discount_percent: str = ""
    start_rule: str = ""
    characteristics: dict[str, str] = field(default_factory=dict)
    faults: dict[str, str] = field(default_factory=dict)
    totals: LineTotals | None = None
    version: ProductVersion | None = None
    fresh: bool = False
    options: list[Offered] = field(default_factory=list)
    missing: list[tuple[str, Decimal]] = field(default_factory=list)

    @classmethod
    def of(cls, line: QuoteLine) -> "EditorLine":
        return cls(
            product=line.product_version.product.code,
            quantity=f"{line.quantity.normalize():f}",
            discount_percent=f"{line.discount_percent.normalize():f}"
            if line.discount_percent
            else "",
            start_rule=line.start_rule,
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
            start_rule=data.get(f"{at}start_rule", ""),
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
            start_rule=self.start_rule,
        )

    @property
    def count(self) -> Decimal:
        """How many, as far as it can be read."""
        number = number_of(self.quantity)
        return number if number and number > 0 else Decimal(0)

    @property
    def takes_place_of(self) -> str:
        """The code of the retired product that was named, where its successor is ordered."""
        code = self.version.product.code if self.version else self.product
        return "" if code == self.product else self.product

    def blame(self, place: str, message: str) -> None:
        """Note a fault; another one of the same field is told after the first."""
        told = self.faults.get(place, "")
        if message not in told:
            self.faults[place] = f"{told} {message}".strip()

    @property
    def start_rules(self) -> list[tuple[str, str]]:
        """When billing may start: (rule, words); nothing said goes by the day above."""
        return [
            ("", _("as set above")),
            (StartRule.ON_DELIVERY, _("on delivery")),
            (StartRule.EACH_PART, _("with each part delivered")),
            (StartRule.ON_DATE, _("on the agreed day")),
        ]

    @property
    def choices(self) -> list[Choice]:
        return [self._choice(s) for s in (self.version.characteristics if self.version else [])]

    def _choice(self, spec: Mapping[str, Any]) -> Choice:
        name, kind = spec["name"], spec.get("type", "text")
        options = [(str(c), with_unit(spec, c)) for c in spec.get("choices", [])]
        if kind == "boolean":
            options = [("true", _("yes")), ("false", _("no"))]
        default = _said(spec.get("default"))
        return Choice(
            name=name,
            label=label_of(spec),
            kind=kind,
            unit=spec.get("unit") or "",
            value=self.characteristics.get(name, default),
            default=default,
            options=options,
            required=bool(spec.get("required")),
            hint=_hint(spec, dict(options).get(default, default)),
            fault=self.faults.get(f"characteristics.{name}", ""),
        )


def range_words(low: Any, high: Any) -> str:
    """How many or how much is allowed, in words; nothing where everything is."""
    if low is not None and low == high:
        return _("exactly %(count)s") % {"count": low}
    if low is not None and high is not None:
        return _("%(low)s to %(high)s") % {"low": low, "high": high}
    if low is not None:
        return _("at least %(count)s") % {"count": low}
    return _("at most %(count)s") % {"count": high} if high is not None else ""


def _hint(spec: Mapping[str, Any], default: str) -> str:
    """The range and the default of a characteristic."""
    limits = [spec.get(name) for name in ("minimum", "maximum")]
    low, high = (None if limit == "" else limit for limit in limits)
    usual = _("default %(value)s") % {"value": default} if default else ""
    return ", ".join(filter(None, [range_words(low, high), usual]))


def _said(value: Any) -> str:
    """A stored characteristic as a field shows it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)
