"""The schema is valid and complete, every action has its door, and the docs page obeys the CSP."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from drf_spectacular.drainage import GENERATOR_STATS, reset_generator_stats
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.validation import validate_schema

from o2b.api.views import Verbs
from o2b.people.groups import GROUPS


@pytest.fixture(scope="module")
def schema() -> Any:
    reset_generator_stats()
    made = SchemaGenerator().get_schema(public=True)
    assert not GENERATOR_STATS
    return made


def test_it_is_valid_and_made_without_a_warning(schema: Any) -> None:
    validate_schema(schema)


def test_the_command_agrees(tmp_path: Any) -> None:
    file = tmp_path / "schema.json"
    call_command(
        "spectacular", "--validate", "--fail-on-warn", "--format=openapi-json", file=str(file)
    )
    assert json.loads(file.read_text())["info"]["title"] == "O2B"


def test_every_operation_may_end_in_a_problem(schema: Any) -> None:
    for path, operations in schema["paths"].items():
        for method, operation in operations.items():
            assert "application/problem+json" in str(operation["responses"]["default"]), path
            assert operation["description"], (method, path)


@pytest.mark.parametrize("path", ["/api/v1/orders", "/api/v1/quotes", "/api/v1/quotes/{id}/accept"])
def test_what_creates_takes_a_key(schema: Any, path: str) -> None:
    parameters = schema["paths"][path]["post"]["parameters"]
    assert "Idempotency-Key" in [parameter["name"] for parameter in parameters]


def test_every_action_has_a_door_that_somebody_may_pass() -> None:
    granted = {permission for group in GROUPS.values() for permission in group}
    seen = 0
    for view in _viewsets():
        actions = set(view.actions.values()) - {"metadata"}
        assert actions <= view.cls.doors.keys(), (view.cls, actions)
        assert set(view.cls.doors.values()) <= granted, view.cls
        seen += 1
    assert seen > 20


def _viewsets() -> Iterator[Any]:
    for pattern in _patterns(get_resolver()):
        cls = getattr(pattern.callback, "cls", None)
        if cls is not None and issubclass(cls, Verbs):
            yield pattern.callback


def _patterns(resolver: URLResolver) -> Iterator[URLPattern]:
    for pattern in resolver.url_patterns:
        if isinstance(pattern, URLResolver):
            yield from _patterns(pattern)
        else:
            yield pattern


@pytest.mark.django_db
def test_the_docs_page_needs_no_exception_from_the_csp() -> None:
    answer = Client().get("/api/v1/docs/")
    page = answer.content.decode()
    assert answer.status_code == 200
    assert "'unsafe" not in answer["Content-Security-Policy"]
    assert "<script>" not in page
    assert "style=" not in page
    assert 'data-schema="/api/v1/schema/?format=json"' in page


@pytest.mark.django_db
@pytest.mark.parametrize("asked", ["?format=json", "?format=yaml", ""])
def test_the_schema_is_served(asked: str) -> None:
    assert Client().get(f"/api/v1/schema/{asked}").status_code == 200
