"""Decks: numbers as digits, the longest prefix, and what a call costs by the rate of its number."""

from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from o2b.charging import (
    ChargeFacts,
    ChargeTerms,
    DeckRate,
    DeckRates,
    DeckWindow,
    EventsNeeded,
    LineTerms,
    NoRate,
    PrefixTable,
    RateMissing,
    Segment,
    Started,
    StartRule,
    TermsInvalid,
    called_number,
    draft,
    explain,
    price,
    rate_call,
)
from o2b.charging.models.decked import price_decked, rates_of
from o2b.charging.terms import canonical, details_of, digest, from_canonical
from o2b.charging.usage import Aggregation, Event, Used
from o2b.periods import FOREVER, Period
from tests.o2b.charging.shapes import at, usage

D = Decimal


def terms(charge: ChargeTerms) -> LineTerms:
    return LineTerms("phone", 1, "EUR", StartRule.ON_DELIVERY, (charge,))


def rate(price: str = "0.60", **given: Any) -> DeckRate:
    return DeckRate(D(price), **{"prefix": "49"} | given)


def call(seconds: str, by: DeckRate, moment: str = "") -> Event:
    return Event(D(seconds), at(moment) if moment else None, by)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("+49 171 234", "49171234"),
        ("0049171234", "49171234"),
        ("00 49 (171) 2-34", "49171234"),
        ("(+49) 171\u00a0234", "49171234"),
        ("+49 (0)171 234", "49171234"),
        ("+49 (06) 1", "49061"),
        ("0171 234", "0171234"),
        ("110", "110"),
        ("49171234", "49171234"),
        ("+", ""),
        ("00", ""),
        ("", ""),
        (" ", ""),
        ("sip:a@b", ""),
        ("+49/171", ""),
        ("+49+171", ""),
        ("anonymous", ""),
        ("\u0661\u0662", ""),
    ],
)
def test_a_number_is_its_digits(text: str, number: str) -> None:
    assert called_number(text) == number


PREFIXES = ("1", "49", "4917", "49171", "491712", "4477", "99999")


@pytest.mark.parametrize(
    ("number", "prefix"),
    [
        ("1", "1"),
        ("12", "1"),
        ("4", None),
        ("49", "49"),
        ("491", "49"),
        ("4917", "4917"),
        ("49170", "4917"),
        ("49171", "49171"),
        ("4917199", "49171"),
        ("49171299999", "491712"),
        ("447", None),
        ("4478", None),
        ("44771", "4477"),
        ("9999", None),
        ("99999", "99999"),
        ("2", None),
        ("", None),
    ],
)
def test_the_longest_prefix_counts(number: str, prefix: str | None) -> None:
    table = PrefixTable(rate(prefix=each) for each in PREFIXES)
    found = table.find(number)
    assert (found and found.prefix) == prefix
    assert (len(table), table.longest) == (7, 6)
    assert PrefixTable([]).find(number) is None


digits = st.text("0123", min_size=1, max_size=6)


@given(st.sets(digits, max_size=40), digits)
def test_no_longer_prefix_is_passed_over(prefixes: set[str], number: str) -> None:
    found = PrefixTable(rate(prefix=each) for each in prefixes).find(number)
    right = max((each for each in prefixes if number.startswith(each)), key=len, default=None)
    assert (found and found.prefix) == right


@pytest.mark.parametrize(
    ("first", "then", "seconds", "amount"),
    [
        (60, 60, "61", "1.20"),
        (60, 60, "60", "0.60"),
        (60, 60, "1", "0.60"),
        (60, 1, "61", "0.61"),
        (60, 1, "45", "0.60"),
        (30, 6, "31", "0.36"),
        (1, 1, "61", "0.61"),
        (1, 1, "0.5", "0.01"),
        (1, 60, "2", "0.61"),
        (60, 60, "0", "0"),
        (60, 60, "-5", "0"),
    ],
)
def test_increments_are_those_of_the_prefix(
    first: int, then: int, seconds: str, amount: str
) -> None:
    by = rate(first_seconds=first, next_seconds=then)
    assert price_decked(DeckRates("intl", "to"), [call(seconds, by)]) == D(amount)


