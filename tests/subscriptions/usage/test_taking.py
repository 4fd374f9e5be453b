"""Events are counted once for ever, each with an answer of its own; totals are right at once."""

import json
from datetime import date, timedelta
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from o2b.catalog.models import MeterVersion
from orders.models import OrderLine
from subscriptions.models import (
    Act,
    Item,
    UsageEvent,
    UsageKey,
    UsageMark,
    UsagePending,
    UsageRejected,
    UsageSubject,
    UsageTotal,
)
from subscriptions.usage.rules.told import Told, Unreadable, identity_of, read_many, read_one
from subscriptions.usage.services import release_waiting, taking, write_subjects
from tests.factories import a_product
from tests.scenarios.world import World
from tests.subscriptions.serving import told as act
from tests.subscriptions.usage.build import (
    a_meter,
    a_metered_service,
    an_event,
    by_meter,
    events,
    statuses,
    taken,
    totals,
)

pytestmark = pytest.mark.django_db


def test_events_add_up_by_day(world: World) -> None:
    a_meter()
    item = a_metered_service(world)
    told = [
        an_event(item, "2.5"),
        an_event(item, "1.25"),
        an_event(item, "3", "2026-02-08T09:00:00Z"),
    ]
    assert statuses(taken(*told)) == ["accepted"] * 3
    assert totals() == [("2026-02-08", "", "3", 1), ("2026-02-09", "", "3.75", 2)]
    assert events() == 3


def test_an_event_is_counted_once_for_ever(world: World) -> None:
    a_meter()
    item = a_metered_service(world)
    told = an_event(item, "2")
    assert statuses(taken(told, told)) == ["accepted", "duplicate"]
    again = an_event(item, "2", id=told.id)
    other = an_event(item, "3", id=told.id)
    answers = taken(again, other)
    assert [(a.status, a.differs) for a in answers] == [("duplicate", False), ("duplicate", True)]
    assert taken(an_event(item, "2", id=told.id, source="other"))[0].status == "accepted"
    assert totals() == [("2026-02-09", "", "4", 2)]


def test_the_day_is_that_of_the_account(world: World) -> None:
    a_meter()
    item = a_metered_service(world)
    item.account.time_zone = "Europe/Berlin"
    item.account.save()
    taken(an_event(item, "1", "2026-02-08T23:30:00Z"), an_event(item, "1", "2026-02-08T22:30:00Z"))
    assert [day for day, *_ in totals()] == ["2026-02-08", "2026-02-09"]


def test_who_is_not_known_waits_and_is_counted_when_he_appears(world: World) -> None:
    a_meter()
    answer = taken(an_event("S-nobody"))[0]
    assert (answer.status, answer.code, answer.field) == ("pending", "unknown_subject", "subject")
    assert taken(an_event("S-nobody", id=answer.id))[0].status == "duplicate"
    item = a_metered_service(world)
    early = an_event(item, at="2025-12-31T12:00:00Z")
    assert statuses(taken(early)) == ["pending: unknown_subject"]
    UsagePending.objects.filter(key=answer.id).update(subject=item.number)
    assert release_waiting(machine_now=world.now) == 1
    assert totals() == [("2026-02-09", "", "1", 1)]
    assert UsagePending.objects.get().key == early.id


def test_a_subject_of_several_waits(world: World) -> None:
    a_meter()
    one = a_metered_service(world)
    a_metered_service(world)
    UsageSubject.objects.update(value="+49301", shared=True)
    assert statuses(taken(an_event("+49301"))) == ["pending: ambiguous_subject"]
    gone = UsageSubject.objects.exclude(service=one)
    gone.filter(value="+49301").update(ends_on=date(2026, 2, 9))
    assert release_waiting(machine_now=world.now) == 1
    # From that day on it names one of them, and before both.
    told = [an_event("+49301"), an_event("+49301", at="2026-02-08T12:00:00Z")]
    assert statuses(taken(*told)) == ["accepted", "pending: ambiguous_subject"]


def test_a_service_that_is_not_sold_by_the_meter_waits(world: World) -> None:
    a_meter()
    a_meter("data", unit="GB")
    item = a_metered_service(world)
    assert statuses(taken(an_event(item, meter="data"))) == ["pending: unknown_subject"]


