"""The addresses of purchases."""

from django.urls import path

from orders.purchases import views

urlpatterns = [
    path("purchases/", views.PurchaseList.as_view(), name="purchases"),
    path("purchases/<int:pk>/", views.purchase, name="purchase"),
    path("purchases/<int:pk>/receive/", views.receive, name="purchase-receive"),
    path("purchases/<int:pk>/expect/", views.expect, name="purchase-expect"),
    path("purchases/<int:pk>/cancel/", views.cancel, name="purchase-cancel"),
    path("tasks/<int:pk>/purchase/", views.of_task, name="task-purchase"),
    path("purchases/<int:pk>/order.pdf", views.document, name="purchase-document"),
]
