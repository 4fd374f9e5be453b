"""What one may do in the catalog: write and publish versions, sign contracts, freeze Terms."""

from o2b.catalog.services.books import (
    PricesInvalid,
    discard_price_book_version,
    draft_price_book_version,
    set_policy,
)
from o2b.catalog.services.books import (
    in_words as fault_in_words,
)
from o2b.catalog.services.contracts import (
    claim_fixed_discounts,
    refuse_overlaps,
    release_fixed_discount,
    sign_contract,
)
from o2b.catalog.services.editing import TooManyRows, edit_prices
from o2b.catalog.services.negotiated import (
    DocumentInvalid,
    attach_document,
    warnings_of_contract,
)
from o2b.catalog.services.opening import create_price_book
from o2b.catalog.services.planning import (
    PlanChanged,
    discard_plan,
    draft_plan,
    edit_plan,
    import_plan,
    publish_delivery_plan,
    refuse_plan,
    submit_plan,
)
from o2b.catalog.services.planning import (
    in_words as plan_fault_in_words,
)
from o2b.catalog.services.planning import (
    words_of as words_of_plan_fault,
)
from o2b.catalog.services.products import (
    create_product,
    discard_draft,
    draft_product_version,
    edit_product_version,
    retire_product,
)
from o2b.catalog.services.publication import (
    faults_of_book_version,
    publish_price_book_version,
    retire_price_book_version,
    submit_price_book_version,
    warnings_of_book_version,
)
from o2b.catalog.services.publishing import (
    publish_product_version,
    retire_product_version,
    submit_product_version,
)
from o2b.catalog.services.refusals import (
    ContractOverlaps,
    DefinitionInvalid,
    DraftOpen,
    NotADraft,
    NothingToPublish,
    ProductExists,
    ProductUnknown,
    SecondPersonNeeded,
    SuccessorInvalid,
    ValueInvalid,
    in_words,
    refuse_first,
)
from o2b.catalog.services.terms import freeze_terms
from o2b.catalog.succession import successor_of

__all__ = [
    "TooManyRows",
    "DocumentInvalid",
    "warnings_of_book_version",
    "warnings_of_contract",
    "attach_document",
    "create_price_book",
    "submit_price_book_version",
    "retire_price_book_version",
    "faults_of_book_version",
    "set_policy",
    "fault_in_words",
    "edit_prices",
    "draft_price_book_version",
    "discard_price_book_version",
    "PricesInvalid",
    "ContractOverlaps",
    "DefinitionInvalid",
    "DraftOpen",
    "NotADraft",
    "NothingToPublish",
    "PlanChanged",
    "ProductExists",
    "ProductUnknown",
    "SecondPersonNeeded",
    "SuccessorInvalid",
    "ValueInvalid",
    "claim_fixed_discounts",
    "create_product",
    "discard_draft",
    "discard_plan",
    "draft_plan",
    "edit_plan",
    "import_plan",
    "plan_fault_in_words",
    "refuse_plan",
    "submit_plan",
    "words_of_plan_fault",
    "draft_product_version",
    "edit_product_version",
    "freeze_terms",
    "in_words",
    "publish_delivery_plan",
    "publish_price_book_version",
    "publish_product_version",
    "refuse_first",
    "refuse_overlaps",
    "release_fixed_discount",
    "retire_product",
    "retire_product_version",
    "sign_contract",
    "submit_product_version",
    "successor_of",
]
