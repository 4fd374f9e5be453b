"""On a phone, 390 px wide: no page has to be pushed sideways, in light and in dark."""

import pytest
from playwright.sync_api import Page

from billing.models import Invoice
from o2b.people.models import User
from orders.fulfilment.services import claim_task, fail_task
from orders.models import Queue, QueueMember, Task
from quotes import links
from subscriptions.models import Subscription
from tests.billing.worlds import AT, FEBRUARY, drafted, finalised, in_service, ordered
from tests.browser.build import an_open_offer
from tests.browser.people import PASSWORD, Staff, Visit
from tests.factories import INSTALL, a_product, a_quote, a_tax_rate, a_user, an_account

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PHONE = {"width": 390, "height": 844}
LONG = "Zweckverband Wasserversorgung Donau-Iller-Bodenseevorland"
LISTS = ("/", "/quotes/", "/customers/", "/orders/", "/subscriptions/", "/catalog/")
FORMS = ("/quotes/new/", "/orders/new/", "/customers/new/", "/billing/runs/new/", "/taxes/new/")
BOOKS = ("/billing/runs/", "/billing/invoices/", "/billing/payments/", "/billing/promises/")
MORE = (*BOOKS, "/taxes/")
WORK = ("/orders/queue/", "/orders/fallout/", "/search/?q=donau", "/password/")


@pytest.fixture
def person(staff: Staff) -> User:
    """Somebody who may see every page."""
    return a_user("administrator", username="ines", first_name="Inès", password=PASSWORD)


@pytest.fixture
def rows(person: User) -> list[str]:
    """A page of every kind with something long on it; gives their addresses."""
    account = an_account(name=LONG, advocate=person)
    rate = a_tax_rate("19", name="Umsatzsteuer nach dem vollen Satz, gemäß § 12 Abs. 1 UStG")
    in_service([a_product(name="Fibre 1 Gbit/s with a fixed address")], account=account)
    final = finalised()
    router = a_product(name="Router", tasks=INSTALL)
    order, fallen = ordered([router], account=account), ordered([router], account=account)
    for queue in Queue.objects.all():
        QueueMember.objects.create(queue=queue, user=person)
    task = Task.objects.filter(order=fallen, kind=Task.Kind.MANUAL).get()
    claim_task(task_id=task.pk, user_id=person.pk, at=AT)
    fail_task(task_id=task.pk, user_id=person.pk, reason="The duct is full", at=AT)
    mine = Task.objects.filter(order=order, kind=Task.Kind.MANUAL).get()
    claim_task(task_id=mine.pk, user_id=person.pk, at=AT)
    offer, draft = an_open_offer(account), a_quote(account=account)
    served = Subscription.objects.get()
    billed = [final, drafted(FEBRUARY), Invoice.objects.get()]
    shown = [account, order, fallen, *billed, served, offer, draft, rate]
    return [
        *(each.get_absolute_url() for each in shown),
        f"{draft.get_absolute_url()}edit/",
        f"/orders/offer/{links.sign(offer.pk)}/",
        *LISTS,
        *FORMS,
        *MORE,
        *WORK,
    ]


def test_nothing_scrolls_sideways(person: User, rows: list[str], visit: Visit) -> None:
    page = visit(person, viewport=PHONE)
    assert [found for url in rows for found in _too_wide(page, url)] == []


def _too_wide(page: Page, url: str) -> list[tuple[str, str, int]]:
    """(address, light or dark, width) where a page is wider than the window."""
    answer = page.goto(url, wait_until="networkidle")
    assert answer is not None
    assert answer.status == 200, url
    found = []
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        width = page.evaluate("document.documentElement.scrollWidth")
        if width > page.evaluate("innerWidth"):
            found.append((url, scheme, width))
    return found
