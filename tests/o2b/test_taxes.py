"""Tax rates: dated, one a day, never rewritten; what the port answers; the pages."""

from datetime import date
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.db import DatabaseError, IntegrityError, connection, transaction

from o2b.customers.validators import validate_conventions
from o2b.errors import Refused
from o2b.taxes.models import TaxRate
from o2b.taxes.port import TaxUnknown, ask_rates
from o2b.taxes.rules import Dated, TaxAsked, answers
from o2b.taxes.services import close_tax_rate, set_tax_rate
from tests.factories import a_tax_rate, a_user

D = Decimal
OLD, NEW, TODAY = date(2025, 1, 1), date(2026, 7, 1), date(2026, 3, 1)


@pytest.mark.parametrize(
    ("country", "code", "on", "exempt", "percent"),
    [
        ("DE", "", "2025-01-01", False, "19"),
        ("DE", "", "2026-06-30", False, "19"),
        ("DE", "", "2026-07-01", False, "16"),
        ("DE", "", "2024-12-31", False, "none"),
        ("DE", "reduced", "2026-01-01", False, "7"),
        ("DE", "reduced", "2026-02-01", False, "missing"),
        ("DE", "books", "2026-01-01", False, "missing"),
        ("DE", "books", "2026-01-01", True, "0"),
        ("FR", "", "2026-01-01", False, "none"),
        ("FR", "", "2026-01-01", True, "none"),
    ],
)
def test_which_rate_holds(country, code, on, exempt, percent):
    rates = [
        Dated("DE", "", D(19), OLD, NEW),
        Dated("DE", "", D(16), NEW, None),
        Dated("DE", "reduced", D(7), OLD, date(2026, 2, 1)),
    ]
    asked = TaxAsked(country, code, date.fromisoformat(on), exempt)
    found = answers([asked], rates)
    told = found.get(asked, "missing")
    assert ("none" if told is None else str(told)) == percent


def said(**given: Any) -> dict[str, Any]:
    return {"country": "de", "percent": D("19"), "valid_from": OLD, "today": TODAY} | given


def days() -> list[tuple[str, str, str]]:
    rows = TaxRate.objects.order_by("code", "valid_from")
    return [(f"{r.percent:.2f}", str(r.valid_from), str(r.valid_until)) for r in rows]


@pytest.mark.django_db
def test_a_new_rate_ends_the_one_before_it():
    set_tax_rate(**said())
    set_tax_rate(**said(percent=D("7"), code="reduced"))
    set_tax_rate(**said(percent=D("16.5"), valid_from=NEW))
    assert days() == [
        ("19.00", "2025-01-01", "2026-07-01"),
        ("16.50", "2026-07-01", "None"),
        ("7.00", "2025-01-01", "None"),
    ]
    assert set(TaxRate.objects.values_list("country", flat=True)) == {"DE"}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("given", "code", "field"),
    [
        ({"country": "Germany"}, "tax_rate_invalid", "country"),
        ({"country": "1"}, "tax_rate_invalid", "country"),
        ({"code": "a b"}, "tax_rate_invalid", "code"),
        ({"percent": D("-0.1")}, "tax_rate_invalid", "percent"),
        ({"percent": D("100.000001")}, "tax_rate_invalid", "percent"),
        ({"percent": D("1.0000001")}, "tax_rate_invalid", "percent"),
        ({"valid_from": OLD}, "tax_rate_taken", "valid_from"),
        ({"valid_from": date(2024, 1, 1)}, "tax_rate_taken", "valid_from"),
        ({"valid_from": date(2026, 2, 28)}, "tax_rate_invalid", "valid_from"),
    ],
)
def test_a_rate_is_refused_beside_its_field(given, code, field):
    set_tax_rate(**said())
    with pytest.raises(Refused) as refused:
        set_tax_rate(**said(**given))
    assert (refused.value.code, refused.value.field) == (code, field)
    assert days() == [("19.00", "2025-01-01", "None")]


