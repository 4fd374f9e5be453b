"""What every step by hand asks first: whose task it is, whether its line goes on, and why."""

from django.utils.translation import gettext as _

from orders.fulfilment.services import refusals as no
from orders.fulfilment.services.scene import OVER, Scene
from orders.models import OrderLine, Task

L, T = OrderLine.State, Task.State
LONGEST_TEXT = 2000


def check_reason(reason: str) -> str:
    """The reason without outer blanks; refuses none at all, and what Postgres cannot store."""
    clean = reason.strip()
    if not clean:
        raise no.ReasonMissing(_("Please say why."), field="reason")
    if len(clean) > LONGEST_TEXT or "\0" in clean:
        message = _("A text of up to %(longest)s characters.")
        raise no.ReasonMissing(message % {"longest": LONGEST_TEXT}, field="reason")
    return clean


def scene_of(task_id: int) -> tuple[Scene, Task]:
    """The line of a task with all its tasks, locked; and the task."""
    line_id = Task.objects.values_list("line_id", flat=True).get(pk=task_id)
    scene = Scene.of_line(line_id)
    return scene, scene.tasks[task_id]


def refuse_machine_work(task: Task) -> None:
    if task.kind != Task.Kind.MANUAL:
        raise no.TaskNotReady(_("%(task)s is done by a machine.") % {"task": task.name})


def refuse_other(task: Task, user_id: int) -> None:
    """Refuse who did not claim it."""
    if task.state != T.CLAIMED:
        message = _("%(task)s is %(state)s; claim it first.")
        raise no.TaskNotReady(message % {"task": task.name, "state": task.get_state_display()})
    if task.claimed_by_id != user_id:
        message = _("%(task)s was claimed by somebody else.")
        raise no.TaskNotYours(message % {"task": task.name})


def refuse_unless_going(task: Task, *, also: str = "") -> None:
    """Refuse work on a line that stands still; what was claimed before its fallout goes on.

    Of a line that is given up, only what undoes is worked on.
    """
    line = task.line
    undoes = line.state == L.CANCELLING and task.compensates_id is not None
    still = (L.HELD, L.WAITING, L.CANCELLING, also)
    if line.state in OVER or (line.state in still and not undoes):
        message = _("Line %(line)s is %(state)s; its work stands still.")
        raise no.LineNotReady(message % {"line": line, "state": line.get_state_display()})
