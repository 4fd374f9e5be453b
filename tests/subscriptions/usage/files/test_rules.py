"""Shapes, mappings, times and rows, without a database."""

from decimal import Decimal

import pytest

from subscriptions.usage.files.rules.mapping import WHOLE_ROW, Amiss, Mapping, amiss, suggest
from subscriptions.usage.files.rules.moments import Unread, moment_in, number_in
from subscriptions.usage.files.rules.reading import Reader, Skipped, Wrong
from subscriptions.usage.files.rules.shapes import delimiter_of, layout_of
from subscriptions.usage.rules.told import Told
from tests.subscriptions.usage.files.build import a_mapping, uuid

STAMP = "2026-02-09 14:00:00"
CALL = ["acc", "1", "2", "out", "x", "c", "d", "Dial", "t", STAMP, STAMP, STAMP]
CALL += ["65", "61", "ANSWERED", "DOCUMENTATION"]
SWITCH = ["Ann", "1", "2", "default", STAMP, STAMP, STAMP, "65", "61", "NORMAL_CLEARING", uuid(1)]
SWITCH += ["", "acc"]


@pytest.mark.parametrize(
    ("row", "shape", "last"),
    [
        (CALL, "asterisk", "amaflags"),
        ([*CALL, "1770645600.1"], "asterisk", "uniqueid"),
        ([*CALL, "pbx-1770645600.1"], "asterisk", "uniqueid"),
        ([*CALL, "note"], "asterisk", "userfield"),
        ([*CALL, "1770645600.1", ""], "asterisk", "userfield"),
        ([*CALL, "1770645600.1", "", "", "1770645600.1", "7"], "asterisk", "sequence"),
        ([*CALL[:14], "NORMAL_CLEARING", "3", uuid(1), ""], "asterisk", "userfield"),
        (SWITCH, "freeswitch", "accountcode"),
        ([*SWITCH, "PCMA", "PCMA"], "freeswitch", "write_codec"),
        ([*SWITCH, "PCMA", "PCMA", "ua", "stat"], "freeswitch", "sip_p_rtp_stat"),
        ([*SWITCH, "PCMA", "PCMA", "ua"], "freeswitch", "column 16"),
        (["id", "subject", "time", "value"], "plain", "value"),
    ],
)
def test_shape_by_the_first_row(row: list[str], shape: str, last: str) -> None:
    layout = layout_of([row])
    assert (layout.shape, layout.columns[-1]) == (shape, last)
    assert len(layout.columns) == len(row)


@pytest.mark.parametrize(
    ("line", "delimiter"), [("a,b;c", ","), ("a;b;c,d", ";"), ("a\tb", "\t"), ("a|b|c", "|")]
)
def test_delimiter(line: str, delimiter: str) -> None:
    assert delimiter_of(["", line]) == delimiter


@pytest.mark.parametrize(
    ("text", "form", "zone", "found"),
    [
        ("2026-02-09 14:03:22", "iso", "Europe/Berlin", "2026-02-09T13:03:22+00:00"),
        ("2026-07-09 14:03:22.5", "iso", "Europe/Berlin", "2026-07-09T12:03:22.500000+00:00"),
        ("2026-02-09T14:03:22+05:00", "iso", "", "2026-02-09T09:03:22+00:00"),
        ("2026-02-09T14:03:22Z", "iso", "Europe/Berlin", "2026-02-09T14:03:22+00:00"),
        ("09.02.2026 14:03", "dots", "UTC", "2026-02-09T14:03:00+00:00"),
        ("09/02/2026 14:03:22", "day_first", "UTC", "2026-02-09T14:03:22+00:00"),
        ("09/02/2026 14:03:22", "month_first", "UTC", "2026-09-02T14:03:22+00:00"),
        ("1770645802", "epoch", "", "2026-02-09T14:03:22+00:00"),
        ("1770645802.25", "epoch", "", "2026-02-09T14:03:22.250000+00:00"),
        ("1770645802000", "epoch_ms", "", "2026-02-09T14:03:22+00:00"),
        # the hour that comes twice is the first one
        ("2026-10-25 02:30:00", "iso", "Europe/Berlin", "2026-10-25T00:30:00+00:00"),
    ],
)
def test_moments(text: str, form: str, zone: str, found: str) -> None:
    assert moment_in(text, form, zone).isoformat() == found


