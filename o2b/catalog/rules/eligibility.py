"""Who may have a product: customers of some segments, customers in some countries."""

import re
from collections.abc import Mapping
from typing import Any

from o2b.catalog.rules.faults import Fault
from o2b.catalog.rules.faults import gettext_noop as _

COUNTRY = re.compile(r"[A-Z]{2}")
SEGMENT = re.compile(r"[-a-zA-Z0-9_]{1,50}")
PATTERNS = {"segments": SEGMENT, "countries": COUNTRY}
MOST = 300
NOT_ELIGIBLE = "not_eligible"


def faults_of_eligibility(document: Any, *, field: str = "eligibility") -> list[Fault]:
    """Every fault of {"segments": [...], "countries": [...]}; both may be missing or empty."""
    if not isinstance(document, Mapping):
        return [Fault(field, _("Eligibility names segments and countries."))]
    faults = [
        Fault(f"{field}.{key[:60]}", _("Eligibility knows segments and countries only."))
        for key in sorted(set(map(str, document)) - PATTERNS.keys())
    ]
    for key, pattern in PATTERNS.items():
        named = document.get(key, [])
        if not isinstance(named, list | tuple) or len(named) > MOST:
            faults.append(Fault(f"{field}.{key}", _("A list of codes.")))
            continue
        for i, code in enumerate(named):
            if not isinstance(code, str) or not pattern.fullmatch(code):
                message = (
                    _("A country is two capital letters, such as DE.")
                    if key == "countries"
                    else _("A segment is a word without blanks.")
                )
                faults.append(Fault(f"{field}.{key}[{i}]", message))
            elif code in named[:i]:
                message = _("“%(name)s” is there twice.")
                faults.append(Fault(f"{field}.{key}[{i}]", message, {"name": code}))
    return faults


def why_not_eligible(
    document: Mapping[str, Any], *, product: str, segment: str, country: str, field: str
) -> Fault | None:
    """Why a customer may not have the product; None if nothing is in the way.

    A customer whose segment or country nobody knows is not among those that are named.
    """
    segments, countries = document.get("segments") or (), document.get("countries") or ()
    if segments and segment not in segments:
        message = _("%(product)s is for customers of: %(named)s.")
        if not segment:
            message = _("%(product)s is for customers of: %(named)s. This one has no segment yet.")
        facts = {"product": product, "named": ", ".join(segments)}
        return Fault(field, message, facts, NOT_ELIGIBLE)
    if countries and country not in countries:
        message = _("%(product)s is sold in: %(named)s.")
        if not country:
            message = _("%(product)s is sold in: %(named)s. The customer has no country yet.")
        facts = {"product": product, "named": ", ".join(countries)}
        return Fault(field, message, facts, NOT_ELIGIBLE)
    return None
