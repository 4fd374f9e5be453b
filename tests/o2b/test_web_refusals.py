"""Refusals, missing rows and closed doors: what a person sees, with and without htmx."""

import pytest
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.test import Client
from django.urls import include, path
from django.views.decorators.http import require_POST

from o2b.errors import Invalid, Refused
from o2b.people.models import User
from o2b.web.http import door

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]
HTMX = {"HX-Request": "true"}


def refuse(request: HttpRequest) -> HttpResponse:
    raise Refused("<b>Q-1</b> is sent", url="/quotes/1/")


def never(request: HttpRequest) -> HttpResponse:
    raise Invalid("quantity is 0", field="quantity")


def missing(request: HttpRequest) -> HttpResponse:
    User.objects.get(pk=0)
    raise AssertionError


def lost(request: HttpRequest) -> HttpResponse:
    raise Http404


@require_POST
def succeed(request: HttpRequest) -> HttpResponse:
    messages.success(request, "<i>sent</i>")
    return HttpResponse("<p id='quote'>Q-1</p>")


@door("people.delete_user")
@require_POST
def guarded(request: HttpRequest) -> HttpResponse:
    return HttpResponse("done")


urlpatterns = [
    path("refuse/", refuse),
    path("never/", never),
    path("missing/", missing),
    path("lost/", lost),
    path("guarded/", guarded),
    path("succeed/", succeed),
    path("", include("o2b.people.urls")),
]


@pytest.mark.parametrize(
    ("address", "status", "words"),
    [
        ("/refuse/", 409, "&lt;b&gt;Q-1&lt;/b&gt; is sent"),
        ("/never/", 422, "quantity is 0"),
        ("/missing/", 404, "This is not there (any more)."),
        ("/lost/", 404, "This is not there (any more)."),
    ],
)
def test_htmx_gets_a_toast(client: Client, address: str, status: int, words: str) -> None:
    response = client.post(address, headers=HTMX)
    assert response.status_code == status
    assert (response["HX-Retarget"], response["HX-Reswap"]) == ("#toasts", "beforeend")
    assert words in response.content.decode()
    assert 'role="alert"' in response.content.decode()
    assert "<html" not in response.content.decode()


def test_the_way_back_stays_on_this_site(client: Client) -> None:
    response = client.post("/refuse/", headers={"Referer": "http://testserver//evil.example/x"})
    assert (response.status_code, response["Location"]) == (302, "/evil.example/x")


def test_a_message_comes_beside_the_partial_and_only_once(client: Client) -> None:
    part = client.post("/succeed/", headers=HTMX).content.decode()
    assert part.startswith("<p id='quote'>Q-1</p>")
    assert '<div id="toasts" hx-swap-oob="beforeend"><div class="toast success"' in part
    assert "&lt;i&gt;sent&lt;/i&gt;" in part
    assert "&lt;i&gt;sent" not in client.get("/login/").content.decode()


def test_a_plain_answer_keeps_its_message_for_the_next_page(client: Client) -> None:
    assert client.post("/succeed/").content == b"<p id='quote'>Q-1</p>"
    assert "&lt;i&gt;sent" in client.get("/login/").content.decode()


def test_a_plain_post_goes_back_with_the_message(client: Client) -> None:
    response = client.post("/refuse/", headers={"Referer": "http://testserver/login/?next=/x/"})
    assert (response.status_code, response["Location"]) == (302, "/login/?next=/x/")
    page = client.get(response["Location"]).content.decode()
    assert '&lt;b&gt;Q-1&lt;/b&gt; is sent <a href="/quotes/1/">Show it</a>' in page


@pytest.mark.parametrize(
    ("method", "referer"),
    [
        ("post", ""),
        ("post", "https://evil.example/login/"),
        ("post", "//evil.example/"),
        ("post", "javascript:alert(1)"),
        ("get", "http://testserver/refuse/"),
    ],
)
def test_without_a_page_to_go_back_to_the_refusal_is_a_page(
    client: Client, method: str, referer: str
) -> None:
    response = getattr(client, method)("/refuse/", headers={"Referer": referer})
    assert response.status_code == 409
    assert "&lt;b&gt;Q-1&lt;/b&gt; is sent" in response.content.decode()
    assert 'href="/quotes/1/"' in response.content.decode()


@pytest.mark.parametrize("address", ["/missing/", "/lost/", "/no/such/page/"])
def test_what_is_not_there_is_a_404(client: Client, address: str) -> None:
    response = client.get(address)
    assert response.status_code == 404
    assert "This page is not there" in response.content.decode()


def test_a_door_asks_who_then_whether_then_how(client: Client) -> None:
    stranger = client.post("/guarded/", headers={"Referer": "http://testserver/login/"})
    assert (stranger.status_code, stranger["Location"]) == (302, "/login/?next=/login/")
    stranger = client.post("/guarded/", headers=HTMX)
    assert (stranger.status_code, stranger["HX-Redirect"]) == (200, "/login/?next=/")
    client.force_login(User.objects.create(username="nobody"))
    assert client.post("/guarded/").status_code == 403
    toast = client.post("/guarded/", headers=HTMX)
    assert (toast.status_code, toast["HX-Retarget"]) == (403, "#toasts")
    client.force_login(User.objects.create(username="chief", is_superuser=True))
    assert client.get("/guarded/").status_code == 405
    assert client.post("/guarded/").content == b"done"


def test_the_pages_of_last_resort_need_no_request(client: Client) -> None:
    client.raise_request_exception = False
    client.force_login(User.objects.create(username="nobody"))
    assert client.get("/", headers={"Host": "evil.example"}).status_code == 400