REFUSED = [
    ({"id": ""}, "required", "id"),
    ({"source": ""}, "required", "source"),
    ({"subject": ""}, "required", "subject"),
    ({"id": "a\tb"}, "unprintable", "id"),
    ({"id": "x" * 201}, "too_long", "id"),
    ({"meter": ""}, "required", "meter"),
    ({"meter": "none"}, "unknown_meter", "meter"),
    ({"time": None}, "required", "time"),
    ({"unit": "h"}, "wrong_unit", "unit"),
    ({"value": None}, "required", "value"),
    ({"value": Decimal("1e30")}, "out_of_range", "value"),
    ({"value": Decimal("1e999999")}, "out_of_range", "value"),
    ({"value": Decimal(-1)}, "out_of_range", "value"),
    ({"value": Decimal("NaN")}, "no_number", "value"),
    ({"value": Decimal("Infinity")}, "no_number", "value"),
    ({"value": Decimal("0.1234567")}, "too_exact", "value"),
    ({"account": "A-none"}, "other_account", "account"),
    ({"replaces": "a", "retracts": "b"}, "both", "retracts"),
]


@pytest.mark.parametrize(("change", "code", "field"), REFUSED)
def test_refused(world: World, change: dict[str, object], code: str, field: str) -> None:
    a_meter()
    item = a_metered_service(world)
    event = an_event(item)
    for name, value in change.items():
        setattr(event, name, value)
    (answer,) = taken(event)
    assert (answer.status, answer.code, answer.field) == ("rejected", code, field)
    assert answer.message
    assert (events(), UsageKey.objects.count(), UsageTotal.objects.count()) == (0, 0, 0)
    kept = UsageRejected.objects.get()
    assert (kept.code, kept.field) == (code, field)


@pytest.mark.parametrize(
    ("at", "code"),
    [("1970-01-01T00:00:00Z", "too_old"), ("2027-02-10T12:00:00Z", "in_the_future")],
)
def test_moments_that_cannot_be(world: World, at: str, code: str) -> None:
    a_meter()
    item = a_metered_service(world)
    for subject in (item, "S-nobody"):
        assert statuses(taken(an_event(subject, at=at))) == [f"rejected: {code}"]
    assert UsageKey.objects.count() == 0


def test_a_clock_may_be_some_minutes_ahead(world: World) -> None:
    a_meter()
    item = a_metered_service(world)
    soon, late = (
        an_event(item, at=(world.now + timedelta(minutes=minutes)).isoformat())
        for minutes in (4, 6)
    )
    found = taken(soon, late, now=world.now.isoformat())
    assert statuses(found) == ["accepted", "rejected: in_the_future"]


def test_what_was_refused_may_come_again(world: World) -> None:
    a_meter()
    item = a_metered_service(world)
    wrong = an_event(item, "-1")
    assert taken(wrong)[0].status == "rejected"
    assert taken(an_event(item, "1", id=wrong.id))[0].status == "accepted"


def test_what_cannot_be_read_is_kept(world: World) -> None:
    a_meter()
    bad = Unreadable("Expected `str`, got `int`", "id", b'{"id": 7, "source": "pbx"}')
    (answer,) = taken(bad)
    assert (answer.status, answer.code, answer.field, answer.source) == (
        "rejected",
        "unreadable",
        "id",
        "pbx",
    )
    assert UsageRejected.objects.get().told == '{"id": 7, "source": "pbx"}'


def test_usage_of_a_day_that_is_over_is_marked(world: World) -> None:
    a_meter()
    item = a_metered_service(world)
    taken(an_event(item, at="2026-02-10T09:00:00Z"), now=world.now.isoformat())
    assert not UsageMark.objects.exists()
    taken(an_event(item))
    taken(an_event(item), an_event(item, at="2026-02-08T09:00:00Z"))
    assert UsageMark.objects.get().revision == 2


AGGREGATED = [
    ("sum", [("2", 9), ("3", 8)], ("", "5", 2)),
    ("count", [("2", 9), ("3", 8)], ("", "2", 2)),
    ("max", [("2", 9), ("3", 8), ("1", 10)], ("", "3", 3)),
    ("last", [("2", 9), ("3", 8)], ("", "2", 2)),
    ("last", [("2", 9), ("3", 9)], ("", "3", 2)),
]


