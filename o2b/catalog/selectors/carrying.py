"""What meters keep of each event, and which prices look at that."""

from collections.abc import Collection, Iterator
from datetime import date

from o2b.catalog.models import ContractPrice, Price, TermsCharge
from o2b.catalog.models.contracts import Contract
from o2b.catalog.models.prices import ChargeShape
from o2b.catalog.models.products import Lifecycle
from o2b.catalog.resolution.stored import charge_terms
from o2b.catalog.rules.carrying import Kept, needs_time
from o2b.catalog.selectors.meters import MeterRow, measured_by, meter_versions
from o2b.charging import Aggregation
from o2b.charging.terms import Model, TermsInvalid

BY_EVENT = (Model.RATED.value, Model.PERCENTAGE.value)
ANY_CURRENCY = "EUR"


def kept_by_meters(codes: Collection[str], since: date) -> dict[str, Kept]:
    """Of meters what they keep of events of this day and of all later ones; one query."""
    found: dict[str, Kept] = {}
    for code, versions in meter_versions().items():
        if code in codes:
            timed = all(each.timed for each in _in_force(versions, since))
            found[code] = Kept(versions[0].aggregation, timed)
    return found


def _in_force(versions: tuple[MeterRow, ...], since: date) -> Iterator[MeterRow]:
    """Every version that judges events of a day or of a later one."""
    whole = versions[0]._replace(versions=versions)
    turns = {each.starts_on for each in versions} | {each.ends_on for each in versions}
    for day in {since} | {day for day in turns if day is not None and day > since}:
        found = whole.on(day)
        if found is not None:
            yield found


def prices_by_time(code: str, aggregation: str) -> list[str]:
    """Published, signed and promised prices by a meter that hang on the time of each event."""
    if aggregation != Aggregation.EACH:
        return []  # it never had one to keep
    listed = Price.objects.exclude(version__state=Lifecycle.DRAFT)
    signed = ContractPrice.objects.exclude(contract__state=Contract.State.DRAFT)
    found: set[str] = set()
    for rows in (listed, signed, TermsCharge.objects.all()):
        # Promises are many, and say the same.
        alike = measured_by(code, rows).filter(model__in=BY_EVENT)
        alike = alike.order_by("key", "model", "details").distinct("key", "model", "details")
        found |= {price.key for price in alike if _hangs(price)}
    return sorted(found)


def _hangs(price: ChargeShape) -> bool:
    try:
        return needs_time(charge_terms(price, ANY_CURRENCY))
    except TermsInvalid:
        return False  # no usage is rated by it
