"""Who may have a product, and what may be written about it."""

from typing import Any

import pytest

from o2b.catalog.rules.eligibility import faults_of_eligibility, why_not_eligible


@pytest.mark.parametrize(
    ("document", "places"),
    [
        ({}, []),
        ({"segments": [], "countries": []}, []),
        ({"segments": ["health"], "countries": ["DE", "AT"]}, []),
        ([], [""]),
        ({"colour": ["red"]}, [".colour"]),
        ({"segments": "health"}, [".segments"]),
        ({"segments": ["two words", 5]}, [".segments[0]", ".segments[1]"]),
        ({"countries": ["de", "DEU", "DE", "DE"]}, [f".countries[{i}]" for i in (0, 1, 3)]),
        ({"countries": ["DE"] * 301}, [".countries"]),
    ],
)
def test_what_may_be_written(document: Any, places: list[str]) -> None:
    faults = faults_of_eligibility(document)
    assert [fault.field for fault in faults] == [f"eligibility{place}" for place in places]


BOTH = {"segments": ["health", "school"], "countries": ["DE"]}


@pytest.mark.parametrize(
    ("document", "segment", "country", "message"),
    [
        ({}, "", "", None),
        ({"segments": [], "countries": []}, "", "", None),
        (BOTH, "health", "DE", None),
        (BOTH, "school", "DE", None),
        ({"countries": ["DE"]}, "", "DE", None),
        ({"segments": ["health"]}, "health", "", None),
        (BOTH, "trade", "DE", "Scan is for customers of: health, school."),
        (
            BOTH,
            "",
            "DE",
            "Scan is for customers of: health, school. This one has no segment yet.",
        ),
        (BOTH, "health", "AT", "Scan is sold in: DE."),
        (BOTH, "health", "", "Scan is sold in: DE. The customer has no country yet."),
    ],
)
def test_who_may_have_it(document: Any, segment: str, country: str, message: str | None) -> None:
    fault = why_not_eligible(
        document, product="Scan", segment=segment, country=country, field="lines[0].product"
    )
    if message is None:
        assert fault is None
    else:
        assert fault is not None
        assert (fault.field, fault.code) == ("lines[0].product", "not_eligible")
        assert fault.message % fault.facts == message
