"""What services cost from a day on, many at once: the same, uplifted, or by contract and books."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from o2b.catalog.models import ProductVersion, Terms
from o2b.catalog.resolution import Asked, Resolution, Wanted, carries_fixed_discount
from o2b.catalog.resolution.resolve import resolved
from o2b.catalog.resolution.sources import read_sources
from o2b.catalog.services import freeze_terms
from o2b.charging import LineTerms, TermsInvalid, from_canonical
from o2b.customers.models import Account
from o2b.errors import Refused
from subscriptions.rules.prices import moved, recurs, same_price, uplifted
from subscriptions.rules.timeline import Span
from subscriptions.timelines.chains import Chain


@dataclass(frozen=True, slots=True)
class Repricing:
    """A service that gets another price from a day on: an uplift, else by contract and books."""

    chain: Chain
    account: Account
    now: Span
    on: date
    uplift: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Repriced:
    """The Terms that it gets; None where it costs what it costs already."""

    resolution: Resolution | None
    book_version_id: int | None = None
    contract_id: int | None = None


# In the order of what was asked: the price, or why there is none.
Answers = list[Repriced | Exception]


def reprice(wanted: Sequence[Repricing]) -> Answers:
    """The price of each, in as many queries for many as for one (and day)."""
    if not wanted:
        return []
    rows = Terms.objects.select_related("product_version__product").in_bulk(
        {each.now.terms for each in wanted}
    )
    bodies = {pk: from_canonical(row.body) for pk, row in rows.items()}
    answers: dict[int, Repriced | Exception] = {}
    seen: dict[tuple[int, Decimal], Repriced | Exception] = {}
    books: dict[date, list[int]] = defaultdict(list)
    for n, each in enumerate(wanted):
        if each.uplift is None:
            books[each.on].append(n)
            continue
        key = (each.now.terms, each.uplift)
        if key not in seen:
            version = rows[each.now.terms].product_version
            seen[key] = _uplifted(bodies[each.now.terms], version, each)
        answers[n] = seen[key]
    for on, places in books.items():
        found = _by_books([wanted[n] for n in places], on, bodies)
        answers |= dict(zip(places, found, strict=True))
    return [answers[n] for n in range(len(wanted))]


def _uplifted(body: LineTerms, version: ProductVersion, each: Repricing) -> Repriced | Exception:
    if each.uplift is None or not recurs(body):
        return Repriced(None)
    try:
        terms = uplifted(body, each.uplift)
    except TermsInvalid as exc:
        return exc
    return Repriced(Resolution(version, each.now.quantity, terms, None, None))


def _by_books(wanted: Sequence[Repricing], on: date, bodies: Mapping[int, LineTerms]) -> Answers:
    versions = ProductVersion.objects.select_related("product").in_bulk(
        {each.now.product_version for each in wanted}
    )
    accounts = {each.account.pk: each.account for each in wanted}
    sources = read_sources(
        accounts=list(accounts.values()),
        products={version.product_id for version in versions.values()},
        on=on,
    )
    found: dict[int, Repriced | Exception] = {}
    for places in _asked_together(wanted, bodies):
        several = [wanted[n] for n in places]
        first = bodies[several[0].now.terms]
        asked = Asked(
            several[0].account,
            [_wanted(each, versions) for each in several],
            fixed_discount_taken=not carries_fixed_discount(first),
        )
        try:
            told: Iterable[Resolution | Exception] = resolved(asked, sources)
        except Refused as refused:
            told = [refused] * len(places)
        for n, each, answer in zip(places, several, told, strict=True):
            found[n] = _settled(answer, each, bodies[each.now.terms], versions)
    return [found[n] for n in range(len(wanted))]


def _asked_together(
    wanted: Sequence[Repricing], bodies: Mapping[int, LineTerms]
) -> list[list[int]]:
    """Those that share a contract's fixed amount share it again; each other one is for itself."""
    sharing: dict[int, list[int]] = defaultdict(list)
    alone: list[list[int]] = []
    for n, each in enumerate(wanted):
        if carries_fixed_discount(bodies[each.now.terms]):
            sharing[each.account.pk].append(n)
        else:
            alone.append([n])
    return [*sharing.values(), *alone]


def _wanted(each: Repricing, versions: Mapping[int, ProductVersion]) -> Wanted:
    described = each.chain.characteristics_on(each.on)
    return Wanted(versions[each.now.product_version], each.now.quantity, (), described)


def _settled(
    answer: Resolution | Exception,
    each: Repricing,
    body: LineTerms,
    versions: Mapping[int, ProductVersion],
) -> Repriced | Exception:
    if isinstance(answer, Exception):
        return answer
    began_on = each.chain.root.anchor_on or each.on
    if not recurs(body) or same_price(answer.terms, body, on=each.on, began_on=began_on):
        return Repriced(None, answer.book_version_id, answer.contract_id)
    terms = replace(moved(answer.terms), start_rule=body.start_rule)
    settled = Resolution(versions[each.now.product_version], each.now.quantity, terms, None, None)
    return Repriced(settled, answer.book_version_id, answer.contract_id)


def freeze(answers: Sequence[Repriced | Exception | None]) -> list[int | None]:
    """The keys of the Terms that are new for their service, frozen together."""
    asked = [a.resolution for a in answers if isinstance(a, Repriced) and a.resolution]
    # Equal prices of many services are one row: told once each, not once a service.
    rows = {id(each): each for each in asked}
    frozen = dict(zip(rows, freeze_terms(list(rows.values())), strict=True)) if rows else {}
    return [
        frozen[id(a.resolution)].pk if isinstance(a, Repriced) and a.resolution else None
        for a in answers
    ]
