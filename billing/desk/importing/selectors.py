"""How far an import has come, counted in the database."""

from dataclasses import dataclass

from django.db.models import Count, Q

from billing.models import Charge
from o2b.customers.models import LegalEntity
from o2b.models import Outbox
from orders.models import OrderLine, Task
from subscriptions.models import Item


@dataclass(frozen=True, slots=True)
class Standing:
    """Lines ordered, delivered and in service, charges opened; reactions still owed."""

    lines: int
    completed: int
    items: int
    charged: int
    owed: int

    @property
    def is_done(self) -> bool:
        return self.lines == self.completed == self.items == self.charged and not self.owed


def standing(entity: LegalEntity) -> Standing:
    """Where the whole thread stands for all accounts of the seller."""
    lines = OrderLine.objects.filter(account__legal_entity=entity).aggregate(
        lines=Count("pk"), completed=Count("pk", filter=Q(state=OrderLine.State.COMPLETED))
    )
    return Standing(
        lines=lines["lines"],
        completed=lines["completed"],
        items=Item.objects.filter(account__legal_entity=entity).count(),
        charged=Charge.objects.filter(legal_entity_id=entity.pk).values("item").distinct().count(),
        owed=Outbox.objects.filter(task__in=THREAD).count(),
    )


THREAD = (
    "orders.advance_order",
    "subscriptions.start_items",
    "billing.open_charges",
    "billing.open_promises",
    "billing.note_deliveries",
)


def tasks_by_worker(entity: LegalEntity) -> dict[str, int]:
    """Tasks done by each worker process, as host:pid."""
    done = Task.objects.filter(account__legal_entity=entity, state=Task.State.DONE)
    return dict(
        done.exclude(worker="").order_by("worker").values_list("worker").annotate(Count("pk"))
    )


def first_trouble() -> str:
    """Why the oldest reaction that failed has failed."""
    failed = Outbox.objects.filter(task__in=THREAD).exclude(last_error="").order_by("pk").first()
    return f"{failed}: {failed.last_error}" if failed else ""
