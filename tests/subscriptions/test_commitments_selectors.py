"""Questions about commitments are answered by indexes, however many services there are."""

import pytest
from django.db import connection

from subscriptions.commitments.selectors import due_renewals
from tests.scenarios.world import World
from tests.subscriptions.serving import a_line_in_service

pytestmark = pytest.mark.django_db


def test_who_has_a_service_is_found_by_the_index_of_its_versions(world: World) -> None:
    a_line_in_service(world)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
    plan = due_renewals(machine_now=world.now, clocked=False).explain()
    # A hashed one is looked up after all versions of all services have been read.
    assert "subscriptions_itemversion" in plan
    assert "hashed SubPlan" not in plan
