"""The addresses of licence pools and keys."""

from django.urls import path

from orders.licences import views

urlpatterns = [
    path("licences/", views.PoolList.as_view(), name="licence-pools"),
    path("licences/new/", views.new_pool, name="licence-pool-new"),
    path("licences/<int:pk>/", views.pool, name="licence-pool"),
    path("licences/<int:pk>/add/", views.add_keys, name="licence-pool-add"),
    path("tasks/<int:pk>/licence/", views.of_task, name="task-licence"),
    path("tasks/<int:pk>/licence/show/", views.show, name="task-licence-show"),
]
