"""Write products: their drafts and what these say, and how a product ends."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from o2b import events
from o2b.catalog.definitions import faults_beside, on_sale
from o2b.catalog.models import BundleOption, Product, ProductRule, ProductVersion
from o2b.catalog.models.products import Lifecycle
from o2b.catalog.rules.compatibility import Definition, Option, Rule
from o2b.catalog.rules.definitions import faults_of_characteristics
from o2b.catalog.rules.eligibility import faults_of_eligibility
from o2b.catalog.services.options import options_of, rules_of
from o2b.catalog.services.refusals import (
    DraftOpen,
    NotADraft,
    ProductExists,
    ProductUnknown,
    SuccessorInvalid,
    ValueInvalid,
    refuse_first,
)

LONGEST_DESCRIPTION = 20_000
FIRST_DRAFT = 1


@transaction.atomic
def create_product(
    *,
    code: str,
    name: str,
    family: str,
    unit: str,
    quantity_places: int,
    by: int,
    at: datetime,
) -> Product:
    """A product with its first version, a draft."""
    product = Product(
        code=code, name=name, family=family, unit=unit, quantity_places=quantity_places
    )
    _refuse_values(product)
    if Product.objects.filter(code=code).exists():
        message = _("There is a product “%(code)s” already.") % {"code": code}
        raise ProductExists(message, field="code")
    product.save()
    ProductVersion.objects.create(
        product=product, number=FIRST_DRAFT, prepared_by_id=by, created_at=at
    )
    events.record("product.created", product, at=at, actor_id=by, code=code)
    return product


@transaction.atomic
def draft_product_version(*, code: str, by: int, at: datetime) -> ProductVersion:
    """Begin the next version as a copy of the newest one; refuses while another is a draft."""
    product = Product.objects.select_for_update().filter(code=code).first()
    if product is None:
        raise ProductUnknown(_("There is no product “%(code)s”.") % {"code": code}, field="code")
    newest = product.versions.order_by("-number").first()
    if newest and newest.state == Lifecycle.DRAFT:
        raise DraftOpen(_("%(version)s is a draft already.") % {"version": newest})
    draft = ProductVersion.objects.create(
        product=product,
        number=newest.number + 1 if newest else FIRST_DRAFT,
        description=newest.description if newest else "",
        characteristics=newest.characteristics if newest else [],
        eligibility=newest.eligibility if newest else {},
        prepared_by_id=by,
        created_at=at,
    )
    if newest:
        _copy(newest, draft)
    events.record("product_version.drafted", draft, at=at, actor_id=by, number=draft.number)
    return draft


@transaction.atomic
def edit_product_version(
    *,
    version_id: int,
    by: int,
    at: datetime,
    characteristics: Sequence[Mapping[str, Any]] | None = None,
    eligibility: Mapping[str, Any] | None = None,
    description: str | None = None,
    options: Sequence[Mapping[str, Any]] | None = None,
    rules: Sequence[Mapping[str, Any]] | None = None,
) -> ProductVersion:
    """Replace what a draft says of this; what is not given stays.

    `options` are {component, group, minimum, maximum, default}, `rules` are {kind, other}, both
    naming products by code. Whoever edits cannot publish it; a submission begins anew.
    """
    draft = _locked_draft(version_id)
    said: dict[str, Any] = {
        "characteristics": characteristics,
        "eligibility": eligibility,
        "description": description,
        "options": options,
        "rules": rules,
    }
    changed = sorted(name for name, value in said.items() if value is not None)
    if description is not None:
        draft.description = _checked_description(description)
    if characteristics is not None:
        refuse_first(faults_of_characteristics(characteristics))
        draft.characteristics = [dict(spec) for spec in characteristics]
    if eligibility is not None:
        refuse_first(faults_of_eligibility(eligibility))
        draft.eligibility = dict(eligibility)
    if options is not None or rules is not None:
        _replace_relations(draft, options, rules)
    draft.prepared_by_id, draft.submitted_at = by, None
    draft.save()
    events.record("product_version.edited", draft, at=at, actor_id=by, changed=changed)
    return draft


@transaction.atomic
def discard_draft(*, version_id: int, by: int, at: datetime) -> None:
    """Throw a draft away with its options and rules; a product keeps at least one version."""
    draft = _locked_draft(version_id)
    if not draft.product.versions.exclude(pk=draft.pk).exists():
        message = _("%(version)s is all there is of the product; edit it.")
        raise NotADraft(message % {"version": draft})
    events.record("product_version.discarded", draft, at=at, actor_id=by, version=str(draft))
    draft.options.all().delete()
    draft.rules.all().delete()
    draft.delete()


@transaction.atomic
def retire_product(
    *, product_id: int, successor_id: int | None = None, on: date, by: int | None
) -> Product:
    """Sell no version of a product any more, and say which product takes its place.

    `successor_id` is a product's. A retired product may still get its successor, or another one.
    """
    product = Product.objects.select_for_update().get(pk=product_id)
    versions = list(product.versions.exclude(state=Lifecycle.DRAFT).select_for_update())
    if not versions or (
        successor_id is None and all(v.state == Lifecycle.RETIRED for v in versions)
    ):
        raise NotADraft(_("%(product)s is not on sale.") % {"product": product})
    successor = None if successor_id is None else _successor(product, successor_id)
    for version in versions:
        if version.state == Lifecycle.PUBLISHED:
            version.retire(on=on)
        if successor:
            version.successor = successor
        version.save()
    events.record(
        "product.retired",
        product,
        at=datetime.combine(on, time(), UTC),
        actor_id=by,
        successor=successor.product.code if successor else None,
    )
    return product


def _successor(product: Product, successor_id: int) -> ProductVersion:
    """The version on sale of the product that takes over; a way back to the product is refused."""
    other = Product.objects.filter(pk=successor_id).first()
    sold = on_sale([other.code]).get(other.code) if other else None
    if other is None or sold is None:
        message = _("Only a product on sale takes another one's place.")
        raise SuccessorInvalid(message, field="successor")
    # What is on sale ends every chain, so a loop is only possible with the product itself.
    if other.pk == product.pk:
        message = _("%(product)s cannot take its own place.") % {"product": product}
        raise SuccessorInvalid(message, field="successor")
    return sold


def _locked_draft(version_id: int) -> ProductVersion:
    found = ProductVersion.objects.select_for_update(of=("self",)).select_related("product")
    draft = found.get(pk=version_id)
    if draft.state != Lifecycle.DRAFT:
        message = _("%(version)s is %(state)s; only a draft can be changed.")
        raise NotADraft(message % {"version": draft, "state": draft.get_state_display()})
    return draft


def _replace_relations(
    draft: ProductVersion,
    options: Sequence[Mapping[str, Any]] | None,
    rules: Sequence[Mapping[str, Any]] | None,
) -> None:
    """Write options and rules anew, if they agree with each other and with what is on sale."""
    chosen = _stored_options(draft) if options is None else options_of(options)
    wanted = _stored_rules(draft) if rules is None else rules_of(rules)
    mine = Definition(draft.product.code, tuple(chosen), tuple(wanted))
    refuse_first(faults_beside(mine))
    named = {*mine.components, *(rule.other for rule in mine.rules)}
    keys = dict(Product.objects.filter(code__in=named).values_list("code", "pk"))
    if options is not None:
        draft.options.all().delete()
        BundleOption.objects.bulk_create(
            BundleOption(
                version=draft,
                group=option.group,
                component_id=keys[option.component],
                minimum=option.minimum,
                maximum=option.maximum,
                default=option.default,
            )
            for option in chosen
        )
    if rules is not None:
        draft.rules.all().delete()
        ProductRule.objects.bulk_create(
            ProductRule(version=draft, kind=rule.kind, other_id=keys[rule.other]) for rule in wanted
        )


def _stored_options(version: ProductVersion) -> list[Option]:
    stored = version.options.select_related("component")
    return [Option(o.component.code, o.minimum, o.maximum, o.default, o.group) for o in stored]


def _stored_rules(version: ProductVersion) -> list[Rule]:
    return [Rule(rule.kind, rule.other.code) for rule in version.rules.select_related("other")]


def _copy(newest: ProductVersion, draft: ProductVersion) -> None:
    BundleOption.objects.bulk_create(
        BundleOption(
            version=draft,
            group=option.group,
            component_id=option.component_id,
            minimum=option.minimum,
            maximum=option.maximum,
            default=option.default,
        )
        for option in newest.options.all()
    )
    ProductRule.objects.bulk_create(
        ProductRule(version=draft, kind=rule.kind, other_id=rule.other_id)
        for rule in newest.rules.all()
    )


def _checked_description(text: str) -> str:
    if not isinstance(text, str) or len(text) > LONGEST_DESCRIPTION or "\0" in text:
        message = _("A text of up to %(longest)s characters.") % {"longest": LONGEST_DESCRIPTION}
        raise ValueInvalid(message, field="description")
    return text.strip()


def _refuse_values(product: Product) -> None:
    """Refuse what the columns cannot hold, naming the first of them."""
    # Postgres refuses text with a NUL in it.
    for field in ("code", "name", "family", "unit"):
        if "\0" in getattr(product, field):
            raise ValueInvalid(_("A text without control characters."), field=field)
    try:
        product.clean_fields()
        if not 0 <= product.quantity_places <= 6:
            raise ValidationError({"quantity_places": _("A quantity has 0 to 6 decimals.")})
    except ValidationError as exc:
        field, messages = next(iter(exc.message_dict.items()))
        raise ValueInvalid(messages[0], field=field) from exc
