"""Products and their versions, delivery plans, price books, contracts, and frozen Terms."""

from o2b.catalog.models.contracts import (
    Contract,
    ContractDiscount,
    ContractPrice,
    FixedDiscountClaim,
)
from o2b.catalog.models.prices import Price, PriceBook, PriceBookVersion
from o2b.catalog.models.products import DeliveryPlan, Product, ProductVersion
from o2b.catalog.models.terms import Terms, TermsCharge

__all__ = [
    "Contract",
    "ContractDiscount",
    "ContractPrice",
    "DeliveryPlan",
    "FixedDiscountClaim",
    "Price",
    "PriceBook",
    "PriceBookVersion",
    "Product",
    "ProductVersion",
    "Terms",
    "TermsCharge",
]
