"""Why a change of what is in service is refused."""

from o2b.errors import Invalid, Refused


class ItemUnknown(Invalid):
    code = "item_unknown"


class ChangedMeanwhile(Refused):
    """It is not any more what was looked at when the change was made."""

    code = "changed_meanwhile"


class DayInvalid(Invalid):
    code = "day_invalid"


class NoPeriod(Refused):
    code = "no_period"


class NoTerm(Refused):
    code = "no_term"


class WaiverNotYours(Refused):
    code = "waiver_not_yours"


class NothingChanges(Refused):
    code = "nothing_changes"


class OtherCurrency(Refused):
    code = "other_currency"


class OtherSeller(Refused):
    code = "other_seller"


class NoticeTooShort(Refused):
    code = "notice_too_short"


class SuspendedThen(Refused):
    code = "suspended_then"


class BillingInvalid(Invalid):
    code = "billing_invalid"


class AccountUnknown(Invalid):
    code = "account_unknown"


class ChangeUnknown(Invalid):
    code = "change_unknown"


class HappenedAlready(Refused):
    code = "happened_already"


class VersionUnknown(Invalid):
    code = "version_unknown"


class ReasonTooLong(Invalid):
    code = "reason_invalid"


class NotDelivered(Refused):
    code = "not_delivered"


class NotTogether(Refused):
    code = "not_together"
