"""The columns of each kind of sheet, as docs/import.md explains them."""

from o2b.catalog.exchange import charges
from o2b.catalog.exchange.sheets import Layout
from o2b.catalog.models.exchange import SheetKind

PRODUCTS = Layout(
    required=("code", "name"),
    optional=(
        "family",
        "unit",
        "quantity_places",
        "description",
        "characteristics",
        "eligibility_segments",
        "eligibility_countries",
        "requires",
        "excludes",
        "components",
        "successor",
    ),
)
OF_A_PRICE = ("from_version", "to_version", "discount_limit")
BOOKS = Layout(
    required=charges.REQUIRED,
    optional=(*charges.OPTIONAL, *OF_A_PRICE),
    many=(charges.MATCH,),
)
OF_A_CONTRACT = ("valid_from", "valid_to", "term_months", "discounts", "commitments", "pools")
CONTRACTS = Layout(
    required=("account", "contract", "valid_from"),
    optional=(*OF_A_CONTRACT[1:], *charges.REQUIRED, *charges.OPTIONAL),
    many=(charges.MATCH,),
)
LAYOUTS = {
    SheetKind.PRODUCTS: PRODUCTS,
    SheetKind.BOOKS: BOOKS,
    SheetKind.CONTRACTS: CONTRACTS,
}
