"""What makes the prices of one book version sound: every fault at once, each with its row."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from itertools import combinations, islice

from o2b.catalog.rules.faults import gettext_noop as _
from o2b.charging.terms import ChargeTerms

ANY_LATER = 32767
MOST_FAULTS = 500
MOST_NOTICE = 3650
CLASH = "prices_clash"

Cell = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class RowFault:
    """What is wrong in one place; `row` is the caller's own key of the row, None: of no row."""

    message: str
    facts: Mapping[str, object] = field(default_factory=dict)
    row: int | None = None
    column: str = ""
    product: str = ""
    key: str = ""
    code: str = "price_invalid"


@dataclass(frozen=True, slots=True)
class BookRow:
    """One price as the rules see it; `match` as texts that compare."""

    row: int
    product: str
    charge: ChargeTerms
    from_version: int = 1
    to_version: int | None = None
    match: Cell = field(default_factory=dict)
    discount_limit: Decimal | None = None

    @property
    def last(self) -> int:
        return self.to_version if self.to_version is not None else ANY_LATER

    def fault(
        self, column: str, message: str, code: str = "price_invalid", **facts: object
    ) -> RowFault:
        told = {"product": self.product, "key": self.charge.key} | facts
        return RowFault(message, told, self.row, column, self.product, self.charge.key, code)


@dataclass(frozen=True, slots=True)
class Header:
    """What a version says of itself, and the day from which the running one is valid."""

    valid_from: date
    valid_to: date | None
    policy: str
    policy_on: date | None
    notice_days: int
    running_from: date | None = None


def faults_of_header(header: Header) -> Iterator[RowFault]:
    """Days and policy that do not fit together."""
    if header.running_from and header.valid_from < header.running_from:
        yield RowFault(
            _("It begins before the running version, which is valid from %(day)s."),
            {"day": header.running_from},
            column="valid_from",
        )
    if header.valid_to and header.valid_to <= header.valid_from:
        yield RowFault(_("It ends before it begins."), column="valid_to")
    if header.policy == "on_date" and header.policy_on is None:
        yield RowFault(_("Say on which day subscriptions move."), column="policy_on")
    if header.policy != "on_date" and header.policy_on is not None:
        yield RowFault(_("A day belongs to the policy “move on a date” only."), column="policy_on")
    if header.policy_on and header.policy_on < header.valid_from:
        yield RowFault(
            _("Subscriptions cannot move before the version is valid."), column="policy_on"
        )
    if not 0 <= header.notice_days <= MOST_NOTICE:
        yield RowFault(
            _("Notice is between 0 and %(most)s days."), {"most": MOST_NOTICE}, column="notice_days"
        )


def faults_of_rows(
    rows: Sequence[BookRow], known: Mapping[str, Collection[str]]
) -> Iterator[RowFault]:
    """Every fault of a book's rows; `known` are the characteristics of each product."""
    groups: dict[tuple[str, str], list[BookRow]] = defaultdict(list)
    for row in rows:
        yield from _of_row(row, known.get(row.product, ()))
        groups[row.product, row.charge.key].append(row)
    for group in groups.values():
        if len(group) > 1:
            yield from _overlapping(group)
            yield from _ambiguous(group)


def missing_prices(
    rows: Sequence[BookRow], wanted: Mapping[str, int], reason: str
) -> Iterator[RowFault]:
    """Products (with their version on sale) that no row prices."""
    priced: dict[str, list[BookRow]] = defaultdict(list)
    for row in rows:
        priced[row.product].append(row)
    for product, version in sorted(wanted.items()):
        if not any(row.from_version <= version <= row.last for row in priced[product]):
            facts = {"product": product, "version": version}
            yield RowFault(reason, facts, column="product", product=product, code="price_missing")


def _of_row(row: BookRow, known: Collection[str]) -> Iterator[RowFault]:
    if row.to_version is not None and row.to_version < row.from_version:
        yield row.fault("to_version", _("The last version comes before the first."))
    if row.from_version < 1:
        yield row.fault("from_version", _("Versions count from 1."))
    if row.charge.tiers and row.charge.tiers[-1].up_to is not None:
        yield row.fault(
            f"tiers.{len(row.charge.tiers) - 1}.up_to",
            _("The last tier has no end: what lies above %(up_to)s would have no price."),
            up_to=format(row.charge.tiers[-1].up_to, "f"),
        )
    if row.discount_limit is not None and not 0 <= row.discount_limit <= 100:
        yield row.fault("discount_limit", _("The largest discount lies between 0 and 100 percent."))
    for name in sorted(set(row.match) - set(known)):
        message = _("%(product)s has no characteristic “%(name)s”, so nothing would fit.")
        yield row.fault("match", message, name=name)


def _overlap(one: BookRow, other: BookRow) -> bool:
    return one.from_version <= other.last and other.from_version <= one.last


def _overlapping(group: Sequence[BookRow]) -> Iterator[RowFault]:
    """Rows for the same cell whose versions of the product overlap."""
    cells: dict[frozenset[tuple[str, str]], list[BookRow]] = defaultdict(list)
    for row in group:
        cells[frozenset(row.match.items())].append(row)
    for same in cells.values():
        ordered = sorted(same, key=lambda row: (row.from_version, row.row))
        for before, after in zip(ordered, ordered[1:], strict=False):
            if _overlap(before, after):
                yield after.fault(
                    "from_version",
                    _("%(product)s, %(key)s: the same is priced for version %(first)s already."),
                    CLASH,
                    first=before.from_version,
                )


def _ambiguous(group: Sequence[BookRow]) -> Iterator[RowFault]:
    """Two cells that say equally much and fit one line, with no cell that says more of it.

    Cells of equal names differ or are the same one, so only cells of different names are compared,
    and of these those that agree in the names they share.
    """
    by_names: dict[frozenset[str], list[BookRow]] = defaultdict(list)
    for row in group:
        if row.match:
            by_names[frozenset(row.match)].append(row)
    pairs = (
        (one, other)
        for mine, theirs in combinations(sorted(by_names, key=sorted), 2)
        if len(mine) == len(theirs)
        for one, other in _agreeing(by_names[mine], by_names[theirs], mine & theirs)
        if not _decided(one, other, by_names)
    )
    for one, other in islice(pairs, MOST_FAULTS):
        yield other.fault(
            "match",
            _("%(product)s, %(key)s: %(one)s and %(other)s fit the same line equally."),
            CLASH,
            one=_cell(one.match),
            other=_cell(other.match),
        )


def _agreeing(
    mine: Sequence[BookRow], theirs: Sequence[BookRow], shared: Collection[str]
) -> Iterator[tuple[BookRow, BookRow]]:
    index: dict[tuple[str, ...], list[BookRow]] = defaultdict(list)
    ordered = sorted(shared)
    for row in mine:
        index[tuple(row.match[name] for name in ordered)].append(row)
    for other in theirs:
        for one in index[tuple(other.match[name] for name in ordered)]:
            if _overlap(one, other):
                yield one, other


def _decided(
    one: BookRow, other: BookRow, by_names: Mapping[frozenset[str], Sequence[BookRow]]
) -> bool:
    """Whether a cell that says more fits every line that both fit."""
    both = {**one.match, **other.match}
    for names, rows in by_names.items():
        if len(names) > len(one.match) and names <= both.keys():
            for row in rows:
                fits = all(both[name] == value for name, value in row.match.items())
                if fits and _overlap(row, one) and _overlap(row, other):
                    return True
    return False


def _cell(match: Cell) -> str:
    return ", ".join(f"{name} {value}" for name, value in sorted(match.items()))
