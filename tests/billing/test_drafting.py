"""Drafting plain rows: what is computed once for many, and what never is."""

from datetime import date

import pytest

from billing.rules.drafting import DueRow, _Book, draft_accounts
from billing.rules.rendering import Priced
from o2b.charging import CompiledCharge
from tests.o2b.charging.build import charge

UNTIL = date(2026, 3, 1)
KEY = "1|2|2026-01-01|1||2026-01-01|"


@pytest.mark.parametrize(("kind", "computed"), [("recurring", 1), ("usage", 3)])
def test_equal_charges_are_computed_once_unless_each_has_usage_of_its_own(
    kind: str, computed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    compute = _Book.charge

    def counted(self: _Book, keys: list[str], *told: None) -> object:
        asked.extend(keys)
        return compute(self, keys, *told)

    monkeypatch.setattr(_Book, "charge", counted)
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
