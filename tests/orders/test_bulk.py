"""Orders by the sheet: tried, placed, all or nothing an order, and what is wrong told by cell."""

import json
from datetime import date
from decimal import Decimal
from io import BytesIO, StringIO
from time import perf_counter
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, OperationalError, connection
from django.test.utils import CaptureQueriesContext
from openpyxl import Workbook

from o2b import events
from o2b.catalog.exchange.faults import SheetRefused
from o2b.catalog.models import Product, ProductVersion
from o2b.catalog.services import publish_product_version, retire_product
from o2b.customers.models import Account
from o2b.errors import Refused
from o2b.models import Event, Outbox
from orders import services
from orders.bulk import placing
from orders.bulk.sheet import LARGEST_FILE
from orders.models import BulkOrder, BulkRow, Order, OrderLine, Task
from tests.factories import a_contract, monthly
from tests.orders.build import NOON, a_product, an_account, written
from tests.orders.build_bulk import many, nothing, problems, results, sheet, taken
from tests.quotes.test_inputs_rules import amended

pytestmark = pytest.mark.django_db

BANDWIDTH = {"name": "bandwidth", "type": "integer", "minimum": 10, "required": True}


@pytest.fixture
def shop() -> None:
    an_account(reference="N-1"), an_account(reference="N-2")
    a_product(code="fibre"), a_product(code="router", charges=[monthly("5")])


def test_a_trial_orders_nothing(shop):
    before = written()
    bulk = taken(sheet("A,N-1,fibre,1", "A,N-1,router,2", "B,N-2,fibre,1"))
    assert written() == before
    assert (bulk.is_dry_run, bulk.is_over) == (True, True)
    assert (bulk.rows, bulk.orders_placed, bulk.lines_placed, bulk.rejected) == (3, 2, 3, 0)
    assert results(bulk) == [(2, "fit", ""), (3, "fit", ""), (4, "fit", "")]


def test_what_was_tried_is_placed(shop):
    bulk = taken(sheet("A,N-1,fibre,1", "A,N-1,router,2", "B,N-2,fibre,1"))
    placed = services.place_bulk(bulk_id=bulk.pk, at=NOON, by_id=None, already_of=nothing)
    assert (placed.is_dry_run, placed.orders_placed, placed.lines_placed) == (False, 2, 3)
    first, second = Order.objects.order_by("pk")
    assert (first.channel, first.bulk_id, first.account.reference) == ("bulk", bulk.pk, "N-1")
    assert [(li.product_version.product.code, li.quantity) for li in first.lines.all()] == [
        ("fibre", Decimal(1)),
        ("router", Decimal(2)),
    ]
    assert second.account.reference == "N-2"
    rows = BulkRow.objects.filter(bulk=bulk).order_by("number")
    assert [row.order for row in rows] == [first, first, second]
    assert {row.outcome for row in rows} == {"placed"}
    assert Event.objects.filter(name="order.placed").count() == 2
    assert Outbox.objects.filter(task="orders.advance_order").count() == 2


def test_everything_that_a_row_can_say(shop):
    a_product(code="line", characteristics=[BANDWIDTH, {"name": "site"}])
    header = (
        "order,account,product,quantity,start_on,work_from,promised_on,priority,note,"
        "characteristics,characteristic.bandwidth"
    )
    row = (
        'A,N-1,line,3,2026-04-01,2026-03-01,2026-03-15,high,"Ring, first","{""site"": ""Kiel""}",50'
    )
    taken(sheet(row, header=header), dry_run=False)
    order = Order.objects.get()
    assert (order.start_on, order.work_from, order.promised_on, order.priority, order.note) == (
        date(2026, 4, 1),
        date(2026, 3, 1),
        date(2026, 3, 15),
        1,
        "Ring, first",
    )
    line = order.lines.get()
    assert (line.state, line.quantity) == ("accepted", Decimal(3))
    assert line.characteristics == {"bandwidth": 50, "site": "Kiel"}
    assert line.terms.start_rule == "on_date"


