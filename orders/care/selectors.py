"""Questions of those who care: complaints and questions by whose they are and how they stand."""

from datetime import datetime
from typing import Any

from django.db.models import BooleanField, Case, F, Q, QuerySet, Value, When
from django.db.models.functions import Coalesce

from o2b.models import Event
from o2b.people.models import User
from orders.models import Complaint, OrderLine, Question

S = Complaint.State
UNRESOLVED = ~Q(state=S.RESOLVED)


def complaints(*, machine_now: datetime) -> QuerySet[Any]:
    """Every complaint, with `is_overdue` by its account's clock."""
    late = UNRESOLVED & Q(due_at__lte=Coalesce(F("account__test_clock__now"), Value(machine_now)))
    return Complaint.objects.select_related(
        "account__customer", "line__product_version__product", "owner", "order"
    ).annotate(
        is_overdue=Case(
            When(late, then=Value(True)), default=Value(False), output_field=BooleanField()
        )
    )


def get_complaint(complaint_id: int, *, machine_now: datetime) -> Any:
    """One complaint with everybody it names; a missing one is a 404."""
    related = ("account__advocate", "account__test_clock", "taken_by", "resolved_by")
    return complaints(machine_now=machine_now).select_related(*related).get(pk=complaint_id)


def history_of(complaint_id: int) -> QuerySet[Event]:
    """What happened to a complaint, the newest first."""
    return (
        Event.objects.filter(subject_type="orders.complaint", subject_id=complaint_id)
        .select_related("actor")
        .order_by("-id")
    )


def questions() -> QuerySet[Question]:
    """Every question with whom it concerns."""
    return Question.objects.select_related(
        "order", "account__customer", "account__advocate", "answered_by"
    )


def get_question(question_id: int) -> Question:
    return questions().select_related("account__test_clock").get(pk=question_id)


def lines_to_complain_about(order_id: int) -> QuerySet[OrderLine]:
    """The lines of an order, to choose one from."""
    lines = OrderLine.objects.filter(order=order_id)
    return lines.select_related("product_version__product").order_by("position")


def line_of(line_id: int) -> OrderLine:
    """A line with its order; a missing one is a 404."""
    related = ("order__account__test_clock", "product_version__product")
    return OrderLine.objects.select_related(*related).get(pk=line_id)


def who_hears() -> QuerySet[User]:
    """The people who may own a complaint."""
    able = User.objects.with_perm(
        "orders.hear_complaints",
        include_superusers=True,
        backend="django.contrib.auth.backends.ModelBackend",
    )
    return able.filter(is_active=True).order_by("first_name", "last_name", "username")


def counts_for(user_id: int, *, machine_now: datetime) -> dict[str, int]:
    """What waits for one person: their complaints, those overdue, their customers' questions."""
    mine = complaints(machine_now=machine_now).filter(UNRESOLVED, owner=user_id)
    late = Q(is_overdue=True)
    asked = Question.objects.filter(account__advocate=user_id, answered_at=None)
    return {
        "complaints": mine.count(),
        "overdue": mine.filter(late).count(),
        "questions": asked.count(),
    }