def test_a_connect_fee_is_due_once_a_call() -> None:
    by, free = rate(connect_fee=D("0.05")), rate("0", connect_fee=D("0.05"))
    calls = [call("60", by), call("30", by), call("0", by), call("10", free)]
    assert price_decked(DeckRates("intl", "to"), calls) == D("1.05")


NIGHT = DeckRates("intl", "to", (DeckWindow(0, D(50)), DeckWindow(480, D(100))))


@pytest.mark.parametrize(
    ("seconds", "moment", "amount"),
    [
        ("60", "2026-01-01T07:00:00", "0.35"),
        ("60", "2026-01-01T08:00:00", "0.70"),
        ("60", "2026-01-01T07:59:00", "0.35"),
        ("60", "2026-01-01T07:59:30", "0.50"),  # half of it at night, the fee by its beginning
        ("60", "2026-01-01T23:59:30", "0.55"),  # night begins at midnight
        ("60", "2026-01-01T07:59:00.000001", "0.35"),
        ("60", "", "0.35"),
    ],
)
def test_windows_take_a_share_of_the_deck(seconds: str, moment: str, amount: str) -> None:
    by = rate(connect_fee=D("0.10"))
    found = price_decked(NIGHT, [call(seconds, by, moment)])
    assert found.quantize(D("0.00000001")) == D(amount).quantize(D("0.00000001"))


rates = st.builds(
    DeckRate,
    st.decimals(0, 100, places=6),
    st.sampled_from([1, 60]),
    st.decimals(0, 1, places=6),
    st.sampled_from([1, 6, 30, 60]),
    st.sampled_from([1, 6, 60]),
)
moments = st.datetimes(at("2026-01-01"), at("2026-01-03"))
calls = st.builds(
    Event,
    st.integers(0, 4000).map(D) | st.decimals(0, 100, places=3),
    st.none() | moments,
    rates,
    st.just(D(0)),  # nothing of them is prepaid
)
shares = st.decimals(0, 300, places=4)


@settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.lists(calls, max_size=6), st.sets(st.integers(1, 1439), max_size=2), st.data())
def test_the_sum_is_that_of_the_calls(calls: list[Event], minutes: set[int], data: Any) -> None:
    windows = tuple(DeckWindow(n, data.draw(shares)) for n in [0, *sorted(minutes)])
    deck = DeckRates("intl", "to", windows)
    started = data.draw(st.sampled_from(Started))
    single = [
        rate_call(rates_of(deck, each.rate), each.value, each.at, started=started).amount
        for each in calls
    ]
    apart = abs(Fraction(price_decked(deck, calls, started=started)) - sum(map(Fraction, single)))
    assert apart <= Fraction(len(calls) + 1, 10**30)


def by_deck(**given: Any) -> Any:
    return usage(model="rated", **{"call": DeckRates("intl", "to")} | given)


MISSING = NoRate("intl", "99", date(2026, 1, 5))


@pytest.mark.parametrize("found", [None, MISSING])
@pytest.mark.parametrize("windows", [DeckRates("intl", "to"), NIGHT])
def test_a_call_without_its_rate_is_never_billed_as_nothing(
    found: NoRate | None, windows: DeckRates
) -> None:
    with pytest.raises(RateMissing) as caught:
        price(by_deck(call=windows), D(60), [Event(D(60), None, found)])
    assert caught.value.missing == found
    with pytest.raises(RateMissing):
        explain(by_deck(call=windows), D(60), [Event(D(60), None, found)])


def facts(*used: Used, aggregation: Aggregation = Aggregation.EACH) -> ChargeFacts:
    begun = date(2026, 1, 1)
    open_end = (Segment(Period(begun, FOREVER), D(1)),)
    return ChargeFacts(1, by_deck(), begun, 1, open_end, None, usage=used, aggregation=aggregation)


def test_a_bill_asks_the_rates_of_the_days_it_bills() -> None:
    day = date(2026, 1, 5)
    good = Used(day, D(60), (call("60", rate()),))
    bad = Used(day + timedelta(days=31), D(60), (Event(D(60), None, MISSING),))
    (line,) = draft([facts(good, bad)], until=date(2026, 2, 1))
    assert (line.amount, line.quantity) == (D("0.60"), 60)
    with pytest.raises(RateMissing):
        draft([facts(good, bad)], until=date(2026, 3, 1))


