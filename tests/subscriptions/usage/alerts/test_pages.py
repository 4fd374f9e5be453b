"""The pages of alerts: panels, the form of a rule, the list of what was told."""

import re
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from subscriptions.models import Item, UsageAlert, UsageAlertDefault, UsageAlertSent
from subscriptions.usage.alerts.services import look_at_usage, set_alert
from tests.billing.pages import HTMX, client_of, queries, text_of
from tests.scenarios.world import World
from tests.subscriptions.usage.build import a_meter, a_metered_service, an_event, by_meter, taken

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("lived")]
HERE = "/subscriptions/usage/alerts/"
AT = datetime.fromisoformat("2026-02-10T12:00:00+00:00")


@pytest.fixture
def sales() -> Client:
    return client_of("sales")


def its_life(world: World) -> Item:
    a_meter()
    a_meter("data", unit="GB")
    return a_metered_service(
        world, by_meter(details={"allowance": {"units": "100"}}), by_meter("data", "0.02")
    )


def rule_of(item: Item, of: str = "allowance", *thresholds: str, **given: Any) -> UsageAlert:
    return set_alert(
        account_id=item.account_id,
        of=of,
        thresholds=[Decimal(each) for each in thresholds or ("50",)],
        at=AT,
        **given,
    )


def panels(item: Item) -> dict[str, str]:
    return {
        "account": f"{HERE}of-account/{item.account_id}/",
        "subscription": f"{HERE}of-subscription/{item.subscription_id}/",
        "service": f"{HERE}of-service/{item.pk}/",
    }


def test_panels_stand_on_their_pages(sales: Client, item: Item, world: World) -> None:
    for page, url in (
        (item.account.get_absolute_url(), panels(item)["account"]),
        (item.subscription.get_absolute_url(), panels(item)["subscription"]),
        (f"/subscriptions/usage/services/{item.pk}/", panels(item)["service"]),
    ):
        assert f'hx-get="{url}"' in sales.get(page).content.decode(), page
        part = sales.get(url, **HTMX)
        assert "<html" not in part.content.decode()
        assert "style=" not in part.content.decode()
        assert "Usage alerts" in text_of(sales.get(url))
    plain = world.an_account()
    assert "of-account/" + str(plain.pk) not in re.findall(
        r"alerts/(of-account/\d+)", sales.get(plain.get_absolute_url()).content.decode()
    )


def test_a_panel_says_what_stands_and_what_was_told(sales: Client, item: Item) -> None:
    text = text_of(sales.get(panels(item)["service"], **HTMX))
    assert "default of the house 80 % · 100 % on" in text
    assert "Nothing was told in this period." in text
    rule_of(item, "allowance", "90", item_id=item.pk, meter_code="minutes")
    rule_of(item, "allowance", "60")
    rule_of(item, "amount", "2.5", meter_code="minutes")
    rule_of(item, "units", "500", meter_code="data", active=False)
    taken(an_event(item, "125"))
    look_at_usage(machine_now=AT)
    for name, url in panels(item).items():
        text = text_of(sales.get(url, **HTMX))
        assert f"minutes {item.number} 90 % on" in text, name
        assert "every service 60 % on" in text, name
        assert "default of the house 80 % · 100 % another one counts" in text, name
        assert "every service €2.50 on" in text, name
        assert "data every service 500 GB off" in text, name
        assert "90 % of the allowance is used Used so far: 125 min of 100 min" in text, name
        assert "€2.50 is reached" in text, name
        assert "no mail" in text, name
    assert UsageAlertSent.objects.filter(told=True).count() == 2


def test_what_does_not_count_for_a_service_is_said(sales: Client, item: Item) -> None:
    rule_of(item, "allowance", "60")
    rule_of(item, "allowance", "90", item_id=item.pk)
    text = text_of(sales.get(panels(item)["service"], **HTMX))
    assert "every service 60 % another one counts" in text
    assert f"{item.number} 90 % on" in text


