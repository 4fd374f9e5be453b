"""A mapping: which column each field of an event comes from, and which rows count."""

from collections.abc import Mapping as Dict
from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from subscriptions.usage.files.rules.moments import FORMATS, ISO, form_of, has_offset, zone_of
from subscriptions.usage.files.rules.shapes import ASTERISK, FREESWITCH, Layout

WHOLE_ROW = "*"  # as id: the same row is the same event
COLUMNS = ("id", "subject", "time", "value", "account", "replaces", "retracts")
MOST_TEXT = 200


class Mapping(msgspec.Struct, omit_defaults=True):
    """How the rows of a file become events; every field but `source`, `meter` … names a column.

    `id` may be WHOLE_ROW. `meter` is a code, `meter_column` the column of codes; one of the two.
    `value` empty: every row counts one. A row with something in `retracts` takes that event back:
    its subject, time and value may be empty. `only`: the row counts where that column holds one of
    `only_values` (case aside); `skip_zero`: not where the value is 0. `properties` and dimensions:
    name → column.
    """

    source: str = ""
    id: str = ""
    subject: str = ""
    time: str = ""
    time_format: str = ISO
    time_zone: str = ""
    value: str = ""
    decimal: str = "."
    unit: str = ""
    meter: str = ""
    meter_column: str = ""
    account: str = ""
    replaces: str = ""
    retracts: str = ""
    only: str = ""
    only_values: tuple[str, ...] = ()
    skip_zero: bool = False
    properties: dict[str, str] = {}


class Amiss(NamedTuple):
    """What a mapping lacks, by the field that it is about; `words.say_amiss` makes a sentence."""

    field: str
    code: str
    value: str = ""


def read_mapping(told: object) -> Mapping:
    """A mapping as it is kept (JSON); msgspec.ValidationError where it is none."""
    return msgspec.convert(told, Mapping)


def kept_mapping(mapping: Mapping) -> dict[str, object]:
    """The mapping as JSON."""
    found: dict[str, object] = msgspec.to_builtins(mapping)
    return found


def amiss(mapping: Mapping, columns: Sequence[str]) -> list[Amiss]:
    """All that is wrong with a mapping of a file with these columns."""
    found = [Amiss(name, "required") for name in ("source", "id", "subject", "time")]
    found = [each for each in found if not getattr(mapping, each.field)]
    if not mapping.meter and not mapping.meter_column:
        found.append(Amiss("meter", "required"))
    if mapping.meter and mapping.meter_column:
        found.append(Amiss("meter_column", "meter_twice"))
    if len(mapping.source) > MOST_TEXT or not mapping.source.isprintable():
        found.append(Amiss("source", "no_source"))
    if mapping.time_format not in FORMATS:
        found.append(Amiss("time_format", "unknown", mapping.time_format))
    if mapping.time_zone and zone_of(mapping.time_zone) is None:
        found.append(Amiss("time_zone", "no_such_zone", mapping.time_zone))
    if mapping.decimal not in (".", ","):
        found.append(Amiss("decimal", "unknown", mapping.decimal))
    if mapping.only and not mapping.only_values:
        found.append(Amiss("only_values", "required"))
    found += _not_there(mapping, set(columns))
    return found


def _not_there(mapping: Mapping, columns: set[str]) -> list[Amiss]:
    named = [(field, getattr(mapping, field)) for field in (*COLUMNS, "meter_column", "only")]
    named += [("properties", column) for column in mapping.properties.values()]
    return [
        Amiss(field, "no_column", column)
        for field, column in named
        if column and column != WHOLE_ROW and column not in columns
    ]


def suggest(layout: Layout, rows: Sequence[Dict[str, str]], dimensions: Sequence[str]) -> Mapping:
    """What the columns of a file most likely mean; a person looks at it before anything is taken.

    `rows` are the first ones by column, `dimensions` the names that meters know.
    """
    if layout.shape == ASTERISK:
        return _of_asterisk(layout, rows)
    if layout.shape == FREESWITCH:
        return _of_freeswitch(rows)
    return _of_header(layout, rows, dimensions)


