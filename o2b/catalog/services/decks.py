"""Write rate decks: a draft, filled from a sheet, published by a second person, retired."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from io import StringIO
from typing import Any, BinaryIO

from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.utils.translation import gettext as _
from django_fsm import TransitionNotAllowed

from o2b import events
from o2b.catalog.exchange.decks import read_deck
from o2b.catalog.models import DeckRate, RateDeck, RateDeckVersion
from o2b.catalog.models.products import Lifecycle
from o2b.catalog.selectors.decks import digits_of_prices, only_adds, versions_followed
from o2b.catalog.services.publishing import publish, submit
from o2b.catalog.services.refusals import DraftOpen, NotADraft, NothingToPublish, ValueInvalid
from o2b.charging import DeckRate as Rate
from o2b.currencies import is_tender
from o2b.errors import Refused

A_DAY = timedelta(days=1)
COPY = """
COPY catalog_deckrate (version_id, prefix, destination, rate, connect_fee, first_seconds,
    next_seconds) FROM STDIN
"""
_ESCAPED = str.maketrans({"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r"})


class DeckExists(Refused):
    code = "deck_exists"


@transaction.atomic
def add_deck(
    *,
    code: str,
    name: str,
    currency: str,
    by: int | None,
    at: datetime,
    per_seconds: int = 60,
    starts_on: date | None = None,
) -> RateDeck:
    """A deck with its first version, an empty draft; code, currency and seconds stay for ever."""
    deck = RateDeck(code=code, name=name, currency=currency, per_seconds=per_seconds)
    if "\0" in f"{code}{name}{currency}":
        raise ValueInvalid(_("A text without control characters."), field="name")
    try:
        deck.clean_fields()
    except ValidationError as exc:
        field, said = next(iter(exc.message_dict.items()))
        raise ValueInvalid(said[0], field=field) from exc
    if not is_tender(currency, at.date()):
        raise ValueInvalid(_("There is no such currency."), field="currency")
    if RateDeck.objects.filter(code=code).exists():
        message = _("There is a deck “%(code)s” already.") % {"code": code}
        raise DeckExists(message, field="code")
    deck.save()
    RateDeckVersion.objects.create(
        deck=deck,
        number=1,
        starts_on=starts_on or at.date(),
        prepared_by_id=by,
        created_at=at,
    )
    events.record("rate_deck.added", deck, at=at, actor_id=by, code=code)
    return deck


@transaction.atomic
def draft_version(*, code: str, by: int, at: datetime) -> RateDeckVersion:
    """Begin the next version with the rates of the last days; refuses while another is a draft."""
    deck = RateDeck.objects.select_for_update().get(code=code)
    newest = deck.versions.order_by("-number").first()
    if newest is None:
        raise NothingToPublish(_("%(deck)s has no version.") % {"deck": deck})
    if newest.state == Lifecycle.DRAFT:
        raise DraftOpen(_("%(version)s is a draft already.") % {"version": newest})
    # The newest may be one that mended days before those of another.
    last = deck.versions.order_by("-starts_on", "-number")[0]
    draft = RateDeckVersion.objects.create(
        deck=deck,
        number=newest.number + 1,
        starts_on=max(at.date() + A_DAY, last.starts_on),
        rates=last.rates,
        longest=last.longest,
        prepared_by_id=by,
        created_at=at,
    )
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO catalog_deckrate (version_id, prefix, destination, rate, connect_fee,
                    first_seconds, next_seconds)
                SELECT %s, prefix, destination, rate, connect_fee, first_seconds, next_seconds
                    FROM catalog_deckrate WHERE version_id = %s
            """,
            [draft.pk, last.pk],
        )
    events.record("rate_deck_version.drafted", draft, at=at, actor_id=by, number=draft.number)
    return draft


def fill_from_sheet(
    *, version_id: int, stream: BinaryIO, name: str, by: int | None, at: datetime
) -> RateDeckVersion:
    """Put the rates of a CSV or XLSX file in the place of the draft's; all of them or none."""
    return fill_version(version_id=version_id, rates=read_deck(stream, name=name), by=by, at=at)


@transaction.atomic
def fill_version(
    *, version_id: int, rates: Iterable[Rate], by: int | None, at: datetime
) -> RateDeckVersion:
    """Put these rates in the place of the draft's. Whoever fills it cannot publish it."""
    draft = _locked(version_id)
    _refuse_no_draft(draft)
    rows = list(rates)
    DeckRate.objects.filter(version=draft).delete()
    _copy(draft.pk, rows)
    draft.rates, draft.longest = len(rows), max((len(row.prefix) for row in rows), default=0)
    draft.filled_by_id = draft.prepared_by_id = by
    draft.submitted_at = None
    draft.save()
    events.record("rate_deck_version.filled", draft, at=at, actor_id=by, rates=len(rows))
    return draft


def _copy(version_id: int, rows: Sequence[Rate]) -> None:
    lines = StringIO()
    for each in rows:
        lines.write(
            f"{version_id}\t{each.prefix}\t{each.destination.translate(_ESCAPED)}\t{each.rate}"
            f"\t{each.connect_fee}\t{each.first_seconds}\t{each.next_seconds}\n"
        )
    lines.seek(0)
    with connection.cursor() as cursor, connection.wrap_database_errors:
        cursor.copy_expert(COPY, lines)


