"""Addresses of care, in the names of orders."""

from django.urls import path

from orders.care import panels, public, views

urlpatterns = [
    path("track/<str:token>/", public.track, name="track"),
    path("complaints/", views.ComplaintList.as_view(), name="complaints"),
    path("complaints/<int:pk>/", views.complaint, name="complaint"),
    path("complaints/<int:pk>/take/", views.take, name="complaint-take"),
    path("complaints/<int:pk>/hand-over/", views.hand_over, name="complaint-hand-over"),
    path("complaints/<int:pk>/resolve/", views.resolve, name="complaint-resolve"),
    path("complaints/<int:pk>/reopen/", views.reopen, name="complaint-reopen"),
    path("questions/", views.QuestionList.as_view(), name="questions"),
    path("questions/<int:pk>/", views.question, name="question"),
    path("<int:pk>/complain/", views.new_complaint, name="complain"),
    path("<int:pk>/care/", panels.of_order, name="care"),
    path("care-of-account/<int:pk>/", panels.of_account, name="care-of-account"),
]
