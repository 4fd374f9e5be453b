"""Addresses of fallout: the desk and its remedies, its rules, outside systems, call-backs."""

from django.urls import path

from orders.fallout.views import callbacks, desk, remedies, rules, systems

urlpatterns = [
    path("fallout/", desk.FalloutDesk.as_view(), name="fallout"),
    path("fallout/retry/", remedies.retry_all, name="fallout-retry"),
    path("fallout/rules/", rules.rule_list, name="fallout-rules"),
    path("fallout/rules/new/", rules.rule_new, name="fallout-rule-new"),
    path("fallout/rules/<int:pk>/", rules.rule_edit, name="fallout-rule"),
    path("fallout/rules/<int:pk>/move/", rules.rule_move, name="fallout-rule-move"),
    path("fallout/rules/<int:pk>/switch/", rules.rule_switch, name="fallout-rule-switch"),
    path("fallout/tasks/<int:pk>/", desk.mend, name="task-mend"),
    path("tasks/<int:pk>/retry/", remedies.retry_task, name="task-retry"),
    path("tasks/<int:pk>/edit/", desk.edit, name="task-edit"),
    path("tasks/<int:pk>/take/", remedies.take_by_hand, name="task-take"),
    path("tasks/<int:pk>/correct/", remedies.correct_evidence, name="task-correct"),
    path("lines/<int:pk>/go-on/", remedies.go_on_without, name="line-go-on"),
    path("systems/", systems.system_list, name="systems"),
    path("systems/<slug:code>/open/", systems.open_system, name="system-open"),
    path("systems/<slug:code>/close/", systems.close_system, name="system-close"),
    path("callbacks/<int:pk>/", callbacks.take, name="callback"),
]
