"""What advocates are told about renewals and prices, each thing once."""

from collections.abc import Sequence
from datetime import date, datetime

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from o2b.customers.models import Account
from o2b.people.models import Topic
from o2b.people.notices.services import Note
from o2b.web.show import day_text
from subscriptions.commitments.selectors import renewal_of
from subscriptions.models import Commitment, Item, RenewalDue

MOST_NAMED = 20


def comes_up(account: Account, rows: Sequence[tuple[Item, Commitment]], at: datetime) -> Note:
    """Renewals of an account that come up."""
    n = len(rows)
    title = ngettext(
        "%(n)s renewal of %(account)s comes up", "%(n)s renewals of %(account)s come up", n
    )
    named = [
        _("%(item)s on %(day)s: %(what)s")
        % {"item": item, "day": day_text(each.ends_on), "what": renewal_of(each, account).label}
        for item, each in rows[:MOST_NAMED]
    ]
    if n > MOST_NAMED:
        named.append(_("… and %(n)s more.") % {"n": n - MOST_NAMED})
    return Note(
        user_ids=[account.advocate_id],
        topic=Topic.RENEWALS,
        key=f"renewals-{account.pk}-{rows[0][1].pk}",
        title=title % {"n": n, "account": account.name},
        text="\n".join(named),
        url=f"{reverse('subscriptions:renewals')}?q={account.reference}",
        at=at,
    )


def waits(due: RenewalDue, item: Item, account: Account, at: datetime) -> Note:
    told = {"item": item, "account": account.name, "day": day_text(due.due_on)}
    return Note(
        user_ids=[account.advocate_id],
        topic=Topic.RENEWALS,
        key=f"renewal-waits-{due.commitment_id}",
        title=_("The renewal of %(item)s of %(account)s waits: it is suspended") % told,
        text=_("It was due on %(day)s and is done on the day on which the service returns.") % told,
        url=reverse("subscriptions:detail", args=[item.subscription_id]),
        tone="warn",
        at=at,
    )


def failed(due: RenewalDue, account: Account, fault: str, at: datetime) -> Note:
    item = due.item
    told = {"item": item, "account": account.name}
    return Note(
        user_ids=[account.advocate_id],
        topic=Topic.RENEWALS,
        key=f"renewal-failed-{due.commitment_id}",
        title=_("%(item)s of %(account)s could not be renewed") % told,
        text=fault,
        url=reverse("subscriptions:detail", args=[item.subscription_id]),
        tone="bad",
        at=at,
    )


def price_moves(account: Account, book: str, key: str, items: Sequence[str], at: datetime) -> Note:
    n = len(items)
    title = ngettext(
        "%(n)s service of %(account)s gets another price",
        "%(n)s services of %(account)s get another price",
        n,
    )
    named = list(items[:MOST_NAMED])
    if n > MOST_NAMED:
        named.append(_("… and %(n)s more.") % {"n": n - MOST_NAMED})
    return Note(
        user_ids=[account.advocate_id],
        topic=Topic.RENEWALS,
        key=key,
        title=title % {"n": n, "account": account.name},
        text="\n".join([book, *named]),
        url=account.get_absolute_url(),
        at=at,
    )


def price_stays(account: Account, item: Item, fault: str, key: str, at: datetime) -> Note:
    told = {"item": item, "account": account.name}
    return Note(
        user_ids=[account.advocate_id],
        topic=Topic.RENEWALS,
        key=key,
        title=_("The price of %(item)s of %(account)s could not be changed") % told,
        text=fault,
        url=reverse("subscriptions:detail", args=[item.subscription_id]),
        tone="bad",
        at=at,
    )


def letter_refused(account: Account, day: date, fault: str, key: str, at: datetime) -> Note:
    told = {"account": account.name, "day": day_text(day)}
    return Note(
        user_ids=[account.advocate_id],
        topic=Topic.RENEWALS,
        key=key,
        title=_("The letter about new prices did not reach %(account)s") % told,
        text=_("Tell them yourself: the prices move on %(day)s. The mail server said: %(fault)s")
        % (told | {"fault": fault}),
        url=account.get_absolute_url(),
        tone="bad",
        at=at,
    )
