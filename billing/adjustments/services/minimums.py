"""Set what an account is billed at least, and end it."""

from datetime import date, datetime
from decimal import Decimal

from django.db import transaction
from django.utils.translation import gettext as _

from billing.adjustments.services.refusals import (
    AlreadyEnded,
    MinimumInvalid,
    amount_of,
    day_of,
    reason_of,
    text_of,
)
from billing.models import MinimumSpend
from billing.models.coupons import Every
from o2b import events
from o2b.customers.models import Account
from o2b.customers.services import AccountClosed


@transaction.atomic
def set_minimum(
    *,
    account_id: int,
    text: str,
    minimum: Decimal | str,
    months: int,
    starts_on: date,
    reason: str,
    by: int | None,
    at: datetime,
    counted: str = MinimumSpend.Counted.CALENDAR,
    prorated: bool = True,
    tax_code: str = "",
) -> MinimumSpend:
    """From a day on at least so much for each month, quarter or year; in the account's currency.

    A period that is over already is looked at by the next run. Refused for a closed account.
    """
    account = Account.objects.select_for_update(of=("self",), no_key=True).get(pk=account_id)
    if not account.is_open:
        raise AccountClosed(_("%(account)s is closed.") % {"account": account})
    error = MinimumInvalid
    if months not in Every.values:
        raise error(_("Choose a month, a quarter or a year."), field="months")
    if counted not in MinimumSpend.Counted.values:
        raise error(_("Choose where its periods begin."), field="counted")
    if len(tax_code) > 50 or "\0" in tax_code:
        raise error(_("This is no tax code."), field="tax_code")
    wanted = _("Say what the customer reads on the bill.")
    made = MinimumSpend.objects.create(
        account=account,
        text=text_of(text, field="text", most=120, wanted=wanted, error=error),
        minimum=amount_of(minimum, account.currency, field="minimum", error=error),
        currency=account.currency,
        months=months,
        counted=counted,
        prorated=prorated,
        tax_code=tax_code.strip(),
        starts_on=day_of(starts_on, field="starts_on", error=error),
        reason=reason_of(reason, error=error),
        made_by_id=by,
        made_at=at,
    )
    facts = {"minimum": f"{made.minimum:f}", "starts_on": starts_on.isoformat()}
    events.record("minimum_spend.set", made, at=at, actor_id=by, **facts)
    return made


@transaction.atomic
def end_minimum(
    *, minimum_id: int, on: date, reason: str, by: int | None, at: datetime
) -> MinimumSpend:
    """It holds until before `on`; what was billed beyond that is credited by the next run."""
    found = MinimumSpend.objects.select_for_update(of=("self",)).get(pk=minimum_id)
    if found.ended_at is not None:
        raise AlreadyEnded(_("%(minimum)s is ended already.") % {"minimum": found})
    day_of(on, field="on", error=MinimumInvalid)
    if on < found.starts_on:
        raise MinimumInvalid(_("It ends before it starts."), field="on")
    found.ends_on = on
    found.end_reason = reason_of(reason, error=MinimumInvalid)
    found.ended_by_id, found.ended_at = by, at
    found.save()
    events.record("minimum_spend.ended", found, at=at, actor_id=by, on=on.isoformat())
    return found
