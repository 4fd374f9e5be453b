"""The pages of orders."""

from django.urls import include, path

from orders import views
from orders.acceptance import views as acceptance
from orders.entry import views as entry
from orders.fulfilment import views as fulfilment
from orders.timing import views as timing

app_name = "orders"
urlpatterns = [
    path("", views.OrderList.as_view(), name="list"),
    path("new/", entry.new_order, name="new"),
    path("<int:pk>/", views.detail, name="detail"),
    path("lines/<int:pk>/", views.line, name="line"),
    path("lines/<int:pk>/hold/", fulfilment.hold_line, name="line-hold"),
    path("lines/<int:pk>/resume/", fulfilment.resume_line, name="line-resume"),
    path("lines/<int:pk>/wait/", timing.wait_for_customer, name="line-wait"),
    path("lines/<int:pk>/answered/", timing.customer_answered, name="line-answered"),
    path("<int:pk>/promise/", timing.promise_day, name="promise"),
    path("lines/<int:pk>/cancel/", fulfilment.cancel_line, name="line-cancel"),
    path("queue/", fulfilment.queue, name="queue"),
    path("queue/next/", fulfilment.claim_next, name="claim-next"),
    path("tasks/<int:pk>/claim/", fulfilment.claim_task, name="task-claim"),
    path("tasks/<int:pk>/complete/", fulfilment.complete_task, name="task-complete"),
    path("tasks/<int:pk>/fail/", fulfilment.fail_task, name="task-fail"),
    path("", include("orders.work.urls")),
    path("", include("orders.care.urls")),
    path("", include("orders.fallout.urls")),
    path("", include("orders.bulk.urls")),
    path("", include("orders.steering.urls")),
    path("", include("orders.licences.urls")),
    path("", include("orders.purchases.urls")),
    path("", include("orders.visits.urls")),
    path("of-quote/<int:pk>/", views.of_quote, name="of-quote"),
    path("of-account/<int:pk>/", views.of_account, name="of-account"),
    path("accept/<int:pk>/", acceptance.accept_quote, name="accept-quote"),
    path("decline/<int:pk>/", acceptance.decline_quote, name="decline-quote"),
    path("offer/<str:token>/", acceptance.offer_page, name="offer"),
]
