"""What a drafted line was computed from beyond what the line itself says: enough to do it again."""

from decimal import Decimal
from typing import NamedTuple

from o2b.charging.sharing import Part
from o2b.charging.usage import Event
from o2b.periods import Period


class UsageBasis(NamedTuple):
    """What a period of usage was priced from.

    `quantity` is exact (a line keeps six decimals). `events` as the price saw them, in their order.
    `covered` are the units that cost nothing, None if there are no such; of them `own` came from
    the allowance, of which `available` could be used, and `prepaid` from a pool.
    """

    quantity: Decimal
    events: tuple[Event, ...] = ()
    covered: Decimal | None = None
    available: Decimal | None = None
    own: Decimal | None = None
    prepaid: Decimal = Decimal(0)


class Basis(NamedTuple):
    """The pieces of a full period up to and with that of the line; (quantity, days) each.

    `before` is what earlier revisions billed, None for the first. Without pieces the days were
    billed once and are served no more: nothing should have been billed. `part` is what its payer
    has of the `whole` that all pieces cost together, rounded; None for who pays it all.
    `delivered` is how much of each piece was there, empty where all of each was. `paid` are those
    pieces, counted from 1, that were paid whole, as another charge: after them only what costs more
    is paid by the day.
    """

    pieces: tuple[tuple[Decimal, Period], ...]
    before: Decimal | None = None
    usage: UsageBasis | None = None
    part: Part | None = None
    whole: Decimal | None = None
    delivered: tuple[Decimal, ...] = ()
    paid: tuple[int, ...] = ()
