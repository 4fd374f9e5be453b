"""What a list or the board of tasks is narrowed to: the words of its address, and their rows."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q, QuerySet

from orders.models import Jeopardy, OrderLine, Queue, Task, WaitsFor

L, T = OrderLine.State, Task.State

LONGEST = 150
GOING = Q(line__state__in=[L.SCHEDULED, L.PROVISIONING])
UNDOING = Q(line__state=L.CANCELLING, compensates__isnull=False)
STANDING = Q(line__state__in=[L.HELD, L.WAITING])
MANUAL = Q(kind=Task.Kind.MANUAL)

# Where a task stands on the board. Ready work of a line that stands still is waiting, too.
COLUMNS: dict[str, Q] = {
    "ready": MANUAL & Q(state=T.READY) & (GOING | UNDOING),
    "claimed": Q(state=T.CLAIMED) & ~STANDING,
    "waiting": (Q(state=T.RUNNING) & ~Q(waits_for=""))
    | (MANUAL & Q(state__in=[T.READY, T.CLAIMED]) & STANDING),
    "fallout": Q(state=T.FALLOUT),
}
BLOCKED = MANUAL & Q(state=T.BLOCKED) & (GOING | UNDOING | STANDING)
OPEN = (
    (MANUAL & Q(state=T.READY) & (GOING | UNDOING | STANDING))
    | Q(state__in=[T.CLAIMED, T.FALLOUT])
    | (Q(state=T.RUNNING) & ~Q(waits_for=""))
)
STATES = {**COLUMNS, "blocked": BLOCKED}
AGES = {"1": timedelta(days=1), "3": timedelta(days=3), "7": timedelta(days=7)}


@dataclass(frozen=True, slots=True)
class Narrowed:
    """What was asked for; what is unknown in an address is ignored."""

    queue: str = ""
    state: str = ""
    jeopardy: str = ""
    who: str = ""
    waits: str = ""
    product: str = ""
    customer: str = ""
    age: str = ""

    @classmethod
    def of(cls, params: Mapping[str, str]) -> "Narrowed":
        def told(name: str) -> str:
            return params.get(name, "").replace("\0", "")[:LONGEST]

        def one_of(name: str, known: object) -> str:
            return told(name) if told(name) in known else ""  # type: ignore[operator]

        customer = told("customer")
        is_key = customer.isascii() and customer.isdigit() and len(customer) < 19
        return cls(
            queue=told("queue"),
            state=one_of("state", STATES),
            jeopardy=one_of("jeopardy", (Jeopardy.AMBER, Jeopardy.RED)),
            who=told("who"),
            waits=one_of("waits", WaitsFor.values),
            product=told("product"),
            customer=customer if is_key else "",
            age=one_of("age", AGES),
        )

    def narrow(
        self, tasks: QuerySet[Task], *, user_id: int, machine_now: datetime
    ) -> QuerySet[Task]:
        """The rows that are meant; by state goes apart, for the board shows all states."""
        given = {
            "jeopardy": self.jeopardy,
            "waits_for": self.waits,
            "line__product_version__product__code": self.product,
            "account__customer": self.customer,
        }
        rows = tasks.filter(**{field: value for field, value in given.items() if value})
        if self.queue:
            # By its key, so that the index gives the rows in their order.
            key = Queue.objects.filter(code=self.queue).values_list("pk", flat=True).first()
            rows = rows.filter(queue=key or 0)
        if self.who:
            rows = rows.filter(self._of_whom(user_id))
        if self.age:
            rows = rows.filter(ready_at__lt=machine_now - AGES[self.age])
        return rows

    def _of_whom(self, user_id: int) -> Q:
        if self.who == "mine":
            return Q(claimed_by=user_id)
        if self.who == "nobody":
            return Q(claimed_by=None)
        return Q(claimed_by__username=self.who)

    @property
    def any(self) -> bool:
        return any(getattr(self, name) for name in self.__slots__)
