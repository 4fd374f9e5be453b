"""What one may do with a bill run, from opening it to its last number."""

from billing.runs.services.drafting import draft_shard
from billing.runs.services.finalising import (
    OwnRun,
    RunIncomplete,
    RunNotReady,
    approve_run,
    finalise_run,
    finalise_shard,
)
from billing.runs.services.opening import (
    DayTooFar,
    RunOverlaps,
    ScopeEmpty,
    open_run,
    plan_run,
)
from billing.runs.services.rechecking import Recheck, recheck_charges
from billing.runs.services.reversing import (
    NotReversible,
    ReasonMissing,
    RunUnderWay,
    reverse_invoice,
    reverse_run,
)
from billing.runs.services.steering import cancel_run, pause_run, resume_run

__all__ = [
    "DayTooFar",
    "NotReversible",
    "OwnRun",
    "ReasonMissing",
    "Recheck",
    "RunIncomplete",
    "RunNotReady",
    "RunOverlaps",
    "RunUnderWay",
    "ScopeEmpty",
    "approve_run",
    "cancel_run",
    "draft_shard",
    "finalise_run",
    "finalise_shard",
    "open_run",
    "pause_run",
    "plan_run",
    "recheck_charges",
    "resume_run",
    "reverse_invoice",
    "reverse_run",
]
