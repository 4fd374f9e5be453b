"""What one may do in the catalog: publish and retire versions, sign contracts, freeze Terms."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import TypeVar

from django.db import transaction
from django_fsm import TransitionNotAllowed

from o2b.catalog.models import (
    Contract,
    DeliveryPlan,
    FixedDiscountClaim,
    PriceBookVersion,
    ProductVersion,
    Terms,
    TermsCharge,
)
from o2b.catalog.models.products import Publishable
from o2b.catalog.plans import check_plan
from o2b.catalog.resolution import Resolution
from o2b.charging.terms import SCHEMA, LineTerms, canonical, digest
from o2b.errors import Refused

P = TypeVar("P", bound=Publishable)


class NotADraft(Refused):
    code = "not_a_draft"


class NothingToPublish(Refused):
    code = "nothing_to_publish"


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


def _publish(model: type[P], *, pk: int, at: datetime) -> P:
    version = model._base_manager.select_for_update().get(pk=pk)
    try:
        version.publish(at=at)
    except TransitionNotAllowed as exc:
        raise NotADraft(f"{version} is {version.state}; only a draft can be published") from exc
    version.save()
    return version


@transaction.atomic
def publish_product_version(*, version_id: int, at: datetime) -> ProductVersion:
    """Make a product version sellable and freeze it."""
    return _publish(ProductVersion, pk=version_id, at=at)


@transaction.atomic
def publish_delivery_plan(*, plan_id: int, at: datetime) -> DeliveryPlan:
    """Make a plan the one that new lines are laid from, and freeze it; refuses a broken DAG."""
    plan = _publish(DeliveryPlan, pk=plan_id, at=at)
    check_plan(plan.tasks)
    return plan


@transaction.atomic
def publish_price_book_version(*, version_id: int, at: datetime) -> PriceBookVersion:
    """Make a version of a book valid from its day on, and freeze it with its prices."""
    version = _publish(PriceBookVersion, pk=version_id, at=at)
    if not version.prices.exists():
        raise NothingToPublish(f"{version} has no prices", field="prices")
    return version


@transaction.atomic
def sign_contract(*, contract_id: int, at: datetime) -> Contract:
    """Freeze a contract; from its first day on it wins over every book."""
    contract = Contract.objects.select_for_update().get(pk=contract_id)
    try:
        contract.sign(at=at)
    except TransitionNotAllowed as exc:
        raise NotADraft(f"{contract} is {contract.state}; only a draft can be signed") from exc
    contract.save()
    return contract


@transaction.atomic
def retire_product_version(*, version_id: int, on: date) -> ProductVersion:
    """Sell a product version no more; what is in service stays."""
    version = ProductVersion.objects.select_for_update().get(pk=version_id)
    try:
        version.retire(on=on)
    except TransitionNotAllowed as exc:
        raise NotADraft(f"{version} is {version.state}; only a published one retires") from exc
    version.save()
    return version


def claim_fixed_discounts(*, contract_ids: Iterable[int]) -> None:
    """From now on no other offer or order gets these contracts' fixed monthly amounts."""
    FixedDiscountClaim.objects.bulk_create(
        [FixedDiscountClaim(contract_id=pk) for pk in sorted(set(contract_ids))],
        ignore_conflicts=True,
    )


def release_fixed_discount(*, contract_id: int) -> None:
    """What carried it was cancelled: the next offer or order gets it."""
    FixedDiscountClaim.objects.filter(contract=contract_id).delete()
