"""The letter that tells a customer of new prices; the notice counts from the day it went out."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import override

from o2b import clock, events
from o2b.customers.models import Account, Contact
from o2b.customers.selectors import language_of, written_to
from o2b.people.notices.gateways import Letter, post
from o2b.people.notices.services import tell_many
from subscriptions.commitments.services import notes
from subscriptions.commitments.services.foreseen import foresee
from subscriptions.models import PriceMove


def mail_price_moves(*, owed: Mapping[int, Sequence[int]], machine_now: datetime) -> int:
    """Write to each account about the prices that it was not told of yet; how many letters.

    What the server refuses the advocate hears of; when it does not answer, the rest stays owed.
    """
    letters = list(_letters(list(owed)))
    mailed = {account.pk for account, _letter, _moves in letters}
    events.done(pk for key in owed.keys() - mailed for pk in owed[key])
    tried = sent = 0
    for fault in post([letter for _account, letter, _moves in letters]):
        account, _letter, moves = letters[tried]
        _note(account, moves, fault, account.test_now or machine_now)
        events.done(owed[account.pk])
        tried += 1
        sent += not fault
    events.hand_back(pk for account, _letter, _moves in letters[tried:] for pk in owed[account.pk])
    return sent


def _letters(account_ids: Sequence[int]) -> Iterator[tuple[Account, Letter, list[PriceMove]]]:
    related = ("customer", "legal_entity", "advocate", "test_clock")
    accounts = Account.objects.select_related(*related).in_bulk(account_ids)
    moves: dict[int, list[PriceMove]] = {}
    owed = PriceMove.objects.filter(account__in=account_ids, letter_owed=True).order_by("pk")
    # Who is closed meanwhile keeps the price that they have when the term ends.
    for move in owed.exclude(at_renewal=True, account__state=Account.State.CLOSED):
        moves.setdefault(move.account_id, []).append(move)
    contacts = written_to({account.customer_id for account in accounts.values()})
    for pk, own in sorted(moves.items()):
        account = accounts[pk]
        if to := contacts.get(account.customer_id):
            with override(language_of(account.customer)):
                yield account, _letter(account, to, own, accounts), own


def _letter(
    account: Account, to: Contact, moves: Sequence[PriceMove], accounts: dict[int, Account]
) -> Letter:
    told = {
        "who": to.name,
        "services": "\n".join(f"- {each.text}" for each in foresee(moves, accounts)),
        "advocate": account.advocate,
        "seller": account.legal_entity,
    }
    text = _(
        "Dear %(who)s,\n\nour prices change. This is what you pay for a full period, before and"
        " then, and from which day:\n\n%(services)s\n\nIf you have questions, ask %(advocate)s."
        "\n\n%(seller)s\n"
    )
    return Letter(
        to=to.email,
        subject=_("New prices at %(seller)s") % told,
        body=text % told,
        key=f"prices-{account.pk}-{moves[-1].pk}",
    )


@transaction.atomic
def _note(account: Account, moves: Sequence[PriceMove], fault: str, at: datetime) -> None:
    """The notice counts from today; after a refusal the advocate has as long to tell them."""
    today = clock.day(account, at)
    rows = PriceMove.objects.select_for_update().select_related("book_version")
    later = []
    for move in rows.filter(pk__in=[move.pk for move in moves], letter_owed=True).order_by("pk"):
        move.letter_owed, move.mailed_at = False, None if fault else at
        first = today + timedelta(days=move.book_version.notice_days)
        move.moves_on = max(move.moves_on, first)
        later.append(move)
    PriceMove.objects.bulk_update(later, ["letter_owed", "mailed_at", "moves_on"])
    if fault and later:
        day = min(move.moves_on for move in later)
        key = f"prices-unmailed-{later[-1].pk}"
        tell_many([notes.letter_refused(account, day, fault, key, at)])
