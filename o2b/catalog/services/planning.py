"""Write delivery plans: drafted from the newest, edited as a whole, handed to the second person."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from o2b import events
from o2b.catalog.models import DeliveryPlan, Product
from o2b.catalog.models.products import Lifecycle
from o2b.catalog.plan_surroundings import faults_of_draft, surroundings_of
from o2b.catalog.plans import PlanBroken, PlanFault, check_plan, faults_of_plan
from o2b.catalog.plans.documents import check_storable, digest_of, read_document
from o2b.catalog.plans.faults import PARTS, STEPS
from o2b.catalog.plans.trying import Faults
from o2b.catalog.services.publishing import one_at_a_time, publish, submit
from o2b.catalog.services.refusals import DraftOpen, NotADraft, ProductUnknown
from o2b.errors import Refused

Kinds = Mapping[str, Faults]


class PlanChanged(Refused):
    """Somebody else wrote into the draft since it was read."""

    code = "plan_changed"


@transaction.atomic
def draft_plan(*, code: str, by: int, at: datetime) -> DeliveryPlan:
    """Begin the next version as a copy of the newest one; refuses while another is a draft."""
    product = _locked_product(code)
    newest = product.plans.order_by("-number").first()
    if newest and newest.state == Lifecycle.DRAFT:
        raise DraftOpen(_("%(version)s is a draft already.") % {"version": newest})
    draft = DeliveryPlan.objects.create(
        product=product,
        number=newest.number + 1 if newest else 1,
        tasks=newest.tasks if newest else [],
        components=newest.components if newest else [],
        prepared_by_id=by,
        created_at=at,
    )
    events.record("delivery_plan.drafted", draft, at=at, actor_id=by, number=draft.number)
    return draft


@transaction.atomic
def edit_plan(
    *,
    plan_id: int,
    by: int,
    at: datetime,
    tasks: Sequence[Mapping[str, Any]],
    components: Sequence[Mapping[str, Any]] = (),
    seen: str | None = None,
    kinds: Kinds | None = None,
) -> list[PlanFault]:
    """Write a draft as a whole, and tell what still stands in the way of its publication.

    A draft may have faults: it is saved as it is. What cannot be kept at all is refused, and so is
    an edit of a draft that is no more as it was `seen` (its `digest_of`). Whoever edits cannot
    publish it; a submission begins anew.
    """
    draft = _locked_draft(plan_id)
    if seen is not None and seen != digest_of(draft.tasks, draft.components):
        message = _("%(plan)s was changed by %(who)s meanwhile; load it anew.")
        raise PlanChanged(message % {"plan": draft, "who": draft.prepared_by or "—"})
    check_storable([list(tasks), list(components)])
    _refuse_shapeless(tasks, components)
    draft.tasks, draft.components = list(tasks), list(components)
    draft.prepared_by_id, draft.submitted_at = by, None
    draft.save()
    events.record("delivery_plan.edited", draft, at=at, actor_id=by, steps=len(tasks))
    return faults_of_draft(draft, kinds=kinds)


@transaction.atomic
def import_plan(
    *, code: str, document: str | bytes, by: int, at: datetime, kinds: Kinds | None = None
) -> DeliveryPlan:
    """Write an exported plan into the product's draft, a new one if there is none.

    Refuses a document with any fault at all: it comes as a whole, or not.
    """
    tasks, components = read_document(document)
    product = _locked_product(code)
    faults = faults_of_plan(tasks, components, surroundings_of(product, tasks, kinds=kinds))
    refuse_plan(faults)
    draft = product.plans.filter(state=Lifecycle.DRAFT).first()
    draft = draft or draft_plan(code=code, by=by, at=at)
    edit_plan(plan_id=draft.pk, by=by, at=at, tasks=tasks, components=components, kinds=kinds)
    draft.refresh_from_db()
    return draft


@transaction.atomic
def discard_plan(*, plan_id: int, by: int, at: datetime) -> None:
    """Throw a draft away; published plans stay."""
    draft = _locked_draft(plan_id)
    events.record("delivery_plan.discarded", draft, at=at, actor_id=by, version=str(draft))
    draft.delete()


@transaction.atomic
def submit_plan(*, plan_id: int, by: int, at: datetime, kinds: Kinds | None = None) -> DeliveryPlan:
    """Ask for the second person; refuses a plan that could not be published."""
    plan = submit(DeliveryPlan, pk=plan_id, by=by, at=at)
    refuse_plan(faults_of_draft(plan, kinds=kinds))
    events.record("delivery_plan.submitted", plan, at=at, actor_id=by)
    return plan


@transaction.atomic
def publish_delivery_plan(
    *, plan_id: int, at: datetime, by: int | None = None, kinds: Kinds | None = None
) -> DeliveryPlan:
    """Make a plan the one that new lines are laid from, and freeze it; laid lines keep theirs.

    `kinds` are the handlers that there are, by name, with what each says of parameters: the door
    asks for them. A person's plan is examined whole; of a program's own, which comes without
    `kinds`, no more is asked than that it can be laid.
    """
    examined = by is not None or kinds is not None
    if examined:
        one_at_a_time()
    plan = publish(DeliveryPlan, pk=plan_id, at=at, by=by)
    if examined:
        refuse_plan(faults_of_draft(plan, kinds=kinds))
    else:
        check_plan(plan.tasks)
    if by is not None:
        events.record("delivery_plan.published", plan, at=at, actor_id=by, number=plan.number)
    return plan


def refuse_plan(faults: Sequence[PlanFault]) -> None:
    """Raise the first fault, if there is one; all of them are told with it."""
    if faults:
        refusal = in_words(faults[0])
        refusal.faults = [in_words(fault) for fault in faults]
        raise refusal


def in_words(fault: PlanFault) -> PlanBroken:
    """A fault as a refusal that names the step and the field."""
    said = words_of(fault)
    message = f"{fault.key}: {said}" if fault.key else said
    return PlanBroken(message, field=fault.place, step=fault.key)


def words_of(fault: PlanFault) -> str:
    """What is wrong, without its place."""
    return str(_(fault.message) % fault.facts)


def _refuse_shapeless(tasks: Any, components: Any) -> None:
    for rows, of in ((tasks, STEPS), (components, PARTS)):
        if not all(isinstance(row, Mapping) for row in rows):
            raise PlanBroken(_("Steps and components are lists of objects."), field=of)


def _locked_product(code: str) -> Product:
    product = Product.objects.select_for_update().filter(code=code).first()
    if product is None:
        raise ProductUnknown(_("There is no product “%(code)s”.") % {"code": code}, field="code")
    return product


def _locked_draft(plan_id: int) -> DeliveryPlan:
    found = DeliveryPlan.objects.select_for_update(of=("self",)).select_related("product")
    draft = found.get(pk=plan_id)
    if draft.state != Lifecycle.DRAFT:
        message = _("%(version)s is %(state)s; only a draft can be changed.")
        raise NotADraft(message % {"version": draft, "state": draft.get_state_display()})
    return draft
