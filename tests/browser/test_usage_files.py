"""Finance loads files of calls: three shapes, their preview, progress, a duplicate as such."""

import pytest
from playwright.sync_api import Page, expect

from o2b import events
from o2b.catalog.models import Meter
from subscriptions.models import UsageFile
from subscriptions.usage.files import services
from tests.browser.people import Staff, Visit, beside
from tests.scenarios.world import World
from tests.subscriptions.usage.build import a_meter, a_metered_service, by_meter, totals
from tests.subscriptions.usage.files.build import (
    HEADER,
    NOW,
    asterisk,
    body,
    freeswitch,
    plain,
    uuid,
)

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def rows(staff: Staff) -> str:
    """A service with calls; its number."""
    world = World(events.drain)
    a_meter("calls", aggregation="each", unit="s", timed=True)
    assert Meter.objects.get().code == "calls"
    return a_metered_service(world, by_meter("calls")).number


def upload(page: Page, name: str, data: bytes) -> None:
    page.goto("/subscriptions/usage/files/")
    page.get_by_label("File", exact=True).set_input_files(
        {"name": name, "mimeType": "text/csv", "buffer": data}
    )
    page.get_by_role("button", name="Upload and look at it").click()


def preview(page: Page) -> list[str]:
    """What each row becomes."""
    expect(page.locator("#usage-preview tbody tr").first).to_be_visible()
    return [text.strip() for text in page.locator("#usage-preview td .badge").all_inner_texts()]


def test_three_shapes(staff: Staff, rows: str, visit: Visit) -> None:
    page = visit(staff.biller)
    page.goto("/")
    page.get_by_role("navigation", name="Places").get_by_role("link", name="Usage files").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Usage files")
    upload(page, "letter.csv", b"Dear all,\nno usage\n")
    expect(page.get_by_role("alert")).to_contain_text("Row 1, column 2: The header has no name.")
    upload(page, "broken.csv", b"id,time\n1,\xe4\n")
    expect(page.get_by_role("alert")).to_contain_text("Row 2, column 2: It is no UTF-8")

    upload(
        page,
        "Master.csv",
        body(
            asterisk(rows, 61, "1770645600.1"),
            asterisk(rows, 0, "1770645600.2", "NO ANSWER"),
            asterisk(rows, 61, "1770645600.1"),
        ),
    )
    expect(page.get_by_role("heading", level=1)).to_have_text("How is the file read?")
    expect(page.get_by_label("Subject", exact=True)).to_have_value("accountcode")
    expect(page.get_by_label("Value", exact=True)).to_have_value("billsec")
    assert preview(page) == ["rejected", "skipped", "rejected"]
    page.get_by_label("Time zone").fill("Europe/Berlin")
    page.get_by_label("Time zone").blur()
    first = page.locator("#usage-preview tbody tr").first
    expect(first).to_contain_text("2026-02-09 13:00:04")
    expect(first).to_contain_text("61 s")
    assert preview(page) == ["an event", "skipped", "an event"]
    page.get_by_label("Keep this mapping as").fill("Our PBX")
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_text("Nothing is counted yet.")).to_be_visible()
    page.get_by_role("button", name="Load 3 rows").click()
    expect(page.locator(".figures")).to_contain_text("Duplicates")
    page.get_by_role("link", name="the id was taken before").click()
    twice = page.locator("#list tbody tr")
    expect(twice).to_have_count(1)
    expect(twice).to_contain_text("duplicate")
    expect(twice).to_contain_text("An event of this id was taken before.")
    expect(twice.get_by_role("rowheader")).to_have_text("3")
    with page.expect_download() as download:
        page.get_by_role("link", name="Result as CSV").click()
    assert "3,1770645600.1,duplicate" in download.value.path().read_text()

    upload(page, "cdr.csv", body(freeswitch(rows, 61, uuid(1)), freeswitch(rows, 0, uuid(2))))
    expect(page.get_by_label("Id", exact=True)).to_have_value("uuid")
    page.get_by_label("Time zone").fill("UTC")
    page.get_by_role("button", name="Show the rows").click()
    assert preview(page) == ["an event", "skipped"]
    page.get_by_role("button", name="Go on").click()
    page.get_by_role("button", name="Load 2 rows").click()
    expect(page.locator("#list tbody tr")).to_have_count(2)

    upload(page, "may.csv", body(HEADER, plain(rows, "61,5", "a"), plain(rows, "x", "b")))
    expect(page.get_by_label("Decimal sign")).to_have_value(",")
    page.get_by_label("Time zone").fill("UTC")
    page.get_by_role("button", name="Go on").click()
    page.get_by_role("button", name="Load 2 rows").click()
    wrong = page.locator("#list tbody tr").filter(has_text="rejected")
    expect(wrong).to_contain_text("“seconds”: “x” is no number of this form.")
    assert beside(totals) == [
        ("2026-02-09", "=61.5@14:00:04.000000", "61.5", 1),
        ("2026-02-09", "=61@13:00:04.000000", "61", 1),
        ("2026-02-09", "=61@14:00:04.000000", "61", 1),
    ]


def test_progress_is_seen_until_all_is_loaded(staff: Staff, rows: str, visit: Visit) -> None:
    page = visit(staff.biller, viewport={"width": 390, "height": 844})
    many = body(HEADER, *(plain(rows, "1", f"e{n}") for n in range(6_000)))
    upload(page, "many.csv", many)
    page.get_by_label("Time zone").fill("UTC")
    page.get_by_role("button", name="Go on").click()
    page.get_by_role("button", name="Load 6,000 rows").click()
    progress = page.get_by_role("region", name="Progress")
    expect(progress).to_contain_text("0 of 6,000 rows")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")

    def go_on() -> bool:
        return services.take_part(file_id=UsageFile.objects.get().pk, at=NOW)

    assert beside(go_on)
    expect(progress).to_contain_text("5,000 of 6,000 rows")
    assert not beside(go_on)
    expect(page.locator(".figures")).to_contain_text("6,000")
    expect(progress).to_have_count(0)