@pytest.mark.parametrize("together", [True, False])
@pytest.mark.parametrize(("aggregation", "told", "total"), AGGREGATED)
def test_each_aggregation_adds_up_in_any_order(
    world: World,
    aggregation: str,
    told: list[tuple[str, int]],
    total: tuple[str, str, int],
    together: bool,
) -> None:
    a_meter(aggregation=aggregation)
    item = a_metered_service(world)
    for some in (told, told[::-1]):
        UsageTotal.objects.all().delete()
        said = [an_event(item, value, f"2026-02-09T{hour:02}:00:00Z") for value, hour in some]
        for batch in [said] if together else [[each] for each in said]:
            assert {each.status for each in taken(*batch)} == {"accepted"}
        assert totals() == [("2026-02-09", *total)]


def test_values_and_moments_are_kept_apart_where_they_count(world: World) -> None:
    a_meter("u", aggregation="unique")
    a_meter("a", aggregation="average")
    a_meter("t", aggregation="each", timed=True, unit="s")
    item = a_metered_service(world, by_meter("u"), by_meter("a"), by_meter("t"))
    item.account.time_zone = "Europe/Berlin"
    item.account.save()
    for meter, value in (("u", "7"), ("u", "7.0"), ("u", "8"), ("a", "5"), ("t", "61")):
        taken(an_event(item, value, "2026-02-09T12:00:05Z", meter=meter))
    assert [(part, count) for _, part, _, count in totals()] == [
        ("=5@13:00:05.000000", 1),
        ("=61@13:00:05.000000", 1),
        ("=7", 2),
        ("=8", 1),
    ]


def test_dimensions_keep_totals_apart(world: World) -> None:
    dimensions = [
        {"name": "zone", "required": True, "choices": ["national", "mobile"]},
        {"name": "via"},
    ]
    a_meter(dimensions=dimensions)
    item = a_metered_service(world)
    good = [
        an_event(item, properties={"zone": "mobile", "call": "x", "via": "sip"}),
        an_event(item, properties={"zone": "mobile"}),
        an_event(item, properties={"via": "sip", "zone": "mobile"}),
    ]
    assert statuses(taken(*good)) == ["accepted"] * 3
    assert [(part, count) for _, part, _, count in totals()] == [
        ('{"via":"sip","zone":"mobile"}', 2),
        ('{"zone":"mobile"}', 1),
    ]
    assert (UsageEvent.objects.get(key=good[0].id).properties or {})["call"] == "x"
    bad = [an_event(item), an_event(item, properties={"zone": "moon"})]
    answers = taken(*bad)
    assert statuses(answers) == ["rejected: required", "rejected: no_choice"]
    assert {a.field for a in answers} == {"properties.zone"}


def test_a_subject_that_passes_on_is_whose_it_was_on_the_day(world: World) -> None:
    """The same number, first of one service and then of another: looked at day by day."""
    a_meter()
    one, other = a_metered_service(world), a_metered_service(world)
    for item, span in (
        (one, {"ends_on": date(2026, 2, 1)}),
        (other, {"begins_on": date(2026, 2, 1)}),
    ):
        UsageSubject.objects.filter(item=item, value=item.number).update(value="+4930", **span)
    UsageSubject.objects.filter(value="+4930").update(shared=True)
    told = [
        an_event("+4930", "1", "2026-01-31T12:00:00Z"),
        an_event("+4930", "2", "2026-02-01T12:00:00Z"),
    ]
    assert statuses(taken(*told)) == ["accepted"] * 2
    assert {(row.service_id, int(row.quantity)) for row in UsageTotal.objects.all()} == {
        (one.pk, 1),
        (other.pk, 2),
    }


def test_a_subject_of_two_services_is_known_as_shared(world: World) -> None:
    a_meter()
    spec = [{"name": "number", "label": "Number", "type": "text", "required": False}]
    product = a_product(charges=[by_meter()], characteristics=spec)
    world.on("2026-01-01")
    for _ in range(2):
        world.sell(products=[product])
    first, second = Item.objects.order_by("pk")
    for item in (first, second):
        OrderLine.objects.filter(pk=item.order_line_id).update(characteristics={"number": "+4930"})
    write_subjects([first.pk])
    assert set(UsageSubject.objects.filter(value="+4930").values_list("shared")) == {(False,)}
    write_subjects([second.pk])
    assert set(UsageSubject.objects.filter(value="+4930").values_list("shared")) == {(True,)}
    OrderLine.objects.filter(pk=second.order_line_id).update(characteristics={})
    write_subjects([second.pk])
    assert not UsageSubject.objects.filter(shared=True, value="+4930").exists()


