"""Pages of subscriptions: the list, one subscription, and panels on other stages' pages."""

from subscriptions.views.lists import SubscriptionList
from subscriptions.views.pages import subscription
from subscriptions.views.panels import of_account, of_order

__all__ = ["SubscriptionList", "of_account", "of_order", "subscription"]
