"""Orders, lines, tasks; queues and calendars; what work leaves behind and what is said of it."""

from orders.models.appointments import Appointment
from orders.models.bulk import BulkOrder, BulkRow
from orders.models.care import Complaint, Question
from orders.models.facts import Attempt, DeliveredPart, Evidence, TaskCost
from orders.models.fallout import FalloutRule
from orders.models.licences import LicenceKey, LicencePool
from orders.models.lines import OrderLine
from orders.models.orders import Order
from orders.models.outside import OutsideSystem
from orders.models.purchases import PurchaseOrder, PurchaseReceipt
from orders.models.queues import EscalationRule, Queue, QueueMember, WorkCalendar
from orders.models.talk import Approval, Comment, TaskFile
from orders.models.tasks import Task
from orders.models.words import FailureClass, Jeopardy, LineAction, Priority, WaitsFor

__all__ = [
    "Appointment",
    "Approval",
    "Attempt",
    "BulkOrder",
    "BulkRow",
    "Comment",
    "Complaint",
    "DeliveredPart",
    "EscalationRule",
    "Evidence",
    "FailureClass",
    "FalloutRule",
    "Jeopardy",
    "LicenceKey",
    "LicencePool",
    "LineAction",
    "Order",
    "OrderLine",
    "OutsideSystem",
    "Priority",
    "PurchaseOrder",
    "PurchaseReceipt",
    "Question",
    "Queue",
    "QueueMember",
    "Task",
    "TaskCost",
    "TaskFile",
    "WaitsFor",
    "WorkCalendar",
]
