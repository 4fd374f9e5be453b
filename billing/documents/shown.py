"""How pages and papers say what a document is for."""

from decimal import Decimal

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing.models import Invoice
from o2b.customers.layouts import Split
from o2b.web.show import money_text

LABELS = {
    Split.PURCHASE_ORDER: gettext_lazy("Purchase order"),
    Split.SITE: gettext_lazy("Site"),
    Split.ITEM: gettext_lazy("Service"),
}


def about_label(invoice: Invoice) -> str:
    """'Purchase order', 'Site' or 'Service': what a document of split bills is for."""
    label = LABELS.get(Split(invoice.split))
    return str(label) if label else ""


def about_text(invoice: Invoice) -> str:
    """'Purchase order 4711'; empty where bills are not split, or it is for what has none."""
    if not invoice.about:
        return ""
    return _("%(what)s %(which)s") % {"what": about_label(invoice), "which": invoice.about}


def carried_text(found: list[tuple[str, int, Decimal]]) -> str:
    """The sums by currency of what a run carries over."""
    return ", ".join(money_text(total, currency) for currency, _bills, total in found)
