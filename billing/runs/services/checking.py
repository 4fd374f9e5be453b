"""The promise check: every charge rebuilt from separate data and joined both ways to the drafts."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from billing.adjustments.services.checking import check_adjustments
from billing.models import BillRun, Shard
from billing.promises.selectors import Broken, broken
from billing.rules.expecting import Promised, differences, in_words, open_segment
from billing.rules.expecting import expected as expected_lines
from billing.rules.metering import UsageOf
from billing.runs.selectors import due
from billing.runs.selectors.begun import promised_begun
from billing.runs.selectors.expected import (
    OTHERS,
    PromisedRow,
    Served,
    drafted_texts,
    promised_rows,
    served_of,
    still_to_open,
    verified_terms,
)
from billing.runs.selectors.history import with_history
from billing.runs.selectors.scope import Scope
from billing.runs.services.delivering import Delivered, delivered_of
from billing.runs.services.paying import (
    Place,
    broken_for_others,
    is_shared,
    names_of,
    owes_charges,
    sharings_of,
    unopened,
)
from o2b.charging import Billed, Kind
from o2b.charging.begun import Begun
from o2b.charging.sharing import Sharing
from o2b.charging.succeeding import History

DRAFTED = "drafted"
Account = dict[int, list[Broken]]


@dataclass(slots=True)
class Checked:
    """Accounts whose drafts are not what was promised; all accounts and promises looked at."""

    broken: Account
    accounts: set[int]
    promises: int


def check_scope(
    run: BillRun,
    shard: Shard,
    scope: Scope,
    *,
    skip: Collection[int],
    usage: Mapping[int, UsageOf],
    history: History,
    shared: bool,
) -> Checked:
    """Compare drafts with promises; `skip` is parked anyway; `shared`: some pay for others."""
    check = _Check(run.on, scope, drafted_texts(shard.pk, scope), skip, usage, history)
    rows = promised_rows(scope, shared=shared)
    check.read(rows)
    check.left_over()
    check.headers()
    adjusted = check_adjustments(shard.pk, scope, until=run.on)
    for each in (*broken_for_others(rows), *adjusted.broken):
        check.add(each)
    promises = len({row[1] for row in rows} - {None})
    return Checked(check.found, {row[0] for row in rows} | adjusted.committed, promises)


@dataclass(slots=True)
class _Check:
    until: date
    scope: Scope
    drafts: dict[int, tuple[int, str]]
    skip: Collection[int]
    usage: Mapping[int, UsageOf]
    history: History
    found: Account = field(default_factory=dict)
    terms: dict[int, Promised] = field(default_factory=dict)
    keys: dict[int, str] = field(default_factory=dict)
    simple: dict[int, str] = field(default_factory=dict)  # keys of the only charge of sound Terms
    memo: dict[tuple[int, str | None, str], str] = field(default_factory=dict)
    doubtful: set[int] = field(default_factory=set)
    sharings: dict[Place, Sharing] = field(default_factory=dict)
    begun: dict[tuple[int, int, str], tuple[Begun, ...]] = field(default_factory=dict)
    delivered: Delivered = field(default_factory=Delivered)

    def read(self, rows: list[tuple[Any, ...]]) -> None:
        """Rebuild each charge; most are equal to one that was rebuilt before."""
        self._read_terms({row[5] for row in rows}, {row[5] for row in rows if row[3] is not None})
        again = {pk for pk, each in self.usage.items() if each.again}
        again.update(row[3] for row in rows if row[7] and row[3])
        self.history = with_history(self.history, again)
        charges: dict[Place, set[str]] = {}
        bare: list[PromisedRow] = []
        slow: list[PromisedRow] = []
        memo, drafts, simple = self.memo, self.drafts, self.simple
        for row in rows:
            payer, promise, item, charge, priced, terms, is_plain, again, is_kept, key, shared = row
            if not is_kept and shared != OTHERS:
                self.doubtful.add(promise or 0)
            if charge is None or promise is None or not is_plain:
                rest = bare if charge is None or promise is None else slow
                rest.append(PromisedRow(*row))
                continue
            name = simple.get(priced)
            if name is None or again or shared:
                charges.setdefault((payer, item), set()).add(self.keys.get(priced, ""))
                slow.append(PromisedRow(*row))
                continue
            said = memo.get((terms, name, key))
            if said is None:
                said = self._shared(PromisedRow(*row), name)
            drafted = drafts.pop(charge, None)
            if said != (drafted[1] if drafted else ""):
                self._differ(PromisedRow(*row), name, said, drafted[1] if drafted else "")
        self._slow(slow, charges)
        self._bare(bare)

    def _read_terms(self, terms_ids: set[int], charged: set[int]) -> None:
        """`charged` are those Terms that a charge stands under."""
        rows: dict[int, list[Any]] = {}
        for row in due.charges_of_terms(charged):
            self.keys[row.id] = row.key
            rows.setdefault(row.terms_id, []).append(row)
        for terms_id, body in verified_terms(terms_ids).items():
            trouble = "" if body else "the text is not the one that its digest names"
            try:
                told = [due.charge_terms(row) for row in rows.get(terms_id, ())]
            except (ArithmeticError, LookupError, TypeError, ValueError) as exc:
                told, trouble = [], trouble or str(exc)
            if body and terms_id not in rows:  # no charge stands under them: nothing to compare
                told = list(body.charges)
            self.terms[terms_id] = promised = Promised(body, told, trouble)
            if promised.is_one:
                self.simple |= {row.id: row.key for row in rows.get(terms_id, ())}

    def _slow(self, rows: list[PromisedRow], seen: dict[Place, set[str]]) -> None:
        """Changed items, Terms of several charges or not sound, and what several pay."""
        changed = [row for row in rows if not row.plain]
        self.sharings = sharings_of(rows)
        self.delivered = delivered_of(rows, self.terms)
        rows = self.delivered.told(rows, self.drafts, tell=self._tell)
        served = served_of(row.item_id for row in changed)
        self.begun = promised_begun((row.item_id for row in changed), self.delivered.parts)
        for row in rows:
            promised = self.terms[row.terms_id]
            name = self.keys.get(row.terms_charge_id or 0, "")
            drafted = self.drafts.pop(row.charge_id or 0, None)
            if promised.trouble:
                self._tell(row, "terms", "what was frozen", promised.trouble)
                continue
            if name not in promised.charges:
                self._tell(row, "unexpected", "no such charge", name or "one")
                continue
            if row.plain:
                said = self._try(self._expected, row, name)
            else:
                said = self._try(self._changed, row, name, served)
            text = drafted[1] if drafted else ""
            if said != text:
                self._differ(row, name, said, text)
            place = (row.account_id, row.item_id)
            missing = names_of(row, promised) - seen.pop(place, promised.charges.keys())
            for each in sorted(missing):
                self._tell(row, "missing", f"the charge {each}", "none")
        for row in unopened(changed, served):
            self._tell(row, "missing", "a charge of the changed Terms", "none")

    def _shared(self, row: PromisedRow, name: str) -> str | None:
        """Rebuilt for all charges that are equal; what was used is each charge's own."""
        said = self._try(self._expected, row, name)
        if said is not None and not self.terms[row.terms_id].compiled[name].metered:
            self.memo[row.terms_id, name, row.key] = said
        return said

    def _try(
        self, rebuild: Callable[..., str], row: PromisedRow, name: str, *told: Any
    ) -> str | None:
        """What cannot be computed concerns its account alone; the others are checked as ever."""
        try:
            return rebuild(row, name, *told)
        except Exception as exc:
            self._tell(row, "terms", f"{name}: lines that can be billed", f"{exc!r}"[:250])
            return None

    def _changed(
        self, row: PromisedRow, name: str, served: Mapping[tuple[int, int], list[Served]]
    ) -> str:
        """A changed item answers to its versions, not to its first order.

        What no day is left of is taken back; what is owed once, where its Terms first hold.
        """
        compiled = self.terms[row.terms_id].compiled[name]
        own = served.get((row.item_id, row.terms_id), [])
        if compiled.terms.kind is Kind.ONE_TIME:
            own = [each for each in own if each.opens]
        if not own and not row.changed:
            return ""
        *_, anchor, through = row.key.split("|")
        started_on = own[0].anchor_on if own else self.until
        if own and compiled.terms.kind is Kind.ONE_TIME:
            started_on = own[0].segment.period.start
        return expected_lines(
            compiled,
            started_on=started_on,
            anchor_day=int(anchor),
            segments=self.delivered.of(row.item_id, compiled, [each.segment for each in own]),
            billed_through=_day(through),
            billed=self._billed(row),
            until=self.until,
            usage=self.usage.get(row.charge_id or 0),
            sharing=self._sharing(row, name),
            begun=self.begun.get((row.item_id, row.terms_id, name), ()),
        )

    def _sharing(self, row: PromisedRow, name: str) -> Sharing | None:
        sharing = self.sharings.get((row.account_id, row.item_id))
        return sharing if sharing and is_shared(self.terms[row.terms_id].charges[name]) else None

    def _expected(self, row: PromisedRow, name: str) -> str:
        """The lines of an unchanged item, from its order line, the Terms' text, what was billed."""
        promised = self.terms[row.terms_id]
        quantity, *days, anchor, through = row.key.split("|")
        started_on = self.delivered.began_on(row.item_id) or promised.started_on(*days)
        if started_on is None:
            return ""
        whole = [open_segment(started_on, Decimal(quantity))]
        return expected_lines(
            promised.compiled[name],
            started_on=started_on,
            anchor_day=int(anchor),
            segments=self.delivered.of(row.item_id, promised.compiled[name], whole),
            billed_through=_day(through),
            billed=self._billed(row),
            until=self.until,
            usage=self.usage.get(row.charge_id or 0),
            sharing=self._sharing(row, name),
        )

    def _billed(self, row: PromisedRow) -> tuple[Billed, ...] | None:
        """What was billed of a charge that changed or whose usage is rated again; else None."""
        charge_id = row.charge_id or 0
        usage = self.usage.get(charge_id)
        again = row.changed or (usage is not None and usage.again)
        return self.history.get(charge_id, ()) if again else None

    def _bare(self, rows: list[PromisedRow]) -> None:
        """In service without a charge, or without a promise."""
        opening = still_to_open(row.item_id for row in rows if row.charge_id is None)
        for row in rows:
            self.drafts.pop(row.charge_id or 0, None)
            if row.promise_id is None:
                self._tell(row, "unexpected", "nothing", "a service in use")
            elif row.item_id not in opening and owes_charges(row, self.terms[row.terms_id]):
                self._tell(row, "missing", "a charge", "none")

    def left_over(self) -> None:
        """What was drafted and belongs to nothing that was promised."""
        for charge_id, (account_id, text) in sorted(self.drafts.items()):
            said = f"{text} of C-{charge_id}"
            self.add(Broken(0, account_id, "unexpected", "nothing", said, DRAFTED))

    def headers(self) -> None:
        """Versions, quantities and Terms as they were quoted, ordered, delivered, in service."""
        which = self.scope.within("promise.account_id")
        which += " AND promise.legal_entity_id = %(entity)s"
        for each in broken(which=which, values=self.scope.values, doubtful=self.doubtful):
            self.add(each)

    def _differ(self, row: PromisedRow, name: str, said: str | None, drafted: str) -> None:
        if said is None:  # it could not be rebuilt, and that has been told
            return
        for each in differences(name, said, drafted):
            self._tell(row, each.field, *in_words(each, name), DRAFTED)

    def _tell(
        self, row: PromisedRow, field_: str, promised: str, actual: str, source: str = "found"
    ) -> None:
        self.add(Broken(row.promise_id or 0, row.account_id, field_, promised, actual, source))

    def add(self, each: Broken) -> None:
        if each.account_id not in self.skip:
            self.found.setdefault(each.account_id, []).append(each)


def _day(text: str) -> date | None:
    return date.fromisoformat(text) if text else None
