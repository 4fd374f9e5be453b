"""Pages of coupons and minimums: written, published, granted, ended; and on documents."""

from typing import Any

import pytest
from django.test import Client

from billing.invoices.adjusted import adjustments_of
from billing.invoices.document import document_of
from billing.invoices.pdf import render
from billing.invoices.selectors import lines_of
from billing.models import Coupon, CouponGrant, MinimumSpend
from tests.billing.adjustments.build import a_coupon, committed, has
from tests.billing.pages import HTMX, client_of, queries, text_of
from tests.factories import a_product, a_tax_rate, an_account, monthly
from tests.scenarios.world import World

pytestmark = pytest.mark.django_db

SAID = {"code": "ten", "name": "Ten off", "kind": "percent", "value": "10", "months": "1"}


def test_a_coupon_is_written_by_one_published_by_another_and_granted(world: World) -> None:
    a_product(code="line", name="Line")
    clerk, chief = client_of("finance"), client_of("finance")
    assert "No coupons yet" in text_of(clerk.get("/billing/coupons/"))
    assert clerk.get("/billing/coupons/new/").status_code == 200
    made = clerk.post("/billing/coupons/new/", SAID | {"products": "line", "periods": "3"})
    page = made.headers["Location"]
    assert page == "/billing/coupons/of/ten/"
    said = text_of(clerk.get(page))
    assert "3 × month" in said
    assert "Submit for publication" in said
    assert "A draft, prepared by" in text_of(chief.get(page))
    assert clerk.get(f"{page}edit/").status_code == 200
    clerk.post(f"{page}edit/", {k: v for k, v in SAID.items() if k != "code"})
    clerk.post(f"{page}submit/")
    clerk.post(f"{page}publish/")
    assert Coupon.objects.get().state == "draft"
    chief.post(f"{page}publish/")
    assert Coupon.objects.get().state == "published"
    assert "everything that the account is billed" in text_of(chief.get(page))

    account = world.account
    panel = f"/billing/of-account/{account.pk}/adjustments/"
    assert "No coupon and no minimum." in text_of(clerk.get(panel, **HTMX))
    form = f"/billing/of-account/{account.pk}/coupon/"
    assert clerk.get(form).status_code == 200
    body = {"coupon": Coupon.objects.get().pk, "starts_on": "2026-01-01", "reason": "welcome"}
    assert clerk.post(form, body).headers["Location"] == account.get_absolute_url()
    said = text_of(clerk.get(panel))
    assert "Ten off" in said
    assert "welcome" in said
    assert account.name in text_of(clerk.get(page))
    url = f"/billing/coupon-grants/{CouponGrant.objects.get().pk}/end/"
    clerk.post(url, {"on": "2026-03-01", "reason": "over"})
    assert str(CouponGrant.objects.get().ends_on) == "2026-03-01"
    clerk.post(f"{page}retire/", {"on": "2026-01-01"})
    assert Coupon.objects.get().state == "retired"


def test_a_minimum_is_set_and_ended(world: World) -> None:
    clerk, account = client_of("finance"), world.account
    form = f"/billing/of-account/{account.pk}/minimum/"
    assert clerk.get(form).status_code == 200
    body = {
        "text": "Minimum spend",
        "minimum": "100",
        "months": "3",
        "counted": "calendar",
        "prorated": "on",
        "starts_on": "2026-01-01",
        "reason": "contract 7",
    }
    wrong = clerk.post(form, body | {"minimum": "0"})
    assert (wrong.status_code, list(wrong.context["form"].errors)) == (422, ["minimum"])
    clerk.post(form, body)
    held = MinimumSpend.objects.get()
    assert (held.months, held.prorated) == (3, True)
    assert "contract 7" in text_of(clerk.get(f"/billing/of-account/{account.pk}/adjustments/"))
    clerk.post(f"/billing/minimum-spends/{held.pk}/end/", {"on": "2026-07-01", "reason": "moved"})
    assert str(MinimumSpend.objects.get().ends_on) == "2026-07-01"


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"value": "101"}, "value"),
        ({"kind": "amount"}, "currency"),
        ({"products": "nowhere"}, "products"),
        ({"code": "has it"}, "code"),
        ({"months": "2"}, "months"),
        ({"name": ""}, "name"),
    ],
)
def test_what_is_wrong_is_said_beside_its_field(said: dict[str, str], field: str) -> None:
    answer = client_of("finance").post("/billing/coupons/new/", SAID | said)
    assert answer.status_code == 422
    assert list(answer.context["form"].errors) == [field]
    assert not Coupon.objects.exists()


