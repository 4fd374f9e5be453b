"""Parts of rounded amounts: they add up to the whole for every payer, piece and change."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from billing.rules.sharing import Agreed, read_sharing, sharing_of, sharing_text
from o2b.charging.sharing import NOTHING, WHOLE, Part, parts_of, shared
from o2b.money import sum_of
from o2b.periods import FOREVER

D = Decimal
ONE, TWO, THREE = 1, 2, 3


@pytest.mark.parametrize(
    ("percents", "total", "currency", "expected"),
    [
        (["60"], "100.00", "EUR", ["60.00", "40.00"]),
        (["60"], "99.99", "EUR", ["59.99", "40.00"]),
        (["50"], "0.01", "EUR", ["0.01", "0.00"]),
        (["50"], "-0.01", "EUR", ["-0.01", "0.00"]),
        (["60"], "44387.88", "USD", ["26632.73", "17755.15"]),
        (["90"], "96752.16", "USD", ["87076.94", "9675.22"]),
        (["33.333333"] * 3, "100.00", "EUR", ["33.33", "33.34", "33.33", "0.00"]),
        (["33.333333"] * 3, "0.05", "EUR", ["0.02", "0.01", "0.02", "0.00"]),
        (["50"], "101", "JPY", ["51", "50"]),
        (["12.5"], "1.001", "KWD", ["0.125", "0.876"]),
        (["100"], "1.00", "EUR", ["1.00", "0.00"]),
    ],
)
def test_parts_of_a_total(percents, total, currency, expected):
    parts = parts_of(map(D, percents))
    assert [str(part.of(D(total), currency)) for part in parts] == expected


def test_more_than_all_cannot_be_shared():
    with pytest.raises(ValueError, match="more than all"):
        parts_of([D(60), D("40.000001")])


MILLIONTHS, CENTS = st.integers(1, 25_000_000), st.integers(-100_000, 100_000)
PERCENTS = st.lists(MILLIONTHS.map(lambda n: D(n).scaleb(-6)), min_size=1, max_size=4)
AMOUNTS = st.lists(CENTS.map(lambda n: D(n).scaleb(-2)), min_size=1, max_size=5)


@given(PERCENTS, AMOUNTS)
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_all_payers_of_each_piece_pay_it_and_each_payer_of_all_pieces_his_part(percents, amounts):
    parts = parts_of(percents)
    by_payer = [shared(part, amounts, "EUR") for part in parts]
    of_pieces: list[tuple[Any, ...]] = list(zip(*by_payer, strict=True))
    for amount, each in zip(amounts, of_pieces, strict=True):
        assert sum_of(each) == amount
    for part, own in zip(parts, by_payer, strict=True):
        assert sum_of(own) == part.of(sum_of(amounts), "EUR")


def day(n: int) -> date:
    return date(2026, 1, n)


HOUSE = Agreed(day(5), FOREVER, False, ((ONE, D(60)), (TWO, D(20))))
SERVICE = Agreed(day(10), day(20), True, ((THREE, D(50)),))


def test_what_a_service_agreed_itself_comes_before_that_of_the_account():
    told = [HOUSE, SERVICE]
    days = [day(n) for n in (4, 5, 10, 19, 20)]
    by_payer = {
        payer: [sharing_of(told, payer=payer).on(each).percent for each in days]
        for payer in (ONE, TWO, THREE, None)
    }
    assert by_payer == {
        ONE: [0, 60, 0, 0, 60],
        TWO: [0, 20, 0, 0, 20],
        THREE: [0, 0, 50, 50, 0],
        None: [100, 20, 50, 50, 20],
    }


def test_an_agreement_that_ends_on_its_first_day_never_held():
    never = HOUSE._replace(end=HOUSE.start)
    assert sharing_of([never], payer=None).later == ()
    assert sharing_of([never], payer=None).on(day(6)) == WHOLE
    assert sharing_of([never], payer=ONE).on(day(6)) == NOTHING


@pytest.mark.parametrize("payer", [ONE, TWO, THREE, None])
def test_a_text_says_the_same(payer):
    sharing = sharing_of([HOUSE, SERVICE], payer=payer)
    assert read_sharing(sharing_text(sharing)) == sharing


def test_the_text_is_short():
    assert sharing_text(sharing_of([HOUSE], payer=TWO)) == "0:0,2026-01-05=60:80"
    assert read_sharing("0:100").on(day(1)) == Part()
