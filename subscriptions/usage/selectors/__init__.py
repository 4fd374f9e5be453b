"""Questions of usage."""

from subscriptions.usage.selectors.meters import meters_in_force

__all__ = ["meters_in_force"]
