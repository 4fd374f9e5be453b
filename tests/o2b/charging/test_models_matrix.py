"""Matrices: the cell that names most wins, and cells that could tie are found beforehand."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from o2b.charging import Ambiguous, best_match, conflicts
from o2b.charging.models.matrix import canonical_value

CELLS = [
    {},
    {"speed": "150"},
    {"speed": "150", "term": "1"},
    {"speed": "1000", "term": "3"},
    {"access": "Fibre", "speed": "1000", "term": "3"},
]


@pytest.mark.parametrize(
    ("characteristics", "cell"),
    [
        ({}, 0),
        ({"term": 1}, 0),
        ({"speed": 150}, 1),
        ({"speed": "150", "term": 2}, 1),
        ({"speed": Decimal("150.0"), "term": 1}, 2),
        ({"speed": 1000, "term": "3"}, 3),
        ({"speed": 1000, "term": "3", "access": "Fibre"}, 4),
        ({"speed": 1000, "term": "3", "access": "fibre"}, 3),
        ({"speed": 1000, "term": "3", "colour": "red"}, 3),
    ],
)
def test_the_cell_that_names_most_wins(characteristics, cell):
    assert best_match(CELLS, characteristics) == cell


def test_no_cell_fits():
    assert best_match(CELLS[1:], {"speed": 50}) is None
    assert best_match([], {"speed": 50}) is None


def test_two_that_fit_equally_are_ambiguous():
    cells = [{}, {"speed": "150"}, {"term": "1"}]
    with pytest.raises(Ambiguous) as tie:
        best_match(cells, {"speed": 150, "term": 1})
    assert tie.value.cells == (1, 2)
    assert "1, 2" in str(tie.value)


@pytest.mark.parametrize(
    ("cells", "pairs"),
    [
        (CELLS, []),
        ([{}, {}], [(0, 1)]),
        ([{"speed": "150"}, {"speed": "150.0"}], [(0, 1)]),
        ([{"speed": "150"}, {"speed": "100"}], []),
        ([{"speed": "150"}, {"term": "1"}], [(0, 1)]),
        ([{"speed": "150"}, {"term": "1"}, {"speed": "150", "term": "1"}], []),
        ([{"speed": "150"}, {"term": "1"}, {"speed": "150", "term": "2"}], [(0, 1)]),
        ([{"a": "1", "b": "1"}, {"a": "1", "c": "1"}, {"b": "2", "c": "1"}], [(0, 1), (1, 2)]),
    ],
)
def test_conflicts(cells, pairs):
    assert conflicts(cells) == pairs


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (150, "150"),
        ("150.0", "150"),
        (Decimal("1.5E+2"), "150"),
        (" Metro ", "Metro"),
        (True, "true"),
        (False, "false"),
        ("NaN", "NaN"),
        ("", ""),
        ("-0.0", "0"),
    ],
)
def test_equal_values_have_one_text(value, text):
    assert canonical_value(value) == text


cell = st.dictionaries(st.sampled_from("abc"), st.sampled_from("12"))


@given(
    st.lists(cell, max_size=6), st.fixed_dictionaries(dict.fromkeys("abc", st.sampled_from("12")))
)
def test_what_has_no_conflict_is_never_ambiguous(cells, characteristics):
    if not conflicts(cells):
        best_match(cells, characteristics)
