"""Questions are asked on the customer's page, and answered there."""

from datetime import datetime, timedelta

from django.db import transaction
from django.urls import reverse
from django.utils.translation import gettext as _

from o2b import events
from o2b.errors import Refused
from o2b.people.models import Topic
from o2b.people.notices.services import tell
from orders.care.services.limits import (
    LONGEST_NAME,
    MOST_UNANSWERED,
    TooMany,
    check_day,
    lock_order,
    said,
)
from orders.models import Question


class QuestionAnswered(Refused):
    """Somebody was quicker."""

    code = "question_answered"


@transaction.atomic
def ask_question(*, order_id: int, name: str, text: str, at: datetime) -> Question:
    """The customer asks about an order; the advocate hears of it."""
    who = said(name, field="name", longest=LONGEST_NAME)
    what = said(text)
    order = lock_order(order_id)
    asked = Question.objects.filter(order=order)
    if asked.filter(answered_at=None).count() >= MOST_UNANSWERED:
        raise TooMany(
            _("We have several questions of yours still to answer. Please wait for that.")
        )
    check_day(asked.filter(asked_at__gt=at - timedelta(days=1)).count())
    question = Question.objects.create(
        order=order, account=order.account, name=who, text=what, asked_at=at
    )
    events.record("order.question_asked", question, at=at, who=who)
    tell(
        user_ids=[order.account.advocate_id],
        topic=Topic.QUESTION,
        key=f"question:{question.pk}",
        title=_("%(who)s asks about order %(order)s") % {"who": who, "order": order},
        text=f"{order.account}\n{what}",
        url=reverse("orders:question", args=[question.pk]),
        tone="warn",
        at=at,
    )
    return question


@transaction.atomic
def answer_question(*, question_id: int, text: str, at: datetime, actor_id: int) -> Question:
    """Answer on the customer's page; once."""
    what = said(text)
    question = Question.objects.select_for_update(of=("self",), no_key=True).get(pk=question_id)
    if question.answered_at:
        raise QuestionAnswered(_("This question has been answered already."))
    question.answer, question.answered_at, question.answered_by_id = what, at, actor_id
    question.save(update_fields=["answer", "answered_at", "answered_by"])
    events.record("order.question_answered", question, at=at, actor_id=actor_id)
    return question
