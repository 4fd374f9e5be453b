"""A glance at a batch finds what a judge finds; what is told in arrays arrives as it was sent."""

import random
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from o2b.charging import Aggregation
from subscriptions.models import UsageEvent, UsageSource
from subscriptions.usage.rules.judging import (
    OLDEST_DAYS,
    USED,
    Dimension,
    Judge,
    Judged,
    MeterVersion,
    Rejection,
)
from subscriptions.usage.rules.sorting import Kind, micros, sort_out
from subscriptions.usage.rules.told import Told
from tests.scenarios.world import World
from tests.subscriptions.usage.build import (
    a_meter,
    a_metered_service,
    an_event,
    by_meter,
    statuses,
    taken,
    totals,
)

NOW = datetime(2026, 2, 10, 12, tzinfo=UTC)
LONG_AGO = NOW - timedelta(days=OLDEST_DAYS + 40)
VERSIONS = [
    MeterVersion(1, "sum", "min", Aggregation.SUM, LONG_AGO, 2, Decimal(0), Decimal(500)),
    MeterVersion(2, "count", "", Aggregation.COUNT, datetime(2026, 1, 1, tzinfo=UTC)),
    MeterVersion(3, "below", "", Aggregation.MAX, LONG_AGO, 3, Decimal(-5), Decimal(50)),
    MeterVersion(4, "unique", "", Aggregation.UNIQUE, LONG_AGO),
    MeterVersion(5, "zoned", "", Aggregation.SUM, LONG_AGO, dimensions=(Dimension("zone"),)),
    MeterVersion(6, "last", "", Aggregation.LAST, LONG_AGO, ends_at=NOW - timedelta(days=9)),
]
METERS = {version.code: [version] for version in VERSIONS}
TEXTS = ["a", "+49 30", 'quo"te', "back\\slash", "{a,b}", "NULL", "ü", "x" * 200]
BAD_TEXTS = ["", "tab\t", "x" * 201, "\x00", "\ud800"]
VALUES = ["1", "0", "2.50", "12.345", "499.99", "500.01", "1E+2", "0E-7", "-1", "1E-9"]
BAD_VALUES = ["NaN", "sNaN", "Infinity", "-Infinity", "1E+400", "12345678901234567890"]


def some_event(rng: random.Random, badly: float) -> Told:
    """Mostly plain; `badly`: how often each field is something that may be wrong."""

    def said(good: list[str], bad: list[str]) -> str:
        return rng.choice(bad if rng.random() < badly else good)

    at = NOW - timedelta(microseconds=rng.randrange(10**15))
    odd = rng.random() < badly
    return Told(
        id=said(TEXTS, BAD_TEXTS),
        source=said(TEXTS, BAD_TEXTS),
        meter=said(list(METERS), ["none", ""]),
        subject=said(TEXTS, BAD_TEXTS),
        time=rng.choice([None, LONG_AGO, NOW]) if odd else at,
        value=rng.choice([None, Decimal(rng.choice(BAD_VALUES))])
        if rng.random() < badly
        else Decimal(rng.choice(VALUES)),
        unit=said(["", ""], ["min", "h"]),
        account=said(["", ""], ["A-1", "\x00", "x" * 41]),
        properties=rng.choice([{"zone": "a"}, {"n": "\x00"}, {"k": 1}]) if odd else None,
        replaces=said([""], ["a", "other"]),
        retracts=said([""], ["a", "other"]),
    )


@pytest.mark.parametrize("badly", [0.0, 0.001, 0.02, 0.3])
def test_a_glance_finds_what_a_judge_finds(badly: float) -> None:
    rng = random.Random(f"{badly}")
    events = [some_event(rng, badly) for _ in range(4000)]
    judge = Judge(METERS, now=NOW)
    found = sort_out(events, judge)
    plain = found.plain
    rows = dict(zip(plain.numbers, range(len(plain.numbers)), strict=True))
    kinds = list(plain.known)
    assert plain.numbers == sorted(plain.numbers)
    assert len(rows) + len(found.corrections) + len(found.refused) == len(events)
    for number, event in enumerate(events):
        judged = judge(event)
        if isinstance(judged, Rejection):
            assert found.refused[number] == judged
        elif judged.kind != USED:
            assert found.corrections[number] == judged
        else:
            place = rows[number]
            kind = kinds[plain.kinds[place] - 1]
            assert _row(judged, kind.counts) == (
                plain.sources[place],
                plain.keys[place],
                plain.subjects[place],
                plain.accounts.get(number, ""),
                plain.moments[place],
                Decimal(plain.values[place]),
                plain.parts.get(number, ""),
                plain.properties.get(number),
                kind,
            )
            value = Decimal(1) if kind.counts else Decimal(plain.values[place])
            assert value == judged.amount


def _row(judged: Judged, counts: bool) -> tuple[object, ...]:
    assert judged.meter_id is not None
    return (
        *(judged.source, judged.key, judged.subject, judged.account, micros(judged.at)),
        *(judged.value, judged.part, judged.properties or None),
        Kind(judged.meter_id, judged.meter, judged.how, judged.timed, counts),
    )


@pytest.mark.django_db
def test_what_is_told_arrives_as_it_was_sent(world: World) -> None:
    a_meter()
    item = a_metered_service(world)
    rng = random.Random(7)
    begin = datetime(2026, 1, 2, tzinfo=UTC)
    told = [
        an_event(
            item,
            value,
            (begin + timedelta(microseconds=rng.randrange(10**12))).isoformat(),
            id=f"{text} {value}",
            source=text,
            properties={"said": text, "n": 1} if rng.random() < 0.5 else None,
        )
        for text in TEXTS
        for value in ("1", "0.000001", "123456.654321", "2E+3")
        if len(text) < 100
    ]
    assert set(statuses(taken(*told))) == {"accepted"}
    assert set(statuses(taken(*told))) == {"duplicate"}
    assert not any(answer.differs for answer in taken(*told))
    kept = {(row.source, row.key): row for row in UsageEvent.objects.all()}
    assert len(kept) == len(told)
    for event in told:
        row = kept[event.source, event.id]
        assert (row.at, row.value, row.properties) == (event.time, event.value, event.properties)
    assert {row.pk for row in UsageSource.objects.all()} == {event.source for event in told}


@pytest.mark.django_db
def test_few_and_many_events_are_counted_by_one_plan(world: World) -> None:
    a_meter()
    a_meter("calls", aggregation="count", unit="")
    item = a_metered_service(world, *[by_meter(code) for code in ("minutes", "calls")])
    for size in (1, 3, 700, 1, 40):
        told = [
            an_event(item, "5", meter=meter, source=f"s{n % 2}")
            for n in range(size)
            for meter in ("minutes", "calls")
        ]
        assert set(statuses(taken(*told))) == {"accepted"}
    assert [(quantity, count) for _, _, quantity, count in totals()] == [
        ("3725", 745),
        ("745", 745),
    ]


@pytest.mark.django_db
def test_a_version_that_was_just_published_judges(world: World) -> None:
    meter = a_meter(starts_on=date(2026, 1, 1))
    item = a_metered_service(world)
    assert statuses(taken(an_event(item, "70"))) == ["accepted"]
    version = meter.versions.get()
    type(version).objects.filter(pk=version.pk).update(retired_on=date(2026, 2, 1), state="retired")
    assert statuses(taken(an_event(item, "70"))) == ["rejected: meter_not_in_force"]
