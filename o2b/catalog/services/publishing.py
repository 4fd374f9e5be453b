"""Publish versions, by somebody else than who wrote them, and retire them."""

from datetime import date, datetime
from typing import TypeVar

from django.db import connection, transaction
from django.utils.translation import gettext as _
from django_fsm import TransitionNotAllowed

from o2b import events
from o2b.catalog.definitions import faults_of_version
from o2b.catalog.models import ProductVersion
from o2b.catalog.models.products import Lifecycle, Publishable
from o2b.catalog.services.refusals import NotADraft, SecondPersonNeeded, refuse_first

P = TypeVar("P", bound=Publishable)

# Two versions that are published at once could close a loop that neither of them sees.
ONE_AT_A_TIME = 7_310_003


def publish(model: type[P], *, pk: int, at: datetime, by: int | None) -> P:
    """Freeze a draft; refuses its author, a program for a person's, and what is no draft."""
    version = model._base_manager.select_for_update().get(pk=pk)
    try:
        version.publish(at=at)
    except TransitionNotAllowed as exc:
        raise NotADraft(f"{version} is {version.state}; only a draft can be published") from exc
    refuse_same_person(version, by=by)
    version.published_by_id = by
    version.save()
    return version


def one_at_a_time() -> None:
    """Wait until nobody else publishes what could form a loop with this; until the end."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [ONE_AT_A_TIME])


def refuse_same_person(version: Publishable, *, by: int | None) -> None:
    """Two people see every version before it counts; programs publish only their own."""
    authors = version.author_ids
    if not authors or (by is not None and by not in authors):
        return
    message = _("You wrote %(version)s; somebody else publishes it.")
    if by is None:
        message = _("%(version)s was written by a person; another person publishes it.")
    raise SecondPersonNeeded(message % {"version": version})


def submit(model: type[P], *, pk: int, by: int, at: datetime) -> P:
    """Hand a draft to the second person; who wrote it waits from now on."""
    version = model._base_manager.select_for_update().get(pk=pk)
    if version.state != Lifecycle.DRAFT:
        raise NotADraft(f"{version} is {version.state}; only a draft can be submitted")
    version.submitted_at = at
    version.prepared_by_id = version.prepared_by_id or by
    version.save()
    return version


@transaction.atomic
def submit_product_version(*, version_id: int, by: int, at: datetime) -> ProductVersion:
    """Ask for the second person; refuses a definition that breaks a rule."""
    version = submit(ProductVersion, pk=version_id, by=by, at=at)
    refuse_first(faults_of_version(version))
    events.record("product_version.submitted", version, at=at, actor_id=by)
    return version


@transaction.atomic
def publish_product_version(
    *, version_id: int, at: datetime, by: int | None = None
) -> ProductVersion:
    """Make a product version sellable and freeze it; refuses a definition that breaks a rule."""
    one_at_a_time()
    version = publish(ProductVersion, pk=version_id, at=at, by=by)
    refuse_first(faults_of_version(version))
    if by is not None:
        events.record("product_version.published", version, at=at, actor_id=by)
    return version


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
