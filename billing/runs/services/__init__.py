"""What one may do with a bill run, from opening it to its last number."""

from billing.runs.services.choosing import ScopeEmpty
from billing.runs.services.drafting import draft_shard
from billing.runs.services.finalising import (
    OwnRun,
    approve_run,
    finalise_run,
    finalise_shard,
)
from billing.runs.services.gating import (
    AdvocatesLooking,
    RetriesPending,
    RunIncomplete,
    RunNotReady,
)
from billing.runs.services.opening import DayTooFar, RunOverlaps, open_run, plan_run
from billing.runs.services.rechecking import Recheck, recheck_charges
from billing.runs.services.retrying import ask_retry, retry_shard
from billing.runs.services.reversing import (
    NotReversible,
    ReasonMissing,
    RunUnderWay,
    reverse_invoice,
    reverse_run,
)
from billing.runs.services.steering import cancel_run, pause_run, resume_run
from billing.runs.services.taking_out import (
    NothingToSetAside,
    NotYourAccount,
    assign_parked,
    say_fine,
    set_aside,
    veto_bill,
)

__all__ = [
    "AdvocatesLooking",
    "DayTooFar",
    "NotYourAccount",
    "NothingToSetAside",
    "NotReversible",
    "OwnRun",
    "ReasonMissing",
    "Recheck",
    "RetriesPending",
    "RunIncomplete",
    "RunNotReady",
    "RunOverlaps",
    "RunUnderWay",
    "ScopeEmpty",
    "approve_run",
    "ask_retry",
    "assign_parked",
    "cancel_run",
    "draft_shard",
    "finalise_run",
    "finalise_shard",
    "open_run",
    "pause_run",
    "plan_run",
    "recheck_charges",
    "resume_run",
    "retry_shard",
    "say_fine",
    "set_aside",
    "veto_bill",
    "reverse_invoice",
    "reverse_run",
]
