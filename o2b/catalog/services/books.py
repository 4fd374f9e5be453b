"""Write price books: draft a version as a copy of the newest, edit its prices, its days, policy."""

from collections.abc import Sequence
from datetime import date, datetime

from django.db import connection, transaction
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext as _

from o2b import events
from o2b.catalog.models import Price, PriceBook, PriceBookVersion
from o2b.catalog.models.products import Lifecycle
from o2b.catalog.rules.books import (
    MOST_FAULTS,
    Header,
    RowFault,
    faults_of_header,
)
from o2b.catalog.services.refusals import DraftOpen, NotADraft, ValueInvalid
from o2b.errors import Invalid

LONGEST_NOTE = 20_000


class PricesInvalid(Invalid):
    """A book version that breaks rules; `faults` are all of them, the first is in the message."""

    code = "prices_invalid"
    faults: Sequence[RowFault] = ()


@transaction.atomic
def draft_price_book_version(
    *, book: str, by: int | None, at: datetime, valid_from: date | None = None
) -> PriceBookVersion:
    """Begin a book's next version with the prices of the newest; refuses while one is a draft."""
    owner = PriceBook.objects.select_for_update().get(code=book)
    newest = owner.versions.order_by("-number").first()
    if newest and newest.state == Lifecycle.DRAFT:
        raise DraftOpen(_("%(version)s is a draft already.") % {"version": newest})
    earliest = max(at.date(), newest.valid_from) if newest else at.date()
    draft = PriceBookVersion.objects.create(
        book=owner,
        number=newest.number + 1 if newest else 1,
        valid_from=valid_from or earliest,
        prepared_by_id=by,
        created_at=at,
    )
    if newest:
        _copy_prices(newest, draft)
    events.record("price_book_version.drafted", draft, at=at, actor_id=by, number=draft.number)
    return draft


def _copy_prices(source: PriceBookVersion, target: PriceBookVersion) -> None:
    """In one statement, however many there are."""
    table = connection.ops.quote_name(Price._meta.db_table)
    fields = [f for f in Price._meta.concrete_fields if f.name not in ("id", "version")]
    columns = ", ".join(connection.ops.quote_name(f.column) for f in fields if f.column)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} (version_id, {columns})"
            f" SELECT %s, {columns} FROM {table} WHERE version_id = %s ORDER BY id",
            [target.pk, source.pk],
        )


@transaction.atomic
def set_policy(
    *,
    version_id: int,
    by: int,
    at: datetime,
    policy: str,
    policy_on: date | None = None,
    notice_days: int = 0,
    valid_from: date | None = None,
    valid_to: date | None = None,
    note: str = "",
) -> PriceBookVersion:
    """Say from when to when a draft is valid, and what it does to subscriptions that run."""
    draft = locked_draft(version_id)
    if policy not in PriceBookVersion.Policy.values:
        raise ValueInvalid(_("There is no such policy."), field="policy")
    if len(note) > LONGEST_NOTE or "\0" in note:
        message = _("A text of up to %(longest)s characters.") % {"longest": LONGEST_NOTE}
        raise ValueInvalid(message, field="note")
    draft.policy, draft.policy_on, draft.notice_days = policy, policy_on, notice_days
    draft.valid_from = valid_from or draft.valid_from
    draft.valid_to, draft.note = valid_to, note
    refuse_prices(list(faults_of_header(header_of(draft))))
    touched(draft, by=by)
    events.record("price_book_version.edited", draft, at=at, actor_id=by, policy=policy)
    return draft


@transaction.atomic
def discard_price_book_version(*, version_id: int, by: int, at: datetime) -> None:
    """Throw a draft away with its prices."""
    draft = locked_draft(version_id)
    events.record("price_book_version.discarded", draft, at=at, actor_id=by, version=str(draft))
    draft.prices.all().delete()
    draft.delete()


def locked_draft(version_id: int) -> PriceBookVersion:
    """A version that may still be edited; a missing one is a 404."""
    versions = PriceBookVersion.objects.select_for_update(of=("self",)).select_related("book")
    draft = versions.get(pk=version_id)
    if draft.state != Lifecycle.DRAFT:
        state = draft.get_state_display()
        message = _("%(version)s is %(state)s; only a draft can be edited.")
        raise NotADraft(message % {"version": draft, "state": state})
    return draft


def header_of(version: PriceBookVersion) -> Header:
    """What the rules look at, beside the running version of the book."""
    published = version.book.versions.filter(state=Lifecycle.PUBLISHED).exclude(pk=version.pk)
    running = published.order_by("-valid_from", "-number").first()
    return Header(
        valid_from=version.valid_from,
        valid_to=version.valid_to,
        policy=version.policy,
        policy_on=version.policy_on,
        notice_days=version.notice_days,
        running_from=running.valid_from if running else None,
    )


def touched(draft: PriceBookVersion, *, by: int) -> None:
    """Whoever edits cannot publish it; a submission begins anew."""
    draft.prepared_by_id, draft.submitted_at = by, None
    draft.save()


def in_words(fault: RowFault) -> str:
    """What is wrong, in the reader's language."""
    return gettext(fault.message) % fault.facts


def refuse_prices(faults: Sequence[RowFault]) -> None:
    """Raise the first fault, if there is one, with all of them."""
    if not faults:
        return
    first = faults[0]
    message = in_words(first)
    if more := len(faults) - 1:
        message += " " + ngettext("(%(more)s more.)", "(%(more)s more.)", more) % {"more": more}
    refusal = PricesInvalid(message, field=field_of(first), faults=told(faults))
    refusal.faults = faults
    raise refusal


def field_of(fault: RowFault) -> str:
    """Where it is, as problems name fields."""
    return fault.column if fault.row is None else f"rows[{fault.row}].{fault.column}"


def told(faults: Sequence[RowFault]) -> list[dict[str, object]]:
    """Faults as machines read them; of very many, the first."""
    return [
        {
            "row": fault.row,
            "column": fault.column,
            "product": fault.product,
            "key": fault.key,
            "message": in_words(fault),
        }
        for fault in faults[:MOST_FAULTS]
    ]
