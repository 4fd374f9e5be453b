"""Every price that could have answered for a line, and why it won or lost, step by step."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import F, Q
from django.utils.translation import gettext
from django.utils.translation import gettext as _

from o2b.catalog.models import Contract, ContractPrice, Price, PriceBookVersion, ProductVersion
from o2b.catalog.models.prices import ChargeShape
from o2b.catalog.models.products import Lifecycle
from o2b.catalog.resolution.choice import BOOKS, level_of, rows_for, with_commitments, words_of
from o2b.catalog.resolution.resolve import (
    Off,
    discounted,
    discounts_for,
    shares_of,
    with_shares,
)
from o2b.catalog.resolution.sources import Sources, read_sources
from o2b.catalog.resolution.stored import charge_terms
from o2b.charging.models import Ambiguous
from o2b.charging.pricing import Step, explain, list_price, price
from o2b.charging.terms import ChargeTerms
from o2b.customers.models import Account

MOST_CANDIDATES = 200
AMBIGUOUS = "ambiguous"


@dataclass(frozen=True, slots=True)
class CandidateCharge:
    """What one charge of a candidate costs for a full period of the quantity, step by step."""

    terms: ChargeTerms
    list_price: Decimal
    price: Decimal
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A contract or a version of a book: `code` for machines says why it won or lost.

    won, ranks_lower, no_price, no_cell, draft, not_yet_valid, no_more_valid, retired, replaced,
    wrong_currency, wrong_segment, broken. `charges` are what the line would cost by it, with the
    contract's discounts and commitments; empty where it has no price for the line. `level` says at
    which step of the order it stands, whether or not it is for this account.
    """

    kind: str  # contract | book
    level: str  # contract | account | segment | default
    source: str
    number: int
    url_key: str  # the contract's key, or the book's code
    version_id: int
    valid_from: date
    valid_to: date | None
    state: str
    won: bool
    code: str
    reason: str
    charges: tuple[CandidateCharge, ...] = ()

    @property
    def level_in_words(self) -> str:
        return gettext(BOOKS[self.level]) if self.level in BOOKS else _("contract")


@dataclass(frozen=True, slots=True)
class _Line:
    account: Account
    version: ProductVersion
    characteristics: Mapping[str, Any]
    quantity: Decimal
    on: date
    sources: Sources
    off: Off


def explain_prices(
    *,
    account: Account,
    product_version: ProductVersion,
    quantity: Decimal,
    on: date,
    characteristics: Mapping[str, Any] | None = None,
) -> list[Candidate]:
    """Each contract of the account and each book version that prices the product, best first.

    At most one won; what it costs is what `resolve` promises. Where none did, nobody has a price.
    """
    sources = read_sources(accounts=[account], products={product_version.product_id}, on=on)
    off = discounts_for(account, sources)
    line = _Line(account, product_version, characteristics or {}, quantity, on, sources, off)
    found: list[Candidate] = []
    won = False
    for candidate in [*_contracts(line), *_books(line)]:
        ranks_lower = candidate.won and won
        won = won or candidate.won
        found.append(_lost(candidate) if ranks_lower else candidate)
    return sorted(found, key=lambda each: not each.won)[:MOST_CANDIDATES]


def _lost(candidate: Candidate) -> Candidate:
    return replace(candidate, won=False, code="ranks_lower", reason=_("ranks lower"))


def _contracts(line: _Line) -> Iterable[Candidate]:
    """The account's contracts, the newest first."""
    contracts = Contract.objects.filter(account=line.account.pk)
    prices: dict[int, list[ContractPrice]] = {}
    stored = ContractPrice.objects.filter(
        contract__account=line.account.pk, product=line.version.product_id
    )
    for row in stored.order_by("key", "pk"):
        prices.setdefault(row.contract_id, []).append(row)
    valid = line.sources.contracts.get(line.account.pk)
    for contract in contracts.order_by("-valid_from", "-number", "-pk"):
        rows, lacks = _rows(prices.get(contract.pk, ()), line)
        if contract.state == Contract.State.DRAFT:
            why = "draft", _("not signed yet")
        elif until := _outside(contract, line.on):
            why = until
        elif valid is None or contract.pk != valid.pk:
            why = "replaced", _("replaced by %(other)s") % {"other": valid}
        elif lacks:
            why = _lacking(lacks, line)
        else:
            why = "won", _("a price of its own")
        yield _candidate(line, contract, "contract", str(contract.pk), rows, why)


