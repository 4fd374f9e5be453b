"""The forms of the catalog: products, price books, the simulator, documents of contracts."""

from o2b.catalog.forms.books import BookForm, PolicyForm
from o2b.catalog.forms.contracts import DocumentForm
from o2b.catalog.forms.prices import PriceForm
from o2b.catalog.forms.products import TYPES, ProductForm, RetireForm, VersionEditor
from o2b.catalog.forms.simulator import Question

__all__ = [
    "TYPES",
    "BookForm",
    "DocumentForm",
    "PolicyForm",
    "PriceForm",
    "ProductForm",
    "Question",
    "RetireForm",
    "VersionEditor",
]
