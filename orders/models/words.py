"""The words of orders: states of lines and tasks, jeopardy, priority, waits and failures."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Jeopardy(models.TextChoices):
    """Whether what was promised is still likely: on time, in danger, late."""

    GREEN = "green", _("on time")
    AMBER = "amber", _("in danger")
    RED = "red", _("late")


class Priority(models.IntegerChoices):
    """Which work comes first in a queue."""

    LOW = -1, _("low")
    NORMAL = 0, _("normal")
    HIGH = 1, _("high")
    URGENT = 2, _("urgent")


class LineAction(models.TextChoices):
    """What a line does to what is in service. Source: TMF622 (product order item action)."""

    START = "start", _("start")
    TERMS = "terms", _("change")
    REPLACE = "replace", _("replace")
    QUANTITY = "quantity", _("quantity")
    SUSPEND = "suspend", _("suspend")
    RESUME = "resume", _("resume")
    TRANSFER = "transfer", _("transfer")
    MOVE = "move", _("move")
    END = "end", _("end")
    WITHDRAW = "withdraw", _("take back")
    COMMIT = "commit", _("commit")


class LineState(models.TextChoices):
    """Where a line stands on its way from acceptance to service."""

    ACCEPTED = "accepted", _("accepted")
    SCHEDULED = "scheduled", _("scheduled")
    PROVISIONING = "provisioning", _("provisioning")
    HELD = "held", _("held")
    WAITING = "waiting", _("waiting for customer")
    FALLOUT = "fallout", _("fallout")
    DELIVERED = "delivered", _("delivered")
    COMPLETED = "completed", _("completed")
    CANCELLING = "cancelling", _("cancelling")
    CANCELLED = "cancelled", _("cancelled")


class TaskState(models.TextChoices):
    """Where a task stands."""

    BLOCKED = "blocked", _("blocked")
    READY = "ready", _("ready")
    CLAIMED = "claimed", _("claimed")
    RUNNING = "running", _("running")
    DONE = "done", _("done")
    FAILED = "failed", _("failed")
    FALLOUT = "fallout", _("fallout")
    SKIPPED = "skipped", _("skipped")
    CANCELLED = "cancelled", _("cancelled")
    COMPENSATING = "compensating", _("compensating")
    COMPENSATED = "compensated", _("compensated")


class WaitsFor(models.TextChoices):
    """What a running task can wait for without a worker."""

    CALLBACK = "callback", _("an answer")
    DATE = "date", _("a day")
    EVENT = "event", _("an event")
    PAYMENT = "payment", _("a payment")
    CREDIT = "credit", _("credit")
    APPROVAL = "approval", _("an approval")
    GOODS = "goods", _("goods")
    APPOINTMENT = "appointment", _("an appointment")
    CUSTOMER = "customer", _("the customer")


class FailureClass(models.TextChoices):
    """Why an attempt failed; back-off and the rules of fallout go by it."""

    UNREACHABLE = "unreachable", _("not reachable")
    TIMEOUT = "timeout", _("no answer in time")
    OVERLOADED = "overloaded", _("overloaded")
    SERVER_ERROR = "server_error", _("broken over there")
    GARBAGE = "garbage", _("an answer that makes no sense")
    REFUSED = "refused", _("refused")
    SET_UP = "set_up", _("not set up here")
    BROKEN = "broken", _("broken here")
    LOST = "lost", _("its worker died")
    NO_STOCK = "no_stock", _("nothing left to give out")
    PERSON = "person", _("a person says so")
