"""Why an event is refused or waits, in sentences that name the remedy."""

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from subscriptions.usage.rules.judging import Rejection

SAID = {
    "required": gettext_noop("It is required."),
    "unreadable": gettext_noop("It cannot be read as an event: %(value)s"),
    "too_long": gettext_noop("It is longer than %(value)s characters."),
    "unprintable": gettext_noop("It holds characters that cannot be printed."),
    "no_id": gettext_noop("It is no id of an event."),
    "both": gettext_noop("An event is replaced or retracted, not both."),
    "own_id": gettext_noop("A correction needs an id of its own."),
    "no_account": gettext_noop("It is no reference of an account."),
    "too_old": gettext_noop("It is older than ten years; check its time."),
    "in_the_future": gettext_noop("It lies in the future; check the clock that it was told by."),
    "unknown_meter": gettext_noop("There is no meter of this code."),
    "meter_not_in_force": gettext_noop("The meter does not hold on the day of the event."),
    "wrong_unit": gettext_noop("The meter counts in “%(value)s”; send values in it."),
    "no_number": gettext_noop("It is no number."),
    "out_of_range": gettext_noop("The meter takes values of %(value)s."),
    "too_exact": gettext_noop("The meter takes %(value)s decimals at most."),
    "too_deep": gettext_noop("It has more than %(value)s levels."),
    "no_text": gettext_noop("It is a list or an object; totals are kept apart by texts."),
    "no_choice": gettext_noop("It is none of: %(value)s."),
    "no_called_number": gettext_noop(
        "It is no number: digits with + or 00 before them, spaces, hyphens and brackets."
    ),
    "other_account": gettext_noop("On that day the subject belongs to another account."),
    "beyond_limit": gettext_noop("Its pool is a hard limit and has no units left for it."),
    "already_corrected": gettext_noop("The event is corrected already, by “%(value)s”."),
    "of_a_retraction": gettext_noop("A retraction cannot be corrected; send the usage anew."),
}


def say(rejection: Rejection) -> str:
    """The sentence for a person, in the language of the request."""
    return _(SAID[rejection.code]) % {"value": rejection.value}