@pytest.mark.parametrize(
    ("text", "form", "zone", "code"),
    [
        ("", "iso", "UTC", "empty"),
        ("2026-02-09 14:03:22", "iso", "", "no_zone"),
        ("2026-02-09 14:03:22", "iso", "Nowhere/At_all", "no_zone"),
        ("2026-03-29 02:30:00", "iso", "Europe/Berlin", "skipped_hour"),
        ("2026-02-30 14:03:22", "iso", "UTC", "no_time"),
        ("0001-01-01 00:00:00", "iso", "Asia/Tokyo", "no_time"),
        ("31/13/2026 14:03", "day_first", "UTC", "no_time"),
        ("99999999999", "epoch", "", "2"),
        ("999999999999", "epoch", "", "no_time"),
        ("soon", "epoch_ms", "", "no_time"),
        ("٣", "epoch", "", "no_time"),
    ],
)
def test_moments_that_are_none(text: str, form: str, zone: str, code: str) -> None:
    if code == "2":
        assert moment_in(text, form, zone).year == 5138
        return
    with pytest.raises(Unread) as caught:
        moment_in(text, form, zone)
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("text", "sign", "found"),
    [("61", ".", "61"), (" 1.50 ", ".", "1.50"), ("1,5", ",", "1.5"), ("-3", ".", "-3")],
)
def test_numbers(text: str, sign: str, found: str) -> None:
    assert number_in(text, sign) == Decimal(found)


@pytest.mark.parametrize(
    ("text", "sign"),
    [
        *(("1,5", "."), ("1.5", ","), ("1,234.5", "."), ("1e3", "."), ("NaN", "."), ("", ".")),
        *(("٣", "."), ("00:01:01", "."), ("1" * 19, "."), ("--1", ".")),
    ],
)
def test_numbers_that_read_two_ways_or_none(text: str, sign: str) -> None:
    with pytest.raises(Unread):
        number_in(text, sign)


def test_a_mapping_is_suggested_for_each_shape() -> None:
    layout = layout_of([[*CALL, "1770645600.1"]])
    rows = [dict(zip(layout.columns, [*CALL, "1770645600.1"], strict=True))]
    found = suggest(layout, rows, [])
    assert (found.id, found.subject, found.time, found.value) == (
        *("uniqueid", "accountcode", "answer", "billsec"),
    )
    assert (found.only, found.only_values, found.skip_zero) == ("disposition", ("ANSWERED",), False)
    layout = layout_of([CALL])
    assert suggest(layout, [dict(zip(layout.columns, CALL, strict=True))], []).id == WHOLE_ROW
    layout = layout_of([SWITCH])
    nameless = dict(zip(layout.columns, SWITCH, strict=True)) | {"accountcode": ""}
    found = suggest(layout, [nameless], [])
    assert (found.id, found.subject, found.skip_zero) == ("uuid", "caller_id_number", True)
    layout = layout_of([["Call ID", "Number", "Started at", "Billsec", "Zone"]])
    told = {"Call ID": "1", "Number": "2", "Started at": "09.02.2026 14:00", "Zone": "m"}
    found = suggest(layout, [told | {"Billsec": "1,5"}], ["zone"])
    assert found == Mapping(
        source="file",
        id="Call ID",
        subject="Number",
        time="Started at",
        time_format="dots",
        value="Billsec",
        decimal=",",
        unit="s",
        properties={"zone": "Zone"},
    )


def test_what_freeswitch_writes_in_the_shape_of_asterisk_counts_by_its_seconds() -> None:
    row = [*CALL[:14], "NORMAL_CLEARING", "3", uuid(1), ""]
    layout = layout_of([row])
    found = suggest(layout, [dict(zip(layout.columns, row, strict=True))], [])
    assert (found.only, found.skip_zero) == ("", True)


