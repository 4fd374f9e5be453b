"""The doors through which an order is steered as a whole."""

from django.urls import path

from orders.steering import views

urlpatterns = [
    path("<int:pk>/hold/", views.hold, name="hold"),
    path("<int:pk>/resume/", views.resume, name="resume"),
    path("<int:pk>/cancel/", views.cancel, name="cancel"),
    path("<int:pk>/priority/", views.priority, name="priority"),
    path("<int:pk>/work-from/", views.work_from, name="work-from"),
    path("<int:pk>/po-number/", views.po_number, name="po-number"),
    path("<int:pk>/documents/", views.documents, name="documents"),
]
