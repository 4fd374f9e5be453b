"""The pages of catalog."""

from django.urls import path

from o2b.catalog import views

app_name = "catalog"
urlpatterns = [
    path("", views.ProductList.as_view(), name="product-list"),
    path("products/<slug:code>/", views.product, name="product"),
    path("books/", views.BookList.as_view(), name="book-list"),
    path("books/<slug:code>/", views.book, name="book"),
    path("contracts/<int:pk>/", views.contract, name="contract"),
    path("contracts/of-account/<int:account_id>/", views.of_account, name="of-account"),
]
