"""Questions of usage."""

from subscriptions.usage.selectors.desk import (
    by_standing,
    pending,
    recorded_from,
    recorded_until,
    rejected,
    waiting_counts,
)
from subscriptions.usage.selectors.equation import (
    Equation,
    equation,
    equations,
    known_sources,
    recorded_today,
)
from subscriptions.usage.selectors.meters import meters_to_judge_by
from subscriptions.usage.selectors.searching import (
    dressed,
    elsewhere,
    no_events,
    of_service,
    on_days,
    services_named,
    services_of_text,
    story_of,
    totals_of,
    with_id,
)
from subscriptions.usage.selectors.serving import live_usage
from subscriptions.usage.selectors.unpriced import (
    unpriced_of_all,
    unpriced_usage,
    with_prices,
)

__all__ = [
    "Equation",
    "by_standing",
    "dressed",
    "elsewhere",
    "equation",
    "equations",
    "known_sources",
    "live_usage",
    "meters_to_judge_by",
    "no_events",
    "of_service",
    "on_days",
    "pending",
    "recorded_from",
    "recorded_today",
    "recorded_until",
    "rejected",
    "services_named",
    "services_of_text",
    "story_of",
    "totals_of",
    "unpriced_of_all",
    "unpriced_usage",
    "waiting_counts",
    "with_id",
    "with_prices",
]