def _books(line: _Line) -> Iterable[Candidate]:
    """Book versions that price the product: those that may answer first, in their rank.

    Other accounts' own books are no candidates, as their contracts are none.
    """
    answering = line.sources.books_of(line.account)
    ranks = {version.pk: rank for rank, version in enumerate(answering)}
    listed: dict[int, list[Price]] = {}
    theirs = Q(version__book__account=None) | Q(version__book__account=line.account.pk)
    stored = Price.objects.filter(theirs, product=line.version.product_id)
    for row in stored.order_by("key", "pk"):
        listed.setdefault(row.version_id, []).append(row)
    versions = PriceBookVersion.objects.filter(Q(pk__in=listed) | Q(pk__in=ranks))
    ordered = sorted(
        versions.select_related("book").order_by(
            F("book__account").asc(nulls_last=True),
            "book__is_default",
            "book__code",
            "-valid_from",
            "-number",
        ),
        key=lambda version: ranks.get(version.pk, len(ranks)),
    )
    newest = {version.book_id: version for version in answering}
    for version in ordered:
        rows, lacks = _rows(listed.get(version.pk, ()), line)
        why = _misfit(version, line) or _unusable(version, line, newest.get(version.book_id))
        if why is None and lacks:
            why = _lacking(lacks, line)
        if why is None:
            why = "won", gettext(BOOKS[level_of(version.book)])
        yield _candidate(line, version, "book", version.book.code, rows, why)


def _misfit(version: PriceBookVersion, line: _Line) -> tuple[str, str] | None:
    """A book that is for somebody else."""
    book, account = version.book, line.account
    if book.currency != account.currency:
        told = {"currency": book.currency, "account": account.currency}
        return "wrong_currency", _("in %(currency)s; the account pays in %(account)s") % told
    if book.account_id == account.pk or book.is_default:
        return None
    if book.segment and book.segment == account.customer.segment:
        return None
    if not book.segment:
        return "wrong_segment", _("for no segment, and not the default")
    return "wrong_segment", _("for the segment “%(segment)s”") % {"segment": book.segment}


def _unusable(
    version: PriceBookVersion, line: _Line, newest: PriceBookVersion | None
) -> tuple[str, str] | None:
    """A version that does not count on the day."""
    if version.state == Lifecycle.DRAFT:
        return "draft", _("not published yet")
    if until := _outside(version, line.on):
        return until
    if newest is not None and newest.pk != version.pk:
        return "replaced", _("replaced by %(other)s") % {"other": newest}
    return None


def _outside(source: Contract | PriceBookVersion, on: date) -> tuple[str, str] | None:
    if source.valid_from > on:
        return "not_yet_valid", _("valid from %(day)s") % {"day": source.valid_from}
    if source.valid_to and source.valid_to <= on:
        return "no_more_valid", _("no more valid since %(day)s") % {"day": source.valid_to}
    if source.retired_on and source.retired_on <= on:
        return "retired", _("retired on %(day)s") % {"day": source.retired_on}
    return None


def _rows(stored: Sequence[ChargeShape], line: _Line) -> tuple[list[ChargeShape], str]:
    try:
        return rows_for(stored, line.version, line.characteristics)
    except Ambiguous:
        return [], AMBIGUOUS


def _lacking(lacks: str, line: _Line) -> tuple[str, str]:
    if lacks.startswith("no cell"):
        told = {"characteristics": words_of(line.characteristics)}
        return "no_cell", _("no cell for %(characteristics)s") % told
    if lacks == AMBIGUOUS:
        return "broken", _("two cells fit these characteristics equally")
    return "no_price", _("no price for this version of the product")


def _candidate(
    line: _Line,
    source: Contract | PriceBookVersion,
    kind: str,
    url_key: str,
    rows: Sequence[ChargeShape],
    why: tuple[str, str],
) -> Candidate:
    charges: tuple[CandidateCharge, ...] = ()
    if rows and why[0] != "wrong_currency":
        try:
            charges = _charges(line, rows)
        except ValueError as exc:  # TermsInvalid, BeyondTiers, EventsNeeded, an unknown interval
            why = "broken", _("cannot be billed: %(fault)s") % {"fault": exc}
    return Candidate(
        kind=kind,
        level=level_of(source.book) if isinstance(source, PriceBookVersion) else kind,
        source=str(source),
        number=source.number,
        url_key=url_key,
        version_id=source.pk,
        valid_from=source.valid_from,
        valid_to=source.valid_to,
        state=source.state,
        won=why[0] == "won",
        code=why[0],
        reason=why[1],
        charges=charges,
    )


def _charges(line: _Line, rows: Sequence[ChargeShape]) -> tuple[CandidateCharge, ...]:
    """What the line would cost by these rows, as `resolve` would promise it."""
    account, sources = line.account, line.sources
    conventions = sources.conventions.get(account.legal_entity_id, "")
    listed = [charge_terms(row, account.currency, conventions) for row in rows]
    contract = sources.contracts.get(account.pk)
    bound = with_commitments(listed, contract, line.version.product_id, sources, [], set())
    reduced = discounted(bound, (), line.off.percents)
    (shares,) = shares_of([(reduced, line.quantity)], line.off.fixed, account.currency)
    return tuple(
        CandidateCharge(
            terms=charge,
            list_price=list_price(charge, line.quantity),
            price=price(charge, line.quantity),
            steps=tuple(explain(charge, line.quantity)),
        )
        for charge in with_shares(reduced, shares)
    )
