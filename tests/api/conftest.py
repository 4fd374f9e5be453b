"""What tests of the API may ask for: clients that are logged in as somebody."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.cache import cache
from rest_framework.test import APIClient

from o2b.people.models import User
from tests.factories import a_user


class Person(APIClient):
    """A client with the user who is logged in."""

    person: User


As = Callable[..., Person]


@pytest.fixture(autouse=True)
def _no_throttle_left() -> None:
    cache.clear()


@pytest.fixture
def as_(db: None) -> As:
    """A client of a new user in these groups (`as_("sales")`), or of a given user."""

    def log_in(*groups: str, user: Any = None) -> Person:
        client = Person(raise_request_exception=True)
        client.default_format = "json"
        client.person = user or a_user(*groups)
        client.force_authenticate(client.person)
        return client

    return log_in
