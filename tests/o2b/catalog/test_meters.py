"""Meters: drafts with refusals by field, published by a second person, asked for in one query."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from o2b.catalog.models import Meter, MeterVersion
from o2b.catalog.rules.meters import Measure, faults_of_measure
from o2b.catalog.selectors import meters_in_force, uses_of_meter
from o2b.catalog.services import DraftOpen, NotADraft, SecondPersonNeeded
from o2b.catalog.services import meters as services
from o2b.charging import Aggregation
from o2b.errors import Refused
from tests.factories import NOON, a_meter, a_product, a_user, reprice

ZONE = {"name": "zone", "required": True, "choices": ["national", "mobile"]}
CARRIER = {"name": "carrier"}


def measure(**given: Any) -> Measure:
    said: dict[str, Any] = {
        "aggregation": "sum",
        "starts_on": date(2026, 2, 1),
        "decimals": 2,
        "least": Decimal(0),
        "most": Decimal(10),
        "dimensions": [ZONE],
        "timed": False,
    }
    return Measure(**said | given)


@pytest.mark.parametrize(
    ("given", "fields"),
    [
        ({}, []),
        ({"running_from": date(2026, 2, 1)}, []),
        ({"running_from": date(2026, 2, 2)}, ["starts_on"]),
        ({"decimals": 13}, ["decimals"]),
        ({"most": Decimal(-1)}, ["most"]),
        ({"least": Decimal("NaN")}, ["least"]),
        ({"most": Decimal("1E+16")}, ["most"]),
        ({"least": Decimal("1E-13")}, ["least"]),
        ({"timed": True}, ["timed"]),
        ({"timed": True, "aggregation": "each"}, []),
        ({"dimensions": [{"name": "Zone"}]}, ["dimensions[0].name"]),
        ({"dimensions": [{"name": "value"}]}, ["dimensions[0].name"]),
        ({"dimensions": [ZONE, ZONE]}, ["dimensions[1].name"]),
        ({"dimensions": ["zone"]}, ["dimensions[0]"]),
        ({"dimensions": [{"name": "a", "unit": "s"}]}, ["dimensions[0]"]),
        ({"dimensions": [{"name": "a", "required": "yes"}]}, ["dimensions[0].required"]),
        ({"dimensions": [{"name": "a", "choices": [""]}]}, ["dimensions[0].choices"]),
        ({"dimensions": [{"name": "a", "choices": "ab"}]}, ["dimensions[0].choices"]),
        ({"dimensions": [{"name": "a", "choices": ["b", "b"]}]}, ["dimensions[0].choices"]),
        ({"dimensions": [{"name": f"d{n}"} for n in range(9)]}, ["dimensions"]),
        ({"kept": {"zone": 0}, "dimensions": [CARRIER]}, ["dimensions"]),
        ({"kept": {"zone": 0}, "dimensions": [ZONE, CARRIER]}, []),
    ],
)
def test_faults_name_their_field(given: dict[str, Any], fields: list[str]) -> None:
    assert [fault.field for fault in faults_of_measure(measure(**given))] == fields


def a_draft(code: str = "voice") -> MeterVersion:
    return services.add_meter(
        code=code, name=code, unit="second", aggregation="sum", by=None, at=NOON
    ).versions.get()


@pytest.mark.django_db
def test_a_meter_is_drafted_and_published_by_somebody_else() -> None:
    nora, felix = a_user("product"), a_user("product")
    made = services.add_meter(
        code="voice", name="Calls", unit="second", aggregation="each", by=nora.pk, at=NOON
    )
    version = made.versions.get()
    services.edit_version(
        version_id=version.pk, by=nora.pk, at=NOON, dimensions=[ZONE, CARRIER], timed=True
    )
    services.submit_version(version_id=version.pk, by=nora.pk, at=NOON)
    with pytest.raises(SecondPersonNeeded):
        services.publish_version(version_id=version.pk, by=nora.pk, at=NOON)
    with pytest.raises(SecondPersonNeeded):
        services.publish_version(version_id=version.pk, at=NOON)
    services.publish_version(version_id=version.pk, by=felix.pk, at=NOON)
    version = MeterVersion.objects.get()
    assert (version.state, version.published_by) == ("published", felix)
    assert version.dimensions == [ZONE, {"name": "carrier", "required": False, "choices": []}]
    with pytest.raises(NotADraft):
        services.edit_version(version_id=version.pk, by=nora.pk, at=NOON, decimals=1)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"code": "two words"}, "code"),
        ({"code": "x" * 41}, "code"),
        ({"name": ""}, "name"),
        ({"name": "a\0b"}, "name"),
        ({"unit": "u" * 31}, "unit"),
        ({"aggregation": "median"}, "aggregation"),
        ({"code": "there"}, "code"),
    ],
)
def test_a_meter_that_cannot_be_is_refused(given: dict[str, str], field: str) -> None:
    a_meter("there")
    said = {"code": "voice", "name": "Calls", "unit": "second", "aggregation": "sum"} | given
    with pytest.raises(Refused) as caught:
        services.add_meter(**said, by=None, at=NOON)
    assert caught.value.field == field
    assert Meter.objects.count() == 1


@pytest.mark.django_db
def test_a_next_version_keeps_days_and_dimensions() -> None:
    nora = a_user("product")
    a_meter("voice", starts_on=date(2026, 2, 1), dimensions=[ZONE])
    draft = services.draft_version(code="voice", by=nora.pk, at=NOON)
    assert (draft.number, [each["name"] for each in draft.dimensions]) == (2, ["zone"])
    with pytest.raises(DraftOpen):
        services.draft_version(code="voice", by=nora.pk, at=NOON)
    for given, field in (
        ({"starts_on": date(2026, 1, 31)}, "starts_on"),
        ({"dimensions": [CARRIER]}, "dimensions"),
        ({"least": Decimal(5), "most": Decimal(4)}, "most"),
    ):
        with pytest.raises(Refused) as caught:
            services.edit_version(version_id=draft.pk, by=nora.pk, at=NOON, **given)
        assert caught.value.field == field
    draft.refresh_from_db()
    assert [each["name"] for each in draft.dimensions] == ["zone"]
    services.discard_version(version_id=draft.pk, by=nora.pk, at=NOON)
    assert MeterVersion.objects.get().number == 1


@pytest.mark.django_db
def test_a_meter_without_versions_goes_with_its_draft() -> None:
    version = a_draft()
    services.discard_version(version_id=version.pk, by=a_user("product").pk, at=NOON)
    assert not Meter.objects.exists()
    other = a_meter("other")
    with pytest.raises(NotADraft):
        services.discard_version(version_id=other.pk, by=a_user("product").pk, at=NOON)


@pytest.mark.django_db
def test_meters_in_force_are_read_in_one_query(django_assert_num_queries: Any) -> None:
    first = a_meter("voice", starts_on=date(2026, 1, 1), dimensions=[ZONE], decimals=0)
    second = services.draft_version(code="voice", by=a_user("product").pk, at=NOON)
    MeterVersion.objects.filter(pk=second.pk).update(prepared_by=None)
    services.edit_version(
        version_id=second.pk,
        by=None,
        at=NOON,
        starts_on=date(2026, 3, 1),
        dimensions=[ZONE, CARRIER],
        most=Decimal(50),
    )
    services.publish_version(version_id=second.pk, at=NOON)
    a_meter("later", starts_on=date(2026, 6, 1), aggregation="max")
    a_draft("draft")
    with django_assert_num_queries(1):
        found = meters_in_force(date(2026, 2, 28))
    assert list(found) == ["voice"]
    row = found["voice"]
    assert (row.id, row.version_id, row.code, row.unit) == (
        first.meter_id, first.pk, "voice", "second",
    )  # fmt: skip
    assert (row.aggregation, row.decimals, row.timed) == (Aggregation.SUM, 0, False)
    assert (row.least, row.most) == (Decimal(0), Decimal(1_000_000_000))
    assert row.dimensions == (("zone", True, ("national", "mobile"), 0),)
    assert [each.version_id for each in row.versions] == [first.pk, second.pk]
    judges = [row.on(day) for day in (date(2026, 2, 28), date(2026, 3, 1))]
    assert [each and each.version_id for each in judges] == [first.pk, second.pk]
    assert row.on(date(2025, 12, 31)) is None
    assert meters_in_force(date(2026, 3, 1))["voice"].most == Decimal(50)
    assert set(meters_in_force(date(2026, 6, 1))) == {"voice", "later"}


@pytest.mark.django_db
def test_a_retired_version_gives_way_to_the_one_before_from_its_day_on() -> None:
    version = a_meter("voice", starts_on=date(2026, 1, 1))
    services.retire_version(version_id=version.pk, on=date(2026, 4, 1), at=NOON)
    assert meters_in_force(date(2026, 3, 31))["voice"].ends_on == date(2026, 4, 1)
    assert meters_in_force(date(2026, 4, 1)) == {}
    with pytest.raises(NotADraft):
        services.retire_version(version_id=version.pk, on=date(2026, 4, 1), at=NOON)


def calls(**given: Any) -> dict[str, Any]:
    said = {
        "key": "calls",
        "kind": "usage",
        "model": "per_unit",
        "unit_price": Decimal("0.01"),
        "interval_unit": "month",
        "timing": "arrears",
    }
    return said | given


@pytest.mark.django_db
def test_the_prices_by_a_meter_are_found() -> None:
    version = a_meter("calls")
    a_meter("voice")
    product = a_product(code="phone", charges=[calls()])
    assert [use.price.key for use in uses_of_meter(version.meter)] == ["calls"]
    reprice(product, charges=[calls(details={"meter": "voice"})])
    assert [use.price.key for use in uses_of_meter(Meter.objects.get(code="voice"))] == ["calls"]
