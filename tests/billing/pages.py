"""People at the door, and the pages as they see them."""

import re
from typing import Any

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.factories import a_user

HTMX = {"HTTP_HX_REQUEST": "true"}


def client_of(*groups: str, **given: Any) -> Client:
    """The browser of a new person of these groups."""
    client = Client()
    client.force_login(a_user(*groups, **given))
    return client


def text_of(response: Any) -> str:
    """What stands on the page, without tags and runs of white space."""
    html = response.content.decode()
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html)).strip()


def queries(client: Client, url: str) -> int:
    """What a page costs once everything that is cached is there."""
    client.get(url)
    with CaptureQueriesContext(connection) as captured:
        assert client.get(url).status_code == 200
    return len(captured)