def test_what_a_mapping_lacks() -> None:
    columns = ["id", "subject", "time", "seconds"]
    assert amiss(a_mapping(), columns) == []
    assert {each.field for each in amiss(Mapping(), columns)} == {
        *("source", "id", "subject", "time", "meter"),
    }
    wrong = a_mapping(value="minutes", meter_column="kind", time_zone="Mars", only="id")
    assert [(each.field, each.code) for each in amiss(wrong, columns)] == [
        ("meter_column", "meter_twice"),
        ("time_zone", "no_such_zone"),
        ("only_values", "required"),
        ("value", "no_column"),
        ("meter_column", "no_column"),
    ]


COLUMNS = ("id", "subject", "time", "seconds", "state")
GOOD = ("c1", "S-1", STAMP, "61", "ANSWERED")


def read(*cells: str, **given: object) -> Told | Skipped | Wrong:
    return Reader(a_mapping(**given), COLUMNS)(cells)


def test_a_row_becomes_an_event() -> None:
    found = read(*GOOD, unit="s", properties={"state": "state", "zone": "state"})
    assert isinstance(found, Told)
    assert (found.id, found.source, found.subject, found.meter) == ("c1", "file", "S-1", "calls")
    assert (found.value, found.unit) == (Decimal(61), "s")
    assert found.properties == {"state": "ANSWERED", "zone": "ANSWERED"}


@pytest.mark.parametrize(
    ("cells", "given", "found"),
    [
        (GOOD[:3], {}, Wrong("", "", "", "wrong_width", "3")),
        (("c1", "", *GOOD[2:]), {}, Wrong("c1", "subject", "subject", "empty")),
        (("", *GOOD[1:]), {}, Wrong("", "id", "id", "empty")),
        (("c1", "S-1", STAMP, "x", ""), {}, Wrong("c1", "value", "seconds", "no_number", "x")),
        (("c1", "S-1", "now", "1", ""), {}, Wrong("c1", "time", "time", "no_time", "now")),
        (
            ("c1", "S-1", STAMP, "1", ""),
            {"meter": "", "meter_column": "state"},
            Wrong("c1", "meter", "state", "empty"),
        ),
        (
            ("c1", "S-1", "", "", "BUSY"),
            {"only": "state", "only_values": ("answered",)},
            Skipped("c1", "not_counted", "state", "BUSY"),
        ),
        (("c1", "S-1", "", "0", ""), {"skip_zero": True}, Skipped("c1", "zero", "seconds", "0")),
    ],
)
def test_rows_that_become_none(
    cells: tuple[str, ...], given: dict[str, object], found: Skipped | Wrong
) -> None:
    assert read(*cells, **given) == found


def test_without_an_id_the_row_is_its_own() -> None:
    first, second = read(*GOOD, id=WHOLE_ROW), read(*GOOD[:4], "other", id=WHOLE_ROW)
    assert isinstance(first, Told)
    assert isinstance(second, Told)
    assert first.id == read(*GOOD, id=WHOLE_ROW).id
    assert first.id != second.id
    assert len(first.id) == 40


def test_a_row_may_say_the_account_and_correct_another() -> None:
    columns = ["id", "subject", "time", "seconds", "account", "replaces", "retracts"]
    named = {name: name for name in ("account", "replaces", "retracts")}
    reader = Reader(a_mapping(**named, time_format="dots", skip_zero=True), columns)
    at = "09.02.2026 14:00:04"
    better = reader(["b", "S-1", at, "61", "A-1", "a", ""])
    assert isinstance(better, Told)
    assert (better.account, better.replaces, better.retracts) == ("A-1", "a", "")
    for seconds, when in (("0", at), ("", "")):
        gone = reader(["c", "", when, seconds, "A-1", "", "b"])
        assert gone == Told("c", "file", account="A-1", retracts="b")
    assert amiss(a_mapping(account="whose"), columns) == [Amiss("account", "no_column", "whose")]
    rows = [dict.fromkeys(columns, "")]
    layout = layout_of([columns, [""] * 7])
    suggested = suggest(layout, rows, [])
    assert (suggested.account, suggested.replaces, suggested.retracts) == tuple(named)
