"""The letter that tells a customer what passed a threshold: one for all that an account is owed."""

from collections.abc import Collection, Generator, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from datetime import datetime

from django.db import DatabaseError, connection, transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, override

from o2b import events
from o2b.customers.models import Account, Contact
from o2b.customers.selectors import language_of, written_to
from o2b.people.notices.gateways import Letter, post
from o2b.people.notices.services import tell_many
from subscriptions.models import UsageAlertSent
from subscriptions.usage.alerts.selectors import sent_for_list
from subscriptions.usage.alerts.services.notes import letter_refused
from subscriptions.usage.alerts.words import figures, passed_text, service_text

MOST_IN_A_LETTER = 50

LOCK = 0x616C7274  # the name of the lock: "alrt"


def mail_usage_alerts(*, owed: Mapping[int, Sequence[int]], machine_now: datetime) -> int:
    """Write to each account about what it was not told of yet; how many letters.

    What the server refuses the advocate hears of; when it does not answer, the rest stays owed.
    Two that write to one account wait for each other: who comes second finds nothing owed.
    """
    accounts = _waiting(list(owed))
    events.done(pk for key in owed.keys() - {each.pk for each in accounts} for pk in owed[key])
    sent, left = 0, {account.pk for account in accounts}
    turn = _Turn(accounts)
    with closing(turn.letters()) as letters:
        for fault in post(letters) if accounts else ():
            account = turn.account
            at = account.test_now or machine_now
            _note(account, turn.rows, fault, at, owed[account.pk])
            left.discard(account.pk)
            sent += not fault
    events.done(pk for key in turn.told for pk in owed[key])
    events.hand_back(pk for key in left - turn.told for pk in owed[key])
    return sent


class _Turn:
    """Accounts one after the other: whose turn it is, what it is written, who is told already."""

    def __init__(self, accounts: Sequence[Account]) -> None:
        self.accounts = accounts
        self.account = accounts[0] if accounts else Account()
        self.rows: list[UsageAlertSent] = []
        self.told: set[int] = set()

    def letters(self) -> Generator[Letter, None, None]:
        """Each written, and sent by who asks for the next, while nobody else writes to it."""
        for account in self.accounts:
            with _alone_with(account.pk):
                rows = list(_owed_to([account.pk]))
                to = written_to({account.customer_id}).get(account.customer_id)
                if not rows or to is None:
                    self.told.add(account.pk)
                    continue
                self.account, self.rows = account, rows
                with override(language_of(account.customer)):
                    letter = _letter(account, to, rows)
                yield letter


def _waiting(account_ids: Sequence[int]) -> list[Account]:
    """Who is owed a letter and has somebody to write to."""
    related = ("customer", "legal_entity", "advocate", "test_clock")
    owing = _owed_to(account_ids).order_by().values("account")
    accounts = list(Account.objects.filter(pk__in=owing).select_related(*related).order_by("pk"))
    contacts = written_to({account.customer_id for account in accounts})
    return [account for account in accounts if account.customer_id in contacts]


def _owed_to(account_ids: Collection[int]) -> QuerySet[UsageAlertSent]:
    return sent_for_list().filter(account__in=account_ids, letter_owed=True).order_by("pk")


@contextmanager
def _alone_with(account_id: int) -> Iterator[None]:
    """Wait until nobody else writes to it; a lock of the session, as mail goes in no transaction.

    It ends with the session, so kill -9 frees it.
    """
    key = [LOCK, account_id % 2**31]
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s, %s)", key)
    try:
        yield
    finally:
        with suppress(DatabaseError), connection.cursor() as cursor:  # a broken session holds none
            cursor.execute("SELECT pg_advisory_unlock(%s, %s)", key)


def _letter(account: Account, to: Contact, rows: Sequence[UsageAlertSent]) -> Letter:
    n = len(rows)
    shown = [_told(row) for row in rows[:MOST_IN_A_LETTER]]
    if n > MOST_IN_A_LETTER:
        shown.append(_("… and %(n)s more.") % {"n": n - MOST_IN_A_LETTER})
    told = {
        "n": n,
        "who": to.name,
        "alerts": "\n\n".join(shown),
        "advocate": account.advocate,
        "seller": account.legal_entity,
        "account": account.name,
    }
    text = _(
        "Dear %(who)s,\n\nthis is how far the usage of %(account)s is:\n\n%(alerts)s\n\n"
        "Figures are of the moment at which this was found and may still change. If you have"
        " questions, ask %(advocate)s.\n\n%(seller)s\n"
    )
    subject = passed_text(rows[0])
    if n > 1:
        subject = ngettext("%(n)s usage alert", "%(n)s usage alerts", n) % told
    return Letter(
        to=to.email,
        subject=_("%(seller)s: %(subject)s") % {"seller": told["seller"], "subject": subject},
        body=text % told,
        key=f"usage-alerts-{account.pk}-{rows[-1].pk}",
    )


def _told(row: UsageAlertSent) -> str:
    head = f"{service_text(row)}: {passed_text(row)}"
    return "\n".join([head, *(f"  {line}" for line in figures(row))])


@transaction.atomic
def _note(
    account: Account,
    rows: Sequence[UsageAlertSent],
    fault: str,
    at: datetime,
    owed: Sequence[int],
) -> None:
    """It went out, or was refused: then the advocate has to tell them."""
    mine = UsageAlertSent.objects.filter(pk__in=[row.pk for row in rows], letter_owed=True)
    noted = mine.update(letter_owed=False, mailed_at=None if fault else at)
    if fault and noted:
        tell_many([letter_refused(account, rows[-1], fault, at)])
    events.done(owed)
