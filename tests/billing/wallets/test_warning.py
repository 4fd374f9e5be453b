"""Little prepaid credit is left: customer and advocate hear of it once a month a threshold."""

from decimal import Decimal

import pytest

from billing.tasks import warn_of_wallets
from billing.wallets.services.warning import below
from o2b.people.models import Notice
from subscriptions.models import UsageAlertSent
from subscriptions.usage.alerts.refusals import AlertInvalid
from subscriptions.usage.alerts.services import set_alert
from tests.billing.wallets.build import granted
from tests.scenarios.world import World
from tests.subscriptions.usage.build import a_meter, a_metered_service, an_event, by_meter, taken

pytestmark = pytest.mark.django_db
D = Decimal


@pytest.mark.parametrize(
    ("left", "known", "news"),
    [
        ("60", [], []),
        ("50", [], []),
        ("49.99", [], [("50", True)]),
        ("3", [], [("50", False), ("20", False), ("5", True)]),
        ("3", ["50"], [("20", False), ("5", True)]),
        ("30", ["20"], [("50", False)]),
        ("-1", ["50", "20", "5"], []),
    ],
)
def test_what_is_told(left: str, known: list[str], news: list[tuple[str, bool]]) -> None:
    found = below([D(50), D(20), D(5)], D(left), known=[D(each) for each in known])
    assert found == [(D(threshold), told) for threshold, told in news]


def test_it_is_told_when_usage_that_is_not_billed_yet_uses_it_up(world: World) -> None:
    a_meter()
    item = a_metered_service(world, by_meter(price="1.00"))
    granted(world, "100")
    said = {"of": "wallet", "thresholds": [D(50), D(20)], "at": world.now}
    set_alert(account_id=world.account.pk, **said)  # type: ignore[arg-type]
    assert warn_of_wallets() == 0
    taken(an_event(item, "60", "2026-02-09T12:00:00Z"), now=world.now.isoformat())
    assert (warn_of_wallets(), warn_of_wallets()) == (1, 0)
    sent = UsageAlertSent.objects.get()
    assert (sent.threshold, sent.reached, sent.currency) == (D(50), D(40), "EUR")
    taken(an_event(item, "90", "2026-02-09T13:00:00Z"), now=world.now.isoformat())
    assert warn_of_wallets() == 1
    titles = [notice.title for notice in Notice.objects.filter(topic="usage").order_by("pk")]
    assert len(titles) == 2
    assert all("prepaid credit is left" in title for title in titles)


def test_it_is_of_the_account_and_of_no_meter(world: World) -> None:
    a_meter()
    item = a_metered_service(world)
    said = {"of": "wallet", "thresholds": [D(50)], "at": world.now}
    for more, field in (({"item_id": item.pk}, "of"), ({"meter_code": "minutes"}, "meter")):
        with pytest.raises(AlertInvalid) as refused:
            set_alert(account_id=world.account.pk, **said, **more)  # type: ignore[arg-type]
        assert refused.value.field == field