def test_without_rules_or_default(sales: Client, item: Item) -> None:
    UsageAlertDefault.objects.all().delete()
    for url in panels(item).values():
        text = text_of(sales.get(url, **HTMX))
        assert "Nobody is told when usage passes a threshold." in text


def test_a_rule_is_set_changed_and_removed(sales: Client, item: Item) -> None:
    page = f"/subscriptions/usage/services/{item.pk}/"
    url = f"{HERE}of-service/{item.pk}/new/"
    shown = sales.get(url, {"next": page}).content.decode()
    assert 'value="80 100"' in shown
    assert f'name="next" value="{page}"' in shown
    told = {"of": "allowance", "meter": "minutes", "thresholds": "50, 80", "active": "on"}
    answer = sales.post(url, told | {"next": page}, follow=True)
    assert answer.request["PATH_INFO"] == page
    assert "The alert is set." in text_of(answer)
    rule = UsageAlert.objects.get()
    assert (rule.service_id, rule.meter.code) == (item.pk, "minutes")
    assert rule.thresholds == [Decimal(50), Decimal(80)]
    assert 'value="50 80"' in sales.get(f"{HERE}{rule.pk}/").content.decode()
    answer = sales.post(f"{HERE}{rule.pk}/", {"thresholds": "", "next": "//evil.test"})
    assert answer["Location"] == item.account.get_absolute_url()
    rule.refresh_from_db()
    assert (rule.thresholds, rule.active) == ([], False)
    answer = sales.post(f"{HERE}{rule.pk}/remove/?next={page}", follow=True)
    assert answer.request["PATH_INFO"] == page
    assert "The alert is removed." in text_of(answer)
    assert UsageAlert.objects.count() == 0
    assert sales.get(f"{HERE}{rule.pk}/").status_code == 404
    answer = sales.post(f"{HERE}of-account/{item.account_id}/new/", told)
    assert answer["Location"] == item.account.get_absolute_url()
    assert UsageAlert.objects.get().service is None


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"thresholds": "80,100"}, "“80,100” is no number"),
        ({"thresholds": "many"}, "“many” is no number"),
        ({"thresholds": ""}, "Say at least one threshold"),
        ({"thresholds": "0"}, "A threshold is above 0 and at most 1,000."),
        ({"thresholds": "1 2 3 4 5 6 7 8 9 10 11"}, "At most 10 thresholds."),
        ({"thresholds": "0.0000001"}, "At most 6 decimals."),
        ({"of": "amount", "meter": ""}, "Name a meter"),
        ({"of": "moon"}, "Select a valid choice"),
        ({"of": "wallet", "meter": "minutes"}, "Prepaid credit is measured by no meter."),
        ({"meter": "none"}, "Select a valid choice"),
    ],
)
def test_errors_stand_beside_their_fields(
    sales: Client, item: Item, given: dict[str, str], said: str
) -> None:
    told = {"of": "allowance", "meter": "", "thresholds": "80", "active": "on"}
    answer = sales.post(f"{HERE}of-account/{item.account_id}/new/", told | given)
    assert answer.status_code == 422
    assert said in text_of(answer)
    assert 'class="field wrong"' in answer.content.decode()
    assert UsageAlert.objects.count() == 0


def test_two_of_a_kind_are_refused(sales: Client, item: Item) -> None:
    rule_of(item)
    told = {"of": "allowance", "meter": "", "thresholds": "80", "active": "on"}
    answer = sales.post(f"{HERE}of-account/{item.account_id}/new/", told)
    assert answer.status_code == 422
    assert "There is a rule of this kind already" in text_of(answer)


