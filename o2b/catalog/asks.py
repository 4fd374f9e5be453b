"""What the catalog answers when a door of the ground asks."""

from typing import Any

from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext as _

from o2b.asks import Found, Panel
from o2b.catalog.models import Product

MOST_FOUND = 5


def search(user: Any, text: str) -> list[Found]:
    """Products by code or name."""
    if not user.has_perm("catalog.view_product"):
        return []
    clean = text.replace("\0", "").strip()
    found = Product.objects.filter(Q(code__icontains=clean) | Q(name__icontains=clean))
    return [
        Found(_("Product"), product.name, product.get_absolute_url(), product.code)
        for product in found[:MOST_FOUND]
    ]


def account_panels(user: Any, account_id: int) -> list[Panel]:
    """The account's contracts."""
    if not user.has_perm("catalog.view_product"):
        return []
    return [Panel(_("Contracts"), reverse("catalog:of-account", args=[account_id]))]
