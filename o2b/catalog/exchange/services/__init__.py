"""Take a sheet into the catalog as drafts, try it first, and take it back."""

from o2b.catalog.exchange.services.importing import import_catalog
from o2b.catalog.exchange.services.tariffs import import_tariffs
from o2b.catalog.exchange.services.undoing import NotUndoable, undo_import
from o2b.catalog.exchange.services.uploads import (
    UploadGone,
    discard_uploads,
    import_upload,
    try_upload,
)

__all__ = [
    "NotUndoable",
    "UploadGone",
    "discard_uploads",
    "import_catalog",
    "import_tariffs",
    "import_upload",
    "try_upload",
    "undo_import",
]
