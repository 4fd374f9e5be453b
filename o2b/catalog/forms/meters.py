"""The forms of a meter: a new one, the end of a version, and the draft of one with its rows."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from o2b.catalog.models import MeterVersion
from o2b.catalog.models.meters import AGGREGATIONS
from o2b.catalog.rules.meters import LONGEST_CHOICE, MOST_CHOICES, MOST_DECIMALS, MOST_DIMENSIONS
from o2b.charging import Aggregation
from o2b.charging.terms import plain
from o2b.errors import Refused
from o2b.web.forms import AmountField, DayField

DIMENSION = ("name", "choices", "digits", "required")
LONGEST_CELL = MOST_CHOICES * (LONGEST_CHOICE + 2)
_PLACE = re.compile(r"dimensions\[(\d+)\](?:\.(\w+))?")


class MeterForm(forms.Form):
    """What is the same for every version of a meter."""

    code = forms.SlugField(
        label=_("Code"),
        max_length=40,
        help_text=_("What events and prices name it by; it stays for ever."),
    )
    name = forms.CharField(label=_("Name"), max_length=200)
    unit = forms.CharField(
        label=_("Unit"), max_length=30, help_text=_("second, gigabyte, request…; stays for ever.")
    )
    aggregation = forms.ChoiceField(
        label=_("A period’s quantity is"),
        choices=[(each.value, words) for each, words in AGGREGATIONS.items()],
        initial=Aggregation.SUM.value,
        help_text=_("How events add up; it stays for ever."),
    )


class RetireMeterForm(forms.Form):
    """The first day whose events a version does not judge any more."""

    on = DayField(label=_("From the day on"))


class MeasureForm(forms.Form):
    """What a draft says of the value of an event, and from when."""

    starts_on = DayField(label=_("Counts from"), help_text=_("The day of the event."))
    decimals = forms.IntegerField(
        label=_("Decimals of a value"), min_value=0, max_value=MOST_DECIMALS
    )
    least = AmountField(label=_("Lowest value"), max_digits=27, decimal_places=MOST_DECIMALS)
    most = AmountField(label=_("Highest value"), max_digits=27, decimal_places=MOST_DECIMALS)
    timed = forms.BooleanField(
        label=_("Prices hang on the time of the day"),
        required=False,
        help_text=_("Only where each event counts by itself."),
    )


@dataclass
class MeterEditor:
    """The draft of a version: its form, and dimensions as rows that come and go."""

    form: MeasureForm
    rows: list[dict[str, str]] = field(default_factory=list)
    faults: dict[str, str] = field(default_factory=dict)
    general: list[str] = field(default_factory=list)
    fresh: int = -1

    @classmethod
    def of(cls, version: MeterVersion) -> "MeterEditor":
        said = {
            "starts_on": version.starts_on,
            "decimals": version.decimals,
            "least": plain(version.least),
            "most": plain(version.most),
            "timed": version.timed,
        }
        return cls(MeasureForm(initial=said), [_row_of(each) for each in version.dimensions])

    @classmethod
    def read(cls, post: Mapping[str, str]) -> "MeterEditor":
        """What was sent; as many rows as it says, within reason."""
        told = post.get("dimensions", "")
        count = min(int(told), MOST_DIMENSIONS) if re.fullmatch(r"[0-9]{1,3}", told) else 0
        rows = [
            {name: post.get(f"dimensions-{n}-{name}", "").strip() for name in DIMENSION}
            for n in range(count)
        ]
        return cls(MeasureForm(post), rows)

    def rearrange(self, deed: str) -> None:
        """ "add" and "remove-2"; anything else changes nothing. What was typed stays."""
        verb, _dash, which = deed.partition("-")
        if verb == "add" and len(self.rows) < MOST_DIMENSIONS:
            self.fresh = len(self.rows)
            self.rows.append({})
        elif verb == "remove" and re.fullmatch(r"[0-9]{1,3}", which):
            del self.rows[int(which) : int(which) + 1]
        self.form = MeasureForm(initial=dict(self.form.data.items()))

    def told(self) -> dict[str, Any]:
        """What was said, as the service takes it; rows that say nothing are left out."""
        self.rows = [row for row in self.rows if row.get("name") or row.get("choices")]
        said: dict[str, Any] = dict(self.form.cleaned_data)
        for name in ("least", "most"):
            said[name] = Decimal(said[name])
        return said | {"dimensions": [_dimension(row) for row in self.rows]}

    def blame(self, refusal: Refused) -> None:
        """Put each fault beside its field; what belongs to none stands above the form."""
        for each in getattr(refusal, "faults", ()) or [refusal]:
            place = _PLACE.fullmatch(each.field or "")
            if place and int(place[1]) < len(self.rows):
                name = place[2] if place[2] in DIMENSION else "name"
                self.faults.setdefault(f"dimensions-{place[1]}-{name}", each.message)
            elif each.field in self.form.fields:
                self.form.add_error(each.field, each.message)
            else:
                self.general.append(each.message)

    @property
    def wrong(self) -> bool:
        return bool(self.faults or self.general or self.form.errors)

    @property
    def dimensions(self) -> list[dict[str, Any]]:
        """Rows with each field's id, value and fault."""
        return [
            {
                "index": n,
                "fresh": n == self.fresh,
                **{
                    name: {
                        "id": (place := f"dimensions-{n}-{name}"),
                        "value": row.get(name, ""),
                        "fault": self.faults.get(place, ""),
                    }
                    for name in DIMENSION
                },
            }
            for n, row in enumerate(self.rows)
        ]


def _row_of(said: Mapping[str, Any]) -> dict[str, str]:
    return {
        "name": said["name"],
        "choices": "; ".join(said.get("choices") or ()),
        "digits": str(said.get("digits") or ""),
        "required": "1" if said.get("required") else "",
    }


def _dimension(row: Mapping[str, str]) -> dict[str, Any]:
    choices = [each for text in row["choices"][:LONGEST_CELL].split(";") if (each := text.strip())]
    said = {"name": row["name"], "required": bool(row["required"]), "choices": choices}
    if row["digits"]:
        # What is no number of digits is refused as such.
        fits = re.fullmatch(r"[0-9]{1,3}", row["digits"], re.ASCII)
        said["digits"] = int(row["digits"]) if fits else -1
    return said