def test_a_subject_is_any_characteristic_that_can_be_written(world: World) -> None:
    a_meter()
    spec = [
        {"name": "imsi", "label": "IMSI", "type": "integer"},
        {"name": "number", "label": "Number", "type": "choice", "choices": ["+491", 492]},
        {"name": "rate", "label": "Rate", "type": "decimal"},
        {"name": "fast", "label": "Fast", "type": "boolean"},
    ]
    product = a_product(charges=[by_meter()], characteristics=spec)
    world.on("2026-01-01")
    world.sell(products=[product])
    item = Item.objects.get()
    said = {"imsi": 262011234567890, "number": 492, "rate": "1.5", "fast": True}
    OrderLine.objects.filter(pk=item.order_line_id).update(characteristics=said)
    write_subjects([item.pk])
    world.on("2026-02-10")
    told = [an_event(text) for text in ("262011234567890", "492", "1.5", "true")]
    assert statuses(taken(*told)) == ["accepted"] * 3 + ["pending: unknown_subject"]


def test_of_a_value_that_many_services_have_few_rows_are_looked_at(world: World) -> None:
    a_meter()
    spec = [{"name": "colour", "label": "Colour", "type": "choice", "choices": ["red"]}]
    product = a_product(charges=[by_meter()], characteristics=spec)
    world.on("2026-01-01")
    for _ in range(3):
        world.sell(products=[product])
    items = list(Item.objects.order_by("pk"))
    for item in items:
        OrderLine.objects.filter(pk=item.order_line_id).update(characteristics={"colour": "red"})
    red = UsageSubject.objects.filter(value="red").order_by("service_id")
    for count, item in enumerate(items, 1):
        write_subjects([item.pk])
        assert list(red.values_list("shared", flat=True)) == [count > 1] * count
    for item in items[:2]:
        OrderLine.objects.filter(pk=item.order_line_id).update(characteristics={})
        write_subjects([item.pk])
    assert list(red.values_list("service_id", "shared")) == [(items[2].pk, False)]


KEPT = [
    ({"lat": "1.50", "n": 10**30, "deep": {"a": ["1.25", {"b": None}]}}, ""),
    ({"a": {"b": ["x\x00"]}}, "unprintable"),
    ({"a": {"x\x00": 1}}, "unprintable"),
    ({"zone": ["mobile"]}, "no_text"),
]


@pytest.mark.parametrize(("said", "code"), KEPT)
def test_whatever_else_is_said_is_kept(world: World, said: dict[str, Any], code: str) -> None:
    a_meter(dimensions=[{"name": "zone"}])
    item = a_metered_service(world)
    event = an_event(item, properties=said)
    assert statuses(taken(event)) == [f"rejected: {code}" if code else "accepted"]
    if not code:
        assert UsageEvent.objects.get().properties == said


def test_properties_of_too_many_levels_concern_their_event_alone(world: World) -> None:
    a_meter()
    item = a_metered_service(world)
    for levels in (20, 21, 700):
        deep: Any = "x"
        for _ in range(levels):
            deep = [deep]
        found = statuses(taken(an_event(item, properties={"deep": deep}), an_event(item)))
        assert found == ["accepted" if levels == 20 else "rejected: too_deep", "accepted"]


def test_numbers_with_a_point_are_kept_as_they_were_sent() -> None:
    said = b'{"lat":1.50,"in":[1e400]}'
    head = b'"source":"pbx","specversion":"1.0","type":"minutes"'
    plain = read_one(b'{"id":"1","source":"pbx","properties":' + said + b"}")
    cloud = read_one(b'{"id":"1",' + head + b',"data":' + said + b"}")
    beside_nan = read_many(
        b'[{"id":"1","source":"pbx","properties":'
        + said
        + b'},{"id":"2","source":"x","value":NaN}]'
    )[0]
    for found in (plain, cloud, beside_nan):
        assert isinstance(found, Told)
        assert found.properties == {"lat": "1.50", "in": ["1e400"]}


def test_what_postgres_cannot_keep_concerns_its_event_alone(world: World) -> None:
    a_meter()
    item = a_metered_service(world)
    bad = an_event(item, properties={"note": "a\x00b"})
    assert statuses(taken(bad, an_event(item))) == ["rejected: unprintable", "accepted"]


