"""Bills with tax: rates and codes, exemption, rounding, corrections at the rate of their bill."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from billing.invoices.document import document_of
from billing.models import Invoice, InvoiceLine, ParkedAccount, Posting
from o2b.customers.models import LegalEntity
from o2b.taxes import selectors
from o2b.taxes.rules import TaxAsked
from subscriptions.models import Act, Item
from tests.billing.pages import text_of
from tests.billing.worlds import FEBRUARY, JANUARY, finalised, in_service, parked
from tests.factories import a_product, a_tax_rate, a_user, an_account, an_entity, monthly, setup_fee
from tests.scenarios.world import World
from tests.subscriptions.serving import told

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("re_executed")]
D = Decimal


def rounds(per: str) -> None:
    """The seller rounds tax per line, rate or invoice."""
    an_entity()
    LegalEntity.objects.update(conventions={"tax_rounding": per})


def of(account: Any) -> list[tuple[str, str, str]]:
    """(net, tax, total) of each invoice."""
    found = Invoice.objects.filter(account=account).order_by("serial")
    return [(f"{i.net:.2f}", f"{i.tax:.2f}", f"{i.total:.2f}") for i in found]


def lines_of(account: Any) -> list[tuple[str, str, str, str]]:
    """(net, code, percent, tax) of each line."""
    found = InvoiceLine.objects.filter(account_id=account.pk).order_by("pk")
    return [(f"{x.amount:.2f}", x.tax_code, f"{x.tax_rate:.2f}", f"{x.tax:.2f}") for x in found]


def test_without_rates_in_the_country_bills_are_net() -> None:
    a_tax_rate(country="FR")
    account = in_service([a_product(charges=[monthly("49.90", tax_code="whatever")])])
    finalised()
    assert of(account) == [("49.90", "0.00", "49.90")]
    assert lines_of(account) == [("49.90", "whatever", "0.00", "0.00")]
    assert not Posting.objects.filter(credit="tax").exists()


def test_a_bill_has_tax_by_code_and_posts_it() -> None:
    a_tax_rate("19")
    a_tax_rate("7", "reduced")
    products = [
        a_product(charges=[monthly("49.90"), setup_fee("10.00", tax_code="reduced")]),
        a_product(charges=[monthly("0.05", tax_code="reduced")]),
    ]
    account = in_service(products)
    run = finalised()
    assert lines_of(account) == [
        ("49.90", "", "19.00", "9.48"),
        ("10.00", "reduced", "7.00", "0.70"),
        ("0.05", "reduced", "7.00", "0.00"),
    ]
    assert of(account) == [("59.95", "10.18", "70.13")]
    assert run.parked_accounts.count() == 0
    posted = Posting.objects.values_list("debit", "credit", "amount").order_by("credit")
    assert [(d, c, f"{a:.2f}") for d, c, a in posted] == [
        ("receivable", "revenue", "59.95"),
        ("receivable", "tax", "10.18"),
    ]
    invoice = Invoice.objects.get()
    assert document_of(invoice, list(invoice.lines.all()), (), ())["sums"] == [
        ["Net", "€59.95"],
        ["Tax 7 %", "€0.70"],
        ["Tax 19 %", "€9.48"],
    ]


def test_who_is_exempt_pays_no_tax_beside_who_is_not() -> None:
    a_tax_rate("19")
    product = a_product(charges=[monthly("100.00", tax_code="")])
    exempt = in_service([product], account=an_account(tax_exempt=True))
    taxed = in_service([product])
    finalised()
    assert of(exempt) == [("100.00", "0.00", "100.00")]
    assert of(taxed) == [("100.00", "19.00", "119.00")]


@pytest.mark.parametrize(
    ("per", "taxes"),
    [
        ("line", ["0.02", "0.02", "0.01", "0.01"]),
        ("rate", ["0.02", "0.01", "0.01", "0.00"]),
        ("invoice", ["0.02", "0.01", "0.01", "0.00"]),
    ],
)
def test_tax_is_rounded_as_the_seller_says_and_lines_add_up(per: str, taxes: list[str]) -> None:
    rounds(per)
    a_tax_rate("15")
    a_tax_rate("5", "reduced")
    products = [
        a_product(charges=[monthly("0.10", tax_code=code)])
        for code in ("", "", "reduced", "reduced")
    ]
    account, other = in_service(products), in_service(products)
    finalised()
    assert [line[3] for line in lines_of(account)] == taxes
    assert [line[3] for line in lines_of(other)] == taxes
    total = sum(map(Decimal, taxes))
    assert of(account) == [("0.40", f"{total:.2f}", f"{total + Decimal('0.40'):.2f}")]


def test_a_code_without_a_rate_parks_its_account_alone() -> None:
    a_tax_rate("19")
    a_tax_rate("7", "books", valid_until=date(2026, 1, 15))  # sold while there was one
    good = in_service([a_product(charges=[monthly("10.00")])])
    bad = in_service([a_product(charges=[monthly("20.00", tax_code="books")])])
    run = finalised()
    assert parked(run) == {bad.pk: "tax"}
    reason = ParkedAccount.objects.get().reason
    for word in ("DE", "books", "31 Jan 2026", "Tax rates"):
        assert word in reason
    assert of(good) == [("10.00", "1.90", "11.90")]
    assert of(bad) == []
    a_tax_rate("7", "books", valid_from=date(2026, 2, 1))
    finalised(FEBRUARY)
    assert [net for net, *_ in lines_of(bad)] == ["20.00", "20.00"]


def test_a_rate_holds_for_what_is_billed_from_its_day_on() -> None:
    a_tax_rate("19", valid_until=date(2026, 2, 1))
    a_tax_rate("16", valid_from=date(2026, 2, 1))
    account = in_service([a_product(charges=[monthly("100.00")])])
    finalised(JANUARY)
    finalised(FEBRUARY)
    assert [line[2:] for line in lines_of(account)] == [("19.00", "19.00"), ("16.00", "16.00")]


@pytest.fixture
def half_billed(world: World) -> Item:
    """100.00 a month at 19 %, billed for January and February; on 10 February the rate is 16 %."""
    a_tax_rate("19", valid_until=date(2026, 2, 5))
    a_tax_rate("16", valid_from=date(2026, 2, 5))
    world.on("2026-01-01")
    world.sell(products=[a_product(code="line", charges=[monthly("100.00")])])
    world.bill("2026-01-01")
    world.on("2026-02-01").bill("2026-02-01")
    world.on("2026-02-10")
    return Item.objects.get()


def test_a_credit_after_a_change_of_the_rate_is_at_the_rate_of_its_bill(
    world: World, half_billed: Item
) -> None:
    told(world, half_billed, Act.END)
    world.bill()
    # 19 of 28 days come back: 67.86; 32.14 stay, with 6.11 of the 19.00.
    assert lines_of(world.account)[2:] == [("-67.86", "", "19.00", "-12.89")]
    assert of(world.account)[2:] == [("-67.86", "-12.89", "-80.75")]
    credit = Invoice.objects.latest("serial")
    assert credit.is_credit_note
    posted = Posting.objects.filter(invoice=credit).order_by("debit")
    assert [(p.debit, p.credit, f"{p.amount:.2f}") for p in posted] == [
        ("revenue", "receivable", "67.86"),
        ("tax", "receivable", "12.89"),
    ]


def test_more_in_a_period_that_was_billed_is_at_its_rate_and_the_next_at_todays(
    world: World, half_billed: Item
) -> None:
    told(world, half_billed, Act.QUANTITY, quantity=D(2))
    world.bill()
    assert [line[2:] for line in lines_of(world.account)[2:]] == [
        ("19.00", "-12.89"),
        ("19.00", "25.79"),
    ]
    world.on("2026-03-01").bill()
    assert lines_of(world.account)[4:] == [("200.00", "", "16.00", "32.00")]


def test_what_was_billed_net_is_credited_net(world: World) -> None:
    world.on("2026-01-01")
    world.sell(products=[a_product(charges=[monthly("100.00")])])
    world.bill()
    a_tax_rate("19")
    world.on("2026-01-11")
    told(world, Item.objects.get(), Act.END)
    world.bill()
    assert [line[2:] for line in lines_of(world.account)] == [("0.00", "0.00")] * 2


@pytest.mark.parametrize("per", ["line", "rate", "invoice"])
def test_a_bill_that_is_taken_back_gives_back_its_tax_to_the_cent(world: World, per: str) -> None:
    rounds(per)
    a_tax_rate("15")
    world.on("2026-01-01")
    for _ in range(3):
        world.sell(products=[a_product(charges=[monthly("0.10")])])
    world.bill()
    for item in Item.objects.order_by("pk"):
        told(world, item, Act.END, on=date(2026, 1, 1))
    world.bill()
    found = of(world.account)
    assert len(found) == 2
    assert sum(Decimal(total) for *_, total in found) == 0


def test_the_port_is_asked_once_a_shard_and_may_be_somebody_elses(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[set[TaxAsked]] = []

    def engine(questions: set[TaxAsked]) -> dict[TaxAsked, Decimal | None]:
        asked.append(questions)
        return {each: D("0") if each.exempt else D("20.5") for each in questions}

    monkeypatch.setattr(selectors, "rates_from_table", engine)
    products = [a_product(charges=[monthly("10.00", tax_code=code)]) for code in ("", "a", "b")]
    accounts = [in_service(products) for _ in range(3)]
    asked.clear()  # by the offers
    finalised()
    assert len(asked) == 1
    assert {(each.country, each.code, each.on) for each in asked[0]} == {
        ("DE", code, JANUARY) for code in ("", "a", "b")
    }
    assert [of(account) for account in accounts] == [[("30.00", "6.15", "36.15")]] * 3


def test_the_page_and_the_api_show_the_tax_of_each_rate(client: Any) -> None:
    a_tax_rate("19")
    a_tax_rate("7", "reduced")
    in_service([a_product(charges=[monthly("49.90"), setup_fee("10.00", tax_code="reduced")])])
    finalised()
    client.force_login(a_user("finance"))
    invoice = Invoice.objects.get()
    page = client.get(f"/billing/invoices/{invoice.pk}/").content.decode()
    for words in ("Tax at 19 % (standard):", "Tax at 7 % (reduced):", "Tax 7 %", "€70.08"):
        assert words in page, words
    assert "tax €10.18" in text_of(client.get(invoice.run.get_absolute_url()))
    told = client.get(f"/api/v1/invoices/{invoice.pk}").json()
    assert told["taxes"] == [
        {"rate": "7", "net": "10", "tax": "0.7"},
        {"rate": "19", "net": "49.9", "tax": "9.48"},
    ]
    assert (told["net"], told["tax"], told["total"]) == ("59.90", "10.18", "70.08")
    assert [(line["tax_rate"], line["tax"]) for line in told["lines"]] == [
        ("19", "9.48"),
        ("7", "0.70"),
    ]
