"""Drafting plain rows: what is computed once for many, and what never is."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

import pytest

from billing.rules.drafting import DueRow, _Book, draft_accounts
from billing.rules.rendering import Priced
from o2b.charging import Billed, CompiledCharge
from tests.o2b.charging.build import charge

UNTIL = date(2026, 3, 1)
KEY = "1|2|2026-01-01|1||2026-01-01|"
CHANGED = "1|3|2026-01-01|1|2026-02-01|2026-01-01|"


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The keys of charges that are computed."""
    found: list[str] = []
    compute = _Book.charge

    def counted(self: _Book, keys: Sequence[str], *told: None) -> object:
        found.extend(keys)
        return compute(self, keys, *told)

    monkeypatch.setattr(_Book, "charge", counted)
    return found


@pytest.mark.parametrize(("kind", "computed"), [("recurring", 1), ("usage", 3)])
def test_equal_charges_are_computed_once_unless_each_has_usage_of_its_own(
    kind: str, computed: int, asked: list[str]
) -> None:
    terms = charge(kind=kind, timing="arrears")
    priced = Priced(CompiledCharge(terms), "a line")
    drafts, failed = draft_accounts(
        [
            DueRow(account, account, 1, kind != "usage", False, KEY, kind == "usage")
            for account in (1, 2, 3)
        ],
        priced=lambda _: priced,
        currencies=dict.fromkeys((1, 2, 3), "EUR"),
        history={},
        until=UNTIL,
    )
    assert (len(drafts), failed, len(asked)) == (3, {}, computed)


def test_changed_charges_are_computed_once_where_their_bills_before_were_equal(
    asked: list[str],
) -> None:
    """Two were billed 20.00 for January, one 10.00: what it owes more is its own."""
    priced = Priced(CompiledCharge(charge(unit_price=Decimal(10))), "a line")
    before = {1: "20.00", 2: "20.00", 3: "10.00"}
    drafts, failed = draft_accounts(
        [DueRow(account, account, 2, False, True, CHANGED) for account in before],
        priced=lambda _: priced,
        currencies=dict.fromkeys(before, "EUR"),
        history={
            account: (Billed(date(2026, 1, 1), 1, 1, Decimal(amount), date(2026, 2, 1)),)
            for account, amount in before.items()
        },
        until=date(2026, 1, 31),
    )
    owed = {account: draft.net for account, draft in drafts.items()}
    assert (failed, owed) == ({}, {1: 10, 2: 10, 3: 20})
    assert len(asked) == 2