def test_each_line_says_when_its_billing_starts(shop):
    header = "order,account,product,quantity,start_on,start_rule"
    rows = (
        "A,N-1,fibre,1,,each_part",
        "A,N-1,router,1,,",
        "B,N-2,fibre,1,2026-04-01,On_Delivery",
        "B,N-2,router,1,2026-04-01,on_date",
    )
    taken(sheet(*rows, header=header), dry_run=False)
    lines = OrderLine.objects.order_by("order_id", "position")
    assert [line.terms.start_rule for line in lines] == [
        "each_part",
        "on_delivery",
        "on_delivery",
        "on_date",
    ]


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        ("some_day", "Billing starts by one of: on_delivery, each_part, on_date."),
        ("on_date", "Name the day from which it is billed."),
    ],
)
def test_a_start_that_nobody_knows_refuses_its_order(shop, rule, told):
    header = "order,account,product,quantity,start_rule"
    rows = ("A,N-1,fibre,1,", f"A,N-1,router,1,{rule}", "B,N-2,fibre,1,")
    bulk = taken(sheet(*rows, header=header), dry_run=False)
    assert results(bulk)[1:] == [(3, "refused", "start_rule"), (4, "placed", "")]
    assert problems(bulk)[1] == told
    assert Order.objects.get().account.reference == "N-2"


def test_rows_without_a_reference_are_orders_of_their_own(shop):
    bulk = taken(sheet(",N-1,fibre,1", ",N-1,router,1"), dry_run=False)
    assert (bulk.orders_placed, Order.objects.count()) == (2, 2)


def test_a_bad_row_refuses_its_order_and_the_others_go_on(shop):
    rows = ("A,N-1,fibre,1", "A,N-1,fibre,0", "B,N-2,fibre,1", "A,N-1,router,1")
    bulk = taken(sheet(*rows), dry_run=False)
    assert results(bulk) == [
        (2, "refused", ""),
        (3, "refused", "quantity"),
        (4, "placed", ""),
        (5, "refused", ""),
    ]
    assert problems(bulk)[0] == "Its order is refused because of row 3."
    assert Order.objects.get().account.reference == "N-2"
    assert (bulk.orders_placed, bulk.lines_placed, bulk.rejected) == (1, 1, 3)


BAD_ROWS: list[tuple[str, str, str]] = [
    ("A,nobody,fibre,1", "account", "There is no account “nobody”."),
    ("A,closed,fibre,1", "account", "is closed; it can order nothing."),
    ("A,,fibre,1", "account", "Say whose order it is"),
    ("A,N-1,,1", "product", "Say which product"),
    ("A,N-1,nothing,1", "product", "There is no product “nothing”."),
    ("A,N-1,old,1", "product", "is retired"),
    ("A,N-1,unplanned,1", "product", "Nobody has published yet how"),
    ("A,dollars,fibre,1", "product", "price"),
    ("A,N-1,fibre,", "quantity", "Say how many"),
    ("A,N-1,fibre,0", "quantity", "quantity"),
    ("A,N-1,fibre,-1", "quantity", "quantity"),
    ("A,N-1,fibre,1.5", "quantity", "whole"),
    ("A,N-1,fibre,1e3", "quantity", "has an exponent"),
    ("A,N-1,fibre,many", "quantity", "is no number"),
    ("A,N-1,fibre,99999999999999999999", "quantity", "at most 14 digits"),
    ("A,N-1,fibre,1,2026-02-30", "start_on", "is no day"),
    ("A,N-1,fibre,1,1.4.2026", "start_on", "is no day"),
    ("A,N-1,fibre,1,2900-01-01", "start_on", "No service starts"),
    ("A,N-1,fibre,1,,2900-01-01", "work_from", "No calendar"),
    ("A,N-1,fibre,1,,,2020-01-01", "promised_on", "has passed"),
    ("A,N-1,fibre,1,,2026-06-01,2026-05-01", "promised_on", "Work begins only after"),
    ("A,N-1,fibre,1,,,,soon", "priority", "is not known"),
    ("A,N-1,fibre,1,,,,,,[1]", "characteristics", "Write JSON"),
    ("A,N-1,fibre,1,,,,,,{oops", "characteristics", "No JSON"),
    ('A,N-1,fibre,1,,,,,,"{""speed"": 5}"', "characteristics", "no characteristic “speed”"),
    ("A,N-1,fibre,1,,,,,,,5", "characteristics", "no characteristic “speed”"),
    ("A,N-1,line,1", "characteristic.bandwidth", "is missing"),
    ("A,N-1,=1+1,1", "product", "formula"),
    ("A,N-1,fi\0bre,1", "product", "NUL"),
    ("=A,N-1,fibre,1", "order", "formula"),
    (f"{'x' * 101},N-1,fibre,1", "order", "At most 100 characters"),
    (f"A,N-1,fibre,1,,,,,{'x' * 2001}", "note", "2000"),
    ("A,N-1,fibre,1,,,,,,,,2", "", "decimal comma"),
]


