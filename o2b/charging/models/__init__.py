"""How a quantity becomes an amount: one pure exact function for each price model.

| model                | a period costs                                                    |
|----------------------|-------------------------------------------------------------------|
| flat                 | unit price                                                        |
| per_unit             | unit price × quantity                                             |
| graduated            | each tier's units at its price, and the flat fee of each reached  |
| volume               | all units at the price of the tier the total falls in, and its fee|
| stairstep            | the flat fee of the tier the total falls in                       |
| package              | unit price × started packages                                     |
| percentage           | percent of the value, and what each event adds or bounds          |
| graduated_percentage | as graduated, prices in percent                                   |
| rated                | each call by its seconds                                          |

A price is exact; only what is divided (shares of blocks, seconds of a minute) ends after
`QUOTIENT_PLACES` decimals.
"""

from o2b.charging.models.blocks import QUOTIENT_PLACES, cost_of_blocks, quotient, started_blocks
from o2b.charging.models.calls import RatedCall, billed_seconds, rate_call, seconds_between
from o2b.charging.models.events import (
    EventCharge,
    EventsNeeded,
    charge_events,
    events_of_running_totals,
)
from o2b.charging.models.matrix import Ambiguous, best_match, conflicts
from o2b.charging.models.prorated import Added, graduated_prorated
from o2b.charging.models.tiers import BeyondTiers, TierTable

__all__ = [
    "QUOTIENT_PLACES",
    "Added",
    "Ambiguous",
    "BeyondTiers",
    "EventCharge",
    "EventsNeeded",
    "RatedCall",
    "TierTable",
    "best_match",
    "billed_seconds",
    "charge_events",
    "conflicts",
    "cost_of_blocks",
    "events_of_running_totals",
    "graduated_prorated",
    "quotient",
    "rate_call",
    "seconds_between",
    "started_blocks",
]
