"""A shard's drafts get their discounts and true-ups; shards without any pay one query."""

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from functools import partial

from billing.adjustments.rules.adjusting import NO_SPLIT, adjusted
from billing.adjustments.selectors.facts import accounts_to_adjust, facts_of_accounts
from billing.rules.drafting import AccountDraft, Taxing
from billing.runs.selectors.due import AccountFacts
from billing.runs.selectors.scope import Scope


def adjust_drafts(
    scope: Scope,
    drafts: dict[int, AccountDraft],
    accounts: Mapping[int, AccountFacts],
    *,
    until: date,
    taxing: Taxing,
    skip: Iterable[int],
    apart: Mapping[int, str] = NO_SPLIT,
) -> dict[int, Exception]:
    """Change the drafts where there is something to adjust; who fails does so alone.

    Accounts of which nothing is due get a draft, too, if a minimum or a coupon asks for one.
    """
    keys = [key for key in accounts_to_adjust(scope) if key in accounts and key not in set(skip)]
    failed: dict[int, Exception] = {}
    if not keys:
        return failed
    for key, facts in facts_of_accounts(keys).items():
        account = accounts[key]
        try:
            draft = adjusted(
                drafts.get(key),
                facts,
                currency=account.currency,
                until=until,
                percent=partial(_percent, taxing, account.tax_exempt),
                per=taxing.per,
                apart=apart if account.split else NO_SPLIT,
            )
        except Exception as exc:  # whatever it is, it concerns this account alone
            failed[key] = exc
            drafts.pop(key, None)
            continue
        if draft is not None:
            drafts[key] = draft
    return failed


def _percent(taxing: Taxing, exempt: bool, code: str) -> Decimal | None:
    return taxing.percent(code, exempt)
