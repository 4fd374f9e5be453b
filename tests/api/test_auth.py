"""Log in for a token, use it, log out."""

from datetime import timedelta

import pytest
from knox.models import AuthToken
from rest_framework.test import APIClient

from o2b import clock
from o2b.people.models import User
from tests.api.problem import assert_problem
from tests.factories import a_user

pytestmark = pytest.mark.django_db

LOG_IN = "/api/v1/auth/login"
PASSWORD = "a long enough password"


@pytest.fixture(autouse=True)
def _no_throttle_left(_no_throttle_left: None) -> None:
    """Log-ins are counted in the cache."""


@pytest.fixture
def person() -> User:
    user = a_user("sales", username="sofia")
    user.set_password(PASSWORD)
    user.save()
    return user


def log_in(client: APIClient, password: str = PASSWORD, username: str = "sofia") -> str:
    body = {"username": username, "password": password}
    return str(client.post(LOG_IN, body, format="json").json()["token"])


def with_token(token: str) -> APIClient:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Token {token}")
    return client


def test_log_in_use_log_out(person: User) -> None:
    client = APIClient()
    answer = client.post(LOG_IN, {"username": "sofia", "password": PASSWORD}, format="json")
    assert answer.status_code == 200
    assert answer.json().keys() == {"token", "expires_at", "username"}
    mine = with_token(answer.json()["token"])
    assert mine.get("/api/v1/quotes").status_code == 200
    assert mine.post("/api/v1/auth/logout").status_code == 204
    assert_problem(mine.get("/api/v1/quotes"), 401, "authentication_failed")


def test_tokens_are_stored_hashed(person: User) -> None:
    token = log_in(APIClient())
    kept = AuthToken.objects.get()
    assert token not in (kept.digest, kept.token_key)
    assert len(kept.digest) == 128


def test_log_out_everywhere(person: User) -> None:
    first, second = with_token(log_in(APIClient())), with_token(log_in(APIClient()))
    assert first.post("/api/v1/auth/logoutall").status_code == 204
    assert second.get("/api/v1/quotes").status_code == 401
    assert AuthToken.objects.count() == 0


@pytest.mark.parametrize(
    ("username", "password"), [("sofia", "wrong"), ("nobody", PASSWORD), ("sofia", f" {PASSWORD}")]
)
def test_wrong_credentials(person: User, username: str, password: str) -> None:
    body = {"username": username, "password": password}
    answer = APIClient().post(LOG_IN, body, format="json")
    assert_problem(answer, 401, "wrong_credentials")
    assert answer["WWW-Authenticate"] == "Token"
    assert AuthToken.objects.count() == 0


def test_who_left_cannot_log_in_nor_go_on(person: User) -> None:
    mine = with_token(log_in(APIClient()))
    User.objects.filter(pk=person.pk).update(is_active=False)
    assert_problem(mine.get("/api/v1/quotes"), 401, "authentication_failed")
    body = {"username": "sofia", "password": PASSWORD}
    assert APIClient().post(LOG_IN, body, format="json").status_code == 401


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, ["password", "username"]),
        ({"username": "sofia"}, ["password"]),
        ({"username": ["sofia"], "password": {}}, ["password", "username"]),
        ({"username": "x" * 151, "password": "p"}, ["username"]),
        ({"username": "sofia", "password": "p", "admin": True}, ["admin"]),
    ],
)
def test_log_in_that_cannot_be_read(body: dict[str, object], fields: list[str]) -> None:
    assert_problem(APIClient().post(LOG_IN, body, format="json"), 400, "malformed", *fields)


@pytest.mark.parametrize("body", ["[1]", "null", '"x"'])
def test_log_in_that_is_no_object(body: str) -> None:
    answer = APIClient().generic("POST", LOG_IN, body, content_type="application/json")
    assert answer.status_code == 400


def test_log_in_is_throttled(person: User) -> None:
    client = APIClient()
    body = {"username": "sofia", "password": "wrong"}
    statuses = [client.post(LOG_IN, body, format="json").status_code for _ in range(11)]
    assert statuses == [401] * 10 + [429]
    answer = client.post(LOG_IN, body, format="json")
    assert_problem(answer, 429, "throttled")
    assert 0 < int(answer["Retry-After"]) <= 60


@pytest.mark.parametrize(
    "header",
    ["Token", "Token a b", "Token \xff\xfe", "Token a\0b", "Token " + "f" * 5000, "Token unknown"],
)
def test_a_token_that_is_none(header: str) -> None:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=header)
    assert_problem(client.get("/api/v1/quotes"), 401, "authentication_failed")


def test_a_token_that_ran_out(person: User) -> None:
    token = log_in(APIClient())
    AuthToken.objects.update(expiry=clock.now() - timedelta(seconds=1))
    assert_problem(with_token(token).get("/api/v1/quotes"), 401, "authentication_failed")
    log_in(APIClient())
    assert AuthToken.objects.count() == 1  # the old one was thrown away


def test_a_session_needs_the_csrf_token(person: User) -> None:
    client = APIClient(enforce_csrf_checks=True)
    client.force_login(person)
    assert client.get("/api/v1/quotes").status_code == 200
    assert_problem(client.post("/api/v1/quotes", {}, format="json"), 403, "permission_denied")
