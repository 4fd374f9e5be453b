"""Plans are drafted, edited as a whole, read from files, published by another person, and stand."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import DatabaseError, transaction

from o2b.catalog import selectors, services
from o2b.catalog.models import BundleOption, DeliveryPlan, Product, ProductVersion
from o2b.catalog.plans import PlanBroken
from o2b.catalog.plans.documents import digest_of, write_document
from o2b.errors import Refused
from o2b.models import Event
from orders.models import Task
from orders.services import place_order
from tests.factories import (
    ACTIVATE,
    INSTALL,
    LONG_AGO,
    NOON,
    a_product,
    a_sent_quote,
    a_user,
    an_account,
)
from tests.orders.build import a_placed_order

pytestmark = pytest.mark.django_db

SPEED = {"name": "speed", "type": "choice", "choices": [100, 400], "required": True}
KINDS = {"activation": lambda parameters: [], "bell": lambda parameters: ["It is no bell."]}


def by_hand(key: str, *after: str, **given: Any) -> dict[str, Any]:
    return {"key": key, "kind": "manual", "queue": "field", "after": list(after)} | given


def a_draft(code: str = "fibre", tasks: Any = None, by: int | None = None) -> DeliveryPlan:
    """The next plan of a new product, with these steps."""
    a_product(code=code, charges=[], characteristics=[SPEED])
    draft = services.draft_plan(code=code, by=by or a_user().pk, at=NOON)
    if tasks is not None:
        services.edit_plan(
            plan_id=draft.pk, by=draft.prepared_by_id or 0, at=NOON, tasks=tasks, kinds=KINDS
        )
    draft.refresh_from_db()
    return draft


def refused(deed: Callable[[], object]) -> Refused:
    """Why a deed is refused; no plan and no event is other than before."""

    def stored() -> list[Any]:
        plans = DeliveryPlan.objects.order_by("pk")
        return [*plans.values(), Event.objects.count()]

    before = stored()
    with pytest.raises(Refused) as caught, transaction.atomic():
        deed()
    assert stored() == before
    return caught.value


def events_of(plan: DeliveryPlan) -> list[tuple[str, int | None]]:
    found = Event.objects.filter(name__startswith="delivery_plan", subject_id=plan.pk)
    return list(found.order_by("pk").values_list("name", "actor_id"))


def test_a_plan_lives_from_draft_to_publication() -> None:
    nora, felix = a_user().pk, a_user().pk
    draft = a_draft(by=nora)
    assert (draft.number, draft.state, draft.tasks) == (2, "draft", ACTIVATE)
    faults = services.edit_plan(
        plan_id=draft.pk, by=nora, at=NOON, tasks=INSTALL, components=[{"key": "a"}], kinds=KINDS
    )
    assert faults == []
    services.submit_plan(plan_id=draft.pk, by=nora, at=NOON, kinds=KINDS)
    draft.refresh_from_db()
    assert draft.submitted_at == NOON
    mine = refused(
        lambda: services.publish_delivery_plan(plan_id=draft.pk, by=nora, at=NOON, kinds=KINDS)
    )
    assert mine.code == "second_person_needed"
    plan = services.publish_delivery_plan(plan_id=draft.pk, by=felix, at=NOON, kinds=KINDS)
    assert (plan.state, plan.published_by_id, plan.published_at) == ("published", felix, NOON)
    assert events_of(plan) == [
        ("delivery_plan.drafted", nora),
        ("delivery_plan.edited", nora),
        ("delivery_plan.submitted", nora),
        ("delivery_plan.published", felix),
    ]
    assert selectors.plan_of(plan.product) == plan


def test_only_one_draft_at_a_time_and_only_of_a_product() -> None:
    draft = a_draft()
    again = refused(lambda: services.draft_plan(code="fibre", by=a_user().pk, at=NOON))
    assert (again.code, str(draft) in again.message) == ("draft_open", True)
    none = refused(lambda: services.draft_plan(code="nothing", by=a_user().pk, at=NOON))
    assert (none.code, none.status) == ("product_unknown", 422)


def test_a_first_plan_begins_empty() -> None:
    Product.objects.create(code="new", name="New")
    draft = services.draft_plan(code="new", by=a_user().pk, at=NOON)
    assert (draft.number, draft.tasks, draft.components) == (1, [], [])


def test_a_draft_with_faults_is_saved_and_not_published() -> None:
    draft = a_draft()
    by = a_user().pk
    steps = [by_hand("a", "b"), by_hand("b", "a"), by_hand("c", when="speed / 0")]
    faults = services.edit_plan(plan_id=draft.pk, by=by, at=NOON, tasks=steps, kinds=KINDS)
    assert [fault.column for fault in faults] == ["after", "when"]
    draft.refresh_from_db()
    assert draft.tasks == steps
    for deed in (
        lambda: services.submit_plan(plan_id=draft.pk, by=by, at=NOON, kinds=KINDS),
        lambda: services.publish_delivery_plan(
            plan_id=draft.pk, by=a_user().pk, at=NOON, kinds=KINDS
        ),
    ):
        refusal = refused(deed)
        assert isinstance(refusal, PlanBroken)
        assert refusal.status == 422
        assert refusal.message.startswith(("a: A loop", "b: A loop"))


def test_each_fault_of_a_publication_has_its_step_and_field() -> None:
    steps = [by_hand("a"), by_hand("b", queue=""), by_hand("c", parameters={"x": "=spede"})]
    draft = a_draft(tasks=steps)
    refusal = refused(
        lambda: services.publish_delivery_plan(
            plan_id=draft.pk, by=a_user().pk, at=NOON, kinds=KINDS
        )
    )
    assert isinstance(refusal, PlanBroken)
    assert [(fault.field, fault.extra["step"]) for fault in refusal.faults] == [
        ("tasks[1].queue", "b"),
        ("tasks[2].parameters.x", "c"),
    ]
    assert refusal.message == "b: Work by hand needs a queue."


@pytest.mark.parametrize(
    ("handler", "said"),
    [
        ("activation", None),
        ("bell", "ring: It is no bell."),
        ("horn", "ring: There is no handler “horn”; there is: activation, bell."),
    ],
)
def test_handlers_that_the_door_hands_in_are_asked(handler: str, said: str | None) -> None:
    draft = a_draft(tasks=[{"key": "ring", "kind": "automatic", "handler": handler}])

    def publish(**given: Any) -> DeliveryPlan:
        return services.publish_delivery_plan(plan_id=draft.pk, by=a_user().pk, at=NOON, **given)

    if said is None:
        assert publish(kinds=KINDS).state == "published"
    else:
        assert refused(lambda: publish(kinds=KINDS)).message == said


def test_who_was_overtaken_is_told_so() -> None:
    draft = a_draft()
    seen = digest_of(draft.tasks, draft.components)
    services.edit_plan(plan_id=draft.pk, by=a_user().pk, at=NOON, tasks=INSTALL, seen=seen)
    late = refused(
        lambda: services.edit_plan(
            plan_id=draft.pk, by=a_user().pk, at=NOON, tasks=ACTIVATE, seen=seen
        )
    )
    assert (late.code, late.status) == ("plan_changed", 409)


@pytest.mark.parametrize(
    "tasks",
    [
        [5],
        ["x"],
        [{"key": "a\0"}],
        [{"key": "\ud800"}],
        [{"minutes": float("nan")}],
        [{"minutes": 10**30}],
        [{"name": "x" * 600_000}],
        [{"a": {"b": {"c": {"d": {"e": {"f": {"g": {"h": {"i": {"j": {"k": {}}}}}}}}}}}}],
    ],
)
def test_what_cannot_be_kept_is_refused(tasks: Any) -> None:
    draft = a_draft()
    refusal = refused(
        lambda: services.edit_plan(plan_id=draft.pk, by=a_user().pk, at=NOON, tasks=tasks)
    )
    assert refusal.status == 422


def test_a_published_plan_stands() -> None:
    plan = a_draft().product.plans.get(number=1)
    by = a_user().pk
    deeds: list[Callable[[], object]] = [
        lambda: services.edit_plan(plan_id=plan.pk, by=by, at=NOON, tasks=INSTALL),
        lambda: services.discard_plan(plan_id=plan.pk, by=by, at=NOON),
        lambda: services.submit_plan(plan_id=plan.pk, by=by, at=NOON),
        lambda: services.publish_delivery_plan(plan_id=plan.pk, by=by, at=NOON),
    ]
    assert [refused(deed).code for deed in deeds] == ["not_a_draft"] * 4
    with pytest.raises(DatabaseError), transaction.atomic():
        DeliveryPlan.objects.filter(pk=plan.pk).update(tasks=INSTALL)


def test_a_draft_is_thrown_away() -> None:
    draft = a_draft()
    services.discard_plan(plan_id=draft.pk, by=a_user().pk, at=NOON)
    assert list(draft.product.plans.values_list("number", "state")) == [(1, "published")]
    assert Event.objects.filter(name="delivery_plan.discarded").count() == 1


def test_a_loop_that_two_drafts_make_is_found_when_the_second_is_published() -> None:
    two = a_draft("two", [by_hand("b")])
    one = a_draft("one", [by_hand("a", "two/b")])
    services.edit_plan(plan_id=two.pk, by=a_user().pk, at=NOON, tasks=[by_hand("b", "one/a")])
    services.publish_delivery_plan(plan_id=one.pk, by=a_user().pk, at=NOON, kinds=KINDS)
    refusal = refused(
        lambda: services.publish_delivery_plan(plan_id=two.pk, by=a_user().pk, at=NOON, kinds=KINDS)
    )
    assert refusal.message in {
        "b: A loop: two/b → one/a → two/b.",
        "b: A loop: one/a → two/b → one/a.",
    }


def test_a_loop_through_a_bundle_is_found() -> None:
    part = a_draft("part", [by_hand("dig", "parent/open")])
    bundle = a_product(code="office", charges=[], tasks=[by_hand("open", "parts/dig")])
    version = ProductVersion.objects.create(product=bundle.product, number=2)
    BundleOption.objects.create(version=version, component=part.product)
    services.publish_product_version(version_id=version.pk, at=LONG_AGO)
    refusal = refused(
        lambda: services.publish_delivery_plan(
            plan_id=part.pk, by=a_user().pk, at=NOON, kinds=KINDS
        )
    )
    assert refusal.message in {
        "dig: A loop: part/dig → office/open → part/dig.",
        "dig: A loop: office/open → part/dig → office/open.",
    }


def test_a_plan_is_tried_with_the_versions_that_can_be_ordered() -> None:
    draft = a_draft(tasks=[by_hand("a"), by_hand("b", when="speed > 100 and colour == 'red'")])
    version = ProductVersion.objects.create(
        product=draft.product,
        number=2,
        characteristics=[SPEED, {"name": "colour", "type": "text", "required": True}],
    )

    def publish() -> DeliveryPlan:
        return services.publish_delivery_plan(
            plan_id=draft.pk, by=a_user().pk, at=NOON, kinds=KINDS
        )

    assert "colour, which is not there" in refused(publish).message
    services.publish_product_version(version_id=version.pk, at=NOON)
    assert publish().state == "published"


def test_a_line_keeps_the_plan_that_it_was_laid_from() -> None:
    order = a_placed_order()
    line = order.lines.get()
    product = line.product_version.product
    draft = services.draft_plan(code=product.code, by=a_user().pk, at=NOON)
    services.edit_plan(plan_id=draft.pk, by=a_user().pk, at=NOON, tasks=INSTALL)
    services.publish_delivery_plan(plan_id=draft.pk, by=a_user().pk, at=NOON, kinds=KINDS)
    line.refresh_from_db()
    assert line.delivery_plan.number == 1
    assert list(Task.objects.filter(line=line).values_list("key", flat=True)) == ["activate"]
    fresh = a_placed_order_of(product)
    assert fresh.lines.get().delivery_plan.number == 2
    assert list(fresh.lines.get().tasks.order_by("pk").values_list("key", flat=True)) == [
        "install",
        "activate",
    ]


def a_placed_order_of(product: Product) -> Any:
    from_version = product.versions.get(number=1)
    quote = a_sent_quote(account=an_account(), products=[from_version])
    return place_order(quote_id=quote.pk, by="Ann Hall", at=NOON)


# files


def test_a_plan_is_read_from_a_file() -> None:
    draft = a_draft()
    text = write_document("other", 9, INSTALL, [{"key": "box", "quantity": "=quantity"}])
    by = a_user().pk
    made = services.import_plan(code="fibre", document=text, by=by, at=NOON, kinds=KINDS)
    assert (made.pk, made.tasks, made.prepared_by_id) == (draft.pk, INSTALL, by)
    services.discard_plan(plan_id=draft.pk, by=by, at=NOON)
    fresh = services.import_plan(code="fibre", document=text, by=by, at=NOON, kinds=KINDS)
    assert (fresh.number, fresh.tasks) == (2, INSTALL)


@pytest.mark.parametrize(
    ("document", "code"),
    [
        ("{", "plan_document_invalid"),
        ('{"tasks": []}', "plan_broken"),
        (write_document("x", 1, [by_hand("a", "a")], []), "plan_broken"),
        (
            write_document("x", 1, [by_hand("a", handler="sing", kind="automatic")], []),
            "plan_broken",
        ),
    ],
)
def test_a_file_with_a_fault_changes_nothing(document: str, code: str) -> None:
    a_draft()
    refusal = refused(
        lambda: services.import_plan(
            code="fibre", document=document, by=a_user().pk, at=NOON, kinds=KINDS
        )
    )
    assert refusal.code == code


# in words


def test_what_differs_between_two_plans_is_said_in_words() -> None:
    draft = a_draft(
        tasks=[
            by_hand("survey", minutes=30),
            {**ACTIVATE[0], "handler": "bell", "when": "speed > 100", "after": ["survey"]},
        ]
    )
    before = draft.product.plans.get(number=1)
    (steps,) = selectors.plan_differences(before, draft)
    assert [(c.name, c.kind, c.before, c.after) for c in steps.changes] == [
        ("survey", "added", "", "kind manual; queue field; minutes of work 30"),
        (
            "Activate",
            "changed",
            "handler activation; no after; no only if",
            "handler bell; after survey; only if speed > 100",
        ),
    ]
    (gone,) = selectors.plan_differences(draft, before)
    assert [(c.name, c.kind) for c in gone.changes] == [
        ("Activate", "changed"),
        ("survey", "removed"),
    ]
    assert selectors.plan_differences(draft, draft) == []


def test_what_says_the_same_is_no_difference() -> None:
    draft = a_draft(tasks=[by_hand("a", vendor="35", checklist=["x"])])
    same = DeliveryPlan(tasks=[{**draft.tasks[0], "vendor": 35, "skills": [], "when": ""}])
    del same.tasks[0]["after"]
    assert selectors.plan_differences(draft, same) == []


def test_steps_that_wait_on_other_lines_are_told_on_the_product_page() -> None:
    (first, second) = selectors.steps_of([by_hand("a", "parent/x"), by_hand("b", "a")])
    assert (first.after, second.after) == ([], [1])
