"""manage.py bench_pricing in small: what it measures, and that it leaves nothing."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from o2b.catalog.models import Price, Product
from o2b.customers.models import Account
from o2b.models import Outbox


@pytest.mark.django_db
def test_the_bench_measures_and_leaves_nothing():
    before = [model.objects.count() for model in (Account, Outbox, Price, Product)]
    out = StringIO()
    call_command("bench_pricing", "--json", "--seconds", "0.05", stdout=out)
    told = json.loads(out.getvalue())
    # The floors of the speed page; a busy machine is allowed for.
    assert told["flat_per_s"] > 50_000
    assert told["five_tier_per_s"] > 15_000
    assert told["resolve_200_lines_queries"] == told["resolve_20_lines_queries"] <= 10
    assert told["resolve_200_lines_ms"] > 0
    assert [model.objects.count() for model in (Account, Outbox, Price, Product)] == before


def test_no_time_is_refused():
    with pytest.raises(CommandError):
        call_command("bench_pricing", "--seconds", "0")
