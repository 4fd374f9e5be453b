"""Freeze Terms: the only place where what a line is promised is written."""

from collections.abc import Sequence

from o2b.catalog.models import Terms, TermsCharge
from o2b.catalog.resolution import Resolution
from o2b.charging.terms import (
    SCHEMA,
    LineTerms,
    canonical,
    details_document,
    digest,
    tiers_document,
)


def freeze_terms(resolutions: Sequence[Resolution]) -> list[Terms]:
    """The frozen Terms of each resolution, in order; equal offers share one row.

    The only writer of Terms; call it in the transaction that sends a quote or places an order.
    """
    digests = [digest(r.terms) for r in resolutions]
    offered = dict(zip(digests, resolutions, strict=True))
    known = {t.digest: t for t in Terms.objects.filter(digest__in=offered)}
    missing = {d: r for d, r in offered.items() if d not in known}
    if missing:
        known |= _write_terms(missing)
    return [known[d] for d in digests]


def _write_terms(missing: dict[str, Resolution]) -> dict[str, Terms]:
    """Insert what is not there; who loses a race to another transaction takes its row."""
    Terms.objects.bulk_create(
        [
            Terms(
                digest=name,
                schema=SCHEMA,
                body=canonical(r.terms),
                product_version=r.product_version,
                currency=r.terms.currency,
                start_rule=r.terms.start_rule.value,
            )
            for name, r in sorted(missing.items())
        ],
        ignore_conflicts=True,
    )
    written = {t.digest: t for t in Terms.objects.filter(digest__in=missing)}
    TermsCharge.objects.bulk_create(
        [
            charge
            for name, r in sorted(missing.items())
            for charge in _charges(written[name], r.terms)
        ],
        ignore_conflicts=True,
    )
    return written


def _charges(terms: Terms, promised: LineTerms) -> list[TermsCharge]:
    return [
        TermsCharge(
            terms=terms,
            position=position,
            key=c.key,
            kind=c.kind.value,
            model=c.model.value,
            unit_price=c.unit_price,
            tiers=tiers_document(c.tiers),
            details=details_document(c),
            interval_unit=c.interval.unit if c.interval else "",
            interval_count=c.interval.count if c.interval else 1,
            timing=c.timing.value,
            alignment=c.alignment.value,
            proration=c.proration.value,
            discounts=[{"kind": d.kind.value, "value": str(d.value)} for d in c.discounts],
            tax_code=c.tax_code,
            revenue_rule=c.revenue_rule,
        )
        for position, c in enumerate(promised.charges, start=1)
    ]
