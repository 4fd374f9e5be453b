"""Verbs of alerts: set, change and remove rules; look at usage that changed; write to customers."""

from subscriptions.usage.alerts.services.letters import mail_usage_alerts
from subscriptions.usage.alerts.services.looking import look_at_some, look_at_usage, note_changed
from subscriptions.usage.alerts.services.setting import change_alert, remove_alert, set_alert
from subscriptions.usage.alerts.services.telling import tell_rows

__all__ = [
    "change_alert",
    "look_at_some",
    "look_at_usage",
    "mail_usage_alerts",
    "note_changed",
    "remove_alert",
    "set_alert",
    "tell_rows",
]
