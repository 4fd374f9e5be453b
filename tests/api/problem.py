"""How a test says which problem it expects."""

from typing import Any

MEMBERS = {"type", "title", "status", "detail", "code", "instance", "errors"}


def assert_problem(response: Any, status: int, code: str, *fields: str) -> dict[str, Any]:
    """The whole shape of RFC 9457, the code, and exactly these fields at fault."""
    assert response["Content-Type"] == "application/problem+json", response.content
    told: dict[str, Any] = response.json()
    assert told.keys() >= MEMBERS
    assert (response.status_code, told["code"]) == (status, code), told
    assert told["status"] == status
    assert told["type"] == f"urn:o2b:problem:{code}"
    assert told["instance"] == response.wsgi_request.path
    assert told["title"]
    assert told["detail"]
    assert sorted(error["field"] for error in told["errors"]) == sorted(fields), told
    assert all(error["message"] for error in told["errors"])
    return told
