"""Why an agreement about how long a service runs is refused."""

from o2b.errors import Invalid, Refused


class MonthsInvalid(Invalid):
    code = "months_invalid"


class RenewalInvalid(Invalid):
    code = "renewal_invalid"


class UpliftInvalid(Invalid):
    code = "uplift_invalid"


class NoticeInvalid(Invalid):
    code = "notice_invalid"


class LeavingFeeInvalid(Invalid):
    code = "leaving_fee_invalid"


class EndsEarlier(Refused):
    """What was agreed may be made longer, not shorter: that is leaving it."""

    code = "ends_earlier"


class Gap(Refused):
    """Between the term that runs and the new one there would be days without any."""

    code = "commitment_gap"


class NoCommitment(Refused):
    code = "no_commitment"


class NothingToRenew(Refused):
    code = "nothing_to_renew"


class NoServices(Invalid):
    code = "no_services"