@pytest.mark.parametrize(("row", "column", "words"), BAD_ROWS)
def test_a_bad_cell_is_named_and_nothing_is_ordered(shop, row, column, words):
    an_account(reference="closed", state=Account.State.CLOSED)
    an_account(reference="dollars", currency="USD")
    a_product(code="line", characteristics=[BANDWIDTH])
    old, plan = a_product(code="old"), Product.objects.create(code="unplanned", name="Unplanned")
    retire_product(product_id=old.product_id, successor_id=None, on=NOON.date(), by=None)
    unplanned = ProductVersion.objects.create(product=plan, number=1)
    publish_product_version(version_id=unplanned.pk, at=NOON)
    header = (
        "order,account,product,quantity,start_on,work_from,promised_on,priority,note,"
        "characteristics,characteristic.speed"
    )
    before = written()
    bulk = taken(sheet(row, header=header), dry_run=False)
    assert results(bulk) == [(2, "refused", column)]
    assert words in problems(bulk)[0]
    assert (written(), bulk.orders_placed, bulk.rejected) == (before, 0, 1)


def test_one_reference_is_one_account_and_says_one_thing(shop):
    header = "order,account,product,quantity,priority"
    bulk = taken(
        sheet(
            "A,N-1,fibre,1,",
            "A,N-2,router,1,",
            "B,N-1,fibre,1,low",
            "B,,router,1,high",
            header=header,
        )
    )
    assert results(bulk)[1::2] == [(3, "refused", "account"), (5, "refused", "priority")]
    assert problems(bulk)[1] == "The order “A” is for “N-1” above: one account an order."
    assert taken(sheet("A,N-1,fibre,1", "A,,router,1")).orders_placed == 1


BAD_FILES: list[tuple[bytes, str]] = [
    (b"", "empty"),
    (b"order,account\r\nA,N-1\r\n", "The header lacks: product, quantity"),
    (sheet("A,N-1,fibre,1", header="order,account,product,price"), "“price” is no column"),
    (sheet(header="order,account,product,quantity"), "no rows"),
    (sheet('A,N-1,"fibre,1'), "Quotes do not match"),
    (sheet("A,N-1,fibre,1").replace(b"fibre", b"f\xfcbre"), "Not UTF-8"),
    (b"\xff\xfe" + "account,product".encode("utf-16-le"), "UTF-16"),
    (b"PK\x03\x04 no workbook", "broken"),
    (sheet(*["A,N-1,fibre,1"] * 20_001), "more than 20,000 rows"),
    (b"x" * (LARGEST_FILE + 1), "larger than 10 MB"),
]


@pytest.mark.parametrize(("body", "words"), BAD_FILES, ids=[words for _body, words in BAD_FILES])
def test_a_file_that_is_no_such_sheet_is_refused(shop, body, words):
    before = (written(), BulkOrder.objects.count(), BulkRow.objects.count())
    with pytest.raises(SheetRefused) as refused:
        taken(body)
    assert words in refused.value.message
    assert (written(), BulkOrder.objects.count(), BulkRow.objects.count()) == before


def test_xlsx_is_read_alike(shop):
    book = Workbook()
    book.active.append(["account", "product", "quantity", "work_from"])
    book.active.append(["N-1", "fibre", 2, date(2026, 5, 1)])
    file = BytesIO()
    book.save(file)
    taken(file.getvalue(), name="orders.xlsx", dry_run=False)
    order = Order.objects.get()
    assert (order.work_from, order.lines.get().quantity) == (date(2026, 5, 1), Decimal(2))


