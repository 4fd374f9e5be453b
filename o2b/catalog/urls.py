"""The pages of catalog."""

from django.urls import URLPattern, URLResolver, include, path

from o2b.catalog.views import (
    books,
    contracts,
    deck_changes,
    decks,
    grid,
    meters,
    plan_drafts,
    plans,
    product_drafts,
    products,
    publication,
    simulator,
    tree,
)

app_name = "catalog"
of_plan = [
    path("", plans.plan, name="plan"),
    path("edit/", plan_drafts.edit, name="plan-edit"),
    path("try/", plans.dry_run, name="plan-try"),
    path("export/", plans.export, name="plan-export"),
    path("submit/", plan_drafts.submit, name="plan-submit"),
    path("publish/", plans.publish, name="plan-publish"),
    path("discard/", plan_drafts.discard, name="plan-discard"),
]
of_plans: list[URLPattern | URLResolver] = [
    path("", plans.plans, name="plans"),
    path("draft/", plan_drafts.draft, name="plan-draft"),
    path("check/", plan_drafts.check, name="plan-check"),
    path("compare/", plans.compare, name="plan-compare"),
    path("import/", plan_drafts.read_in, name="plan-import"),
    path("<int:number>/", include(of_plan)),
]
of_product: list[URLPattern | URLResolver] = [
    path("", products.product, name="product"),
    path("plans/", include(of_plans)),
    path("compare/", products.compare, name="product-compare"),
    path("draft/", product_drafts.draft, name="product-draft"),
    path("edit/", product_drafts.edit, name="product-edit"),
    path("retire/", products.retire, name="product-retire"),
    path("<int:number>/submit/", products.submit, name="product-submit"),
    path("<int:number>/publish/", products.publish, name="product-publish"),
    path("<int:number>/discard/", products.discard, name="product-discard"),
]
of_version = [
    path("edit/", grid.edit, name="book-edit"),
    path("prices/new/", grid.price, name="price-new"),
    path("prices/<int:pk>/", grid.price, name="price-edit"),
    path("publication/", publication.publication, name="book-publication"),
    path("submit/", publication.submit, name="book-submit"),
    path("publish/", publication.publish, name="book-publish"),
    path("discard/", publication.discard, name="book-discard"),
]
of_book: list[URLPattern | URLResolver] = [
    path("", books.BookPage.as_view(), name="book"),
    path("compare/", books.BookComparison.as_view(), name="book-compare"),
    path("draft/", publication.draft, name="book-draft"),
    path("<int:number>/", include(of_version)),
]
of_meter_version = [
    path("edit/", meters.edit, name="meter-edit"),
    path("submit/", meters.submit, name="meter-submit"),
    path("publish/", meters.publish, name="meter-publish"),
    path("discard/", meters.discard, name="meter-discard"),
    path("retire/", meters.retire, name="meter-retire"),
]
of_meter: list[URLPattern | URLResolver] = [
    path("", meters.meter, name="meter"),
    path("draft/", meters.draft, name="meter-draft"),
    path("<int:number>/", include(of_meter_version)),
]
of_deck_version = [
    path("edit/", decks.edit, name="deck-edit"),
    path("download/", decks.download, name="deck-download"),
    path("submit/", decks.submit, name="deck-submit"),
    path("publish/", decks.publish, name="deck-publish"),
    path("discard/", decks.discard, name="deck-discard"),
    path("retire/", decks.retire, name="deck-retire"),
]
of_deck: list[URLPattern | URLResolver] = [
    path("", decks.DeckPage.as_view(), name="deck"),
    path("draft/", decks.draft, name="deck-draft"),
    path("compare/", deck_changes.DeckComparison.as_view(), name="deck-compare"),
    path("<int:number>/", include(of_deck_version)),
]
urlpatterns = [
    path("", tree.tree, name="tree"),
    path("products/", tree.ProductList.as_view(), name="product-list"),
    path("products/new/", products.new, name="product-new"),
    path("products/<slug:code>/", include(of_product)),
    path("plans/", plans.PlanList.as_view(), name="plan-list"),
    path("books/", books.BookList.as_view(), name="book-list"),
    path("books/new/", books.new, name="book-new"),
    path("books/<slug:code>/", include(of_book)),
    path("meters/", meters.MeterList.as_view(), name="meter-list"),
    path("meters/new/", meters.new, name="meter-new"),
    path("meters/<slug:code>/", include(of_meter)),
    path("decks/", decks.DeckList.as_view(), name="deck-list"),
    path("decks/new/", decks.new, name="deck-new"),
    path("decks/<slug:code>/", include(of_deck)),
    path("simulator/", simulator.simulator, name="simulator"),
    path("simulator/accounts/", simulator.accounts, name="simulator-accounts"),
    path("", include("o2b.catalog.exchange.urls")),
    path("contracts/", tree.ContractList.as_view(), name="contract-list"),
    path("contracts/<int:pk>/", contracts.contract, name="contract"),
    path("contracts/<int:pk>/attach/", contracts.attach, name="attach"),
    path("contracts/<int:pk>/documents/<int:document_id>/", contracts.document, name="document"),
    path("contracts/of-account/<int:account_id>/", contracts.of_account, name="of-account"),
]
