"""Days that are over are counted once; the desk shows those figures and says when they are from."""

from datetime import date, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from subscriptions.models import UsageDay, UsageKey, UsagePending
from subscriptions.usage import selectors
from subscriptions.usage.services import count_days, release_waiting
from subscriptions.usage.tasks import count_usage_days
from tests.billing.pages import client_of
from tests.scenarios.world import World
from tests.subscriptions.usage.build import a_meter, a_metered_service, an_event, taken

pytestmark = pytest.mark.django_db


def days_ago(n: int) -> date:
    return selectors.recorded_today() - timedelta(days=n)


def days_over() -> int:
    """31 days are looked at; yesterday is over an hour after it ended."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT extract(hour FROM now() AT TIME ZONE 'UTC') = 0")
        ((first_hour,),) = cursor.fetchall()
    return 30 if first_hour else 31


def came_before(n: int) -> None:
    """All that came today came so many days ago."""
    columns = {
        "usagekey": "recorded_on",
        "usageevent": "recorded_at",
        "usagepending": "recorded_at",
        "usagerejected": "recorded_at",
    }
    with connection.cursor() as cursor:
        for table, column in columns.items():
            name = f"subscriptions_{table}"
            cursor.execute(f"ALTER TABLE {name} DISABLE TRIGGER USER")
            cursor.execute(
                f"UPDATE {name} SET {column} = {column} - %s * interval '1 day'"
                f" WHERE {column} >= (now() AT TIME ZONE 'UTC')::date",
                [n],
            )


def figures(on: date, **given: bool) -> list[tuple[object, ...]]:
    return [
        (e.source, e.received, e.rated, e.pending, e.dismissed, e.rejected)
        for e in selectors.equations(since=on, on=on, **given)
    ]


@pytest.fixture
def on(world: World) -> date:
    """The day before yesterday: three events came, one that waits, one that was refused."""
    a_meter()
    item = a_metered_service(world)
    taken(an_event(item), an_event(item), an_event("S-x"), an_event(item, "-1"))
    taken(an_event(item, source="other"))
    came_before(2)
    return days_ago(2)


def test_what_was_counted_is_what_stands_there(on: date) -> None:
    before = figures(on)
    assert before == [("other", 1, 1, 0, 0, 0), ("pbx", 3, 2, 1, 0, 1)]
    assert count_usage_days() == days_over()
    assert figures(on) == figures(on, live=True) == before
    found = selectors.equations(since=on, on=days_ago(0))
    assert {e.counted_at is None for e in found} == {False}
    assert selectors.equation(on=on).counted_at is None
    assert (count_days(), UsageDay.objects.exclude(source="").count()) == (0, 2)


def test_what_waited_is_rated_of_the_day_it_came_after_it_was_counted(
    on: date, world: World
) -> None:
    count_days()
    item = a_metered_service(world)
    UsagePending.objects.update(subject=item.number)
    assert release_waiting(machine_now=world.now) == 1
    assert figures(on) == figures(on, live=True)
    assert figures(on)[1] == ("pbx", 3, 3, 0, 0, 1)


def test_today_is_counted_live(on: date, world: World) -> None:
    count_days()
    item = a_metered_service(world)
    taken(an_event(item), an_event(item))
    today = days_ago(0)
    assert not UsageDay.objects.filter(on=today).exists()
    (found,) = selectors.equations(since=today, on=today)
    assert (found.received, found.rated, found.counted_at) == (2, 2, None)
    both = selectors.equations(since=on, on=today, source="pbx")
    assert [(e.on, e.received, e.holds) for e in both] == [(today, 2, True), (on, 3, True)]


def test_the_table_does_not_count_over_days_again(on: date) -> None:
    """What is lost after the count is seen by the page of the day, not by the table."""
    count_days()
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE subscriptions_usagekey DISABLE TRIGGER USER")
    UsageKey.objects.filter(source="other").delete()
    assert figures(on)[0] == ("other", 1, 1, 0, 0, 0)
    assert selectors.equation(on=on, source="other").missing == -1
    since, today = days_ago(14), days_ago(0)
    with CaptureQueriesContext(connection) as queries:
        selectors.equations(since=since, on=today)
    assert len(queries) == 2


def test_the_page_says_when(on: date) -> None:
    who: Client = client_of("sales")
    address = "/subscriptions/usage/days/"
    assert (
        '<td role="cell" class="k-day" data-label="Counted">now</td>'
        in who.get(address).content.decode()
    )
    count_days()
    page = who.get(address).content.decode()
    assert ">now</td>" not in page
    assert "is counted once and stays so" in page
