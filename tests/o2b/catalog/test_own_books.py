"""An account's own price book: it goes before its segment's, and is for nobody else."""

from datetime import date
from decimal import Decimal
from io import BytesIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from o2b.asks import Impact, ask
from o2b.catalog import services
from o2b.catalog.exchange.services import import_catalog, undo_import
from o2b.catalog.models import Contract, ContractPrice, Price, PriceBook, PriceBookVersion
from o2b.catalog.models import ProductVersion as Version
from o2b.catalog.resolution import Asked, Wanted, explain_prices, resolve, resolve_many
from o2b.charging import price
from o2b.customers.models import Account
from o2b.errors import Invalid
from o2b.people.models import User
from tests.factories import (
    LONG_AGO,
    NOON,
    a_book_version,
    a_product,
    a_quote,
    a_user,
    an_account,
    monthly,
)
from tests.scenarios.world import World

pytestmark = pytest.mark.django_db

D = Decimal
TODAY = date(2026, 1, 31)


def a_shelf(version: Version, price_: str | None, *, publish: bool = True, **given: Any) -> Any:
    """A book that is not the default, with one price; None: a price of something else."""
    shelf = a_book_version(**{"is_default": False} | given)
    product = version.product if price_ else a_product(charges=[]).product
    Price.objects.create(version=shelf, product=product, **monthly(price_ or "1.00"))
    if publish:
        services.publish_price_book_version(version_id=shelf.pk, at=LONG_AGO)
    return shelf


def negotiated(account: Account, version: Version, price_: str) -> Contract:
    contract = Contract.objects.create(account=account, code="C", valid_from=date(2025, 1, 1))
    ContractPrice.objects.create(contract=contract, product=version.product, **monthly(price_))
    return services.sign_contract(contract_id=contract.pk, at=LONG_AGO)


def costs(account: Account, version: Version, on: date = TODAY) -> str:
    (found,) = resolve(account=account, wanted=[Wanted(version, D(1))], on=on)
    return str(price(found.terms.charges[0], D(1)).quantize(D("0.01")))


SOURCES = {"contract": "10.00", "account": "20.00", "segment": "30.00", "default": "40.00"}
REASONS = {
    "contract": "a price of its own",
    "account": "the account's own book",
    "segment": "the segment's book",
    "default": "the default book",
}


@pytest.mark.parametrize("first", range(len(SOURCES)))
def test_contract_then_own_book_then_segment_then_default(first: int) -> None:
    """All four are there; those before `first` say nothing of the product."""
    levels = list(SOURCES)
    has = dict.fromkeys(levels[first:], True)
    version = a_product(charges=[monthly(SOURCES["default"])])
    account = an_account(segment="s")
    signed = negotiated(account, version if "contract" in has else a_product(charges=[]), "10.00")
    for level, given in (("segment", {"segment": "s"}), ("account", {"account": account})):
        a_shelf(version, SOURCES[level] if level in has else None, code=level, name=level, **given)
    (found,) = resolve(account=account, wanted=[Wanted(version, D(1))], on=TODAY)
    assert price(found.terms.charges[0], D(1)) == D(SOURCES[levels[first]])
    assert [each["won"] for each in found.why] == [n == first for n in range(len(levels))]
    assert found.why[first]["reason"] == REASONS[levels[first]]
    assert {each["reason"] for each in found.why[:first]} <= {"no price"}
    assert {each["reason"] for each in found.why[first + 1 :]} <= {"ranks lower"}
    book = found.book_version_id and PriceBookVersion.objects.get(pk=found.book_version_id).book
    assert (found.contract_id, book and book.code) == {
        "contract": (signed.pk, None),
        "account": (None, "account"),
        "segment": (None, "segment"),
        "default": (None, "default-eur"),
    }[levels[first]]

    explained = explain_prices(account=account, product_version=version, quantity=D(1), on=TODAY)
    assert [each.won for each in explained] == [True] + [False] * (len(explained) - 1)
    assert (explained[0].level, explained[0].reason) == (levels[first], REASONS[levels[first]])
    assert explained[0].charges[0].terms == found.terms.charges[0]
    ranked = {each.level: each.code for each in explained}
    assert ranked == {
        level: "won" if n == first else "no_price" if n < first else "ranks_lower"
        for n, level in enumerate(levels)
    }


