"""Load a pack: products, plans, meters, books, contracts, customers; sheets by their import."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from o2b.catalog.exchange.services import import_catalog
from o2b.catalog.models import (
    Contract,
    DeliveryPlan,
    PriceBook,
    PriceBookVersion,
    Product,
    ProductVersion,
)
from o2b.catalog.models.exchange import SheetKind
from o2b.catalog.plan_surroundings import faults_of_draft
from o2b.catalog.plans import PlanBroken
from o2b.catalog.plans.documents import check_storable
from o2b.catalog.plans.trying import Faults
from o2b.catalog.services import (
    publish_delivery_plan,
    publish_price_book_version,
    publish_product_version,
    retire_product,
    sign_contract,
)
from o2b.catalog.services.planning import refuse_plan
from o2b.customers.models import LegalEntity
from o2b.customers.opening import ensure_legal_entity, open_accounts
from o2b.packs.meters import load_meter
from o2b.packs.reading import Pack, accounts_of
from o2b.packs.refusals import PackInvalid, PackThere
from o2b.packs.work import PlanFile, in_file
from o2b.people.models import User

# A product for which a pack brings no plan is delivered by hand in one step.
BY_HAND = [
    {
        "key": "deliver",
        "name": "Deliver",
        "kind": "manual",
        "queue": "delivery",
        "after": [],
        "evidence": [],
        "minutes": 30,
    }
]


@dataclass(frozen=True, slots=True)
class Allowed:
    """What plans may name: kinds of tasks with what they say of parameters, and queues."""

    kinds: Mapping[str, Faults]
    queues: Collection[str]


@dataclass(frozen=True, slots=True)
class Loaded:
    """How many of each thing a pack brought."""

    products: int
    plans: int
    prices: int
    contracts: int
    accounts: int


def refuse_loaded(pack: Pack) -> None:
    """Refuse a pack that is there already."""
    taken = PriceBook.objects.filter(code__in=[each.options["book"] for each in pack.books])
    if taken.exists():
        message = _("The pack “%(pack)s” is loaded: its price book %(book)s is there.")
        raise PackThere(message % {"pack": pack.title, "book": taken[0].code})


@transaction.atomic
def load_pack(
    *, pack: Pack, advocate_id: int, at: datetime, allowed: Allowed | None = None
) -> Loaded:
    """All of a pack, published and signed, or nothing; the advocate answers for its customers.

    Plans are examined whole against what is `allowed`; without it no names are looked up.
    """
    refuse_loaded(pack)
    if not User.objects.filter(pk=advocate_id, is_active=True).exists():
        raise PackInvalid(_("The advocate is not an active user."), field="advocate")
    entity = ensure_legal_entity(**pack.entity)
    versions = _products(pack, at)
    _examine_plans(pack, allowed)
    since = min(date.fromisoformat(each.options["valid_from"]) for each in pack.books)
    for said in pack.meters:
        load_meter(said, starts_on=since, at=at)
    prices = sum(
        _book(each.file, each.options, at) for each in pack.books if not each.after_retirement
    )
    for code in pack.retired:
        _retire(code, pack)
    prices += sum(
        _book(each.file, each.options, at) for each in pack.books if each.after_retirement
    )
    accounts = _accounts(pack, entity, advocate_id)
    contracts = _contracts(pack, at)
    return Loaded(versions, _plans_in(pack), prices, contracts, accounts)


def _products(pack: Pack, at: datetime) -> int:
    """Publish what is named before what names it; each with its plan."""
    made = _take(pack.products, SheetKind.PRODUCTS, {}, at).get(_label(ProductVersion), ())
    drafts = ProductVersion.objects.filter(pk__in=made).order_by("pk").select_related("product")
    _refuse_strangers(pack, {version.product.code for version in drafts})
    files = {code: plan for plan in pack.plans for code in plan.products}
    for version in drafts:
        _plan(version.product, files.get(version.product.code), at)
        publish_product_version(version_id=version.pk, at=at)
    return len(made)


def _plan(product: Product, file: PlanFile | None, at: datetime) -> None:
    """The pack's plan as the product's newest; one by hand where neither has any."""
    if file is None and product.plans.exists():
        return
    tasks, components = (file.tasks, file.components) if file else (BY_HAND, [])
    name = file.name if file else product.code
    try:
        check_storable([tasks, components])
        plan = DeliveryPlan.objects.create(
            product=product, number=product.plans.count() + 1, tasks=tasks, components=components
        )
        publish_delivery_plan(plan_id=plan.pk, at=at)
    except PlanBroken as fault:
        raise in_file(name, fault) from fault
    except (KeyError, TypeError, AttributeError) as exc:
        message = _("%(head)s lacks or mistakes %(what)s.") % {"head": name, "what": exc}
        raise PackInvalid(message, field=name) from exc


def _examine_plans(pack: Pack, allowed: Allowed | None) -> None:
    """Refuse any fault: now that bundles are on sale, steps can be followed across products."""
    for file in pack.plans:
        for code in file.products:
            plan = DeliveryPlan.objects.select_related("product").filter(product__code=code).last()
            if plan is None:
                continue
            try:
                refuse_plan(faults_of_draft(plan, kinds=allowed.kinds if allowed else None))
            except PlanBroken as fault:
                raise in_file(file.name, fault) from fault
        if allowed:
            _refuse_unknown_queues(file, allowed.queues)


def _refuse_unknown_queues(file: PlanFile, queues: Collection[str]) -> None:
    for step in file.tasks:
        for said in (step, step.get("compensation") or {}):
            if (queue := said.get("queue")) and queue not in queues:
                message = _("%(step)s: there is no queue “%(queue)s”.")
                told = {"step": step["key"], "queue": queue}
                raise PackInvalid(message % told, field=file.name)


def _refuse_strangers(pack: Pack, codes: Collection[str]) -> None:
    for plan in pack.plans:
        for code in plan.products:
            if code not in codes:
                message = _("The pack has no product “%(code)s”.") % {"code": code}
                raise PackInvalid(message, field=plan.name)


def _plans_in(pack: Pack) -> int:
    return sum(len(file.products) for file in pack.plans)


def _book(file: Path, options: Mapping[str, Any], at: datetime) -> int:
    prices = 0
    for pk in _take(file, SheetKind.BOOKS, options, at).get(_label(PriceBookVersion), ()):
        version = publish_price_book_version(version_id=pk, at=at)
        prices += version.prices.count()
    return prices


def _retire(code: str, pack: Pack) -> None:
    product = Product.objects.get(code=code)
    named = product.versions.exclude(successor=None).select_related("successor").first()
    successor = named.successor.product_id if named and named.successor else None
    retire_product(product_id=product.pk, successor_id=successor, on=pack.retired_on, by=None)


def _accounts(pack: Pack, entity: LegalEntity, advocate_id: int) -> int:
    if pack.customers is None:
        return 0
    wanted = list(accounts_of(pack.customers, advocate_id=advocate_id))
    return len(open_accounts(entity=entity, wanted=wanted))


def _contracts(pack: Pack, at: datetime) -> int:
    if pack.contracts is None:
        return 0
    made = _take(pack.contracts, SheetKind.CONTRACTS, {}, at).get(_label(Contract), ())
    for pk in made:
        sign_contract(contract_id=pk, at=at)
    return len(made)


def _take(
    file: Path, kind: SheetKind, options: Mapping[str, Any], at: datetime
) -> Mapping[str, list[int]]:
    with file.open("rb") as stream:
        report = import_catalog(
            kind=kind,
            stream=stream,
            file_name=file.name,
            options=options,
            by_id=None,
            at=at,
        )
    for fault in report.faults:
        raise PackInvalid(str(fault), field=file.name)
    return report.made


def _label(model: type[Any]) -> str:
    return str(model._meta.label_lower)
