"""Questions of usage."""

from subscriptions.usage.selectors.meters import meters_to_judge_by

__all__ = ["meters_to_judge_by"]
