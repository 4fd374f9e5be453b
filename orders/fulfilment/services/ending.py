"""The two ends of a line: delivered and completed as promised, or undone and closed."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal

from django.db.models import Sum

from o2b import clock, events, fsm
from o2b.catalog.models import Contract, ProductVersion
from o2b.catalog.services import release_fixed_discount
from o2b.charging import StartRule
from o2b.promise import Promise, compare
from orders.fulfilment.services.following import fall_out
from orders.fulfilment.services.results import shares
from orders.fulfilment.services.scene import FINISHED, Scene
from orders.models import Approval, DeliveredPart, Evidence, OrderLine, Task
from orders.rules.delivery import delivered_fraction

L, T = OrderLine.State, Task.State
WHOLE = Decimal(1)


def deliver(scene: Scene, fresh: Sequence[Evidence], at: datetime, actor_id: int | None) -> None:
    """Lines whose tasks are all done: delivered and completed, if the evidence is the promise.

    Lines of which a part was accepted just now keep how much, as a fact of that day.
    """
    finished = [
        line
        for line in scene.lines.values()
        if line.state == L.PROVISIONING
        and all(task.state in FINISHED for task in scene.tasks_of[line.pk])
    ]
    shown = _newest_evidence(scene, finished, fresh) if finished else {}
    instead = _substitutes(finished, shown)
    kept: list[OrderLine] = []
    broken: list[OrderLine] = []
    for line in finished:
        said = _differences(line, shown.get(line.pk, []), instead.get(line.pk, frozenset()))
        line.reason = "; ".join(said)
        (broken if line.reason else kept).append(line)
    if broken:
        fall_out(broken, at=at, actor_id=actor_id)
        events.record_many(
            "evidence.refused",
            broken,
            at=at,
            actor_id=actor_id,
            facts_of=lambda line: {"reason": line.reason},
        )
    _keep_parts(scene, kept, fresh, at)
    if kept:
        for day, lines in _by_day(kept, at).items():
            values = {"delivered_on": day, "delivered_fraction": WHOLE}
            fsm.move_locked(lines, "deliver", at=at, actor_id=actor_id, values=values)
        fsm.move_locked(kept, "complete", at=at, actor_id=actor_id)


def _by_day(lines: Iterable[OrderLine], at: datetime) -> dict[date, list[OrderLine]]:
    found: dict[date, list[OrderLine]] = defaultdict(list)
    for line in lines:
        found[clock.day(line.account, at)].append(line)
    return found


def _keep_parts(
    scene: Scene, delivered: Sequence[OrderLine], fresh: Iterable[Evidence], at: datetime
) -> None:
    """How much of each line is delivered now, where that is more than before."""
    by_line = {one.line_id: one.task for one in fresh if not one.task.compensates_id}
    whole = {line.pk for line in delivered}
    partly = [scene.lines[pk] for pk in by_line if pk not in whole]
    accepted = _accepted_parts(scene, partly)
    reached = {line.pk: WHOLE for line in delivered}
    for line in partly:
        fraction = delivered_fraction(shares(scene.tasks_of[line.pk], accepted))
        # It is not the whole before the promise was compared and the line is delivered.
        if fraction not in (line.delivered_fraction, WHOLE):
            reached[line.pk] = line.delivered_fraction = fraction
    changed = [line for line in partly if line.pk in reached]
    if changed:
        OrderLine.objects.bulk_update(changed, ["delivered_fraction"], 500)
    DeliveredPart.objects.bulk_create(
        [
            DeliveredPart(
                line_id=pk,
                task=by_line.get(pk) or scene.tasks_of[pk][-1],
                fraction=fraction,
                on=clock.day(scene.lines[pk].account, at),
                at=at,
            )
            for pk, fraction in reached.items()
        ],
        batch_size=2000,
    )
    # Where each part costs by itself, billing is told; also of the last one after others.
    parted = [
        line
        for line in map(scene.lines.__getitem__, reached)
        if line.start_rule == StartRule.EACH_PART and 0 < line.delivered_fraction < WHOLE  # type: ignore[attr-defined]
    ]
    events.record_many(
        "order_line.part_delivered",
        parted,
        at=at,
        facts_of=lambda line: {"fraction": str(reached[line.pk])},
    )


def _accepted_parts(scene: Scene, lines: Sequence[OrderLine]) -> dict[int, Decimal]:
    """What was accepted so far of each task that is not done, by task: parts leave evidence too."""
    open_ = [t.pk for t in scene.tasks_in(lines) if t.state not in FINISHED]
    if not open_:
        return {}
    found = Evidence.objects.filter(task__in=open_).order_by().values_list("task")
    return dict(found.annotate(Sum("quantity")))


def _newest_evidence(
    scene: Scene, lines: Iterable[OrderLine], fresh: Iterable[Evidence]
) -> dict[int, list[Evidence]]:
    """What shows the delivery, by line: the evidence of each task, its parts taken together."""
    newest = {evidence.task_id: [evidence] for evidence in fresh}
    older = [
        task.pk
        for task in scene.tasks_in(lines)
        if task.state == T.DONE and (task.pk not in newest or newest[task.pk][0].is_part)
    ]
    if older:
        kept = Evidence.objects.filter(task_id__in=older).select_related("product_version__product")
        for evidence in kept.order_by("pk"):
            parts = newest.get(evidence.task_id, []) if evidence.is_part else []
            newest[evidence.task_id] = [*(p for p in parts if p.pk != evidence.pk), evidence]
    found: dict[int, list[Evidence]] = {}
    for shown in newest.values():
        found.setdefault(shown[0].line_id, []).append(_together(shown))
    return found


def _together(parts: Sequence[Evidence]) -> Evidence:
    """Evidence of one task as if it had come at once: a version that differs speaks for all."""
    if len(parts) == 1:
        return parts[0]
    last = next((p for p in parts if p.product_version_id != parts[-1].product_version_id), None)
    whole = last or parts[-1]
    whole.quantity = sum((part.quantity for part in parts), Decimal(0))
    return whole


def _substitutes(
    lines: Sequence[OrderLine], shown: Mapping[int, Sequence[Evidence]]
) -> dict[int, frozenset[int]]:
    """Versions that were approved instead of the promised one, by line; looked up if it matters."""
    differing = [
        line.pk
        for line in lines
        if any(e.product_version_id != line.product_version_id for e in shown.get(line.pk, ()))
    ]
    if not differing:
        return {}
    granted = Approval.objects.filter(
        kind=Approval.Kind.SUBSTITUTION, line__in=differing, state=Approval.State.GRANTED
    )
    found: dict[int, set[int]] = defaultdict(set)
    for line_id, version_id in granted.values_list("line_id", "to_version_id"):
        found[line_id].add(version_id)
    return {pk: frozenset(versions) for pk, versions in found.items()}


def _differences(
    line: OrderLine, evidence: Sequence[Evidence], instead: frozenset[int]
) -> list[str]:
    if not evidence:
        return ["nothing shows that it was delivered"]
    promised = _promise(line.product_version, line.quantity)
    return sorted(
        {
            difference.message
            for one in evidence
            for difference in compare(promised, _shown(line, one, instead))
        }
    )


def _shown(line: OrderLine, evidence: Evidence, instead: frozenset[int]) -> Promise:
    """What evidence shows; a substitute that was approved stands for what was promised."""
    version = evidence.product_version
    if version.pk in instead:
        version = line.product_version
    return _promise(version, evidence.quantity)


def _promise(version: ProductVersion, quantity: Decimal) -> Promise:
    return Promise(product=version.product.code, version=version.number, quantity=quantity)


def close_undone(scene: Scene, at: datetime, actor_id: int | None) -> None:
    """A line of which nothing is left to undo is closed."""
    over = [
        line
        for line in scene.cancelling()
        if all(task.state in _OVER for task in scene.tasks_of[line.pk])
    ]
    fsm.move_locked(
        over, "close", at=at, actor_id=actor_id, facts_of=lambda n: {"reason": n.reason}
    )
    _release_discounts(over)


_OVER = FINISHED | {T.CANCELLED, T.COMPENSATED}


def _release_discounts(over: Iterable[OrderLine]) -> None:
    """A contract's fixed discount goes back when the last line that carries it is cancelled."""
    wanted = {n.contract_id for n in over if n.quote_line_id is None and n.contract_id is not None}
    if not wanted:
        return
    # Locked, so that of two lines cancelled at once the second sees the first.
    locked = Contract.objects.select_for_update(of=("self",), no_key=True).filter(pk__in=wanted)
    list(locked.order_by("pk"))
    carriers = OrderLine.objects.filter(
        contract__in=wanted,
        quote_line=None,
        terms__charges__discounts__contains=[{"kind": "amount"}],
    ).exclude(state=L.CANCELLED)
    for pk in sorted(wanted - set(carriers.values_list("contract", flat=True))):
        release_fixed_discount(contract_id=pk)