@pytest.mark.django_db
def test_a_rate_is_closed_once_and_not_in_the_past():
    rate = set_tax_rate(**said())
    for on, code in (
        (date(2026, 2, 28), "tax_rate_invalid"),
        (date(2024, 1, 1), "tax_rate_invalid"),
    ):
        with pytest.raises(Refused) as refused:
            close_tax_rate(rate_id=rate.pk, on=on, today=TODAY)
        assert (refused.value.code, refused.value.field) == (code, "on")
    close_tax_rate(rate_id=rate.pk, on=NEW, today=TODAY)
    with pytest.raises(Refused) as refused:
        close_tax_rate(rate_id=rate.pk, on=date(2026, 8, 1), today=TODAY)
    assert refused.value.code == "tax_rate_closed"
    with pytest.raises(Refused) as refused:
        set_tax_rate(**said(valid_from=date(2026, 6, 1)))
    assert refused.value.code == "tax_rate_taken"
    # One that has not begun may be given up: it holds on no day, and another takes its place.
    wrong = set_tax_rate(**said(percent=D("91"), valid_from=NEW))
    close_tax_rate(rate_id=wrong.pk, on=NEW, today=TODAY)
    set_tax_rate(**said(percent=D("16"), valid_from=NEW))
    asked = TaxAsked("DE", "", NEW)
    assert ask_rates([asked]).percent(asked) == 16


@pytest.mark.django_db
def test_postgres_keeps_rates_as_they_were():
    rate = a_tax_rate("19")
    for statement in (
        "UPDATE taxes_taxrate SET percent = 7",
        "UPDATE taxes_taxrate SET valid_from = '2019-01-01'",
        "DELETE FROM taxes_taxrate",
    ):
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
    with pytest.raises(IntegrityError), transaction.atomic():
        a_tax_rate("16", valid_from=date(2030, 1, 1))
    rate.refresh_from_db()
    assert (rate.percent, TaxRate.objects.count()) == (19, 1)


@pytest.mark.django_db
def test_the_port_asks_once_and_refuses_what_has_no_rate(django_assert_num_queries):
    a_tax_rate("19")
    questions = [TaxAsked("DE", code, TODAY) for code in ("", "books", "more")]
    with django_assert_num_queries(1):
        rates = ask_rates(questions)
    assert rates.percent(questions[0]) == 19
    with pytest.raises(TaxUnknown) as refused:
        rates.percent(questions[1], field="lines[0].product")
    assert refused.value.field == "lines[0].product"
    assert "books" in refused.value.message
    with django_assert_num_queries(0):
        ask_rates([])


@pytest.mark.parametrize(
    ("told", "right"), [("line", True), ("rate", True), ("invoice", True), ("total", False)]
)
def test_how_tax_is_rounded_is_a_convention(told, right):
    if right:
        validate_conventions({"tax_rounding": told})
        return
    with pytest.raises(ValidationError):
        validate_conventions({"tax_rounding": told})


@pytest.mark.django_db
def test_the_command_adds_a_rate_or_says_why_not():
    out = StringIO()
    call_command("set_tax_rate", "DE", "19", "--from", "2025-01-01", stdout=out)
    assert out.getvalue() == "DE standard 19 % from 2025-01-01\n"
    with pytest.raises(CommandError, match="valid_from: A rate begins"):
        call_command("set_tax_rate", "DE", "16", "--from", "2025-01-01")


@pytest.mark.django_db
def test_the_pages_list_add_and_end_rates(client):
    assert client.get("/taxes/").status_code == 302
    client.force_login(a_user("sales"))
    assert client.get("/taxes/").status_code == 403
    client.force_login(a_user("finance"))
    assert "all bills are net" in client.get("/taxes/").content.decode()
    told = {"country": "DE", "percent": "19", "valid_from": "2025-01-01", "name": "USt"}
    assert client.post("/taxes/new/", told).status_code == 302
    again = client.post("/taxes/new/", told)
    assert again.status_code == 422
    assert "close that one first" in again.content.decode()
    page = client.get("/taxes/").content.decode()
    for word in ("DE", "standard", "USt", "19"):
        assert word in page
    rate = TaxRate.objects.get()
    assert client.get(f"/taxes/{rate.pk}/").status_code == 200
    late = client.post(f"/taxes/{rate.pk}/", {"on": "2025-02-01"})
    assert late.status_code == 422
    assert client.post(f"/taxes/{rate.pk}/", {"on": "2999-01-01"}).status_code == 302
    closed = client.get(f"/taxes/{rate.pk}/").content.decode()
    assert 'name="on"' not in closed


def test_a_rate_that_was_given_up_is_as_if_it_never_was():
    never = Dated("DE", "", D(19), date(2062, 1, 1), date(2062, 1, 1))
    asked = TaxAsked("DE", "", TODAY, False)
    assert answers([asked], [never]) == {asked: None}


@pytest.mark.django_db
def test_after_a_rate_was_given_up_an_earlier_one_can_begin():
    wrong = set_tax_rate(**said(valid_from=date(2062, 1, 1)))
    close_tax_rate(rate_id=wrong.pk, on=date(2062, 1, 1), today=TODAY)
    set_tax_rate(**said(valid_from=date(2026, 1, 1)))
    assert ("19.00", "2026-01-01", "None") in days()
