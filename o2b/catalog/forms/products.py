"""The forms of a product: a new one, the end of one, and the draft of a version as rows."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from o2b.catalog.models import Product, ProductVersion
from o2b.catalog.models.products import Lifecycle
from o2b.errors import Refused

MOST_ROWS = 200

SPEC = ("name", "label", "type", "unit", "minimum", "maximum", "choices", "default", "required")
OPTION = ("component", "group", "minimum", "maximum", "default")
RULE = ("kind", "other")
ROWS = {"specs": SPEC, "options": OPTION, "rules": RULE}
# What a service calls the rows that the page calls so.
_SERVICE = {"characteristics": "specs", "options": "options", "rules": "rules"}
TYPES = (
    ("text", _("text")),
    ("integer", _("whole number")),
    ("decimal", _("number")),
    ("boolean", _("yes or no")),
    ("choice", _("choice")),
)
_PLACE = re.compile(r"(\w+)(?:\[(\d+)\])?(?:\.(\w+))?")
_WHOLE = re.compile(r"-?\d{1,18}")


class ProductForm(forms.Form):
    """What is the same for every version of a product."""

    code = forms.SlugField(
        label=_("Code"), max_length=60, help_text=_("Short, without blanks; it stays for ever.")
    )
    name = forms.CharField(label=_("Name"), max_length=200)
    family = forms.SlugField(
        label=_("Family"), required=False, help_text=_("Where it stands in the catalog.")
    )
    unit = forms.CharField(
        label=_("Sold by the"), max_length=30, initial="piece", help_text=_("piece, seat, metre…")
    )
    quantity_places = forms.IntegerField(
        label=_("Decimals of a quantity"), min_value=0, max_value=6, initial=0
    )


class RetireForm(forms.Form):
    """The end of a product, and what takes its place."""

    successor = forms.ModelChoiceField(
        label=_("Successor"),
        queryset=Product.objects.none(),
        required=False,
        empty_label=_("none"),
        help_text=_("Old order forms are answered with it."),
    )

    def __init__(self, *args: Any, product: Product, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        on_sale = Product.objects.filter(versions__state=Lifecycle.PUBLISHED).distinct()
        others = on_sale.exclude(pk=product.pk).order_by("name", "code")
        self.fields["successor"].queryset = others  # type: ignore[attr-defined]


@dataclass
class VersionEditor:
    """The draft of a version as text fields: its words, and rows that come and go."""

    description: str = ""
    segments: str = ""
    countries: str = ""
    rows: dict[str, list[dict[str, str]]] = field(
        default_factory=lambda: {name: [] for name in ROWS}
    )
    faults: dict[str, str] = field(default_factory=dict)
    general: list[str] = field(default_factory=list)
    fresh: str = ""

    @classmethod
    def of(cls, version: ProductVersion) -> "VersionEditor":
        said = version.eligibility
        options = [
            {
                "component": option.component.code,
                "group": option.group,
                **{n: _text(getattr(option, n)) for n in ("minimum", "maximum", "default")},
            }
            for option in version.options.all()
        ]
        rules = [{"kind": rule.kind, "other": rule.other.code} for rule in version.rules.all()]
        return cls(
            description=version.description,
            segments=", ".join(said.get("segments") or []),
            countries=", ".join(said.get("countries") or []),
            rows={
                "specs": [_spec_row(spec) for spec in version.characteristics],
                "options": options,
                "rules": rules,
            },
        )

    @classmethod
    def read(cls, post: Mapping[str, str]) -> "VersionEditor":
        """What was sent; as many rows as it says, within reason."""
        editor = cls(
            description=post.get("description", ""),
            segments=post.get("segments", ""),
            countries=post.get("countries", ""),
        )
        for kind, columns in ROWS.items():
            told = post.get(kind, "")[:6]
            count = min(int(told), MOST_ROWS) if told.isascii() and told.isdigit() else 0
            editor.rows[kind] = [
                {name: post.get(f"{kind}-{i}-{name}", "").strip() for name in columns}
                for i in range(count)
            ]
        return editor

    def rearrange(self, deed: str) -> None:
        """ "add-specs" and "remove-specs-2"; anything else changes nothing."""
        verb, _dash, rest = deed.partition("-")
        kind, _dash, which = rest.partition("-")
        if kind not in ROWS:
            return
        rows = self.rows[kind]
        if verb == "add" and len(rows) < MOST_ROWS:
            rows.append({"type": "text", "kind": "requires"})
            self.fresh = f"{kind}-{len(rows) - 1}"
        elif verb == "remove" and which.isdigit() and int(which) < len(rows):
            del rows[int(which)]

    def told(self) -> dict[str, Any]:
        """What was said, as the service takes it; rows that say nothing are left out."""
        self.rows = {
            kind: [row for row in rows if _says_something(row)] for kind, rows in self.rows.items()
        }
        eligibility = {"segments": _words(self.segments), "countries": _words(self.countries)}
        return {
            "description": self.description.replace("\r\n", "\n").strip(),
            "characteristics": [_spec(row) for row in self.rows["specs"]],
            "options": [dict(row) for row in self.rows["options"]],
            "rules": [dict(row) for row in self.rows["rules"]],
            "eligibility": {name: codes for name, codes in eligibility.items() if codes},
        }

    def blame(self, refusal: Refused) -> None:
        """Put each fault beside its field; what belongs to none stands above the form."""
        for each in getattr(refusal, "faults", ()) or [refusal]:
            place = self._place(each.field or "")
            if place:
                self.faults.setdefault(place, each.message)
            else:
                self.general.append(each.message)

    def _place(self, path: str) -> str:
        found = _PLACE.match(path)
        if not found:
            return ""
        part, index, column = found.groups()
        if part == "description":
            return part
        if part == "eligibility":
            return column if column in {"segments", "countries"} else ""
        kind = _SERVICE.get(part, "")
        if not kind or index is None or int(index) >= len(self.rows[kind]):
            return ""
        column = column if column in ROWS[kind] else ROWS[kind][0]
        return f"{kind}-{index}-{column}"

    # what the template shows

    def shown(self, kind: str) -> list[dict[str, Any]]:
        """Rows with each field's id, value and fault."""
        return [
            {
                "index": i,
                "fresh": self.fresh == f"{kind}-{i}",
                **{
                    name: {
                        "id": (place := f"{kind}-{i}-{name}"),
                        "value": row.get(name, ""),
                        "fault": self.faults.get(place, ""),
                    }
                    for name in ROWS[kind]
                },
            }
            for i, row in enumerate(self.rows[kind])
        ]

    @property
    def specs(self) -> list[dict[str, Any]]:
        return self.shown("specs")

    @property
    def options(self) -> list[dict[str, Any]]:
        return self.shown("options")

    @property
    def rules(self) -> list[dict[str, Any]]:
        return self.shown("rules")


