"""Publish and retire versions of price books: checked as a whole, by a second person."""

from collections.abc import Iterator, Mapping
from datetime import date, datetime

from django.db import transaction
from django.db.models import Max, Q, QuerySet
from django.utils.translation import gettext as _
from django_fsm import TransitionNotAllowed

from o2b import events
from o2b.catalog.book_rows import Known, examine_all, known_of
from o2b.catalog.models import (
    Contract,
    ContractPrice,
    Price,
    PriceBook,
    PriceBookVersion,
    ProductVersion,
)
from o2b.catalog.models.products import Lifecycle
from o2b.catalog.rules.books import (
    BookRow,
    RowFault,
    faults_of_header,
    faults_of_rows,
    missing_prices,
)
from o2b.catalog.rules.faults import gettext_noop
from o2b.catalog.services.books import header_of, locked_draft, refuse_prices
from o2b.catalog.services.measured import faults_of_meters, warnings_of_meters
from o2b.catalog.services.publishing import publish, submit
from o2b.catalog.services.refusals import NotADraft, NothingToPublish

DROPPED = gettext_noop(
    "%(product)s v%(version)s is on sale and priced by the version before; here it has no price."
)
NOWHERE = gettext_noop("%(product)s v%(version)s is on sale and has no price anywhere.")


@transaction.atomic
def submit_price_book_version(*, version_id: int, by: int, at: datetime) -> PriceBookVersion:
    """Ask for the second person; refuses what could not be published."""
    locked_draft(version_id)
    version = submit(PriceBookVersion, pk=version_id, by=by, at=at)
    _refuse_faulty(version)
    events.record("price_book_version.submitted", version, at=at, actor_id=by)
    return version


@transaction.atomic
def publish_price_book_version(
    *, version_id: int, at: datetime, by: int | None = None
) -> PriceBookVersion:
    """Make a version of a book valid from its day on, and freeze it with its prices.

    `by` is somebody else than who prepared it; programs publish only what nobody prepared.
    """
    found = PriceBookVersion.objects.only("book_id").get(pk=version_id)
    # One at a time in a book, so that a version is checked beside the one it follows.
    PriceBook.objects.select_for_update().get(pk=found.book_id)
    version = publish(PriceBookVersion, pk=version_id, at=at, by=by)
    _refuse_faulty(version)
    if by is not None:
        events.record("price_book_version.published", version, at=at, actor_id=by)
    return version


@transaction.atomic
def retire_price_book_version(
    *, version_id: int, on: date, at: datetime, by: int | None = None
) -> PriceBookVersion:
    """From the day on nothing is priced by it any more; what was promised stays promised."""
    version = PriceBookVersion.objects.select_for_update().get(pk=version_id)
    try:
        version.retire(on=on)
    except TransitionNotAllowed as exc:
        message = _("%(version)s is %(state)s; only a published one retires.")
        told = {"version": version, "state": version.get_state_display()}
        raise NotADraft(message % told) from exc
    version.save()
    events.record("price_book_version.retired", version, at=at, actor_id=by, on=on.isoformat())
    return version


def faults_of_book_version(version: PriceBookVersion) -> list[RowFault]:
    """Everything that stands in the way of its publication; `row` is the key of the price."""
    faults = list(faults_of_header(header_of(version)))
    currency = version.book.currency
    prices = list(version.prices.order_by("product__code", "key", "pk"))
    known = known_of({price.product_id for price in prices})
    rows, broken = examine_all(prices, currency, known)
    faults += broken
    faults += faults_of_rows(rows, known.characteristics)
    faults += faults_of_meters(rows, since=version.valid_from)
    return faults + list(_missing(version, rows, known))


def warnings_of_book_version(version: PriceBookVersion) -> list[RowFault]:
    """What its publication does not stop for: usage that nothing measures, units nobody draws."""
    book = version.book
    return warnings_of_meters(version.prices.all(), currency=book.currency, book=book)


def _refuse_faulty(version: PriceBookVersion) -> None:
    if not version.prices.exists():
        raise NothingToPublish(
            _("%(version)s has no prices.") % {"version": version}, field="prices"
        )
    refuse_prices(faults_of_book_version(version))


def _missing(version: PriceBookVersion, rows: list[BookRow], known: Known) -> Iterator[RowFault]:
    """Products on sale that the book prices no more, or that nobody prices."""
    broken = set(known.codes.values()) - {row.product for row in rows}
    dropped = {p: v for p, v in _priced_before(version).items() if p not in broken}
    yield from missing_prices(rows, dropped, DROPPED)
    if version.book.is_default:
        nowhere = {p: v for p, v in _priced_nowhere(version).items() if p not in dropped}
        yield from missing_prices(
            rows, {p: v for p, v in nowhere.items() if p not in broken}, NOWHERE
        )


def _priced_before(version: PriceBookVersion) -> dict[str, int]:
    """Products on sale, with their version, that the book's running version prices."""
    published = version.book.versions.filter(state=Lifecycle.PUBLISHED).exclude(pk=version.pk)
    running = published.order_by("-valid_from", "-number").first()
    if running is None:
        return {}
    sold = _on_sale()
    priced = _pricing(running.prices.filter(product__code__in=sold), sold)
    return {code: sold[code] for code in priced}


def _priced_nowhere(version: PriceBookVersion) -> dict[str, int]:
    """Products on sale that nothing else would price once the version counts.

    A price in another currency is enough: not everything is sold in each of them.
    """
    sold = _on_sale()
    day = version.valid_from
    nobodys = Q(
        version__book__is_default=False, version__book__segment="", version__book__account=None
    )
    listed = Price.objects.exclude(nobodys).exclude(version__state=Lifecycle.DRAFT)
    somewhere = _pricing(listed.filter(_lasts("version", day)), sold)
    negotiated = ContractPrice.objects.exclude(contract__state=Contract.State.DRAFT)
    lasting = negotiated.filter(_lasts("contract", day)).order_by()
    somewhere |= set(lasting.values_list("product__code", flat=True).distinct())
    return {code: number for code, number in sold.items() if code not in somewhere}


def _lasts(path: str, day: date) -> Q:
    """What is valid beyond a day, or becomes valid later."""
    ends = Q(**{f"{path}__valid_to": None}) | Q(**{f"{path}__valid_to__gt": day})
    retires = Q(**{f"{path}__retired_on": None}) | Q(**{f"{path}__retired_on__gt": day})
    return ends & retires


def _pricing(prices: QuerySet[Price], sold: Mapping[str, int]) -> set[str]:
    """The products of which a price is for the version on sale."""
    said = prices.order_by().values_list("product__code", "from_version", "to_version").distinct()
    return {
        code
        for code, first, last in said
        if code in sold and first <= sold[code] and (last is None or sold[code] <= last)
    }


def _on_sale() -> dict[str, int]:
    """The newest version of each product that is on sale."""
    versions = ProductVersion.objects.filter(state=Lifecycle.PUBLISHED).order_by()
    newest = versions.values("product__code").annotate(newest=Max("number"))
    return dict(newest.values_list("product__code", "newest"))