@pytest.mark.parametrize(
    ("on", "expected"),
    [
        (date(2025, 12, 31), "30.00"),
        (date(2026, 1, 1), "20.00"),
        (date(2026, 2, 28), "20.00"),
        (date(2026, 3, 1), "19.00"),
        (date(2026, 3, 31), "19.00"),
        (date(2026, 4, 1), "20.00"),
        (date(2026, 6, 1), "30.00"),
    ],
)
def test_it_counts_on_its_days(on: date, expected: str) -> None:
    version, account = a_product(), an_account(segment="s")
    a_shelf(version, "30.00", code="s", segment="s")
    days = {"valid_from": date(2026, 1, 1), "account": account}
    first = a_shelf(version, "20.00", code="own", publish=False, **days)
    PriceBookVersion.objects.filter(pk=first.pk).update(valid_to=date(2026, 6, 1))
    services.publish_price_book_version(version_id=first.pk, at=LONG_AGO)
    second = PriceBookVersion.objects.create(
        book=first.book, number=2, valid_from=date(2026, 3, 1), valid_to=date(2026, 4, 1)
    )
    Price.objects.create(version=second, product=version.product, **monthly("19.00"))
    services.publish_price_book_version(version_id=second.pk, at=LONG_AGO)
    assert costs(account, version, on) == expected


def test_it_is_for_nobody_else() -> None:
    version, account = a_product(), an_account(segment="s")
    other = an_account(segment="s", customer=account.customer)
    a_shelf(version, "20.00", code="own", name="own", account=account)
    assert (costs(account, version), costs(other, version)) == ("20.00", "49.90")
    told = explain_prices(account=other, product_version=version, quantity=D(1), on=TODAY)
    assert [each.source for each in told] == ["Default v1"]


@pytest.mark.parametrize(
    ("given", "code", "reason"),
    [
        ({"publish": False}, "draft", "not published yet"),
        ({"valid_from": date(2026, 2, 1)}, "not_yet_valid", "valid from 2026-02-01"),
        ({"currency": "USD"}, "wrong_currency", "in USD; the account pays in EUR"),
    ],
)
def test_why_an_own_book_lost(given: dict[str, Any], code: str, reason: str) -> None:
    version, account = a_product(), an_account()
    a_shelf(version, "20.00", code="own", name="own", account=account, **given)
    told = explain_prices(account=account, product_version=version, quantity=D(1), on=TODAY)
    assert [(each.level, each.won) for each in told] == [("default", True), ("account", False)]
    assert (told[1].code, told[1].reason) == (code, reason)
    assert costs(account, version) == "49.90"


def test_as_many_queries_for_many_accounts_with_their_own_books() -> None:
    version = a_product()
    counts = []
    for made in (1, 12):
        accounts = [an_account(segment="s") for _ in range(made)]
        for n, account in enumerate(accounts):
            a_shelf(version, f"{n + 1}.00", account=account)
        asked = [Asked(account, [Wanted(version, D(1))]) for account in accounts]
        with CaptureQueriesContext(connection) as seen:
            found = resolve_many(asked=asked, on=TODAY)
        counts.append(len(seen))
        prices = [price(one.terms.charges[0], D(1)) for (one,) in found]
        assert prices == [D(n + 1) for n in range(made)]
    assert counts[0] == counts[1] <= 7