def test_the_same_file_is_placed_once(shop):
    body = sheet("A,N-1,fibre,1")
    tried, again = taken(body), taken(body)
    services.place_bulk(bulk_id=tried.pk, at=NOON, by_id=None, already_of=nothing)
    before = written()
    for twice in (
        lambda: taken(body),
        lambda: taken(body, dry_run=False, name="other.csv"),
        lambda: services.place_bulk(bulk_id=again.pk, at=NOON, by_id=None, already_of=nothing),
        lambda: services.place_bulk(bulk_id=tried.pk, at=NOON, by_id=None, already_of=nothing),
    ):
        with pytest.raises(Refused) as refused:
            twice()
        assert (refused.value.code, refused.value.status) == ("sheet_placed_already", 409)
        assert refused.value.extra["bulk"] == tried.pk
    assert written() == before


def test_a_reference_is_ordered_once_for_an_account(shop):
    taken(sheet("A,N-1,fibre,1"), dry_run=False)
    order = Order.objects.get()
    again = taken(sheet("A,N-1,fibre,1", "A2,N-1,fibre,1"), dry_run=False)
    assert results(again) == [(2, "refused", "order"), (3, "placed", "")]
    assert problems(again)[0] == f"“A” was ordered before: it is {order}."
    assert taken(sheet("A,N-2,fibre,1"), dry_run=False).orders_placed == 1


def test_nothing_fit_is_not_placed(shop):
    bulk = taken(sheet("A,N-1,fibre,0"))
    with pytest.raises(Refused) as refused:
        services.place_bulk(bulk_id=bulk.pk, at=NOON, by_id=None, already_of=nothing)
    assert refused.value.code == "bulk_not_ready"
    assert Order.objects.count() == 0


def test_the_contracts_fixed_discount_goes_once_though_another_order_fails():
    account = an_account(reference="N-1")
    a_product(code="seat", charges=[monthly("20")])
    bad = [
        {"key": "a", "name": "A", "kind": "automatic", "handler": "activation", "when": "1/0 > 2"}
    ]
    a_product(code="broken", charges=[monthly("20")], tasks=bad)
    a_contract(account, discounts=[("amount", "5")])
    bulk = taken(sheet("A,N-1,broken,1", "B,N-1,seat,1", "C,N-1,seat,1"), dry_run=False)
    assert [outcome for _n, outcome, _c in results(bulk)] == ["refused", "placed", "placed"]
    lines = OrderLine.objects.order_by("pk")
    assert [line.terms.charges.get().discounts for line in lines] == [
        [{"kind": "amount", "value": "5.00"}],
        [],
    ]


def test_many_rows_go_to_a_worker_in_batches(shop):
    rows = list(many(150, ["N-1", "N-2"], ["fibre", "router"]))
    bulk = services.take_sheet(
        stream=BytesIO(sheet(*rows)),
        file_name="many.csv",
        dry_run=False,
        at=NOON,
        by_id=None,
        already_of=nothing,
    )
    assert (bulk.is_over, Order.objects.count()) == (False, 0)
    with pytest.raises(Refused):
        services.place_bulk(bulk_id=bulk.pk, at=NOON, by_id=None, already_of=nothing)
    assert Outbox.objects.get().task == "orders.work_on_bulk"
    row = Outbox.objects.get()
    events.drain()
    bulk.refresh_from_db()
    assert (bulk.is_over, bulk.orders_placed, bulk.lines_placed) == (True, 30, 150)
    assert not Outbox.objects.filter(pk=row.pk).exists()


def test_two_thousand_lines_in_few_queries(shop):
    references = [an_account(reference=f"M-{n}").reference for n in range(20)]
    rows = list(many(2000, references, ["fibre", "router"]))
    began = perf_counter()
    with CaptureQueriesContext(connection) as queries:
        bulk = taken(sheet(*rows), dry_run=False)
    assert perf_counter() - began < 30
    assert (bulk.orders_placed, bulk.lines_placed, bulk.rejected) == (400, 2000, 0)
    assert (OrderLine.objects.count(), Task.objects.count()) == (2000, 2000)
    assert len(queries) < 160


