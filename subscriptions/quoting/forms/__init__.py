"""The editor of a quote of changes: what its fields said, what is wrong with it, what it brings."""

from subscriptions.quoting.forms.editor import ChangeEditor
from subscriptions.quoting.forms.headers import AccountNamed
from subscriptions.quoting.forms.known import Known, known_services, services_to_quote

__all__ = ["AccountNamed", "ChangeEditor", "Known", "known_services", "services_to_quote"]
