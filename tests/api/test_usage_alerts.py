"""Alerts by REST: rules are set, replaced, deleted; what was told is read; bad input is named."""

from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest

from o2b.models import Event
from subscriptions.models import Item, UsageAlert
from subscriptions.usage.alerts.services import look_at_usage
from tests.api.conftest import As, Person
from tests.api.problem import assert_problem
from tests.factories import an_account
from tests.scenarios.world import World
from tests.subscriptions.usage.build import a_meter, a_metered_service, an_event, by_meter, taken

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("lived")]
HERE = "/api/v1/usage/alerts"
SENT = f"{HERE}/sent"
AT = datetime.fromisoformat("2026-02-10T12:00:00+00:00")


def its_life(world: World) -> Item:
    a_meter()
    return a_metered_service(world, by_meter(details={"allowance": {"units": "100"}}))


@pytest.fixture
def rep(as_: As) -> Person:
    return as_("sales")


def told(item: Item, **given: Any) -> dict[str, Any]:
    fields: dict[str, Any] = {"account": item.account.reference, "of": "allowance"}
    return fields | {"thresholds": ["50", 80]} | given


def test_a_rule_is_set_replaced_and_deleted(rep: Person, item: Item) -> None:
    answer = rep.post(HERE, told(item, service=item.number, meter="minutes"))
    assert answer.status_code == 201, answer.json()
    made = answer.json()
    rule = UsageAlert.objects.get()
    assert answer["Location"] == made["url"] == f"{HERE}/{rule.pk}"
    assert made == {
        "id": rule.pk,
        "url": f"{HERE}/{rule.pk}",
        "account": item.account.reference,
        "service": item.number,
        "meter": "minutes",
        "of": "allowance",
        "thresholds": ["50", "80"],
        "active": True,
        "at": "2026-02-10T12:00:00Z",
    }
    assert rep.get(made["url"]).json() == made
    answer = rep.put(made["url"], {"thresholds": [90.5, "70"], "active": False})
    assert answer.status_code == 200, answer.json()
    assert (answer.json()["thresholds"], answer.json()["active"]) == (["70", "90.5"], False)
    assert rep.delete(made["url"]).status_code == 204
    assert rep.delete(made["url"]).status_code == 404
    assert UsageAlert.objects.count() == 0
    names = Event.objects.filter(name__startswith="usage_alert.").order_by("pk")
    assert list(names.values_list("name", "actor")) == [
        ("usage_alert.set", rep.person.pk),
        ("usage_alert.changed", rep.person.pk),
        ("usage_alert.removed", rep.person.pk),
    ]


def test_takes_effect_once(rep: Person, item: Item) -> None:
    key = {"HTTP_IDEMPOTENCY_KEY": "k1"}
    first = rep.post(HERE, told(item), **key)
    again = rep.post(HERE, told(item), **key)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json() == first.json()
    url = first.json()["url"]
    key = {"HTTP_IDEMPOTENCY_KEY": "k2"}
    assert [rep.delete(url, **key).status_code for _ in range(2)] == [204, 204]


def test_two_of_a_kind_are_refused(rep: Person, item: Item) -> None:
    assert rep.post(HERE, told(item)).status_code == 201
    assert_problem(rep.post(HERE, told(item)), 409, "usage_alert_exists", "of")
    assert rep.post(HERE, told(item, meter="minutes")).status_code == 201
    assert rep.post(HERE, told(item, of="forecast")).status_code == 201
    assert UsageAlert.objects.count() == 3


@pytest.mark.parametrize(
    ("given", "status", "code", "field"),
    [
        ({"of": "moon"}, 400, "malformed", "of"),
        ({"of": None}, 400, "malformed", "of"),
        ({"thresholds": "80"}, 400, "malformed", "thresholds"),
        ({"thresholds": [True]}, 400, "malformed", "thresholds[0]"),
        ({"thresholds": ["NaN"]}, 400, "malformed", "thresholds[0]"),
        ({"thresholds": [{}]}, 400, "malformed", "thresholds[0]"),
        ({"thresholds": []}, 422, "usage_alert_invalid", "thresholds"),
        ({"thresholds": ["0"]}, 422, "usage_alert_invalid", "thresholds"),
        ({"thresholds": ["-1"]}, 422, "usage_alert_invalid", "thresholds"),
        ({"thresholds": ["1000.1"]}, 422, "usage_alert_invalid", "thresholds"),
        ({"thresholds": ["1e30"]}, 422, "usage_alert_invalid", "thresholds"),
        ({"thresholds": ["0.0000001"]}, 422, "usage_alert_invalid", "thresholds"),
        ({"thresholds": list(range(1, 12))}, 422, "usage_alert_invalid", "thresholds"),
        ({"of": "amount"}, 422, "usage_alert_invalid", "meter"),
        ({"of": "units"}, 422, "usage_alert_invalid", "meter"),
        ({"meter": "none"}, 422, "usage_alert_invalid", "meter"),
        ({"meter": 7.5}, 400, "malformed", "meter"),
        ({"meter": "\0"}, 400, "malformed", "meter"),
        ({"service": "S-999999.1"}, 422, "usage_alert_invalid", "service"),
        ({"service": "x"}, 422, "usage_alert_invalid", "service"),
        ({"service": "S-1"}, 422, "usage_alert_invalid", "service"),
        ({"account": "nobody"}, 404, "not_found", "account"),
        ({"account": True}, 400, "malformed", "account"),
        ({"active": "perhaps"}, 400, "malformed", "active"),
        ({"percent": 80}, 400, "malformed", "percent"),
    ],
)
def test_bad_input(
    rep: Person, item: Item, given: dict[str, Any], status: int, code: str, field: str
) -> None:
    assert_problem(rep.post(HERE, told(item, **given)), status, code, field)
    assert UsageAlert.objects.count() == 0


