"""Groups and what they may do, log-in, home, search, password."""

from io import StringIO

import pytest
from django.contrib.auth.models import Group
from django.core.management import call_command
from django.test import Client
from django.utils.translation import override

from o2b import asks
from o2b.asks import Card, Found
from o2b.people import demo, selectors, services
from o2b.people.groups import GROUPS
from o2b.people.models import User

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def nobody_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    """These pages are tested without the stages."""
    told = {"home_cards": (Card, [f"{__name__}.cards"]), "search": (Found, [f"{__name__}.found"])}
    monkeypatch.setattr(asks, "QUESTIONS", told)


@pytest.fixture
def no_groups(db: None) -> None:
    """A house that was never set up; that of the other tests has its groups."""
    Group.objects.all().delete()


def cards(user: User) -> list[Card]:
    return [Card("Notes", "1", "/elsewhere/"), Card("Words", "2", "/password/")]


def found(user: User, words: str) -> list[Found]:
    return [Found("Quote", f"<i>{words}</i>", "/quotes/1/", "Northwind")]


def permissions(group: str) -> set[str]:
    held = Group.objects.get(name=group).permissions.select_related("content_type")
    return {f"{one.content_type.app_label}.{one.codename}" for one in held}


def test_the_groups_hold_what_the_table_says_and_again_changes_nothing(no_groups: None) -> None:
    missing = set(services.ensure_groups())
    once = {name: permissions(name) for name in GROUPS}
    assert once == {name: set(held) - missing for name, held in GROUPS.items()}
    services.ensure_groups()
    assert {name: permissions(name) for name in GROUPS} == once
    assert Group.objects.count() == len(GROUPS)


def test_every_name_in_the_table_is_declared_by_a_model() -> None:
    assert services.ensure_groups() == []


def test_what_was_granted_by_hand_stays() -> None:
    services.ensure_groups()
    sales = Group.objects.get(name="sales")
    by_hand = Group.objects.get(name="administrator").permissions.get(codename="change_user")
    sales.permissions.add(by_hand)
    services.ensure_groups()
    assert "people.change_user" in permissions("sales")


def test_each_group_may_do_its_own_work_only() -> None:
    may = {name: set(held) for name, held in GROUPS.items()}
    assert {name for name in may if "billing.approve_run" in may[name]} == {
        "finance",
        "administrator",
    }
    assert {name for name in may if "orders.work_tasks" in may[name]} == {
        "order team",
        "order lead",
        "administrator",
    }
    assert {name for name in may if "orders.hear_complaints" in may[name]} == {
        "sales",
        "order lead",
        "administrator",
    }
    assert {name for name in may if "quotes.send_quote" in may[name]} == {"sales", "administrator"}
    assert may["administrator"] >= may["sales"] | may["order team"] | may["finance"]


def test_a_name_that_no_model_declares_is_told_and_skipped(
    monkeypatch: pytest.MonkeyPatch, no_groups: None
) -> None:
    monkeypatch.setitem(GROUPS, "sales", ("quotes.fly", "people.view_user"))
    out, err = StringIO(), StringIO()
    call_command("ensure_groups", stdout=out, stderr=err)
    assert f"{len(GROUPS)} groups: {', '.join(GROUPS)}" in out.getvalue()
    assert "no model declares quotes.fly" in err.getvalue()
    assert permissions("sales") == {"people.view_user"}


def test_log_in_and_out(client: Client) -> None:
    services.ensure_demo_people()
    assert client.get("/")["Location"] == "/login/?next=/"
    wrong = client.post("/login/", {"username": "mara", "password": "wrong"})
    assert wrong.status_code == 200
    assert 'role="alert"' in wrong.content.decode()
    right = client.post("/login/?next=/password/", {"username": "mara", "password": demo.PASSWORD})
    assert right["Location"] == "/password/"
    assert client.get("/logout/").status_code == 405
    assert client.post("/logout/")["Location"] == "/login/"
    assert client.get("/").status_code == 302


def test_log_in_leads_to_no_other_site(client: Client) -> None:
    services.ensure_demo_people()
    answer = client.post(
        "/login/",
        {"username": "mara", "password": demo.PASSWORD, "next": "https://evil.example/"},
    )
    assert answer["Location"] == "/"


def test_demo_log_ins_are_shown_in_the_demo_only(client: Client, settings) -> None:
    services.ensure_demo_people()
    User.objects.filter(username="ada").update(is_active=False)
    settings.O2B_DEMO = False
    assert demo.PASSWORD not in client.get("/login/").content.decode()
    settings.O2B_DEMO = True
    page = client.get("/login/").content.decode()
    assert demo.PASSWORD in page
    assert [person.username for person in selectors.demo_logins()] == [
        "jonas",
        "mara",
        "samir",
        "priya",
        "tomas",
        "nora",
        "felix",
        "ines",
    ]


def test_home_of_somebody(client: Client) -> None:
    people = {person.username: person for person in services.ensure_demo_people()}
    client.force_login(people["priya"])
    page = client.get("/").content.decode()
    assert "Hello, Priya" in page
    assert 'href="/elsewhere/"' in page
    assert 'aria-current="page"' in page


def test_search(client: Client) -> None:
    client.force_login(User.objects.create(username="reader"))
    page = client.get("/search/", {"q": "Q-1 \0"}).content.decode()
    assert "&lt;i&gt;Q-1&lt;/i&gt;" in page
    assert "1 hit for" in page
    assert "at least two" in client.get("/search/?q=a").content.decode()
    assert client.get("/search/").status_code == 200


def test_password_is_changed_with_the_old_one(client: Client) -> None:
    mara = next(one for one in services.ensure_demo_people() if one.username == "mara")
    client.force_login(mara)
    fresh = {"new_password1": "correct horse 7", "new_password2": "correct horse 7"}
    wrong = client.post("/password/", {"old_password": "no", **fresh})
    assert wrong.status_code == 200
    assert 'aria-invalid="true"' in wrong.content.decode()
    mara.refresh_from_db()
    assert mara.check_password(demo.PASSWORD)
    client.post("/password/", {"old_password": demo.PASSWORD, **fresh})
    mara.refresh_from_db()
    assert mara.check_password("correct horse 7")


def test_pages_hold_no_inline_style_or_script(client: Client) -> None:
    client.force_login(services.ensure_demo_people()[0])
    for address in ("/", "/search/?q=xy", "/password/", "/no/such/"):
        page = client.get(address).content.decode()
        assert " style=" not in page
        assert "<style" not in page
        assert "onclick=" not in page
        assert page.count("<script") == page.count("<script src=")


def test_the_language_follows_the_browser(client: Client) -> None:
    with override("en"):  # the answer leaves its language active in this thread
        german = client.get("/login/", headers={"Accept-Language": "de"}).content.decode()
    assert '<html lang="de">' in german
    assert "Anmelden" in german
