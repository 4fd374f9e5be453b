"""Questions of fallout: what fell out, for which rule, why how often; systems and what waits."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import (
    BigIntegerField,
    Case,
    Count,
    Exists,
    F,
    Func,
    OuterRef,
    Prefetch,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
)
from django.db.models.functions import MD5, Coalesce, Concat, Left

from o2b.models import Event
from orders.fallout import breaker
from orders.fulfilment import handlers
from orders.models import Attempt, FalloutRule, OrderLine, OutsideSystem, Queue, Task
from orders.queues import queues_of

L, T, S = OrderLine.State, Task.State, OutsideSystem.State
MOST_CAUSES = 6
LAST_TRIES = 5
MOST_AT_ONCE = 1000
AGES = {"hour": timedelta(hours=1), "day": timedelta(days=1), "week": timedelta(days=7)}
MINE = "mine"
# What the desk is narrowed by, as its address and its forms name it.
FIELDS = {
    "class": "failure_class",
    "system": "system",
    "product": "line__product_version__product__code",
    "customer": "account__customer__pk",
    "cause": "cause",
}
NARROWS = ("queue", "age", *FIELDS)


def rules_in_force() -> list[FalloutRule]:
    """Rules that count, the first that matches first."""
    rules = FalloutRule.objects.filter(is_active=True)
    return list(rules.select_related("queue").order_by("position"))


def matches(rule: FalloutRule) -> Q:
    """Which fallen tasks a rule speaks of."""
    said = Q()
    if rule.handler:
        said &= Q(handler=rule.handler)
    if rule.failure_class:
        said &= Q(failure_class=rule.failure_class)
    if rule.product:
        said &= Q(line__product_version__product__code=rule.product)
    if rule.says:
        said &= Q(failure__icontains=rule.says)
    return said


def fallen_tasks(rules: Sequence[FalloutRule]) -> QuerySet[Any]:
    """Every task in fallout, of lines given up too, with `rule_id`, `cause` and `fell_at`."""
    # What matches all is no condition to Postgres.
    cases = [When(matches(rule) or Q(pk__isnull=False), then=Value(rule.pk)) for rule in rules]
    rule = Case(*cases, default=Value(None), output_field=BigIntegerField())
    last = Attempt.objects.filter(task=OuterRef("pk")).order_by("-pk").values("at")[:1]
    return (
        Task.objects.filter(state=T.FALLOUT)
        .annotate(
            rule_id=rule,
            cause=_cause(),
            fell_at=Coalesce(Subquery(last), "claimed_at", "began_at", "ready_at"),
        )
        .select_related(
            "queue",
            "compensates",
            "order__account__advocate",
            "order__account__customer",
            "account__test_clock",
            "line__product_version__product",
        )
    )


def _words() -> Func:
    """The failure without its numbers, which differ from task to task."""
    return Func(
        Left(F("failure"), 200),
        Value(r"\d+"),
        Value("#"),
        Value("g"),
        function="regexp_replace",
    )


def _cause() -> MD5:
    return MD5(Concat("handler", Value("|"), "failure_class", Value("|"), _words()))


def with_tries(tasks: QuerySet[Any]) -> QuerySet[Any]:
    """Tasks with their last attempts."""
    tries = Attempt.objects.order_by("-pk")[:LAST_TRIES]
    return tasks.prefetch_related(Prefetch("tries", tries, to_attr="last_tries"))


@dataclass(frozen=True, slots=True)
class Cause:
    """Tasks that fell out for one reason."""

    key: str
    handler: str
    failure_class: str
    words: str
    count: int

    @property
    def at_once(self) -> int:
        """How many of them are tried again together."""
        return min(self.count, MOST_AT_ONCE)


def causes(tasks: QuerySet[Any]) -> list[Cause]:
    """The reasons for which most of these fell out."""
    grouped = (
        tasks.order_by()
        .values("cause", "handler", "failure_class", words=_words())
        .annotate(n=Count("pk"))
        .order_by("-n", "cause")[:MOST_CAUSES]
    )
    return [
        Cause(one["cause"], one["handler"], one["failure_class"], one["words"], one["n"])
        for one in grouped
    ]


def older_than(tasks: QuerySet[Any], *, machine_now: datetime, age: Any) -> QuerySet[Any]:
    """Tasks that fell out so long ago, each by the clock of its account."""
    its_now = Coalesce(F("account__test_clock__now"), Value(machine_now))
    return tasks.annotate(its_now=its_now).filter(fell_at__lt=F("its_now") - age)


def of_queues(tasks: QuerySet[Any], rules: Sequence[FalloutRule], ids: set[int]) -> QuerySet[Any]:
    """Tasks that people of these queues mend: by the rule that matches, else by their own queue."""
    by_rule = [rule.pk for rule in rules if rule.queue_id in ids]
    silent = [rule.pk for rule in rules if rule.queue_id is None]
    own = Q(queue__in=ids) & (Q(rule_id=None) | Q(rule_id__in=silent))
    return tasks.filter(Q(rule_id__in=by_rule) | own)


def said(asked: Mapping[str, Any], name: str) -> str:
    return str(asked.get(name, "")).replace("\0", "")[:60]


def narrowed(
    asked: Mapping[str, Any], rules: Sequence[FalloutRule], *, user_id: int, machine_now: datetime
) -> QuerySet[Any]:
    """What fell out and an address or a form asks for; what is unknown in it narrows nothing."""
    rows = fallen_tasks(rules)
    for name, field in FIELDS.items():
        word = said(asked, name)
        if word and (name != "customer" or (word.isascii() and word.isdigit())):
            rows = rows.filter(**{field: word})
    if queue_ids := _queue_ids(said(asked, "queue"), user_id):
        rows = of_queues(rows, rules, queue_ids)
    if age := AGES.get(said(asked, "age")):
        rows = older_than(rows, machine_now=machine_now, age=age)
    return rows


def _queue_ids(code: str, user_id: int) -> set[int]:
    """The queues that are asked for; one's own by "mine"; none: every queue."""
    if code == MINE:
        return set(queues_of(user_id).values_list("pk", flat=True)) or {0}
    return set(Queue.objects.filter(code=code).values_list("pk", flat=True)) if code else set()


