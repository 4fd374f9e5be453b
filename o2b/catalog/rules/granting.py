"""What makes a grant one that can be used: a pool of its meter, and something that draws by it."""

from collections.abc import Collection, Iterator, Mapping, Sequence

from o2b.catalog.rules.books import BookRow, RowFault
from o2b.catalog.rules.faults import gettext_noop as _
from o2b.charging import Aggregation
from o2b.charging.pooling import may_draw, may_pool

NO_POOL = _(
    "There is no published meter “%(meter)s” whose pool it could fill: publish it first, or name "
    "another."
)
NOT_POOLED = _(
    "Meter %(meter)s is no sum of events (%(aggregation)s): what its usage is stands only at the "
    "end of a period, so nothing can be drawn day by day. Name a meter that sums, counts or keeps "
    "each event by itself."
)
UNDRAWN = _(
    "%(product)s, %(key)s: no price of usage draws by the meter “%(meter)s”, so what it brings "
    "into the pool is never used."
)

# How each published meter adds up, by its code.
Aggregations = Mapping[str, Aggregation]


def faults_of_grants(rows: Sequence[BookRow], meters: Aggregations) -> Iterator[RowFault]:
    """Prices that fill a pool which cannot be: of no published meter, or of one without days."""
    for row, code in _filling(rows):
        if code not in meters:
            yield row.fault("details.grant", NO_POOL, meter=code)
        elif not may_pool(meters[code]):
            told = str(meters[code].value)
            yield row.fault("details.grant", NOT_POOLED, meter=code, aggregation=told)


def drawn_by(rows: Sequence[BookRow], meters: Aggregations) -> set[str]:
    """The meters by which a price of usage draws from a pool."""
    codes = ((row.charge, row.charge.meter_code) for row in rows)
    return {code for charge, code in codes if code in meters and may_draw(charge, meters[code])}


def undrawn(rows: Sequence[BookRow], drawn: Collection[str]) -> Iterator[RowFault]:
    """Prices whose units nobody could use: they may be published, but help nothing."""
    for row, code in _filling(rows):
        if code not in drawn:
            yield row.fault("details.grant", UNDRAWN, meter=code)


def pools_of(rows: Sequence[BookRow]) -> set[str]:
    """The meters whose pools some prices fill."""
    return {code for _row, code in _filling(rows)}


def _filling(rows: Sequence[BookRow]) -> Iterator[tuple[BookRow, str]]:
    for row in rows:
        grant = row.charge.grant
        if grant is not None and not grant.is_money:
            yield row, grant.meter
