"""Delivery plans: what one may hold, whether it is sound, and what it comes to for one line."""

from o2b.catalog.plans.checking import Surroundings, check_plan, faults_of_plan
from o2b.catalog.plans.expressions import ExpressionBroken, evaluate
from o2b.catalog.plans.faults import PlanBroken, PlanFault
from o2b.catalog.plans.laying import Facts, Laid, lay_out

__all__ = [
    "ExpressionBroken",
    "Facts",
    "Laid",
    "PlanBroken",
    "PlanFault",
    "Surroundings",
    "check_plan",
    "evaluate",
    "faults_of_plan",
    "lay_out",
]