def _says_something(row: Mapping[str, str]) -> bool:
    return any(value for name, value in row.items() if name not in {"type", "kind", "required"})


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def _words(text: str) -> list[str]:
    return [word for each in text.split(",") if (word := each.strip())]


def _spec_row(spec: Mapping[str, Any]) -> dict[str, str]:
    row = {name: _text(spec.get(name)) for name in SPEC}
    default = spec.get("default")
    return row | {
        "type": spec.get("type") or "text",
        "choices": ", ".join(map(str, spec.get("choices") or [])),
        "required": "1" if spec.get("required") else "",
        "default": str(default).lower() if isinstance(default, bool) else _text(default),
    }


def _spec(row: Mapping[str, str]) -> dict[str, Any]:
    """One characteristic as it is stored: only what says something, numbers as numbers."""
    kind = row.get("type", "text")
    spec: dict[str, Any] = {"name": row["name"], "type": kind}
    for name in ("label", "unit"):
        if row.get(name):
            spec[name] = row[name]
    for name in ("minimum", "maximum"):
        if row.get(name):
            spec[name] = _number(kind, row[name])
    if row.get("choices"):
        spec["choices"] = _words(row["choices"])
    if row.get("required"):
        spec["required"] = True
    if row.get("default"):
        spec["default"] = _default(kind, row["default"])
    return spec


def _number(kind: str, text: str) -> Any:
    return int(text) if kind == "integer" and _WHOLE.fullmatch(text) else text


def _default(kind: str, text: str) -> Any:
    if kind == "boolean":
        return {"true": True, "yes": True, "false": False, "no": False}.get(text.lower(), text)
    return _number(kind, text)