def _of_asterisk(layout: Layout, rows: Sequence[Dict[str, str]]) -> Mapping:
    answered = any(row["disposition"].strip().upper() == "ANSWERED" for row in rows)
    ours = answered or all(" " in r["disposition"] or "_" not in r["disposition"] for r in rows)
    return Mapping(
        source=ASTERISK,
        id="uniqueid" if "uniqueid" in layout.columns else WHOLE_ROW,
        subject="accountcode" if _filled(rows, "accountcode") else "src",
        time="answer",
        value="billsec",
        unit="s",
        # FreeSWITCH can write this shape too: then the disposition is a cause of hanging up.
        only="disposition" if ours else "",
        only_values=("ANSWERED",) if ours else (),
        skip_zero=not ours,
        properties={"dst": "dst"},
    )


def _of_freeswitch(rows: Sequence[Dict[str, str]]) -> Mapping:
    return Mapping(
        source=FREESWITCH,
        id="uuid",
        subject="accountcode" if _filled(rows, "accountcode") else "caller_id_number",
        time="answer_stamp",
        value="billsec",
        unit="s",
        skip_zero=True,
        properties={"destination_number": "destination_number"},
    )


# What people call the columns of usage, the likeliest first.
_WORDS = {
    "id": ("id", "event_id", "event", "uuid", "uniqueid", "call_id", "callid", "key", "cdr_id"),
    "subject": (
        *("subject", "service", "subscription", "number", "accountcode", "caller"),
        *("caller_id_number", "src", "from", "serial", "msisdn"),
    ),
    "time": (
        *("time", "timestamp", "answer", "answer_stamp", "answered_at", "start", "start_stamp"),
        *("started_at", "datetime", "date", "at"),
    ),
    "value": (
        *("value", "billsec", "billable_seconds", "seconds", "duration", "quantity", "amount"),
        *("units", "usage", "volume", "bytes"),
    ),
    "meter_column": ("meter", "type"),
    "account": ("account",),
    "replaces": ("replaces",),
    "retracts": ("retracts",),
    "only": ("disposition",),
}


def _of_header(
    layout: Layout, rows: Sequence[Dict[str, str]], dimensions: Sequence[str]
) -> Mapping:
    by_word = {name.lower().replace(" ", "_"): name for name in reversed(layout.columns)}
    found = {
        field: next((by_word[word] for word in words if word in by_word), "")
        for field, words in _WORDS.items()
    }
    times = [row[found["time"]] for row in rows if found["time"]]
    values = [row[found["value"]] for row in rows if found["value"]]
    calls = found["only"]
    return Mapping(
        source="file",
        id=found["id"] or WHOLE_ROW,
        subject=found["subject"],
        time=found["time"],
        time_format=_form_of_all(times),
        time_zone="UTC" if times and all(map(has_offset, times)) else "",
        value=found["value"],
        decimal="," if any("," in value for value in values) else ".",
        unit="s" if found["value"].lower() in ("billsec", "seconds", "billable_seconds") else "",
        meter_column=found["meter_column"],
        account=found["account"],
        replaces=found["replaces"],
        retracts=found["retracts"],
        only=calls,
        only_values=("ANSWERED",) if calls else (),
        properties={name: by_word[name] for name in dimensions if name in by_word},
    )


def _form_of_all(times: Sequence[str]) -> str:
    """How all of the moments are written; one of the 13th tells day and month apart."""
    forms = {form_of(text) for text in times if text.strip()}
    if not forms:
        return ISO
    return "month_first" if "month_first" in forms else sorted(forms)[0]


def _filled(rows: Sequence[Dict[str, str]], column: str) -> bool:
    return bool(rows) and all(row.get(column, "").strip() for row in rows)
