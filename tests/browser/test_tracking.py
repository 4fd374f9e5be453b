"""On a phone: a customer follows an order, asks and complains; the advocate's bell rings."""

import pytest
from playwright.sync_api import expect

from o2b import clock, events
from orders import services
from orders.care import links
from orders.models import Task
from tests.browser.people import Staff, Visit, beside
from tests.factories import a_product, an_account
from tests.orders.build import INSTALL, a_worker, advance, entered

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PHONE = {"width": 390, "height": 844}


@pytest.fixture
def rows(staff: Staff) -> str:
    """One order on its way; gives the path of its customer's page."""
    account = an_account(name="Sunrise Clinics", advocate=staff.rep)
    order = entered(account, a_product(name="Fibre 1 Gbit/s", tasks=INSTALL))
    events.drain()
    return f"/orders/track/{links.sign(order.pk)}/"


def test_a_customer_asks_and_complains_and_the_advocate_answers(
    staff: Staff, rows: str, visit: Visit
) -> None:
    customer = visit(viewport=PHONE)
    customer.goto(rows)
    expect(customer.get_by_role("heading", level=1)).to_contain_text("Your order O-")
    expect(customer.get_by_role("heading", name="looks after your order")).to_contain_text(
        str(staff.rep)
    )
    expect(customer.locator("[aria-current=step]")).to_have_text("in preparation")
    questions = customer.locator("#questions")
    questions.get_by_label("Your name").fill("Ann Hall")
    questions.get_by_label("Your question").fill("When does the technician come?")
    questions.get_by_role("button", name="Send the question").click()
    expect(questions.locator("li")).to_contain_text("When does the technician come?")
    complaints = customer.locator("#complaints")
    complaints.get_by_text("Tell us what is not as it should be").click()
    complaints.get_by_label("What is it about?").select_option(index=0)
    complaints.get_by_label("Your name").fill("Ann Hall")
    complaints.get_by_label("What is not as it should be?").fill("The wrong router was sent")
    complaints.get_by_role("button", name="Send the complaint").click()
    expect(complaints.locator("li")).to_contain_text("in our hands")
    assert customer.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]

    rep = visit(staff.rep)
    rep.goto("/")
    rep.get_by_role("link", name="News for me, 3 unread").click()
    rep.get_by_role("link", name="Ann Hall asks about order").click()
    rep.get_by_label("Answer").fill("On Monday at nine")
    rep.get_by_role("button", name="Answer").click()
    expect(rep.get_by_role("main")).to_contain_text("On Monday at nine")
    rep.goto("/notices/")
    rep.get_by_role("button", name="Mark all as read").click()
    expect(rep.get_by_role("link", name="News for me", exact=True)).to_be_visible()

    customer.reload()
    expect(customer.locator("#questions li")).to_contain_text("On Monday at nine")


def test_the_page_follows_by_itself(rows: str, visit: Visit) -> None:
    """Nobody reloads: the page asks every 15 seconds, and the browser's clock runs ahead."""
    customer = visit(viewport=PHONE)
    customer.clock.install()
    customer.goto(rows)
    step = customer.locator("[aria-current=step]")
    expect(step).to_have_text("in preparation")
    customer.evaluate("window.isTheSame = true")
    worker = beside(_claim)
    customer.clock.fast_forward(15_000)
    expect(step).to_contain_text("in delivery")
    beside(lambda: _complete(worker))
    customer.clock.fast_forward(15_000)
    expect(step).to_contain_text("delivered")
    assert customer.evaluate("window.isTheSame")
    expect(customer.locator("#track[hx-get]")).to_have_count(0)  # nothing moves any more


def _claim() -> int:
    worker, task = a_worker(), Task.objects.get(key="install")
    services.claim_task(task_id=task.pk, user_id=worker.pk, at=clock.now())
    return worker.pk


def _complete(worker_id: int) -> None:
    task = Task.objects.get(key="install")
    services.complete_task(
        task_id=task.pk, user_id=worker_id, at=clock.now(), version=1, serial="SN-1", data={}
    )
    advance(task.order, at=clock.now())


def test_it_works_without_scripts(rows: str, visit: Visit) -> None:
    customer = visit(viewport=PHONE, java_script_enabled=False)
    customer.goto(rows)
    questions = customer.locator("#questions")
    questions.get_by_label("Your name").fill("Ann Hall")
    questions.get_by_label("Your question").fill("When?")
    questions.get_by_role("button", name="Send the question").click()
    expect(customer.locator("#questions li")).to_contain_text("When?")
