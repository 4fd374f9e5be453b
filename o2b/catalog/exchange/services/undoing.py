"""Take back what an import made, as long as all of it is still a draft."""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from django.apps import apps
from django.db import transaction
from django.db.models import Model, ProtectedError, QuerySet
from django.utils.translation import gettext as _

from o2b.catalog.exchange.services.books import delete_versions
from o2b.catalog.models import (
    BundleOption,
    CatalogImport,
    Contract,
    ContractCommitment,
    ContractDiscount,
    ContractPool,
    ContractPrice,
    PriceBook,
    PriceBookVersion,
    Product,
    ProductRule,
    ProductVersion,
)
from o2b.errors import Refused

NAMED = 5


class NotUndoable(Refused):
    code = "not_undoable"


@transaction.atomic
def undo_import(*, import_id: int, by_id: int | None, at: datetime) -> CatalogImport:
    """Delete exactly the drafts that the import made; refuses once one of them is none."""
    taken = CatalogImport.objects.select_for_update().get(pk=import_id)
    if taken.undone_at:
        raise NotUndoable(_("The import was undone already."))
    for label, ids in taken.made.items():
        _check_drafts(label, ids)
    try:
        for model, delete in _DELETES:
            if ids := taken.made.get(model._meta.label_lower):
                delete(ids)
    except ProtectedError as exc:
        users = sorted({str(each) for each in exc.protected_objects})
        raise NotUndoable(
            _("What the import made is in use: %(users)s.") % {"users": ", ".join(users[:NAMED])}
        ) from exc
    taken.undone_at = at
    taken.undone_by_id = by_id
    taken.save(update_fields=["undone_at", "undone_by"])
    return taken


def _check_drafts(label: str, ids: list[int]) -> None:
    model = apps.get_model(label)
    if not hasattr(model, "state"):
        return
    rows: QuerySet[Any] = model._base_manager.filter(pk__in=ids).select_for_update().order_by("pk")
    stuck = [str(row) for row in rows if row.state != "draft"]
    if stuck:
        raise NotUndoable(
            _("No draft any more: %(names)s. Only drafts can be taken back.")
            % {"names": ", ".join(stuck[:NAMED])}
        )


def _delete_product_versions(ids: list[int]) -> None:
    for part in (BundleOption, ProductRule):
        part.objects.filter(version__in=ids).delete()
    # Drafts of one import may succeed each other.
    ProductVersion.objects.filter(pk__in=ids).update(successor=None)
    ProductVersion.objects.filter(pk__in=ids).delete()


def delete_contracts(ids: Iterable[int]) -> None:
    """Draft contracts with all that was negotiated in them."""
    for part in (ContractPrice, ContractDiscount, ContractCommitment, ContractPool):
        part.objects.filter(contract__in=ids).delete()
    Contract.objects.filter(pk__in=ids).delete()


def _delete_books(ids: list[int]) -> None:
    """A book that has got other versions since stays."""
    PriceBook.objects.filter(pk__in=ids, versions=None).delete()


def _delete_products(ids: list[int]) -> None:
    """A product that has got other versions since stays."""
    Product.objects.filter(pk__in=ids, versions=None).delete()


_DELETES: tuple[tuple[type[Model], Callable[[list[int]], None]], ...] = (
    (PriceBookVersion, delete_versions),
    (PriceBook, _delete_books),
    (Contract, delete_contracts),
    (ProductVersion, _delete_product_versions),
    (Product, _delete_products),
)
