"""Every "no" of fulfilment."""

from o2b.errors import Invalid, Refused


class TaskNotReady(Refused):
    code = "task_not_ready"


class TaskNotYours(Refused):
    code = "task_not_yours"


class NotInQueue(Refused):
    """Only members of a queue work in it."""

    code = "not_in_queue"
    status = 403


class NotSkilled(Refused):
    code = "not_skilled"


class CapacityReached(Refused):
    """They have as many tasks of this queue as they take at once."""

    code = "capacity_reached"


class LineNotReady(Refused):
    code = "line_not_ready"


class LineUnderWay(Refused):
    """Something was done for the line already; taking it back is another matter."""

    code = "line_under_way"


class EvidenceMissing(Invalid):
    code = "evidence_missing"


class EvidenceWrong(Invalid):
    """The evidence is not what was promised."""

    code = "evidence_wrong"


class ReasonMissing(Invalid):
    code = "reason_missing"


class ChecklistOpen(Invalid):
    code = "checklist_open"


class ItemUnknown(Invalid):
    code = "item_unknown"


class PriorityUnknown(Invalid):
    code = "priority_unknown"
