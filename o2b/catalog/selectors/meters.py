"""Questions about meters: those in force with all that judges an event, lists, who uses them."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import groupby
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery
from django.utils.translation import gettext as _

from o2b.catalog.models import ContractPrice, Meter, MeterVersion, Price
from o2b.catalog.models.contracts import Contract
from o2b.catalog.models.products import Lifecycle
from o2b.catalog.rules.unpriced import Said
from o2b.charging import Aggregation
from o2b.charging.terms import Kind
from o2b.web.show import number_text

MOST_USES = 200


class Dimension(NamedTuple):
    """What an event says beside its value; without choices any text will do.

    With `digits` it is a called number, of which totals keep the first so many digits.
    """

    name: str
    required: bool
    choices: tuple[str, ...]
    digits: int = 0


class MeterRow(NamedTuple):
    """A meter as one version of it judges events of the days from `starts_on` until `ends_on`.

    `versions` are all that were published, this one too, by their days (and without versions of
    their own): an event is judged by the version of its own day, `row.on(day)`.
    """

    id: int
    version_id: int
    code: str
    unit: str
    aggregation: Aggregation
    decimals: int
    least: Decimal
    most: Decimal
    dimensions: tuple[Dimension, ...]
    timed: bool
    starts_on: date
    ends_on: date | None = None
    versions: "tuple[MeterRow, ...]" = ()

    def on(self, day: date) -> "MeterRow | None":
        """The version that judges events of a day: of those in force the one that began last."""
        for version in reversed(self.versions):
            begun = version.starts_on <= day
            if begun and (version.ends_on is None or day < version.ends_on):
                return version
        return None


def meters_in_force(on: date) -> dict[str, MeterRow]:
    """Every meter that a published version of is in force on a day, by code; one query."""
    found: dict[str, MeterRow] = {}
    for code, versions in meter_versions().items():
        running = versions[0]._replace(versions=versions).on(on)
        if running is not None:
            found[code] = running._replace(versions=versions)
    return found


def meter_versions() -> dict[str, tuple[MeterRow, ...]]:
    """All that was ever published of each meter, by code, the earliest first; one query."""
    published = MeterVersion.objects.exclude(state=Lifecycle.DRAFT)
    rows = published.order_by("meter__code", "starts_on", "number").values_list(
        "meter_id",
        "pk",
        "meter__code",
        "meter__unit",
        "meter__aggregation",
        "decimals",
        "least",
        "most",
        "dimensions",
        "timed",
        "starts_on",
        "retired_on",
    )
    return {code: tuple(own) for code, own in groupby(map(_row, rows), key=lambda row: row.code)}


STAMP = """
SELECT md5(string_agg(id || ' ' || xmin || ctid, ' ' ORDER BY id)) FROM catalog_meterversion
"""


def meters_stamp() -> str:
    """Another text whenever a version of a meter was written, and quickly asked for."""
    with connection.cursor() as cursor:
        cursor.execute(STAMP)
        return cursor.fetchone()[0] or ""


def _row(said: tuple[Any, ...]) -> MeterRow:
    row = MeterRow(*said)
    return row._replace(
        aggregation=Aggregation(row.aggregation),
        dimensions=tuple(
            Dimension(
                each["name"],
                bool(each.get("required")),
                tuple(each.get("choices") or ()),
                each.get("digits") or 0,
            )
            for each in said[8]
        ),
    )


def published_dimensions(codes: Collection[str]) -> dict[str, dict[str, Collection[str]]]:
    """Of published meters the dimensions of all versions, each with its choices (none: any)."""
    versions = MeterVersion.objects.filter(meter__code__in=codes, state=Lifecycle.PUBLISHED)
    found: dict[str, dict[str, Collection[str]]] = {}
    for code, dimensions in versions.order_by("meter__code", "starts_on", "number").values_list(
        "meter__code", "dimensions"
    ):
        known = found.setdefault(code, {})
        for each in dimensions:
            known[each["name"]] = tuple(each.get("choices") or ())
    return found


def said_of_dimensions(codes: Collection[str]) -> dict[str, dict[str, Said]]:
    """Of published meters what events say of each dimension, by the version that began last."""
    versions = MeterVersion.objects.filter(meter__code__in=codes, state=Lifecycle.PUBLISHED)
    rows = versions.order_by("meter__code", "starts_on", "number")
    return {
        code: {
            each["name"]: Said(tuple(each.get("choices") or ()), bool(each.get("required")))
            for each in dimensions
        }
        for code, dimensions in rows.values_list("meter__code", "dimensions")
    }


def published_aggregations(codes: Collection[str]) -> dict[str, Aggregation]:
    """How each of some published meters adds up, by its code."""
    published = Exists(MeterVersion.objects.filter(meter=OuterRef("pk"), state=Lifecycle.PUBLISHED))
    meters = Meter.objects.order_by().filter(published, code__in=codes)
    return {code: Aggregation(how) for code, how in meters.values_list("code", "aggregation")}


def meters_for_list() -> QuerySet[Meter]:
    """Every meter with its newest number and whether it is published or has a draft."""
    versions = MeterVersion.objects.filter(meter=OuterRef("pk")).order_by("-number")
    return Meter.objects.annotate(
        published=Exists(versions.filter(state=Lifecycle.PUBLISHED)),
        any_draft=Exists(versions.filter(state=Lifecycle.DRAFT)),
        newest=Subquery(versions.values("number")[:1]),
    )


def meter_state(meter: Any) -> str:
    """published, draft or retired; of a row of `meters_for_list`."""
    if meter.published:
        return Lifecycle.PUBLISHED.value
    return Lifecycle.DRAFT.value if meter.any_draft else Lifecycle.RETIRED.value


def versions_of_meter(meter: Meter) -> list[MeterVersion]:
    """Its versions, the newest first."""
    versions = meter.versions.select_related("meter", "prepared_by", "published_by")
    return list(versions.order_by("-number"))


def get_meter_version(code: str, number: int) -> MeterVersion:
    """One version of a meter; a missing one is a 404."""
    found = MeterVersion.objects.select_related("meter", "prepared_by", "published_by")
    return found.get(meter__code=code, number=number)


def dimension_words(each: Mapping[str, Any]) -> str:
    """'required, one of national, mobile'."""
    needed = _("required") if each.get("required") else _("optional")
    choices = ", ".join(each.get("choices") or ())
    said = _("one of %(choices)s") % {"choices": choices} if choices else _("any text")
    if digits := each.get("digits"):
        said = _("a number, kept to %(digits)s digits") % {"digits": digits}
    return f"{needed}, {said}"


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that a version says otherwise than the one before; empty where it said nothing."""

    name: str
    before: str
    after: str