def test_a_document_shows_discounts_and_minimums_and_why(world: World) -> None:
    a_tax_rate("19")
    world.on("2026-01-01").sell(products=[a_product(name="Line", charges=[monthly("62.00")])])
    has(world.account, a_coupon("10", name="Welcome"))
    committed(world.account, text="Minimum spend")
    world.on("2026-02-01").bill()
    (bill,) = world.invoices()
    document: Any = document_of(bill, list(lines_of(invoice_id=bill.pk)), (), adjustments_of(bill))
    group = document["groups"][-1]
    assert group["title"] == "Discounts and minimums"
    assert [(x["text"], x["period"], x["amount"]) for x in group["lines"]] == [
        ("Discount: Welcome", "1 Jan 2026 – 31 Jan 2026", "-€6.20"),
        ("Discount: Welcome", "1 Feb 2026 – 28 Feb 2026", "-€6.20"),
        ("Minimum spend", "1 Jan 2026 – 31 Jan 2026", "€44.20"),
    ]
    assert group["lines"][0]["note"].startswith("on Line")
    assert document["sums"] == [["Net", "€155.80"], ["Tax 19 %", "€29.60"]]
    assert render(document).startswith(b"%PDF")
    client = client_of("finance")
    said = text_of(client.get(bill.get_absolute_url()))
    assert "Discount: Welcome" in said
    assert "equal to the cent" in said
    assert "not what was billed" not in said
    few = queries(client, bill.get_absolute_url())
    has(world.account, a_coupon("5"))
    world.bill()
    later = world.invoices()[-1]
    # Two of the last and of the next coupon; two of what it corrects and why.
    assert queries(client, later.get_absolute_url()) <= few + 4
    assert "-€12.40" in text_of(client.get(f"/billing/of-account/{world.account.pk}/adjustments/"))


@pytest.mark.parametrize(
    "path", ["coupons/", "coupons/new/", "of-account/1/adjustments/", "of-account/1/coupon/"]
)
def test_nobody_else_sees_them(world: World, path: str) -> None:
    assert Client().get(f"/billing/{path}").status_code == 302
    assert client_of("product").get(f"/billing/{path}").status_code == 403


def test_lists_cost_the_same_whatever_their_length(world: World) -> None:
    client = client_of("finance")
    has(world.account, a_coupon())
    pages = ["/billing/coupons/", f"/billing/of-account/{world.account.pk}/adjustments/"]
    pages.append(CouponGrant.objects.get().coupon.get_absolute_url())
    few = [queries(client, url) for url in pages]
    for _ in range(3):
        has(world.account, a_coupon())
        has(an_account(), CouponGrant.objects.earliest("pk").coupon)
    assert [queries(client, url) for url in pages] == few


def test_discounts_are_told_in_the_customers_language_on_the_page_too(world: World) -> None:
    world.account.customer.country = "DE"
    world.account.customer.save()
    world.on("2026-01-01").sell(products=[a_product(name="Line", charges=[monthly("62.00")])])
    has(world.account, a_coupon("10", name="Welcome"))
    world.bill()
    said = text_of(client_of("finance").get(world.invoices()[-1].get_absolute_url()))
    for part in ("Rabatte und Mindestumsätze", "Rabatt: Welcome", "01.01.2026 – 31.01.2026"):
        assert part in said, part
    assert "Why this amount" in said  # to who reads it here