@pytest.mark.parametrize("aggregation", [Aggregation.EACH, Aggregation.MAX])
def test_a_total_that_tells_no_calls_is_not_billed(aggregation: Aggregation) -> None:
    with pytest.raises(RateMissing):
        draft(
            [facts(Used(date(2026, 1, 5), D(60)), aggregation=aggregation)],
            until=date(2026, 2, 1),
        )


def test_a_price_without_calls_is_nothing_yet() -> None:
    assert price(by_deck(), D(3)) == 0
    assert [step.result for step in explain(by_deck(), D(3))] == [0]
    with pytest.raises(EventsNeeded):
        price(by_deck(), D(3), 7)


def test_the_arithmetic_is_told() -> None:
    by = rate(connect_fee=D("0.10"), first_seconds=60, next_seconds=60)
    steps = explain(by_deck(call=NIGHT), D(61), [call("61", by, "2026-01-01T03:00:00")])
    assert [(each.label, each.arithmetic, each.result) for each in steps] == [
        ("call", "0.05 + 0.3 × 120 / 60", D("0.65"))
    ]


def test_terms_name_a_deck_and_no_rates() -> None:
    promised = terms(by_deck(call=NIGHT))
    text = canonical(promised)
    assert (
        '"call":{"deck":"intl","number":"to","windows":[{"from_minute":0,"percent":"50"},'
        '{"from_minute":480,"percent":"100"}]}' in text
    )
    assert from_canonical(text) == promised
    plain = terms(by_deck())
    assert '"call":{"deck":"intl","number":"to"}' in canonical(plain)
    assert from_canonical(canonical(plain)) == plain
    whole = DeckRates("intl", "to", (DeckWindow(0, D("100.00")),))
    assert digest(terms(by_deck(call=whole))) == digest(plain)


WRONG = [
    (lambda: DeckRates("", "to"), "call.deck"),
    (lambda: DeckRates("a b", "to"), "call.deck"),
    (lambda: DeckRates("a" * 41, "to"), "call.deck"),
    (lambda: DeckRates("intl", ""), "call.number"),
    (lambda: DeckRates("intl", "To"), "call.number"),
    (lambda: DeckRates("intl", "to", ()), "call.windows"),
    (lambda: DeckRates("intl", "to", (DeckWindow(60, D(1)),)), "call.windows"),
    (lambda: DeckRates("intl", "to", (DeckWindow(0, D(1)),) * 2), "call.windows"),
    (lambda: DeckWindow(1440, D(1)), "call.from_minute"),
    (lambda: DeckWindow(0, D(-1)), "call.percent"),
    (lambda: DeckWindow(0, D("1.00001")), "call.percent"),
    (lambda: DeckWindow(0, D(100_001)), "call.percent"),
]
READ = [
    ({"deck": "intl"}, "call.number"),
    ({"number": "to"}, "call.deck"),
    ({"deck": "intl", "number": "to", "rate": "1"}, "call.rate"),
    ({"deck": 1, "number": "to"}, "call.deck"),
    ({"deck": "intl", "number": "to", "windows": 5}, "call"),
    ({"deck": "intl", "number": "to", "windows": []}, "call.windows"),
    ({"deck": "intl", "number": "to", "windows": [{"from_minute": 0}]}, "call"),
    ({"deck": "intl", "number": "to", "windows": [{"from_minute": 0, "percent": 0.5}]}, "call"),
]


@pytest.mark.parametrize(("make", "field"), WRONG)
def test_what_is_no_deck_price_is_refused(make: Any, field: str) -> None:
    with pytest.raises(TermsInvalid) as caught:
        make()
    assert caught.value.field == field


@pytest.mark.parametrize(("said", "field"), READ)
def test_a_stored_one_names_its_fault(said: Any, field: str) -> None:
    with pytest.raises(TermsInvalid) as caught:
        details_of({"call": said})
    assert caught.value.field == field


def test_a_rate_is_exact_in_millionths() -> None:
    assert rate("0.000001", connect_fee=D("0.05")).whole == (1, 50_000, 60, 1, 1)
    with pytest.raises(ValueError, match="6 decimals"):
        rate("0.0000001")
