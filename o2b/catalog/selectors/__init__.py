"""Questions about the catalog: products with prices and plans, books, contracts, differences."""

from o2b.catalog.selectors.books import (
    books_for_list,
    characteristic_names,
    get_book_version,
    match_names,
    names_of_product,
    prices_of,
    version_before,
    version_in_force,
    versions_of_book,
)
from o2b.catalog.selectors.contracts import (
    contracts_for_list,
    contracts_of_account,
    documents_of,
    get_contract,
    versions_of_contract,
)
from o2b.catalog.selectors.differences import Change, Section, version_differences
from o2b.catalog.selectors.drafts import Drafts, drafts_for
from o2b.catalog.selectors.price_differences import PriceChange, price_counts, price_differences
from o2b.catalog.selectors.products import (
    Shelf,
    Step,
    bundles_with,
    get_version,
    plan_of,
    products_for_list,
    shelves_of,
    state_of,
    steps_of,
    versions_of,
)
from o2b.catalog.selectors.rates import Rate, model_words, name_of, rate_of, rhythm_of
from o2b.catalog.selectors.tree import Family, Leaf, Tree, catalog_tree, matching

__all__ = [
    "Change",
    "Drafts",
    "Family",
    "Leaf",
    "PriceChange",
    "Rate",
    "Section",
    "Shelf",
    "Step",
    "Tree",
    "books_for_list",
    "bundles_with",
    "catalog_tree",
    "characteristic_names",
    "contracts_for_list",
    "contracts_of_account",
    "documents_of",
    "drafts_for",
    "get_book_version",
    "get_contract",
    "get_version",
    "match_names",
    "matching",
    "model_words",
    "name_of",
    "names_of_product",
    "plan_of",
    "price_counts",
    "price_differences",
    "prices_of",
    "products_for_list",
    "rate_of",
    "rhythm_of",
    "shelves_of",
    "state_of",
    "steps_of",
    "version_before",
    "version_differences",
    "version_in_force",
    "versions_of",
    "versions_of_book",
    "versions_of_contract",
]
