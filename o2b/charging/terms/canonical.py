"""The one way to write terms as text, the digest that names them, and the way back."""

import json
from collections.abc import Mapping
from decimal import Decimal
from functools import partial
from hashlib import sha256
from typing import Any

from o2b.charging.terms.charge import ChargeTerms
from o2b.charging.terms.checks import TermsInvalid, plain
from o2b.charging.terms.documents import DETAILS, Document, read_part, tiers_document, tiers_of
from o2b.charging.terms.enums import DiscountKind, StartRule
from o2b.charging.terms.line import LineTerms
from o2b.charging.terms.parts import DEFAULT_CONVENTIONS, Discount
from o2b.periods import Interval

SCHEMA = 1


def canonical(terms: LineTerms) -> str:
    """The one way to write these terms: equal terms, equal text.

    A field that a later schema adds is written only where it says something, so that the digest
    of older terms stays what it was.
    """
    document = {
        "schema": SCHEMA,
        "product": terms.product,
        "version": terms.version,
        "currency": terms.currency,
        "start_rule": terms.start_rule.value,
        "charges": [charge_document(charge) for charge in terms.charges],
    }
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def digest(terms: LineTerms) -> str:
    """SHA-256 of the canonical text, in hexadecimal: the name of the terms."""
    return sha256(canonical(terms).encode()).hexdigest()


def from_canonical(text: str) -> LineTerms:
    """Read back what `canonical` wrote."""
    document = json.loads(text)
    if document["schema"] != SCHEMA:
        raise TermsInvalid("schema", f"schema {document['schema']} is unknown")
    return LineTerms(
        product=document["product"],
        version=document["version"],
        currency=document["currency"],
        start_rule=StartRule(document["start_rule"]),
        charges=tuple(charge_of(each) for each in document["charges"]),
    )


def charge_document(charge: ChargeTerms) -> Document:
    """One charge as plain JSON; what it does not use is not there."""
    interval = charge.interval
    return {
        "key": charge.key,
        "kind": charge.kind.value,
        "model": charge.model.value,
        "unit_price": plain(charge.unit_price),
        "currency": charge.currency,
        "interval": None if interval is None else [interval.unit.value, interval.count],
        "timing": charge.timing.value,
        "alignment": charge.alignment.value,
        "proration": charge.proration.value,
        "discounts": [[each.kind.value, plain(each.value)] for each in charge.discounts],
        "tax_code": charge.tax_code,
        "revenue_rule": charge.revenue_rule,
        **({"tiers": tiers_document(charge.tiers)} if charge.tiers else {}),
        **details_document(charge),
    }


def details_document(charge: ChargeTerms) -> Document:
    """The parts that only some charges have: what the column `details` of a stored one holds."""
    document: Document = {}
    for name, (write, _) in DETAILS.items():
        value = getattr(charge, name)
        if value is not None and value not in ("", (), DEFAULT_CONVENTIONS):
            document[name] = write(value)
    return document


def charge_of(document: Mapping[str, Any]) -> ChargeTerms:
    """The charge that a document of `charge_document` describes; TermsInvalid if it is none."""
    fixed = {name: value for name, value in document.items() if name not in DETAILS}
    interval = fixed["interval"]
    return ChargeTerms(
        **fixed
        | {
            "unit_price": Decimal(fixed["unit_price"]),
            "interval": None if interval is None else Interval(*interval),
            "discounts": tuple(
                Discount(DiscountKind(kind), Decimal(value)) for kind, value in fixed["discounts"]
            ),
            "tiers": tiers_of(fixed.get("tiers", ())),
        },
        **details_of({name: document[name] for name in DETAILS if name in document}),
    )


def details_of(details: Mapping[str, Any]) -> dict[str, Any]:
    """The optional parts of a charge by name; TermsInvalid names one that is unknown or wrong."""
    if not isinstance(details, Mapping):
        raise TermsInvalid("details", "names with values are expected")
    unknown = set(details) - set(DETAILS)
    if unknown:
        raise TermsInvalid(min(unknown), "not known of a charge")
    return {
        name: read_part(name, partial(DETAILS[name][1], value)) for name, value in details.items()
    }