def fallen_for(user_id: int) -> QuerySet[Any]:
    """What fell out and is mended by people of one's queues."""
    rules = rules_in_force()
    ids = set(queues_of(user_id).values_list("pk", flat=True))
    return of_queues(fallen_tasks(rules), rules, ids)


def standing_lines() -> QuerySet[OrderLine]:
    """Lines in fallout without a broken task: wrong evidence, or waiting in vain."""
    broken = Task.objects.filter(line=OuterRef("pk"), state=T.FALLOUT)
    return (
        OrderLine.objects.filter(state=L.FALLOUT)
        .filter(~Exists(broken))
        .select_related("order__account__advocate", "product_version__product")
        .prefetch_related(
            Prefetch("tasks", Task.objects.filter(state__in=[T.DONE, T.BLOCKED]).order_by("pk")),
            "tasks__evidence",
        )
        .order_by("pk")
    )


def get_fallen(task_id: int) -> Any:
    """One task in fallout with its last attempts; what fell out no more is not there."""
    return with_tries(fallen_tasks(rules_in_force())).get(pk=task_id)


@dataclass(frozen=True, slots=True)
class System:
    """One outside system and what waits for it; one that never failed may have no row yet."""

    code: str
    name: str
    row: OutsideSystem | None
    waiting: int

    @property
    def state(self) -> str:
        return self.row.state if self.row else S.CLOSED

    @property
    def is_asked(self) -> bool:
        return self.state == S.CLOSED


def known_codes() -> set[str]:
    """Systems that handlers ask, or that tasks under way name."""
    named = Task.objects.filter(state__in=[T.READY, T.RUNNING]).exclude(system="")
    asked = {handlers.system_of(name) for name in handlers.names()} - {""}
    return asked | set(named.order_by().values_list("system", flat=True).distinct())


def systems() -> list[System]:
    """Every outside system, those that are not asked first."""
    rows = {system.code: system for system in OutsideSystem.objects.all()}
    waiting = dict(
        Task.objects.filter(state__in=[T.READY, T.RUNNING])
        .exclude(system="")
        .order_by()
        .values_list("system")
        .annotate(Count("pk"))
    )
    asked = {handlers.system_of(name) for name in handlers.names()} - {""}
    found = [
        System(
            code,
            rows[code].name if code in rows else breaker.name_of(code),
            rows.get(code),
            waiting.get(code, 0),
        )
        for code in sorted(rows.keys() | waiting.keys() | asked)
    ]
    return sorted(found, key=lambda system: (system.is_asked, system.name))


def systems_down() -> list[OutsideSystem]:
    """Systems that are not asked now, or on trial."""
    return list(OutsideSystem.objects.exclude(state=S.CLOSED).order_by("name"))


def matched_by(rule: FalloutRule) -> QuerySet[Any]:
    """Tasks in fallout that a rule would speak for, were it the first."""
    return fallen_tasks([]).filter(matches(rule)).order_by("pk")


def spoken_for() -> dict[int | None, int]:
    """How many tasks in fallout each rule speaks for; None: those without a rule."""
    rows = fallen_tasks(rules_in_force()).order_by().values_list("rule_id")
    return dict(rows.annotate(Count("pk")))


def edits_of(task_id: int) -> QuerySet[Event]:
    """Who changed which parameters of a task, the newest first."""
    edits = Event.objects.filter(name="task.edited", subject_type="orders.task", subject_id=task_id)
    return edits.select_related("actor").order_by("-id")[:20]
