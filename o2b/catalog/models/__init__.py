"""Products and their versions, delivery plans, price books, contracts, and frozen Terms."""

from o2b.catalog.models.contracts import (
    Contract,
    ContractCommitment,
    ContractDiscount,
    ContractDocument,
    ContractPool,
    ContractPrice,
    FixedDiscountClaim,
)
from o2b.catalog.models.decks import DeckRate, RateDeck, RateDeckVersion
from o2b.catalog.models.exchange import CatalogImport, CatalogUpload
from o2b.catalog.models.meters import Meter, MeterVersion
from o2b.catalog.models.prices import Price, PriceBook, PriceBookVersion
from o2b.catalog.models.products import (
    BundleOption,
    DeliveryPlan,
    Product,
    ProductRule,
    ProductVersion,
)
from o2b.catalog.models.terms import Terms, TermsCharge

__all__ = [
    "BundleOption",
    "CatalogImport",
    "CatalogUpload",
    "Contract",
    "ContractCommitment",
    "ContractDiscount",
    "ContractDocument",
    "ContractPool",
    "ContractPrice",
    "DeckRate",
    "DeliveryPlan",
    "FixedDiscountClaim",
    "Meter",
    "MeterVersion",
    "Price",
    "PriceBook",
    "PriceBookVersion",
    "Product",
    "ProductRule",
    "ProductVersion",
    "RateDeck",
    "RateDeckVersion",
    "Terms",
    "TermsCharge",
]