def meter_differences(before: MeterVersion, after: MeterVersion) -> list[Difference]:
    """What differs between two versions of a meter, in words."""
    was, now = _said(before), _said(after)
    names = [*now, *(name for name in was if name not in now)]
    return [
        Difference(name, was.get(name, ""), now.get(name, ""))
        for name in names
        if was.get(name) != now.get(name)
    ]


def _said(version: MeterVersion) -> dict[str, str]:
    return {
        _("Decimals"): str(version.decimals),
        _("Lowest value"): number_text(version.least),
        _("Highest value"): number_text(version.most),
        _("Time of the day"): _("kept") if version.timed else _("not kept"),
        **{each["name"]: dimension_words(each) for each in version.dimensions},
    }


@dataclass(frozen=True, slots=True)
class MeterUse:
    """A price by a meter, or into its pool, of a book or a contract.

    In its newest version that counts or is a draft.
    """

    price: Any
    source: str
    book: str
    contract_id: int | None
    state: str


def uses_of_meter(meter: Meter) -> list[MeterUse]:
    """Prices measured by it or filling its pool, in books and contracts; not of times past."""
    listed = _using(meter, Price.objects).exclude(version__state=Lifecycle.RETIRED)
    listed = listed.select_related("product", "version__book").order_by(
        "version__book__code", "-version__number", "product__code", "key", "pk"
    )
    signed = _using(meter, ContractPrice.objects).exclude(contract__state=Contract.State.RETIRED)
    signed = signed.select_related("product", "contract").order_by(
        "contract__code", "-contract__number", "product__code", "key", "pk"
    )
    found = [
        MeterUse(each, str(each.version), each.version.book.code, None, each.version.state)
        for each in _newest(listed[:MOST_USES])
    ]
    return found + [
        MeterUse(each, str(each.contract), "", each.contract_id, each.contract.state)
        for each in signed[:MOST_USES]
    ]


def measured_by(code: str, prices: Any) -> QuerySet[Any]:
    """Of some prices those of usage by a meter."""
    return prices.filter(_measures(code))


def _measures(code: str) -> Q:
    by_key = Q(key=code) & ~Q(details__has_key="meter")
    return Q(by_key | Q(details__meter=code), kind=Kind.USAGE.value)


def _using(meter: Meter, prices: Any) -> QuerySet[Any]:
    return prices.filter(_measures(meter.code) | Q(details__grant__meter=meter.code))


def _newest(prices: Iterable[Price]) -> Iterable[Price]:
    """Of each book the drafts and the newest published version that names the meter."""
    shown: dict[int, int] = {}
    for price in prices:
        version = price.version
        is_draft = version.state == Lifecycle.DRAFT
        if is_draft or shown.setdefault(version.book_id, version.pk) == version.pk:
            yield price
