"""The addresses of work, from orders' root."""

from django.urls import path

from orders.work.views import approvals, board, lists, orders, task

urlpatterns = [
    path("work/", lists.WorkList.as_view(), name="work"),
    path("work/many/", lists.many, name="work-many"),
    path("board/", board.board, name="board"),
    path("tasks/<int:pk>/", task.task, name="task"),
    path("tasks/<int:pk>/tick/", task.tick, name="task-tick"),
    path("tasks/<int:pk>/part/", task.part, name="task-part"),
    path("tasks/<int:pk>/comment/", task.comment, name="task-comment"),
    path("tasks/<int:pk>/file/", task.add_file, name="task-file-add"),
    path("tasks/<int:pk>/files/<int:file_id>/", task.file, name="task-file"),
    path("tasks/<int:pk>/assign/", task.assign, name="task-assign"),
    path("tasks/<int:pk>/hand-back/", task.hand_back, name="task-hand-back"),
    path("tasks/<int:pk>/priority/", task.prioritise, name="task-priority"),
    path("tasks/<int:pk>/ask-skip/", task.ask_skip, name="task-ask-skip"),
    path("tasks/<int:pk>/ask-version/", task.ask_substitution, name="task-ask-version"),
    path("approvals/", approvals.approvals, name="approvals"),
    path("approvals/<int:pk>/grant/", approvals.grant, name="approval-grant"),
    path("approvals/<int:pk>/refuse/", approvals.refuse, name="approval-refuse"),
    path("approvals/<int:pk>/withdraw/", approvals.withdraw, name="approval-withdraw"),
    path("<int:pk>/conversation/", orders.conversation, name="conversation"),
    path("<int:pk>/costs/", orders.costs, name="costs"),
]