def opened(account: Account | None, **given: Any) -> PriceBookVersion:
    fields = {"code": "own", "name": "Own", "currency": "EUR", "valid_from": TODAY}
    return services.create_price_book(
        **fields | {"account": account, "by": a_user().pk, "at": NOON} | given
    )


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"segment": "s"}, "segment"),
        ({"is_default": True}, "is_default"),
        ({"currency": "USD"}, "currency"),
    ],
)
def test_what_contradicts_its_account_is_refused(given: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as caught:
        opened(an_account(), **given)
    assert caught.value.field == field
    assert not PriceBook.objects.exists()


def test_a_closed_account_gets_no_book_and_an_open_one_gets_one() -> None:
    closed = an_account(state=Account.State.CLOSED)
    with pytest.raises(Invalid) as caught:
        opened(closed)
    assert (caught.value.field, PriceBook.objects.count()) == ("account", 0)
    account = an_account()
    assert opened(account).book.account == account
    with pytest.raises(Invalid) as caught:
        opened(account, code="another")
    assert (caught.value.field, PriceBook.objects.count()) == ("account", 1)
    assert "own" in caught.value.message
    Account.objects.filter(pk=account.pk).update(state=Account.State.CLOSED)
    PriceBook.objects.get().full_clean()  # a book that stands may still be renamed


@pytest.mark.parametrize("given", [{"segment": "s"}, {"is_default": True}, {"code": "again"}])
def test_postgres_refuses_it_too(given: dict[str, Any]) -> None:
    book = {"code": "own", "name": "Own", "currency": "EUR", "account": an_account()}
    if given.get("code"):
        PriceBook.objects.create(**book)
    before = PriceBook.objects.count()
    with pytest.raises(IntegrityError), transaction.atomic():
        PriceBook.objects.create(**book | given)
    assert PriceBook.objects.count() == before


# What its publication reaches


def reached(draft: PriceBookVersion, kind: str) -> list[Impact]:
    user: User = a_user("administrator", is_superuser=True)
    return [each for each in ask("affected_by_publication", user, draft.pk) if each.kind == kind]


def test_it_reaches_its_accounts_quotes_only() -> None:
    version, account = a_product(), an_account(segment="s")
    mine = a_quote(account=account, products=[version])
    a_quote(account=an_account(segment="s", customer=account.customer), products=[version])
    draft = a_shelf(version, "20.00", publish=False, account=account)
    (impact,) = reached(draft, "quote")
    assert (impact.affected, impact.total) == (True, 1)
    (example,) = impact.examples
    assert (example.title, example.before, example.after) == (mine.number, D("49.90"), D(20))
    negotiated(account, version, "10.00")
    negotiated(an_account(), version, "10.00")
    (impact,) = reached(draft, "quote")
    assert (impact.affected, impact.total) == (False, 1)
    (impact,) = reached(draft, "contract")
    assert (impact.affected, impact.total) == (False, 1)


@pytest.mark.parametrize(
    ("shelf", "expected"),
    [({"segment": "s"}, {True: 1, False: 1}), ({"code": "eur", "is_default": True}, {False: 2})],
)
def test_other_books_do_not_reach_who_has_its_own(
    shelf: dict[str, Any], expected: dict[bool, int]
) -> None:
    """A segment's book reaches the others of it; the default one nobody with a book before it."""
    version, account = a_product(charges=[]), an_account(segment="s")
    a_shelf(version, "20.00", account=account)
    if shelf.get("is_default"):
        a_shelf(version, "45.00", segment="s")
    for buyer in (account, an_account(segment="s")):
        a_quote(account=buyer, products=[version])
    draft = a_shelf(version, "30.00", publish=False, **shelf)
    assert {each.affected: each.total for each in reached(draft, "quote")} == expected


def test_who_has_its_own_book_keeps_what_is_in_service(world: World) -> None:
    version = a_product(charges=[monthly("50.00")])
    world.sell(products=[version])
    editor = a_user().pk
    draft = services.draft_price_book_version(book="default-eur", by=editor, at=NOON)
    services.set_policy(version_id=draft.pk, by=editor, at=NOON, policy="at_renewal")
    (impact,) = reached(draft, "subscription")
    assert impact.affected
    a_shelf(version, "20.00", account=world.account)
    (impact,) = reached(draft, "subscription")
    assert (impact.affected, impact.total) == (False, 1)


# Pages, REST, sheets

NEW = "/catalog/books/new/"
SAID = {"code": "own", "name": "Own", "currency": "EUR", "valid_from": "2026-01-01"}


@pytest.fixture
def manager(client: Client) -> Client:
    client.force_login(a_user("product"))
    return client


def test_pages_of_an_own_book(manager: Client) -> None:
    account = an_account(reference="A-7", name="Sunrise")
    panel = f"/catalog/contracts/of-account/{account.pk}/"
    part = manager.get(panel, headers={"HX-Request": "true"}).content.decode()
    link = f"{NEW}?account=A-7&amp;currency=EUR"
    assert "No price book of its own" in part
    assert link in part
    form = manager.get(f"{NEW}?account=A-7&currency=EUR").context["form"]
    assert (form["account"].value(), form["currency"].value()) == ("A-7", "EUR")

    made = manager.post(NEW, SAID | {"account": "A-7"})
    assert made["Location"] == "/catalog/books/own/1/edit/"
    assert PriceBook.objects.get().account == account
    assert "for Sunrise (A-7) alone" in manager.get("/catalog/books/own/").content.decode()
    impact = manager.get("/catalog/books/own/1/publication/").content.decode()
    assert "for Sunrise (A-7) alone" in impact
    assert "Sunrise (A-7)" in manager.get("/catalog/books/?q=A-7").content.decode()
    part = manager.get(panel, headers={"HX-Request": "true"}).content.decode()
    assert 'href="/catalog/books/own/"' in part
    assert "not published yet" in part
    assert link not in part


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"account": "nobody"}, "account"),
        ({"account": "A\0-7"}, "account"),
        ({"account": "A" * 2000}, "account"),
        ({"account": "A-closed"}, "account"),
        ({"account": "A-dollars"}, "currency"),
        ({"account": "A-7", "segment": "s"}, "segment"),
        ({"account": "A-7", "is_default": "on"}, "is_default"),
    ],
)
def test_a_wrong_account_is_said_beside_its_field(
    manager: Client, wrong: dict[str, str], field: str
) -> None:
    an_account(reference="A-7")
    an_account(reference="A-closed", state=Account.State.CLOSED)
    an_account(reference="A-dollars", currency="USD")
    answer = manager.post(NEW, SAID | wrong)
    assert (answer.status_code, list(answer.context["form"].errors)) == (422, [field])
    assert not PriceBook.objects.exists()


