"""What the advocate is told: one notice an account, however many thresholds passed at once."""

from collections.abc import Sequence
from datetime import datetime

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from o2b.customers.models import Account
from o2b.people.models import Topic
from o2b.people.notices.services import Note
from subscriptions.models import UsageAlertSent
from subscriptions.usage.alerts.words import figures, passed_text, service_text

MOST_NAMED = 20


def note_of(account: Account, rows: Sequence[UsageAlertSent]) -> Note:
    """Thresholds of an account that were passed."""
    first, n = rows[0], len(rows)
    if n == 1:
        told = {"account": account.name, "what": passed_text(first), "service": service_text(first)}
        title = _("%(account)s, %(service)s: %(what)s") % told
        text = "\n".join(figures(first))
        url = first.get_absolute_url()
    else:
        title = ngettext(
            "%(n)s usage alert of %(account)s", "%(n)s usage alerts of %(account)s", n
        ) % {"n": n, "account": account.name}
        named = [f"{service_text(row)}: {passed_text(row)}" for row in rows[:MOST_NAMED]]
        if n > MOST_NAMED:
            named.append(_("… and %(n)s more.") % {"n": n - MOST_NAMED})
        text = "\n".join(named)
        url = f"{reverse('subscriptions:usage-alerts')}?q={account.reference}"
    return Note(
        user_ids=[account.advocate_id],
        topic=Topic.USAGE,
        key=f"usage-alert-{first.pk}",
        title=title,
        text=text,
        url=url,
        tone="warn",
        at=first.at,
    )


def letter_refused(account: Account, row: UsageAlertSent, fault: str, at: datetime) -> Note:
    """The customer could not be told."""
    told = {"account": account.name, "what": passed_text(row), "service": service_text(row)}
    return Note(
        user_ids=[account.advocate_id],
        topic=Topic.USAGE,
        key=f"usage-alert-unmailed-{row.pk}",
        title=_("%(account)s could not be told by mail: %(service)s, %(what)s") % told,
        text=fault,
        url=row.get_absolute_url(),
        tone="bad",
        at=at,
    )
