"""What a document says of a line beside its text; of a correction, what it corrects and why."""

from decimal import Decimal

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from billing.invoices.correcting import Cause, Correction
from billing.invoices.payers import part_notes
from billing.models import InvoiceLine
from o2b.charging.draft import CHANGE, LATE, POOL, REVERSAL
from o2b.charging.terms import plain
from o2b.web.show import day_text, money_text, number_text

MOST_CAUSES = 3
ACTS = {
    "terms": gettext_lazy("another price"),
    "product": gettext_lazy("another product"),
    "replace": gettext_lazy("another version"),
    "quantity": gettext_lazy("another quantity"),
    "suspend": gettext_lazy("suspension"),
    "resume": gettext_lazy("return from a suspension"),
    "transfer": gettext_lazy("passed on to another account"),
    "end": gettext_lazy("end of the service"),
    "withdraw": gettext_lazy("a change was taken back"),
}


def notes_of(row: InvoiceLine) -> list[str]:
    """Discounts of the Terms, and what sets this line apart from the usual."""
    currency = row.charge.currency
    notes = [_discount(each, currency) for each in row.charge.terms_charge.discounts]
    notes += part_notes(row)
    if row.cause in (LATE, POOL):
        notes.append(_late(row.cause))
    elif row.cause == REVERSAL:
        notes.append(_("taken back"))
    elif row.revision > 1:
        notes.append(_("correction %(n)s") % {"n": row.revision - 1})
    return notes


def _discount(discount: dict[str, str], currency: str) -> str:
    value = Decimal(discount["value"])
    size = abs(value)
    what = f"{plain(size)} %" if discount["kind"] == "percent" else money_text(size, currency)
    if value < 0:
        return _("plus %(what)s") % {"what": what}
    return _("less %(what)s") % {"what": what}


def _late(cause: str) -> str:
    if cause == LATE:
        return _("usage told after the bill of its month")
    return _("what the pool covers changed after the bill of its month")


def correction_title(each: Correction) -> str:
    """The document that it corrects, and its day."""
    bill = each.corrects
    return _("Correction of %(number)s of %(day)s") % {
        "number": bill.number,
        "day": day_text(bill.issued_on),
    }


def correction_note(each: Correction) -> str:
    """Why, and at which rate of tax."""
    rate = [_("tax %(percent)s %%") % {"percent": number_text(each.tax_rate)}] if each.tax else []
    return " · ".join([*causes_in_words(each), *rate])


def causes_in_words(each: Correction) -> list[str]:
    """'another quantity from 15 Jan 2026, order O-12'; of very many changes the first ones."""
    told = [_late(kind) for kind in each.kinds if kind != CHANGE]
    told += [_cause(cause) for cause in each.causes[:MOST_CAUSES]]
    more = len(each.causes) - MOST_CAUSES
    if more > 0:
        told.append(ngettext("%(n)s more change", "%(n)s more changes", more) % {"n": more})
    return told or [_("computed again from what is known now")]


def _cause(cause: Cause) -> str:
    act = "product" if cause.act == "terms" and cause.other_product else cause.act
    return _("%(what)s from %(day)s, order %(order)s") % {
        "what": ACTS[act],
        "day": day_text(cause.on),
        "order": f"O-{cause.order_id}",
    }
