"""What is asked of a file of usage: the file, and how its columns are read."""

from collections.abc import Iterable, Sequence
from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.utils.translation import gettext_lazy as _

from subscriptions.models import FileShape
from subscriptions.usage.files.rules.mapping import WHOLE_ROW, Mapping, amiss
from subscriptions.usage.files.rules.moments import FORMATS
from subscriptions.usage.files.sheet import LATIN1, UTF8
from subscriptions.usage.files.words import say_amiss

DIMENSION = "dimension_"
ZONES = "time-zones"
FORMAT_NAMES = {
    "iso": _("year first: %(like)s"),
    "dots": _("day first, dots: %(like)s"),
    "day_first": _("day first: %(like)s"),
    "month_first": _("month first: %(like)s"),
    "epoch": _("seconds since 1970: %(like)s"),
    "epoch_ms": _("milliseconds since 1970: %(like)s"),
}


class FileForm(forms.Form):
    """A file to be looked at."""

    file = forms.FileField(
        label=_("File"),
        help_text=_("At most 100 MB and a million rows. Nothing is counted before you say so."),
        widget=forms.ClearableFileInput(attrs={"accept": ".csv,.txt,.tsv"}),
    )
    shape = forms.ChoiceField(
        label=_("What it is"),
        required=False,
        choices=[("", _("find out by its first rows")), *FileShape.choices],
    )
    encoding = forms.ChoiceField(
        label=_("Encoding"),
        required=False,
        choices=[(UTF8, _("UTF-8")), (LATIN1, _("Latin-1 (Western Europe, old)"))],
        help_text=_("Latin-1 if the file is refused as no UTF-8."),
    )


class MappingForm(forms.Form):
    """Which column each field of an event comes from."""

    source = forms.CharField(
        label=_("Source"),
        max_length=200,
        help_text=_("Who tells it. An id is counted once a source: keep it for all its files."),
    )
    id = forms.ChoiceField(label=_("Id"), help_text=_("What tells one event from all others."))
    subject = forms.ChoiceField(
        label=_("Subject"),
        help_text=_("Whose it is: a number, a serial, a key, a text of the service."),
    )
    time = forms.ChoiceField(label=_("Time"))
    time_format = forms.ChoiceField(
        label=_("Times look like"),
        choices=[(name, FORMAT_NAMES[name] % {"like": like}) for name, like in FORMATS.items()],
    )
    time_zone = forms.CharField(
        label=_("Time zone"),
        required=False,
        max_length=60,
        widget=forms.TextInput({"list": ZONES, "autocomplete": "off"}),
        help_text=_("Of times that say none, like Europe/Berlin."),
    )
    value = forms.ChoiceField(label=_("Value"), required=False)
    decimal = forms.ChoiceField(
        label=_("Decimal sign"),
        choices=[(".", _("point: 1.5")), (",", _("comma: 1,5"))],
    )
    unit = forms.CharField(
        label=_("Unit"),
        required=False,
        max_length=40,
        help_text=_("Checked against the meter's."),
    )
    meter = forms.ChoiceField(label=_("Meter"), required=False)
    meter_column = forms.ChoiceField(label=_("Column of meters"), required=False)
    account = forms.ChoiceField(
        label=_("Account"),
        required=False,
        help_text=_("Its reference: a row whose subject is of another account is rejected."),
    )
    replaces = forms.ChoiceField(
        label=_("Replaces"),
        required=False,
        help_text=_("The id of an event of the source in whose place the row counts."),
    )
    retracts = forms.ChoiceField(
        label=_("Takes back"),
        required=False,
        help_text=_("The id of an event of the source that counts no more."),
    )
    only = forms.ChoiceField(label=_("Only rows where"), required=False)
    only_values = forms.CharField(
        label=_("is one of"),
        required=False,
        max_length=300,
        help_text=_("With commas between them: ANSWERED."),
    )
    skip_zero = forms.BooleanField(label=_("Skip rows whose value is 0"), required=False)
    keep = forms.MultipleChoiceField(
        label=_("Also keep with the event"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    keep_as = forms.CharField(
        label=_("Keep this mapping as"),
        required=False,
        max_length=60,
        help_text=_("A name to choose it by for the next file, here and by REST."),
    )

    def __init__(
        self,
        *args: Any,
        columns: Sequence[str],
        meters: Iterable[str],
        dimensions: Sequence[str],
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.columns, self.dimension_names = columns, dimensions
        named = [(name, name) for name in columns]
        none: list[Any] = [("", _("no column"))]
        for field in ("subject", "time"):
            self._choose(field, [("", _("choose a column")), *named])
        self._choose("id", [*named, (WHOLE_ROW, _("the whole row: equal rows are one event"))])
        self._choose("value", [("", _("no column: every row counts one")), *named])
        self._choose("meter", [("", _("from a column")), *((code, code) for code in meters)])
        for field in ("meter_column", "account", "replaces", "retracts"):
            self._choose(field, none + named)
        self._choose("only", [("", _("all rows")), *named])
        self._choose("keep", named)
        for number, name in enumerate(dimensions):
            self.fields[f"{DIMENSION}{number}"] = forms.ChoiceField(
                label=name, required=False, choices=none + named
            )

    def _choose(self, field: str, choices: Any) -> None:
        self.fields[field].choices = choices  # type: ignore[attr-defined]

    @property
    def of_dimensions(self) -> list[forms.BoundField]:
        """The fields of dimensions."""
        return [self[name] for name in self.fields if name.startswith(DIMENSION)]

    def clean(self) -> dict[str, Any]:
        """What the rules find amiss stands beside its field."""
        found = super().clean() or {}
        for each in amiss(self.mapping(), self.columns):
            field = each.field if each.field in self.fields else None
            if field not in self.errors:
                self.add_error(field, say_amiss(each))
        return found

    def mapping(self) -> Mapping:
        """What was said, as the rules take it."""
        said = self.cleaned_data
        of = {
            name: column
            for number, name in enumerate(self.dimension_names)
            if (column := said.get(f"{DIMENSION}{number}"))
        }
        kept = {name: name for name in said.get("keep") or () if name not in of}
        values = tuple(v.strip() for v in said.get("only_values", "").split(",") if v.strip())
        plain = ("source", "id", "subject", "time", "time_format", "time_zone", "value", "decimal")
        more = ("unit", "meter", "meter_column", "account", "replaces", "retracts")
        rows = ("only", "skip_zero")
        return Mapping(
            **{name: said[name] for name in (*plain, *more, *rows) if name in said},
            only_values=values,
            properties=of | kept,
        )


def initial_of(mapping: Mapping, dimensions: Sequence[str]) -> dict[str, Any]:
    """A mapping as the form shows it."""
    said: dict[str, Any] = {
        name: getattr(mapping, name)
        for name in Mapping.__struct_fields__
        if name not in ("only_values", "properties")
    }
    said["only_values"] = ", ".join(mapping.only_values)
    for number, name in enumerate(dimensions):
        said[f"{DIMENSION}{number}"] = mapping.properties.get(name, "")
    said["keep"] = [c for name, c in mapping.properties.items() if name not in dimensions]
    return said


def zones() -> list[str]:
    """Time zones by the names that people know."""
    return sorted(z for z in available_timezones() if "/" in z and not z.startswith("Etc/"))
