"""The letter that tells a customer what passed a threshold: one for all that an account is owed."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from django.db import transaction
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

Owed = tuple[Account, Letter, list[UsageAlertSent]]


def mail_usage_alerts(*, owed: Mapping[int, Sequence[int]], machine_now: datetime) -> int:
    """Write to each account about what it was not told of yet; how many letters.

    What the server refuses the advocate hears of; when it does not answer, the rest stays owed.
    """
    letters = list(_letters(list(owed)))
    mailed = {account.pk for account, _letter, _rows in letters}
    events.done(pk for key in owed.keys() - mailed for pk in owed[key])
    tried = sent = 0
    for fault in post([letter for _account, letter, _rows in letters]):
        account, _letter, rows = letters[tried]
        _note(account, rows, fault, account.test_now or machine_now, owed[account.pk])
        tried += 1
        sent += not fault
    events.hand_back(pk for account, _letter, _rows in letters[tried:] for pk in owed[account.pk])
    return sent


def _letters(account_ids: Sequence[int]) -> Iterator[Owed]:
    related = ("customer", "legal_entity", "advocate", "test_clock")
    accounts = Account.objects.select_related(*related).in_bulk(account_ids)
    rows: dict[int, list[UsageAlertSent]] = {}
    for row in sent_for_list().filter(account__in=accounts, letter_owed=True).order_by("pk"):
        rows.setdefault(row.account_id, []).append(row)
    contacts = written_to({account.customer_id for account in accounts.values()})
    for pk, own in sorted(rows.items()):
        account = accounts[pk]
        if to := contacts.get(account.customer_id):
            with override(language_of(account.customer)):
                yield account, _letter(account, to, own), own


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