def test_a_product_that_needs_another_finds_it_in_an_earlier_order_of_the_sheet(shop):
    base = a_product(code="base")
    amended(a_product(code="extra"), rules=[("requires", base)])
    alone = taken(sheet("A,N-1,extra,1"))
    assert results(alone) == [(2, "refused", "product")]
    assert taken(sheet("A,N-1,base,1", "B,N-1,extra,1")).orders_placed == 2
    held = taken(sheet("A,N-1,extra,1"), already_of=lambda account_id: {"base"})
    assert held.orders_placed == 1


# the command


def test_the_command_tries_and_places(shop, tmp_path):
    path = tmp_path / "orders.csv"
    path.write_bytes(sheet("A,N-1,fibre,1", "B,N-1,fibre,0"))

    def run(*options: Any) -> dict[str, Any]:
        out = StringIO()
        call_command("place_bulk_orders", path, *options, "--json", stdout=out, stderr=StringIO())
        return json.loads(out.getvalue())

    tried = run("--dry-run")
    assert (tried["dry_run"], tried["orders"], tried["lines"], tried["refused"]) == (True, 1, 1, 1)
    assert tried["problems"][0]["row"] == 3
    assert Order.objects.count() == 0
    placed = run()
    assert (placed["dry_run"], placed["orders"]) == (False, 1)
    assert placed["lines_per_second"] > 0
    with pytest.raises(CommandError, match="placed on"):
        run()
    with pytest.raises(CommandError, match="no user"):
        run("--by", "nobody")
    with pytest.raises(CommandError):
        call_command("place_bulk_orders", tmp_path / "missing.csv")
    assert Order.objects.count() == 1


def breaks(monkeypatch, error):
    """Writing the order B fails in a way that nobody foresaw."""
    real = placing.write_orders

    def write_orders(*, orders, **given):
        if any(new.note == "B" for new in orders):
            raise error
        return real(orders=orders, **given)

    monkeypatch.setattr(placing, "write_orders", write_orders)


@pytest.mark.parametrize(
    "error",
    [
        ValueError("odd"),
        KeyError("gone"),
        ZeroDivisionError(),
        TypeError("odd"),
        IntegrityError("twice"),
    ],
)
def test_what_nobody_foresaw_refuses_one_order_and_the_sheet_goes_on(
    shop, monkeypatch, caplog, error
):
    breaks(monkeypatch, error)
    rows = [f"{key},N-1,fibre,1,{key}" for key in "ABCDE"]
    bulk = taken(sheet(*rows, header="order,account,product,quantity,note"), dry_run=False)
    assert (bulk.is_over, bulk.orders_placed, bulk.rejected) == (True, 4, 1)
    assert results(bulk)[1] == (3, "refused", "")
    assert problems(bulk)[1] == (
        "This order cannot be placed: an error of O2B, which its log tells."
    )
    assert sorted(Order.objects.values_list("note", flat=True)) == ["A", "C", "D", "E"]
    told = [one for one in caplog.records if one.name == "orders.bulk.placing"]
    assert [one.getMessage() for one in told] == [
        f"bulk order {bulk.pk}: row 3 cannot be placed",
    ]


def test_a_database_that_is_away_is_no_fault_of_a_row(shop, monkeypatch):
    breaks(monkeypatch, OperationalError("gone"))
    before = written()
    with pytest.raises(OperationalError):
        taken(sheet("B,N-1,fibre,1,B", header="order,account,product,quantity,note"), dry_run=False)
    assert (written(), BulkOrder.objects.count()) == (before, 0)


def test_a_rule_that_breaks_refuses_its_order_alone(shop, monkeypatch):
    real = placing.examine_lines

    def examine_lines(lines, **given):
        if lines[0].product == "router":
            raise ArithmeticError("no number")
        return real(lines, **given)

    monkeypatch.setattr(placing, "examine_lines", examine_lines)
    bulk = taken(sheet("A,N-1,fibre,1", "B,N-1,router,1"), dry_run=False)
    assert results(bulk) == [(2, "placed", ""), (3, "refused", "")]
