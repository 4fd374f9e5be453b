"""The days that an order may name: when work begins, and by when delivery is promised."""

from datetime import date

from django.utils.translation import gettext as _

from o2b.errors import Invalid
from orders.models import Priority
from quotes.inputs import FIRST_YEAR, LAST_YEAR


class DayInvalid(Invalid):
    """A day on which that cannot be."""

    code = "day_invalid"


class PriorityUnknown(Invalid):
    code = "priority_unknown"


def check_days(*, today: date, work_from: date | None, promised_on: date | None) -> None:
    """Refuse a promise that is broken already, and days that no calendar of ours reaches.

    Work from a day that has passed begins at once.
    """
    for field, told in (("work_from", work_from), ("promised_on", promised_on)):
        if told and not FIRST_YEAR <= told.year <= LAST_YEAR:
            raise DayInvalid(_("No calendar of ours reaches this day."), field=field)
    if promised_on and promised_on < today:
        raise DayInvalid(_("This day has passed; promise one from today on."), field="promised_on")
    if promised_on and work_from and promised_on < work_from:
        message = _("Work begins only after the promised day: promise a later one.")
        raise DayInvalid(message, field="promised_on")


def check_priority(told: object) -> int:
    """The priority, by its number."""
    if told not in Priority.values or isinstance(told, bool):
        known = ", ".join(f"{priority.value} ({priority.label})" for priority in Priority)
        raise PriorityUnknown(_("Priorities are: %(known)s.") % {"known": known}, field="priority")
    return int(str(told))