def test_a_value_of_many_digits_is_judged(world: World) -> None:
    a_meter(decimals=12, most=Decimal(10) ** 17)
    item = a_metered_service(world)
    value = "12345678901234567.1234567890123"
    assert statuses(taken(an_event(item, value))) == ["rejected: too_exact"]


def test_a_body_of_many_levels_is_no_event() -> None:
    for text in (b"[" * 60_000, b'{"id":"1","x":' + b"[" * 60_000):
        found = read_one(text)
        assert isinstance(found, Unreadable)
        assert identity_of(text) == ("", "")
    with pytest.raises(Unreadable):
        read_many(b"[" * 60_000)


def test_what_was_taken_once_is_a_duplicate_whatever_holds_by_now(world: World) -> None:
    """Ten years later, after its meter has gone, after its service passed on: its id is taken."""
    meter = a_meter()
    item = a_metered_service(world)
    told = an_event(item, "2", account=item.account.reference)
    taken(told)
    UsageRejected.objects.all().delete()
    again = taken(told, now="2038-02-10T12:00:00Z")
    act(world, item, Act.TRANSFER, on=date(2026, 2, 5), to_account_id=world.an_account().pk)
    again += taken(told, told)
    MeterVersion.objects.filter(meter=meter).update(retired_on=date(2026, 1, 15))
    again += taken(told)
    assert [(a.status, a.differs) for a in again] == [("duplicate", False)] * 4
    assert not UsageRejected.objects.exists()
    changed = an_event(item, "-3", id=told.id)
    assert [(a.status, a.differs) for a in taken(changed)] == [("duplicate", True)]
    assert totals() == [("2026-02-09", "", "2", 1)]


def test_what_is_refused_and_what_comes_well_under_one_id_at_once(world: World) -> None:
    a_meter()
    item = a_metered_service(world)
    bad, good = an_event(item, "-1"), an_event(item, "1")
    good.id = bad.id
    assert statuses(taken(bad, good, bad)) == [
        "rejected: out_of_range",
        "accepted",
        "duplicate",
    ]


def test_an_event_of_two_years_ago_is_known_and_totals_are_right_at_the_answer(
    world: World,
) -> None:
    a_meter()
    item = a_metered_service(world)
    UsageSubject.objects.update(begins_on=date(2024, 1, 1))
    told = an_event(item, "2", "2024-02-01T12:00:00Z")
    taken(told, now="2024-02-02T12:00:00Z")
    fresh = an_event(item, "3", "2024-02-01T13:00:00Z")
    assert statuses(taken(told, fresh, now="2026-02-10T12:00:00Z")) == ["duplicate", "accepted"]
    assert totals() == [("2024-02-01", "", "5", 2)]


def test_what_waits_for_another_account_says_so(world: World) -> None:
    a_meter()
    item = a_metered_service(world)
    taken(an_event("+4930", account="A-none"), an_event("+4930", account=item.account.reference))
    UsageSubject.objects.filter(item=item, value=item.number).update(value="+4930")
    assert release_waiting(machine_now=world.now) == 1
    assert UsagePending.objects.get().reason == "other_account"


def test_ids_are_looked_up_only_where_something_is_refused(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_meter()
    item = a_metered_service(world)
    asked: list[list[tuple[str, str]]] = []
    monkeypatch.setattr(taking, "known_under", lambda ids: asked.append(list(ids)) or {})
    some = [an_event(item) for _ in range(3)]
    taken(*some)
    taken(*some, an_event("S-nobody"))
    assert asked == []
    bad = an_event(item, "-1")
    taken(*some, bad)
    assert asked == [[("pbx", bad.id)]]


def test_recount_by_its_command(world: World) -> None:
    a_meter()
    item = a_metered_service(world)
    taken(an_event(item, "2"), an_event("S-nobody"))

    def recounted(*flags: str) -> dict[str, Any]:
        out = StringIO()
        try:
            call_command("recount_usage", "--json", *flags, stdout=out)
        finally:
            found: dict[str, Any] = json.loads(out.getvalue())
        return found

    assert recounted() == {
        **{"keys": 2, "events": 1, "pending": 1, "lost": 0, "dismissed": 0},
        **{"differences": 0, "first": []},
    }
    UsageTotal.objects.update(quantity=7)
    with pytest.raises(CommandError):
        recounted()
    found = recounted("--write")
    assert (found["differences"], found["first"][0]["day"]) == (1, "2026-02-09")
    assert recounted()["differences"] == 0
    assert totals() == [("2026-02-09", "", "2", 1)]
