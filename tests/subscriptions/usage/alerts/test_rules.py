"""Which rule counts, what is passed, what is told: tables without a database."""

import re
from decimal import Decimal
from types import SimpleNamespace

import pytest

from o2b.periods import Period
from subscriptions.models import AlertOf
from subscriptions.usage.alerts.rules import (
    READINGS,
    Reading,
    Rule,
    of_live,
    passed,
    read_thresholds,
    rules_for,
)
from subscriptions.usage.rules.live import Running


def D(*texts: str) -> tuple[Decimal, ...]:  # noqa: N802
    return tuple(Decimal(text) for text in texts)


def a_run(**given: object) -> Running:
    fields = {
        "period": Period.__new__(Period),
        "used": Decimal(80),
        "amount": Decimal("12.50"),
        "passed": 10,
        "days": 20,
        "forecast": Decimal(160),
        "available": Decimal(100),
        "left": Decimal(20),
        "by_day": (),
    }
    return Running(**fields | given)


OF_ACCOUNTS = {AlertOf.POOL, AlertOf.WALLET}  # no charge has them


def test_each_kind_has_a_reading() -> None:
    assert set(READINGS) | set(OF_ACCOUNTS) == set(AlertOf.values)


@pytest.mark.parametrize(
    ("of", "given", "found"),
    [
        ("allowance", {}, Reading(Decimal(80), Decimal(100))),
        ("allowance", {"available": None}, None),
        ("allowance", {"available": Decimal(0)}, None),
        ("forecast", {}, Reading(Decimal(160), Decimal(100))),
        ("forecast", {"forecast": None}, None),
        ("forecast", {"available": None}, None),
        ("amount", {}, Reading(Decimal("12.50"))),
        ("units", {}, Reading(Decimal(80))),
        ("units", {"available": None}, Reading(Decimal(80))),
    ],
)
def test_readings(of: str, given: dict[str, object], found: Reading | None) -> None:
    assert READINGS[of](a_run(**given)) == found


def test_nothing_is_watched_without_a_period_or_a_meter() -> None:
    charge = SimpleNamespace(key="minutes", currency="EUR")
    meter = SimpleNamespace(unit="min")
    live = SimpleNamespace(
        item=SimpleNamespace(account=2), charge=charge, meter=meter, running=a_run(), unit="min"
    )
    assert set(of_live(live).readings) == set(AlertOf.values) - OF_ACCOUNTS
    for missing in ("running", "meter"):
        assert of_live(SimpleNamespace(**{**vars(live), missing: None})) is None


@pytest.mark.parametrize(
    ("reached", "limit", "threshold", "has"),
    [
        ("80", "100", "80", True),
        ("79.999999999999", "100", "80", False),
        ("1", "3", "33.333333", True),  # 33.3333333…
        ("1", "3", "33.333334", False),
        ("0", "100", "80", False),
        ("-5", "100", "80", False),
        ("50", None, "50", True),
        ("49.99", None, "50", False),
        ("300", "100", "250", True),
    ],
)
def test_has_passed(reached: str, limit: str | None, threshold: str, has: bool) -> None:
    reading = Reading(Decimal(reached), None if limit is None else Decimal(limit))
    assert reading.has_passed(Decimal(threshold)) is has


@pytest.mark.parametrize(
    ("thresholds", "percent", "known", "found"),
    [
        ("50 80 100", "10", "", ""),
        ("50 80 100", "50", "", "50!"),
        ("50 80 100", "85", "", "50 80!"),
        ("50 80 100", "120", "", "50 80 100!"),
        ("50 80 100", "85", "50 80", ""),
        ("50 80 100", "120", "50 80", "100!"),
        # Taken back below and risen again: it was told.
        ("50 80 100", "85", "50 80 100", ""),
        # A rule that says more than before does not tell of what stands below what was told.
        ("50 80", "85", "80", "50"),
        ("50 90", "95", "80", "50 90!"),
        ("80 80", "85", "", "80!"),
        ("", "85", "", ""),
    ],
)
def test_passed(thresholds: str, percent: str, known: str, found: str) -> None:
    news = passed(
        D(*thresholds.split()),
        Reading(Decimal(percent), Decimal(100)),
        known=set(D(*known.split())),
    )
    assert " ".join(f"{each.threshold}{'!' * each.told}" for each in news) == found


HOUSE = Rule("allowance", D("80", "100"))
ACCOUNT = Rule("allowance", D("90"), key=1)
ACCOUNT_METER = Rule("allowance", D("91"), meter=7, key=2)
SERVICE = Rule("allowance", D("92"), service=3, key=3)
SERVICE_METER = Rule("allowance", D("93"), service=3, meter=7, key=4)
OTHER_SERVICE = Rule("allowance", D("94"), service=4, meter=7, key=5)
OTHER_METER = Rule("allowance", D("95"), meter=8, key=6)
OFF = Rule("allowance", (), active=False, key=7)
AMOUNT = Rule("amount", D("200"), meter=7, key=8)


@pytest.mark.parametrize(
    ("rules", "counts"),
    [
        ([HOUSE], HOUSE),
        ([ACCOUNT, HOUSE], ACCOUNT),
        ([HOUSE, ACCOUNT], ACCOUNT),
        ([OFF, HOUSE], OFF),
        ([ACCOUNT, ACCOUNT_METER, HOUSE], ACCOUNT_METER),
        ([ACCOUNT_METER, SERVICE, HOUSE], SERVICE),
        ([SERVICE_METER, SERVICE, ACCOUNT_METER], SERVICE_METER),
        ([OTHER_SERVICE, OTHER_METER, HOUSE], HOUSE),
        ([OTHER_SERVICE], None),
    ],
)
def test_which_rule_counts(rules: list[Rule], counts: Rule | None) -> None:
    assert rules_for(rules, service=3, meter=7).get("allowance") == counts


def test_kinds_count_beside_each_other() -> None:
    assert rules_for([AMOUNT, OFF, HOUSE], service=3, meter=7) == {
        "amount": AMOUNT,
        "allowance": OFF,
    }


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", []),
        ("80", ["80"]),
        ("50 80;100", ["50", "80", "100"]),
        (" 50, 80,  99.5, ", ["50", "80", "99.5"]),
        ("80%, 100 %", ["80", "100"]),
    ],
)
def test_read_thresholds(text: str, found: list[str]) -> None:
    assert read_thresholds(text) == [Decimal(each) for each in found]


@pytest.mark.parametrize("text", ["80,100", "x", "-5", "1e3", "NaN", "٨٠", "9" * 21, "\0"])
def test_a_word_that_is_no_number_is_named(text: str) -> None:
    with pytest.raises(ValueError, match=re.escape(text)):
        read_thresholds(f"80 {text}")
