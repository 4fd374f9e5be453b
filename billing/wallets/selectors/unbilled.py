"""What an account's usage that no bill has seen would cost: a draft, with what runs as if over."""

from collections.abc import Callable, Iterable
from datetime import date, timedelta
from decimal import Decimal

from billing.rules.drafting import NET, DueRow, Taxing, draft_accounts
from billing.rules.keys import facts_of, terms_charge_of
from billing.rules.metering import UsageOf
from billing.rules.rendering import Priced
from billing.runs.selectors import due
from billing.runs.selectors.history import billed_history
from billing.runs.selectors.scope import Scope
from billing.runs.selectors.usage import usage_of
from o2b.charging import TermsInvalid, compile_charge, rated_until
from o2b.customers.models import Account
from o2b.money import EXACT, sum_of
from o2b.periods import FOREVER
from o2b.taxes.port import TaxUnknown, seller_rates

A_DAY = timedelta(days=1)
Draft = Callable[[list[DueRow], Taxing], tuple[dict[int, Decimal], dict[int, Exception]]]


def unbilled_usage(account: Account, *, today: date) -> Decimal:
    """What the next bills would say of an account's usage, with its tax; below zero: give back.

    By difference, as they will: every period that is over, what came late of one that was billed,
    and the period that runs, as if it ended with what was used of it up to and with today. Net
    where no tax rate is known; nothing of a charge that cannot be computed: the run that bills
    it will say so.
    """
    scope = Scope(account.legal_entity_id, account.pk, account.pk)
    rows = due.metered_rows(scope)
    if not rows:
        return Decimal(0)
    draft = _drafting(account, scope, rows, today)
    taxing = _taxing(account, scope, today)
    drafts, failed = draft(rows, taxing)
    if not failed:
        return drafts[account.pk]
    return sum_of(_alone(draft, each, taxing) for each in _by_charge(rows))


def _drafting(account: Account, scope: Scope, rows: list[DueRow], today: date) -> Draft:
    """How rows are drafted: all that they need is read once, whatever is drafted of it."""
    priced = _pricing(scope)
    usage = usage_of({row.charge_id for row in rows}, through=today)
    for own in _by_charge(rows):
        charge = own[0].charge_id
        usage[charge] = _as_if_over(own, usage[charge], priced, today)
    again = {row.charge_id for row in rows if row.changed or usage[row.charge_id].again}
    history = billed_history(again)

    def draft(
        some: list[DueRow], taxing: Taxing
    ) -> tuple[dict[int, Decimal], dict[int, Exception]]:
        found, failed = draft_accounts(
            some,
            priced=priced,
            currencies={account.pk: account.currency},
            history=history,
            until=FOREVER,
            taxing=taxing,
            exempt={account.pk} if account.tax_exempt else (),
            usage=usage,
        )
        return {pk: EXACT.add(each.net, each.tax) for pk, each in found.items()}, failed

    return draft


def _as_if_over(
    rows: list[DueRow], usage: UsageOf, priced: Callable[[int], Priced], today: date
) -> UsageOf:
    """The usage of a charge, drafted to the end of its period that holds today.

    Of Terms that nobody can bill as it is: drafting them says why.
    """
    keys = [row.key for row in rows]
    try:
        compiled = priced(terms_charge_of(keys[0])).compiled
    except TermsInvalid:
        return usage
    facts = facts_of(keys, compiled, None)
    return usage._replace(until=rated_until(facts, on=today))


def _alone(draft: Draft, rows: list[DueRow], taxing: Taxing) -> Decimal:
    """One charge, without tax where its rate is not known."""
    drafts, failed = draft(rows, taxing)
    if any(isinstance(exc, TaxUnknown) for exc in failed.values()):
        drafts, _ = draft(rows, NET)
    return sum_of(drafts.values())


def _by_charge(rows: Iterable[DueRow]) -> list[list[DueRow]]:
    found: dict[int, list[DueRow]] = {}
    for row in rows:
        found.setdefault(row.charge_id, []).append(row)
    return list(found.values())


def _pricing(scope: Scope) -> Callable[[int], Priced]:
    rows = {row.id: row for row in due.terms_charges_of(scope)}

    def priced(terms_charge_id: int) -> Priced:
        row = rows[terms_charge_id]
        return Priced(compile_charge(due.charge_terms(row)), row.product[:250])

    return priced


def _taxing(account: Account, scope: Scope, today: date) -> Taxing:
    """Today's rates of the seller; who asks for one that is not known hears TaxUnknown."""
    rates = seller_rates(account.legal_entity, codes=due.tax_codes_of(scope), on=[today])

    def percent(code: str, exempt: bool) -> Decimal | None:
        return rates.percent(code, on=today, exempt=exempt)

    return Taxing(percent, rates.per)
