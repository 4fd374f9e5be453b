"""The forms of the catalog: products, price books, the simulator, documents of contracts."""

from o2b.catalog.forms.books import BookForm, PolicyForm
from o2b.catalog.forms.contracts import DocumentForm
from o2b.catalog.forms.dry_run import DryRun
from o2b.catalog.forms.plan_shown import shown_editor
from o2b.catalog.forms.plans import PlanEditor, PlanFile
from o2b.catalog.forms.prices import PriceForm
from o2b.catalog.forms.products import TYPES, ProductForm, RetireForm, VersionEditor
from o2b.catalog.forms.simulator import Question

__all__ = [
    "TYPES",
    "BookForm",
    "DocumentForm",
    "DryRun",
    "PlanEditor",
    "PlanFile",
    "PolicyForm",
    "PriceForm",
    "ProductForm",
    "Question",
    "RetireForm",
    "VersionEditor",
    "shown_editor",
]