def test_the_list_reads_as_often_for_many_own_books(manager: Client) -> None:
    counts = []
    for _ in range(2):
        for _n in range(1 if not counts else 8):
            a_book_version(is_default=False, account=an_account())
        with CaptureQueriesContext(connection) as seen:
            manager.get("/catalog/books/")
        counts.append(len(seen))
    assert counts[0] == counts[1]


def test_the_simulator_says_whose_book_answered(manager: Client) -> None:
    version, account = a_product(code="seat"), an_account(reference="A-7", segment="s")
    a_shelf(version, "20.00", account=account, name="Sunrise’s")
    a_shelf(version, "30.00", segment="s")
    page = manager.get("/catalog/simulator/?account=A-7&product=seat").content.decode()
    assert "<small>the account&#x27;s own book</small>" in page
    assert "<small>the segment&#x27;s book</small>" in page
    assert "<small>the default book</small>" in page


SHEET = b"product,key,kind,unit_price,interval\nseat,monthly,recurring,20,month\n"
TOLD = {"book": "own", "currency": "EUR", "valid_from": "2026-01-01"}


def taken(**options: str) -> Any:
    return import_catalog(
        kind="books",
        stream=BytesIO(SHEET),
        file_name="own.csv",
        options=TOLD | options,
        by_id=None,
        at=NOON,
    )


