"""Partitions are made months ahead, once; usage of a month that has none is not lost."""

from datetime import date

import pytest
from django.db import connection

from o2b.partitions import MONTHLY, ensure_months, lacks_a_month
from o2b.tasks import make_partitions
from tests.scenarios.world import World

pytestmark = pytest.mark.django_db


def partition_of(table: str, moment: str) -> str:
    """The partition that a row of a moment would lie in, by its bounds."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT c.relname FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = i.inhrelid
                WHERE i.inhparent = %s::regclass
                AND pg_get_expr(c.relpartbound, c.oid) LIKE %s
            """,
            [table, f"FOR VALUES FROM ('{moment}%"],
        )
        found = cursor.fetchone()
    return found[0] if found else ""


def test_three_months_of_every_big_table_are_made_ahead_and_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    today, last = date(2041, 11, 20), date(2042, 2, 1)
    monkeypatch.setattr("o2b.clock.today", lambda *_: today)
    assert all(lacks_a_month(table, today, last) for table in MONTHLY)
    made = make_partitions()
    months = ("2041_11", "2041_12", "2042_01", "2042_02")
    assert made == [f"{table}_{month}" for table in MONTHLY for month in months]
    assert not any(lacks_a_month(table, today, last) for table in MONTHLY)
    for table in MONTHLY:
        assert partition_of(table, "2042-02-01") == f"{table}_2042_02"
    assert make_partitions() == []


def test_a_month_whose_rows_lie_in_the_default_stays_there(world: World) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO subscriptions_usagetotal"
            " (service_id, meter_id, day, part, quantity, count, how, last_at)"
            " VALUES (1, 1, '2041-12-05', '', 1, 1, 0, now())"
        )
    found = ensure_months("subscriptions_usagetotal", date(2041, 11, 20), date(2042, 1, 1))
    assert found == ["subscriptions_usagetotal_2041_11", "subscriptions_usagetotal_2042_01"]
