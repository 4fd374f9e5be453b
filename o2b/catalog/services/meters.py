"""Write meters: a draft of what an event must look like, published by a second person, retired."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _
from django_fsm import TransitionNotAllowed

from o2b import events
from o2b.catalog.models import Meter, MeterVersion
from o2b.catalog.models.products import Lifecycle
from o2b.catalog.rules.meters import MOST_NAMED, Measure, faults_of_measure
from o2b.catalog.selectors.carrying import kept_by_meters, prices_by_time
from o2b.catalog.services.publishing import publish, submit
from o2b.catalog.services.refusals import (
    DraftOpen,
    NotADraft,
    NothingToPublish,
    ValueInvalid,
    refuse_first,
)
from o2b.errors import Refused

# Of a draft that nobody has edited yet.
LEAST, MOST, DECIMALS = Decimal(0), Decimal(1_000_000_000), 6


class MeterExists(Refused):
    code = "meter_exists"


@transaction.atomic
def add_meter(
    *,
    code: str,
    name: str,
    unit: str,
    aggregation: str,
    by: int | None,
    at: datetime,
    starts_on: date | None = None,
) -> Meter:
    """A meter with its first version, a draft; code, unit and aggregation stay for ever."""
    meter = Meter(code=code, name=name, unit=unit, aggregation=aggregation)
    for field in ("code", "name", "unit"):
        # Postgres refuses text with a NUL in it.
        if "\0" in getattr(meter, field):
            raise ValueInvalid(_("A text without control characters."), field=field)
    try:
        meter.clean_fields()
    except ValidationError as exc:
        field, said = next(iter(exc.message_dict.items()))
        raise ValueInvalid(said[0], field=field) from exc
    if Meter.objects.filter(code=code).exists():
        message = _("There is a meter “%(code)s” already.") % {"code": code}
        raise MeterExists(message, field="code")
    meter.save()
    MeterVersion.objects.create(
        meter=meter,
        number=1,
        starts_on=starts_on or at.date(),
        decimals=DECIMALS,
        least=LEAST,
        most=MOST,
        prepared_by_id=by,
        created_at=at,
    )
    events.record("meter.added", meter, at=at, actor_id=by, code=code)
    return meter


@transaction.atomic
def draft_version(*, code: str, by: int, at: datetime) -> MeterVersion:
    """Begin the next version as a copy of the newest one; refuses while another is a draft."""
    meter = Meter.objects.select_for_update().get(code=code)
    newest = meter.versions.order_by("-number").first()
    if newest is None:
        raise NothingToPublish(_("%(meter)s has no version.") % {"meter": meter})
    if newest.state == Lifecycle.DRAFT:
        raise DraftOpen(_("%(version)s is a draft already.") % {"version": newest})
    draft = MeterVersion.objects.create(
        meter=meter,
        number=newest.number + 1,
        starts_on=max(at.date(), newest.starts_on),
        decimals=newest.decimals,
        least=newest.least,
        most=newest.most,
        dimensions=newest.dimensions,
        timed=newest.timed,
        prepared_by_id=by,
        created_at=at,
    )
    events.record("meter_version.drafted", draft, at=at, actor_id=by, number=draft.number)
    return draft


@transaction.atomic
def edit_version(
    *,
    version_id: int,
    by: int | None,
    at: datetime,
    starts_on: date | None = None,
    decimals: int | None = None,
    least: Decimal | None = None,
    most: Decimal | None = None,
    dimensions: Sequence[Mapping[str, Any]] | None = None,
    timed: bool | None = None,
) -> MeterVersion:
    """Replace what a draft says of this; what is not given stays.

    Refuses by field: days before the running version's, bounds that nothing fits, dimensions that
    are published and missing. Whoever edits cannot publish it; a submission begins anew.
    """
    draft = _locked(version_id)
    if draft.state != Lifecycle.DRAFT:
        message = _("%(version)s is %(state)s; only a draft can be changed.")
        raise NotADraft(message % {"version": draft, "state": draft.get_state_display()})
    said = {
        "starts_on": starts_on,
        "decimals": decimals,
        "least": least,
        "most": most,
        "dimensions": dimensions,
        "timed": timed,
    }
    for name, value in said.items():
        if value is not None:
            setattr(draft, name, value)
    refuse_first(list(faults_of_measure(_measure(draft))))
    draft.dimensions = [_dimension(each) for each in draft.dimensions]
    draft.prepared_by_id, draft.submitted_at = by, None
    draft.save()
    changed = sorted(name for name, value in said.items() if value is not None)
    events.record("meter_version.edited", draft, at=at, actor_id=by, changed=changed)
    return draft


@transaction.atomic
def submit_version(*, version_id: int, by: int, at: datetime) -> MeterVersion:
    """Ask for the second person; refuses what could not be published."""
    version = submit(MeterVersion, pk=version_id, by=by, at=at)
    refuse_first(list(faults_of_measure(_measure(version))))
    events.record("meter_version.submitted", version, at=at, actor_id=by)
    return version


@transaction.atomic
def publish_version(*, version_id: int, at: datetime, by: int | None = None) -> MeterVersion:
    """Freeze a draft: from its day on it judges events.

    `by` is somebody else than who wrote it; programs publish only what nobody wrote.
    """
    found = MeterVersion.objects.only("meter_id").get(pk=version_id)
    # One at a time of a meter, so that a version is checked beside the one it follows.
    Meter.objects.select_for_update().get(pk=found.meter_id)
    version = publish(MeterVersion, pk=version_id, at=at, by=by)
    refuse_first(list(faults_of_measure(_measure(version))))
    if by is not None:
        events.record("meter_version.published", version, at=at, actor_id=by)
    return version


@transaction.atomic
def discard_version(*, version_id: int, by: int, at: datetime) -> None:
    """Throw a draft away, and with the only version its meter."""
    draft = _locked(version_id)
    if draft.state != Lifecycle.DRAFT:
        message = _("%(version)s is %(state)s; only a draft can be thrown away.")
        raise NotADraft(message % {"version": draft, "state": draft.get_state_display()})
    meter = draft.meter
    events.record("meter_version.discarded", draft, at=at, actor_id=by, version=str(draft))
    draft.delete()
    if not meter.versions.exists():
        meter.delete()


@transaction.atomic
def retire_version(
    *, version_id: int, on: date, at: datetime, by: int | None = None
) -> MeterVersion:
    """Events of this day and later are judged by it no more: by the one before, or refused.

    One that keeps the time of the day does not give way to one that does not, while prices hang
    on it.
    """
    version = _locked(version_id)
    try:
        version.retire(on=on)
    except TransitionNotAllowed as exc:
        message = _("%(version)s is %(state)s; only a published one retires.")
        told = {"version": version, "state": version.get_state_display()}
        raise NotADraft(message % told) from exc
    version.save()
    _refuse_forgetting(version, on)
    events.record("meter_version.retired", version, at=at, actor_id=by, on=on.isoformat())
    return version


def _refuse_forgetting(version: MeterVersion, on: date) -> None:
    """Prices that hang on the time of each event keep it."""
    meter = version.meter
    if not version.timed or kept_by_meters({meter.code}, on)[meter.code].timed:
        return
    if hanging := prices_by_time(meter.code, meter.aggregation):
        message = _(
            "The version before does not keep the time of the day, and prices hang on it"
            " (%(prices)s): publish one that keeps it first."
        )
        raise ValueInvalid(message % {"prices": ", ".join(hanging[:MOST_NAMED])}, field="on")


def _locked(version_id: int) -> MeterVersion:
    versions = MeterVersion.objects.select_for_update(of=("self",)).select_related("meter")
    return versions.get(pk=version_id)


def _measure(version: MeterVersion) -> Measure:
    """What the rules look at, beside the published versions of the meter."""
    meter = version.meter
    others = meter.versions.filter(state=Lifecycle.PUBLISHED).exclude(pk=version.pk)
    published = list(others.order_by("starts_on", "number"))
    return Measure(
        aggregation=meter.aggregation,
        starts_on=version.starts_on,
        decimals=version.decimals,
        least=version.least,
        most=version.most,
        dimensions=version.dimensions,
        timed=version.timed,
        running_from=published[-1].starts_on if published else None,
        kept={each["name"]: each.get("digits", 0) for one in published for each in one.dimensions},
        hanging=() if version.timed else prices_by_time(meter.code, meter.aggregation),
    )


def _dimension(said: Mapping[str, Any]) -> dict[str, Any]:
    """As it is stored: all parts, in one form; digits only of a number."""
    digits = {"digits": said["digits"]} if said.get("digits") else {}
    return {
        "name": said["name"],
        "required": said.get("required", False),
        "choices": list(said.get("choices", ())),
        **digits,
    }