def test_who_may(item: Item) -> None:
    rule = rule_of(item)
    nobody, team = client_of(), client_of("order team")
    for url in (HERE, *panels(item).values()):
        assert nobody.get(url).status_code == 403, url
        assert team.get(url).status_code == 200, url
        assert "New alert" not in text_of(team.get(url)), url
    for url in (
        f"{HERE}{rule.pk}/",
        f"{HERE}{rule.pk}/remove/",
        f"{HERE}of-account/{item.account_id}/new/",
        f"{HERE}of-service/{item.pk}/new/",
    ):
        assert team.post(url, {"thresholds": "1"}).status_code == 403, url
    rule.refresh_from_db()
    assert rule.thresholds == [Decimal(50)]


def test_the_list_of_what_was_told(sales: Client, item: Item) -> None:
    assert "No threshold was passed yet." in text_of(sales.get(HERE))
    taken(an_event(item, "130"))
    rule_of(item, "amount", "2", meter_code="minutes")
    look_at_usage(machine_now=AT)

    def found(**asked: str) -> list[str]:
        answer = sales.get(HERE, asked)
        assert answer.status_code == 200
        return sorted(f"{row.source.threshold.normalize():f}" for row in answer.context["rows"])

    account = item.account
    for asked, thresholds in (
        ({}, ["100", "2"]),
        ({"state": "noted"}, ["80"]),
        ({"of": "amount"}, ["2"]),
        ({"of": "nothing"}, ["100", "2"]),
        ({"meter": "data"}, []),
        ({"account": account.reference.lower()}, ["100", "2"]),
        ({"q": account.name}, ["100", "2"]),
        ({"q": "nobody"}, []),
        ({"from": "2026-02-11"}, []),
        ({"until": "2026-02-10"}, ["100", "2"]),
        ({"until": "9999-12-31"}, ["100", "2"]),
        ({"from": "0001-01-01"}, ["100", "2"]),
    ):
        assert found(**asked) == thresholds, asked
    for column in ("at", "account", "service", "threshold", "used", "amount", "mailed_at"):
        assert found(sort=f"-{column}") == ["100", "2"]
    text = text_of(sales.get(HERE))
    assert "100 % of the allowance is used" in text
    assert "Alerts" in text
    answer: Any = sales.get(HERE, {"format": "csv", "of": "allowance", "until": "9999-12-31"})
    head, line = answer.getvalue().decode().splitlines()
    assert head.startswith("When,Account,Service,Charge,Meter")
    assert (
        f"{account.reference},{item.number},minutes,minutes,allowance,100,130,100,130,min" in line
    )


def test_queries_do_not_grow_with_rows(sales: Client, item: Item, world: World) -> None:
    def cost() -> list[int]:
        return [queries(sales, url) for url in (HERE, *panels(item).values())]

    rule_of(item, "allowance", "10")
    taken(an_event(item, "15"))
    look_at_usage(machine_now=AT)
    few = cost()
    other = a_metered_service(world, by_meter(details={"allowance": {"units": "100"}}))
    rule_of(item, "amount", "1", "2", meter_code="minutes")
    rule_of(item, "units", "5", "6", meter_code="minutes", item_id=item.pk)
    rule_of(item, "allowance", "5", item_id=other.pk)
    taken(an_event(item, "150"), an_event(other, "50"))
    look_at_usage(machine_now=AT)
    assert cost() == few


def test_an_administrator_sets_the_default(item: Item) -> None:
    admin = client_of("administrator", is_staff=True)
    row = UsageAlertDefault.objects.get(legal_entity=None)
    url = f"/admin/subscriptions/usagealertdefault/{row.pk}/change/"
    assert admin.get(url).status_code == 200
    assert admin.post(url, {"thresholds": "0", "active": "on"}).status_code == 200
    answer = admin.post(url, {"thresholds": "70,95.5", "active": "on"})
    assert answer.status_code == 302
    row.refresh_from_db()
    assert row.thresholds == [Decimal(70), Decimal("95.5")]
    sales = client_of("sales", is_staff=True)
    assert sales.post(url, {"thresholds": "1", "active": "on"}).status_code == 403