def test_a_sheet_makes_an_own_book_and_undo_takes_it_back() -> None:
    a_product(code="seat", charges=[])
    account = an_account(reference="A-7")
    report = taken(account="A-7")
    assert PriceBook.objects.get(code="own").account == account
    with pytest.raises(Invalid) as caught:
        taken(account=an_account(reference="A-8").reference)
    assert caught.value.field == "account"
    assert PriceBookVersion.objects.count() == 1
    assert taken().counts == {"unchanged": 1}
    undo_import(import_id=report.import_id, by_id=None, at=NOON)
    assert not PriceBook.objects.exists()


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"account": "nobody"}, "account"),
        ({"account": "A\0"}, "account"),
        ({"account": "A" * 5000}, "account"),
        ({"account": "A-closed"}, "account"),
        ({"account": "A-dollars"}, "currency"),
        ({"account": "A-7", "segment": "s"}, "segment"),
        ({"account": "A-7", "is_default": True}, "is_default"),
        ({"account": "A-owner"}, "account"),
    ],
)
def test_a_sheet_for_a_wrong_account(options: dict[str, Any], field: str) -> None:
    a_product(code="seat", charges=[])
    an_account(reference="A-7")
    an_account(reference="A-closed", state=Account.State.CLOSED)
    an_account(reference="A-dollars", currency="USD")
    opened(an_account(reference="A-owner"), code="owned")
    with pytest.raises(Invalid) as caught:
        taken(**options)
    assert caught.value.field == field
    assert (PriceBook.objects.count(), Price.objects.count()) == (1, 0)


def test_the_command_and_the_page_take_the_account_too(manager: Client, tmp_path: Any) -> None:
    a_product(code="seat", charges=[])
    an_account(reference="A-7")
    (sheet := tmp_path / "own.csv").write_bytes(SHEET)
    with pytest.raises(CommandError, match="account: There is no account “nobody”"):
        call_command("import_catalog", "books", sheet, **TOLD, account="nobody")
    with sheet.open("rb") as file:
        answer = manager.post(
            "/catalog/import/", TOLD | {"kind": "books", "account": "nobody", "file": file}
        )
    assert (answer.status_code, list(answer.context["form"].errors)) == (422, ["account"])
    assert not PriceBook.objects.exists()
    call_command("import_catalog", "books", sheet, **TOLD, account="A-7")
    assert PriceBook.objects.get().account == Account.objects.get(reference="A-7")


# What has a price somewhere: only what could price it


@pytest.mark.parametrize(
    ("where", "enough"),
    [
        ("a signed contract", True),
        ("an unsigned contract", False),
        ("a contract that is over", False),
        ("an account's own book", True),
        ("a segment's book that is over", False),
        ("a book for nobody", False),
        ("another currency", True),
    ],
)
def test_where_a_price_is_enough(where: str, enough: bool) -> None:
    orphan, account = a_product(code="orphan", charges=[]), an_account()
    over = date(2024, 12, 31)
    if "contract" in where:
        contract = negotiated(account, orphan, "10.00") if where[2:8] == "signed" else None
        contract = contract or Contract.objects.create(
            account=account,
            code="D",
            valid_from=date(2024, 1, 1),
            valid_to=over if "over" in where else None,
        )
        if not contract.prices.exists():
            ContractPrice.objects.create(contract=contract, product=orphan.product, **monthly())
        if "over" in where:
            services.sign_contract(contract_id=contract.pk, at=LONG_AGO)
    else:
        books: dict[str, dict[str, Any]] = {
            "an account's own book": {"account": account},
            "a segment's book that is over": {"segment": "s", "valid_from": date(2024, 1, 1)},
            "a book for nobody": {},
            "another currency": {"currency": "USD", "is_default": True},
        }
        shelf = a_shelf(orphan, "1.00", publish=False, **books[where])
        if "over" in where:
            PriceBookVersion.objects.filter(pk=shelf.pk).update(valid_to=over)
        services.publish_price_book_version(version_id=shelf.pk, at=LONG_AGO)
    if enough:
        assert a_product(code="fibre")
        return
    with pytest.raises(services.PricesInvalid) as caught:
        a_product(code="fibre")
    assert [(f.product, f.code) for f in caught.value.faults] == [("orphan", "price_missing")]
