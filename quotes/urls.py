"""The pages of quotes."""

from django.urls import path

from quotes import editing, views

app_name = "quotes"
urlpatterns = [
    path("", views.QuoteList.as_view(), name="list"),
    path("new/", editing.edit, name="new"),
    path("accounts/", editing.accounts, name="accounts"),
    path("of-account/<int:account_id>/", views.of_account, name="of-account"),
    path("<int:pk>/", views.detail, name="detail"),
    path("<int:pk>/edit/", editing.edit, name="edit"),
    path("<int:pk>/send/", views.send, name="send"),
    path("<int:pk>/withdraw/", views.withdraw, name="withdraw"),
    path("<int:pk>/revise/", views.revise, name="revise"),
]
