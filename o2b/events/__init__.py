"""Record what happened, and see to it that every reaction to it takes effect, once or more.

The event and one outbox row a reaction are written in the caller's transaction. After the commit
the rows are sent to Celery; whether that works or not, a row stays until the reaction deletes it in
the transaction of its own effect. The sweeper sends again what stays too long.
"""

from o2b.events.outbox import done, drain, hand_back, postpone, publish, sweep
from o2b.events.periodic import alone, periodic
from o2b.events.reactions import batch_reaction, outside_reaction, reaction
from o2b.events.recording import record, record_many

__all__ = [
    "alone",
    "batch_reaction",
    "done",
    "drain",
    "hand_back",
    "outside_reaction",
    "periodic",
    "postpone",
    "publish",
    "reaction",
    "record",
    "record_many",
    "sweep",
]
