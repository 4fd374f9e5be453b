"""The cell of a grant: read as it is written, whatever it says; what is no grant is told so."""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from o2b.catalog.exchange.faults import CellInvalid
from o2b.catalog.exchange.granting import grant, grant_text
from o2b.charging import Grant
from o2b.charging.terms import METER, details_of
from o2b.charging.terms.documents import DETAILS
from o2b.periods import Interval, Unit

WRITE, _READ = DETAILS["grant"]

numbers = st.decimals("0.00000001", 10**13, places=8) | st.decimals(1, 10**14, places=12)
lengths = st.builds(Interval, st.sampled_from(Unit), st.integers(1, 100))


@st.composite
def grants(draw: st.DrawFn) -> Grant:
    rollover = draw(st.none() | numbers)
    return Grant(
        units=draw(numbers),
        meter=draw(st.just("") | st.just("money") | st.from_regex(METER, fullmatch=True)),
        priority=draw(st.integers(0, 1000)),
        lasts=draw(st.none() | lengths | st.just(Interval("day", 36_500))),
        rollover=rollover,
        rollover_periods=draw(st.integers(1, 120)) if rollover is not None else 1,
        prorated=draw(st.booleans()),
        per_unit=draw(st.booleans()),
    )


@given(grants())
@settings(max_examples=500, deadline=None)
def test_every_grant_is_read_as_it_is_written(one: Grant) -> None:
    document = WRITE(one)
    text = grant_text(document)
    assert grant(text) == document
    assert details_of({"grant": grant(text)})["grant"] == one


@given(st.text(alphabet="019.;: -datmonyluserfpiv{}\"'é\t", max_size=40))
@settings(max_examples=500, deadline=None)
def test_whatever_is_typed_is_a_grant_or_a_fault(text: str) -> None:
    try:
        found = grant(text)
    except CellInvalid:
        return
    if not text.startswith("{"):
        assert grant(grant_text(found)) == found


@pytest.mark.parametrize(
    ("text", "shown", "means"),
    [
        ("500 data", "500 data", Grant(Decimal(500), "data")),
        ("50 money", "50 money", Grant(Decimal(50))),
        (
            "500  data ;once;  lasts quarter;",
            "500 data; lasts 3 months; once",
            Grant(Decimal(500), "data", lasts=Interval("month", 3), per_unit=False),
        ),
        (
            "0.5 data; priority 10; rollover 100 for 2 periods; prorated",
            "0.5 data; rollover 100 for 2 periods; priority 10; prorated",
            Grant(Decimal("0.5"), "data", 10, None, Decimal(100), 2, prorated=True),
        ),
        (
            "1 a; rollover 2 for 1 period",
            "1 a; rollover 2",
            Grant(Decimal(1), "a", rollover=Decimal(2)),
        ),
        ("1 a; priority 100", "1 a", Grant(Decimal(1), "a")),
        (
            '{"units": "3", "meter": "money"}',
            '{"meter":"money","units":"3"}',
            Grant(Decimal(3), "money"),
        ),
    ],
)
def test_what_people_type(text: str, shown: str, means: Grant) -> None:
    found = grant(text)
    assert details_of({"grant": found})["grant"] == means
    assert grant_text(found) == shown


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("data", "is no grant: write units and a meter, 500 data, or 50 money"),
        ("500", "write units and a meter"),
        ("500 GB data", "write units and a meter"),
        ("500,5 data", "decimal comma"),
        ("many data", "no number"),
        ("500 da+ta", "a code is of letters"),
        ("500 data; for ever", "is not known of a grant: write one of lasts 3 months"),
        ("500 data; Once", "is not known of a grant"),
        ("500 data; once; once", "“once” is there twice"),
        ("500 data; once only", "write once alone"),
        ("500 data; lasts long", "no interval"),
        ("500 data; lasts", "no interval"),
        ("500 data; rollover", "write rollover 100"),
        ("500 data; rollover 100 for 2", "write rollover 100, or rollover 100 for 2 periods"),
        ("500 data; rollover x", "no number"),
        ("500 data; priority first", "write priority and a whole number"),
        ("500 data; priority -1", "write priority"),
        ("{", "JSON"),
    ],
)
def test_what_is_no_grant(text: str, words: str) -> None:
    with pytest.raises(CellInvalid) as caught:
        grant(text)
    assert words in str(caught.value)
