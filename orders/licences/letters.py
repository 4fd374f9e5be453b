"""The letter that brings a customer the keys of a licence."""

from collections.abc import Sequence

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from orders.models import Task


def key_letter(task: Task, keys: Sequence[str]) -> tuple[str, str]:
    """Subject and text."""
    version = task.line.product_version
    told = {"product": version.product.name, "order": task.line.order.number}
    subject = _("Your licence for %(product)s") % told
    begins = ngettext(
        "here is your licence key for %(product)s (order %(order)s):",
        "here are your licence keys for %(product)s (order %(order)s):",
        len(keys),
    )
    lines = [
        begins % told,
        "\n".join(f"    {key}" for key in keys),
        _("Please keep this message: we do not show a key twice."),
        task.account.legal_entity.name,
    ]
    return subject, "\n\n".join(lines) + "\n"
