"""What a usage charge is measured by: refused by field, written only where it says something."""

import json

import pytest

from o2b.charging import LineTerms, TermsInvalid, Where, canonical, digest, from_canonical
from o2b.charging.terms import details_document, details_of
from tests.o2b.charging.build import charge
from tests.o2b.charging.shapes import usage


def test_the_digest_of_terms_without_a_meter_is_what_it_was():
    terms = LineTerms("phone", 1, "EUR", "on_delivery", (usage(key="calls"),))
    assert digest(terms) == "2746d418f317a9ec776353620c5e42be03b9d4a69723002e2dd09debad360685"
    assert "meter" not in canonical(terms)
    assert "where" not in canonical(terms)


def test_the_meter_is_that_of_the_key_if_none_is_named():
    assert usage(key="calls").meter_code == "calls"
    assert usage(key="calls", meter="voice").meter_code == "voice"


def test_meter_and_dimensions_are_written_so_and_read_back():
    eu, b = Where("zone", ("eu", "de", "eu")), Where("carrier", ("b",))
    terms = usage(key="calls", meter="voice", where=(eu, b))
    document = {"meter": "voice", "where": {"carrier": ["b"], "zone": ["de", "eu"]}}
    assert details_document(terms) == document
    assert details_of(document) == {"meter": "voice", "where": terms.where}
    other = usage(key="calls", meter="voice", where=(b, Where("zone", ("de", "eu"))))
    assert terms == other
    line = LineTerms("phone", 1, "EUR", "on_delivery", (terms,))
    assert from_canonical(canonical(line)) == line
    assert json.loads(canonical(line))["charges"][0]["where"] == document["where"]


REFUSED = [
    (lambda: charge(meter="voice"), "meter"),
    (lambda: charge(where=(Where("zone", ("eu",)),)), "where"),
    (lambda: usage(meter="two words"), "meter"),
    (lambda: usage(meter="x" * 41), "meter"),
    (lambda: Where("Zone", ("eu",)), "where"),
    (lambda: Where("=", ("eu",)), "where"),
    (lambda: Where("zone", ()), "where.zone"),
    (lambda: Where("zone", ("",)), "where.zone"),
    (lambda: Where("zone", (7,)), "where.zone"),
    (lambda: Where("zone", (" eu",)), "where.zone"),
    (lambda: Where("zone", ("e\0u",)), "where.zone"),
    (lambda: Where("zone", tuple(map(str, range(201)))), "where.zone"),
    (lambda: usage(where=(Where("zone", ("a",)), Where("zone", ("b",)))), "where"),
    (lambda: usage(where=tuple(Where(f"d{n}", ("a",)) for n in range(9))), "where"),
    (lambda: details_of({"meter": 7}), "meter"),
    (lambda: details_of({"where": ["zone"]}), "where"),
    (lambda: details_of({"where": {"zone": "eu"}}), "where"),
    (lambda: details_of({"where": {"zone": []}}), "where.zone"),
]


@pytest.mark.parametrize(("make", "field"), REFUSED)
def test_what_is_refused_names_its_field(make, field):
    with pytest.raises(TermsInvalid) as caught:
        make()
    assert caught.value.field == field
