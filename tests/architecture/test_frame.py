"""The frame holds together: the score, the questions, migrations, settings for production."""

import os
import subprocess
import sys
from datetime import date
from io import StringIO
from pathlib import Path

import pytest
from celery import current_app
from django.conf import settings
from django.core.management import call_command
from django.db import connection

from o2b.partitions import MONTHLY, ensure_months

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.django_db
def test_models_and_migrations_agree():
    call_command("makemigrations", check=True, dry_run=True, stdout=StringIO())


def test_every_reaction_and_question_is_answered():
    call_command("check", stdout=StringIO())


def test_what_is_done_by_the_clock_is_there_and_tells_within_a_minute():
    current_app.loader.import_default_modules()
    entries = settings.CELERY_BEAT_SCHEDULE.values()
    assert {entry["task"] for entry in entries} <= current_app.tasks.keys()
    every = {entry["task"]: entry["schedule"] for entry in entries}
    # Amber or red is seen, then told in the app, then by mail; owed messages are sent anew.
    on_the_way = ("orders.watch_time", "o2b.sweep_outbox", "people.sweep_mail")
    assert sum(every[name] for name in on_the_way) <= 60


@pytest.mark.django_db
@pytest.mark.parametrize("table", sorted(MONTHLY))
def test_a_big_table_is_partitioned_by_the_month(table):
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_get_partkeydef(%s::regclass), count(*) FROM pg_inherits"
            " WHERE inhparent = %s::regclass",
            [table, table],
        )
        key, partitions = cursor.fetchone()
    assert MONTHLY[table] in key
    assert partitions >= 2


@pytest.mark.django_db
def test_a_partition_is_guarded_like_its_table():
    """Also the months that were made since, each by its own name."""
    ensure_months("billing_invoiceline", date(2031, 1, 1), date(2031, 1, 1))
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT part.inhrelid::regclass::text, told.tgname
                FROM pg_inherits AS part
                JOIN pg_class AS parent ON parent.oid = part.inhparent AND parent.relkind = 'p'
                JOIN pg_trigger AS told ON told.tgrelid = parent.oid
                WHERE NOT told.tgisinternal AND told.tgtype & 1 = 0 AND NOT EXISTS (
                    SELECT FROM pg_trigger AS own WHERE own.tgrelid = part.inhrelid
                        AND own.tgfoid = told.tgfoid AND own.tgtype = told.tgtype
                )
            """
        )
        assert cursor.fetchall() == []
        cursor.execute(
            "SELECT count(*) FROM pg_trigger WHERE tgname LIKE 'part_not_truncated%%'"
            " AND tgrelid = 'billing_invoiceline_2031_01'::regclass"
        )
        assert cursor.fetchone() == (1,)


def test_production_asks_for_a_secret_key_and_is_not_in_debug_mode():
    environment = {k: v for k, v in os.environ.items() if not k.startswith("O2B_")}
    told = subprocess.run(
        [sys.executable, "-c", "import django; django.setup()"],
        cwd=ROOT,
        env=environment
        | {"DJANGO_SETTINGS_MODULE": "o2b.settings", "DATABASE_URL": "postgresql://h/d"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.returncode != 0
    assert "O2B_SECRET_KEY is not set" in told.stderr
    settings = subprocess.run(
        [sys.executable, "-c", "from o2b import settings as s; print(s.DEBUG, s.HTTPS)"],
        cwd=ROOT,
        env=environment | {"O2B_SECRET_KEY": "x" * 50, "DATABASE_URL": "postgresql://h/d"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert settings.stdout.strip() == "False True"
