"""Why an invoice was not sent, in words."""

from django.utils.translation import gettext as _

from billing.models import InvoiceSending


def reason_of(row: InvoiceSending) -> str:
    """What stands in the way; what the mail server said where it did."""
    match row.code:
        case "no_contact":
            return _("Nobody is known to mail it to: say where on the account.")
        case "no_pdf":
            return _("The PDF could not be made: %(fault)s") % {"fault": row.fault}
        case "refused":
            return _("The mail server refuses it: %(fault)s") % {"fault": row.fault}
        case "too_long":
            return _("It could not be mailed for two days: %(fault)s") % {"fault": row.fault}
    return row.fault
