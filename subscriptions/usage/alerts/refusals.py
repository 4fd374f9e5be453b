"""What alerts refuse."""

from o2b.errors import Invalid, Refused


class AlertInvalid(Invalid):
    """A threshold, a meter or a service that cannot be."""

    code = "usage_alert_invalid"


class AlertExists(Refused):
    """There is a rule of this kind already: change that one."""

    code = "usage_alert_exists"
