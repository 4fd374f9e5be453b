"""The rules of fallout: written, put in order, switched off and on."""

from typing import Any

from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from o2b.errors import Invalid
from orders.models import FailureClass, FalloutRule, Queue

FIELDS = ("handler", "failure_class", "product", "says", "queue", "remedy", "advice", "is_active")
MOST = 200
LONGEST = {"handler": 60, "product": 60, "says": 200, "advice": 300}


class RuleWrong(Invalid):
    """No rule could be written like this."""

    code = "rule_wrong"


@transaction.atomic
def save_rule(*, rule_id: int | None = None, **said: Any) -> FalloutRule:
    """Write a rule; a new one comes last."""
    rules = FalloutRule.objects.select_for_update()
    rule = rules.get(pk=rule_id) if rule_id else FalloutRule(position=_last() + 1)
    if rule.position > MOST:
        raise RuleWrong(_("More than %(most)s rules help nobody.") % {"most": MOST})
    for name in FIELDS:
        if name in said:
            setattr(rule, name, said[name])
    _check(rule)
    rule.save()
    return rule


def _check(rule: FalloutRule) -> None:
    for name, longest in LONGEST.items():
        if len(getattr(rule, name)) > longest or "\0" in getattr(rule, name):
            message = _("A text of up to %(longest)s characters.")
            raise RuleWrong(message % {"longest": longest}, field=name)
    if rule.remedy not in FalloutRule.Remedy.values:
        raise RuleWrong(_("There is no such remedy."), field="remedy")
    if rule.failure_class and rule.failure_class not in FailureClass.values:
        raise RuleWrong(_("There is no such class of failure."), field="failure_class")
    if rule.queue_id and not Queue.objects.filter(pk=rule.queue_id).exists():
        raise RuleWrong(_("There is no such queue."), field="queue")


@transaction.atomic
def move_rule(*, rule_id: int, up: bool) -> FalloutRule:
    """Let a rule be looked at before the one above it, or after the one below."""
    rules = list(FalloutRule.objects.select_for_update().order_by("position"))
    rule = next((one for one in rules if one.pk == rule_id), None)
    if rule is None:
        raise FalloutRule.DoesNotExist(f"rule {rule_id}")
    place = rules.index(rule) + (-1 if up else 1)
    if 0 <= place < len(rules):
        other = rules[place]
        here, there = rule.position, other.position
        # Positions are unique at every moment.
        for one, position in ((rule, rules[-1].position + 1), (other, here), (rule, there)):
            one.position = position
            one.save(update_fields=["position"])
    return rule


@transaction.atomic
def switch_rule(*, rule_id: int, on: bool) -> FalloutRule:
    """Let a rule count, or not."""
    rule = FalloutRule.objects.select_for_update().get(pk=rule_id)
    rule.is_active = on
    rule.save(update_fields=["is_active"])
    return rule


def _last() -> int:
    return FalloutRule.objects.aggregate(last=Max("position"))["last"] or 0