@transaction.atomic
def move_version(
    *, version_id: int, starts_on: date, by: int | None, at: datetime
) -> RateDeckVersion:
    """Let a draft count from another day. Who filled in its rates still does not publish them."""
    draft = _locked(version_id)
    _refuse_no_draft(draft)
    draft.starts_on = starts_on
    draft.prepared_by_id, draft.submitted_at = by, None
    draft.save()
    events.record("rate_deck_version.moved", draft, at=at, actor_id=by, on=starts_on.isoformat())
    return draft


@transaction.atomic
def submit_version(*, version_id: int, by: int, at: datetime) -> RateDeckVersion:
    """Ask for the second person; refuses what could not be published."""
    version = submit(RateDeckVersion, pk=version_id, by=by, at=at)
    _refuse_faulty(version, at)
    events.record("rate_deck_version.submitted", version, at=at, actor_id=by)
    return version


@transaction.atomic
def publish_version(*, version_id: int, at: datetime, by: int | None = None) -> RateDeckVersion:
    """Freeze a draft: from its day on it rates calls.

    `by` is somebody else than who wrote it; programs publish only what nobody wrote. What was
    rated stays: all but a deck's first version begin on a day that is over nowhere, or only add
    rates of numbers that had none to the versions that held on its days. One that begins later
    keeps its days.
    """
    found = RateDeckVersion.objects.only("deck_id").get(pk=version_id)
    # One at a time of a deck, so that a version is checked beside the one it follows.
    RateDeck.objects.select_for_update().get(pk=found.deck_id)
    version = publish(RateDeckVersion, pk=version_id, at=at, by=by)
    _refuse_faulty(version, at)
    events.record("rate_deck_version.published", version, at=at, actor_id=by)
    return version


def _refuse_faulty(version: RateDeckVersion, at: datetime) -> None:
    """No rates, a day that is past, or prefixes that a meter's totals do not tell apart."""
    if not version.rates:
        raise NothingToPublish(_("%(version)s has no rates.") % {"version": version}, field="file")
    _refuse_rated_days(version, at)
    for meter, name, digits in digits_of_prices(version.deck.code):
        if digits < version.longest:
            message = _(
                "Prices find the number in “%(name)s” of meter %(meter)s, whose totals keep"
                " %(digits)s digits; the longest prefix has %(longest)s."
            )
            told = {"name": name, "meter": meter, "digits": digits, "longest": version.longest}
            raise ValueInvalid(message % told, field="file")


def _refuse_rated_days(version: RateDeckVersion, at: datetime) -> None:
    """No day that may have been rated, unless every number that had a rate keeps it."""
    others = version.deck.versions.exclude(pk=version.pk).exclude(state=Lifecycle.DRAFT)
    latest = others.order_by("-starts_on", "-number").first()
    if latest is None:
        return
    tomorrow = at.date() + A_DAY  # a day ends somewhere on Earth while UTC has the one before
    if version.starts_on >= max(tomorrow, latest.starts_on):
        return
    if not all(only_adds(pk, version.pk) for pk in versions_followed(version)):
        message = _(
            "It begins on %(day)s or later: what was rated stays as it is. Earlier may begin what"
            " only adds rates of numbers that had none."
        )
        told = {"day": max(tomorrow, latest.starts_on)}
        raise ValueInvalid(message % told, field="starts_on")


@transaction.atomic
def discard_version(*, version_id: int, by: int, at: datetime) -> None:
    """Throw a draft away, and with the only version its deck."""
    draft = _locked(version_id)
    _refuse_no_draft(draft)
    deck = draft.deck
    events.record("rate_deck_version.discarded", draft, at=at, actor_id=by, version=str(draft))
    DeckRate.objects.filter(version=draft).delete()
    draft.delete()
    if not deck.versions.exists():
        deck.delete()


@transaction.atomic
def retire_version(
    *, version_id: int, on: date, at: datetime, by: int | None = None
) -> RateDeckVersion:
    """Calls of this day and later are rated by the version before; without one, not at all.

    Not of a day that has begun: what was rated stays as it is.
    """
    version = _locked(version_id)
    least = at.date() + A_DAY
    if on < least:
        message = _("It retires on %(day)s or later: what was rated stays as it is.")
        raise ValueInvalid(message % {"day": least}, field="on")
    try:
        version.retire(on=on)
    except TransitionNotAllowed as exc:
        message = _("%(version)s is %(state)s; only a published one retires.")
        told: dict[str, Any] = {"version": version, "state": version.get_state_display()}
        raise NotADraft(message % told) from exc
    version.save()
    events.record("rate_deck_version.retired", version, at=at, actor_id=by, on=on.isoformat())
    return version


def _locked(version_id: int) -> RateDeckVersion:
    versions = RateDeckVersion.objects.select_for_update(of=("self",)).select_related("deck")
    return versions.get(pk=version_id)


def _refuse_no_draft(version: RateDeckVersion) -> None:
    if version.state != Lifecycle.DRAFT:
        message = _("%(version)s is %(state)s; only a draft can be changed.")
        raise NotADraft(message % {"version": version, "state": version.get_state_display()})