def test_a_service_of_another_account_is_refused(rep: Person, item: Item) -> None:
    other = an_account()
    asked = told(item, account=other.reference, service=item.number)
    assert_problem(rep.post(HERE, asked), 422, "usage_alert_invalid", "service")


def test_switched_off_needs_no_threshold(rep: Person, item: Item) -> None:
    answer = rep.post(HERE, told(item, thresholds=[], active=False))
    assert answer.status_code == 201
    asked = {"thresholds": [], "active": True}
    url = answer.json()["url"]
    assert_problem(rep.put(url, asked), 422, "usage_alert_invalid", "thresholds")
    assert_problem(rep.put(url, {}), 400, "malformed", "thresholds")
    assert_problem(rep.put(f"{HERE}/0", asked), 404, "not_found")
    assert_problem(rep.patch(url, asked), 405, "method_not_allowed")


def test_rules_are_filtered(rep: Person, item: Item) -> None:
    rep.post(HERE, told(item, service=item.number))
    rep.post(HERE, told(item, of="forecast", meter="minutes", active=False))

    def found(**asked: Any) -> list[str]:
        answer = rep.get(HERE, asked)
        assert answer.status_code == 200, answer.json()
        return sorted(each["of"] for each in answer.json()["results"])

    assert found() == ["allowance", "forecast"]
    assert found(account=item.account.reference) == ["allowance", "forecast"]
    assert found(account="x") == []
    assert found(service=item.number) == ["allowance"]
    assert found(service="S-x") == []
    assert found(meter="minutes") == ["forecast"]
    assert found(of="forecast") == ["forecast"]
    assert found(active="true") == ["allowance"]
    assert_problem(rep.get(HERE, {"colour": "red"}), 400, "malformed", "colour")
    assert_problem(rep.get(HERE, {"of": "red"}), 400, "malformed", "of")


def test_what_was_told(rep: Person, item: Item) -> None:
    taken(an_event(item, "130"))
    look_at_usage(machine_now=AT)
    highest, lower = rep.get(SENT).json()["results"]
    if lower["told"]:
        highest, lower = lower, highest
    assert (lower["threshold"], lower["told"]) == ("80", False)
    highest.pop("id")
    assert highest == {
        "account": item.account.reference,
        "service": item.number,
        "charge": "minutes",
        "meter": "minutes",
        "of": "allowance",
        "threshold": "100",
        "told": True,
        "period_start": "2026-02-01",
        "period_end": "2026-03-01",
        "reached": "130",
        "limit": "100",
        "used": "130",
        "unit": "min",
        "forecast": "364",
        "amount": "3.00",
        "currency": "EUR",
        "at": "2026-02-10T12:00:00Z",
        "mailed_at": None,
    }
    for asked, n in (
        ({"told": "true"}, 1),
        ({"service": item.number}, 2),
        ({"service": "S-x"}, 0),
        ({"account": "x"}, 0),
        ({"of": "forecast"}, 0),
        ({"meter": "minutes"}, 2),
        ({"from": "2026-02-10", "to": "2026-02-10"}, 2),
        ({"from": "2026-02-11"}, 0),
        ({"to": "2026-02-09"}, 0),
    ):
        assert len(rep.get(SENT, asked).json()["results"]) == n, asked
    assert len(rep.get(SENT, {"from": "0001-01-01", "to": "9999-12-31"}).json()["results"]) == 2
    assert_problem(rep.get(SENT, {"from": "soon"}), 400, "malformed", "from")
    assert_problem(rep.get(SENT, {"form": "2026"}), 400, "malformed", "form")


def test_doors(as_: As, item: Item) -> None:
    sender, team, clerk = as_("usage sender"), as_("order team"), as_("finance")
    assert_problem(sender.get(HERE), 403, "permission_denied")
    assert_problem(sender.get(SENT), 403, "permission_denied")
    assert team.get(HERE).status_code == team.get(SENT).status_code == 200
    assert_problem(team.post(HERE, told(item)), 403, "permission_denied")
    made = clerk.post(HERE, told(item)).json()
    assert_problem(team.put(made["url"], {"thresholds": [1]}), 403, "permission_denied")
    assert_problem(team.delete(made["url"]), 403, "permission_denied")
    assert UsageAlert.objects.get().thresholds == [Decimal(50), Decimal(80)]


def test_queries_do_not_grow(rep: Person, item: Item, django_assert_max_num_queries: Any) -> None:
    a_meter("data", unit="GB")
    for of in ("allowance", "forecast", "amount", "units"):
        for meter in ("minutes", "data"):
            rep.post(HERE, told(item, of=of, meter=meter, service=item.number))
    with django_assert_max_num_queries(4):
        assert len(rep.get(HERE).json()["results"]) == 8
