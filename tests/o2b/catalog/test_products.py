"""Writing products: drafts, the second person, loops, retirement and successors."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from django.db import Error, transaction

from o2b.catalog import services
from o2b.catalog.models import BundleOption, DeliveryPlan, Product, ProductRule, ProductVersion
from o2b.catalog.succession import successor_of, successors_of
from o2b.errors import Refused
from o2b.models import Event
from tests.factories import NOON, a_product, a_user

pytestmark = pytest.mark.django_db

ON = date(2026, 2, 1)


def written() -> list[Any]:
    """All that the services write."""
    kinds = (Product, ProductVersion, BundleOption, ProductRule, Event)
    return [list(kind.objects.order_by("pk").values()) for kind in kinds]


def refused(code: str, field: str | None, deed: Callable[[], object]) -> Refused:
    """The deed is refused with this code and field, and nothing was written."""
    before = written()
    with pytest.raises(Refused) as caught:
        deed()
    assert (caught.value.code, caught.value.field) == (code, field)
    assert written() == before
    return caught.value


def a_draft(code: str = "office", **given: Any) -> ProductVersion:
    """The first draft of a new product."""
    by = given.pop("by", None) or a_user().pk
    fields: dict[str, Any] = {"name": "Office", "family": "", "unit": "piece"} | given
    product = services.create_product(code=code, **{"quantity_places": 0} | fields, by=by, at=NOON)
    return product.versions.get()


def edited(draft: ProductVersion, **said: Any) -> ProductVersion:
    return services.edit_product_version(
        version_id=draft.pk, by=draft.prepared_by_id, at=NOON, **said
    )


def published(code: str, **said: Any) -> ProductVersion:
    """A product of which the first version says this and is on sale."""
    draft = edited(a_draft(code), **said)
    return services.publish_product_version(version_id=draft.pk, at=NOON, by=a_user().pk)


def requires(*codes: str) -> list[dict[str, str]]:
    return [{"kind": "requires", "other": code} for code in codes]


def options(*codes: str, **given: Any) -> list[dict[str, Any]]:
    return [{"component": code} | given for code in codes]


def test_a_product_begins_as_a_draft() -> None:
    by = a_user()
    draft = a_draft(family="voice", quantity_places=2, by=by.pk)
    assert (draft.number, draft.state, draft.prepared_by) == (1, "draft", by)
    assert (draft.product.family, draft.product.quantity_places) == ("voice", 2)
    event = Event.objects.get()
    assert (event.name, event.actor_id, event.facts) == (
        "product.created",
        by.pk,
        {"code": "office"},
    )


@pytest.mark.parametrize(
    ("given", "code", "field"),
    [
        ({"code": "fibre"}, "product_exists", "code"),
        ({"code": ""}, "value_invalid", "code"),
        ({"code": "two words"}, "value_invalid", "code"),
        ({"code": "x" * 61}, "value_invalid", "code"),
        ({"name": ""}, "value_invalid", "name"),
        ({"name": "a\0"}, "value_invalid", "name"),
        ({"name": "x" * 201}, "value_invalid", "name"),
        ({"family": "two words"}, "value_invalid", "family"),
        ({"unit": "x" * 31}, "value_invalid", "unit"),
        ({"quantity_places": 7}, "value_invalid", "quantity_places"),
        ({"quantity_places": -1}, "value_invalid", "quantity_places"),
    ],
)
def test_a_product_that_cannot_be(given: dict[str, Any], code: str, field: str) -> None:
    a_product(code="fibre")
    by = a_user().pk
    refused(code, field, lambda: a_draft(**{"by": by} | given))


def test_a_draft_says_what_it_is_told() -> None:
    a_product(code="phone")
    a_product(code="line")
    draft = a_draft()
    ProductVersion.objects.filter(pk=draft.pk).update(submitted_at=NOON)
    other = a_user()
    saved = services.edit_product_version(
        version_id=draft.pk,
        by=other.pk,
        at=NOON,
        description=" For offices. ",
        characteristics=[{"name": "seats", "type": "integer", "minimum": 1}],
        eligibility={"countries": ["DE"]},
        options=options("phone", minimum="2", maximum=4, group="voice"),
        rules=[{"kind": "excludes", "other": "line"}],
    )
    assert (saved.prepared_by, saved.submitted_at, saved.description) == (
        other,
        None,
        "For offices.",
    )
    again = edited(saved, description="")
    assert again.characteristics == [{"name": "seats", "type": "integer", "minimum": 1}]
    assert list(again.options.values_list("component__code", "group", "minimum", "default")) == [
        ("phone", "voice", 2, 2)
    ]
    assert list(again.rules.values_list("kind", "other__code")) == [("excludes", "line")]
    assert edited(saved, options=[], rules=[]).options.count() == 0
    assert Event.objects.filter(name="product_version.edited").count() == 3


@pytest.mark.parametrize(
    ("said", "code", "field"),
    [
        ({"description": "x" * 20001}, "value_invalid", "description"),
        ({"description": "\0"}, "value_invalid", "description"),
        (
            {"characteristics": [{"name": "a", "type": "choice"}]},
            "definition_invalid",
            "characteristics[0].choices",
        ),
        (
            {"characteristics": [{"name": "a", "type": "integer", "minimum": 2, "maximum": 1}]},
            "definition_invalid",
            "characteristics[0].maximum",
        ),
        ({"eligibility": {"countries": ["de"]}}, "definition_invalid", "eligibility.countries[0]"),
        ({"options": "phone"}, "value_invalid", "options"),
        ({"options": ["phone"]}, "value_invalid", "options"),
        ({"options": options("none")}, "product_unknown", "options[0].component"),
        ({"options": options("n\0")}, "product_unknown", "options[0].component"),
        ({"options": options("office")}, "definition_invalid", "options[0].component"),
        ({"options": options("phone", minimum="two")}, "value_invalid", "options[0].minimum"),
        ({"options": options("phone", minimum=-1)}, "value_invalid", "options[0].minimum"),
        ({"options": options("phone", maximum=1.5)}, "value_invalid", "options[0].maximum"),
        ({"options": options("phone", maximum=99999)}, "value_invalid", "options[0].maximum"),
        ({"options": options("phone", group="a b")}, "value_invalid", "options[0].group"),
        (
            {"options": options("phone", minimum=3, maximum=2)},
            "definition_invalid",
            "options[0].maximum",
        ),
        ({"rules": requires("none")}, "product_unknown", "rules[0].other"),
        ({"rules": [{"kind": "likes", "other": "phone"}]}, "definition_invalid", "rules[0].kind"),
        (
            {"rules": [*requires("phone"), {"kind": "excludes", "other": "phone"}]},
            "rules_contradict",
            "rules[1].kind",
        ),
        ({"rules": requires("addon")}, "loop", "rules"),
        ({"options": options("suite")}, "loop", "options"),
        ({"rules": requires("hermit")}, "rules_contradict", "rules"),
    ],
)
def test_a_draft_that_makes_no_sense(said: dict[str, Any], code: str, field: str) -> None:
    a_product(code="phone")
    draft = a_draft()
    published("addon", rules=requires("office"))
    published("suite", options=options("office"))
    published("hermit", rules=[{"kind": "excludes", "other": "office"}])
    refused(code, field, lambda: edited(draft, **said))


def test_only_drafts_are_edited_discarded_and_submitted() -> None:
    version, by = a_product(), a_user().pk
    for deed in (
        lambda: services.edit_product_version(version_id=version.pk, by=by, at=NOON),
        lambda: services.discard_draft(version_id=version.pk, by=by, at=NOON),
        lambda: services.submit_product_version(version_id=version.pk, by=by, at=NOON),
    ):
        refused("not_a_draft", None, deed)
    only = a_draft()
    refused("not_a_draft", None, lambda: services.discard_draft(version_id=only.pk, by=by, at=NOON))


def test_the_next_version_begins_as_a_copy() -> None:
    a_product(code="phone")
    first = published(
        "office",
        characteristics=[{"name": "seats"}],
        eligibility={"segments": ["health"]},
        options=options("phone", minimum=1, maximum=2, default=2),
        rules=requires("phone"),
    )
    by = a_user()
    draft = services.draft_product_version(code="office", by=by.pk, at=NOON)
    assert (draft.number, draft.state, draft.prepared_by, draft.successor) == (2, "draft", by, None)
    assert (draft.characteristics, draft.eligibility) == (first.characteristics, first.eligibility)
    assert draft.options.values_list("component__code", "minimum", "maximum", "default").get() == (
        *("phone", 1, 2),
        2,
    )
    assert draft.rules.get().other.code == "phone"
    refused(
        "draft_open",
        None,
        lambda: services.draft_product_version(code="office", by=by.pk, at=NOON),
    )
    services.discard_draft(version_id=draft.pk, by=by.pk, at=NOON)
    assert list(first.product.versions.all()) == [first]
    assert Event.objects.filter(name="product_version.discarded").get().actor_id == by.pk
    refused(
        "product_unknown",
        "code",
        lambda: services.draft_product_version(code="none", by=by.pk, at=NOON),
    )


def test_publishing_needs_a_second_person() -> None:
    draft = a_draft()
    author, second = draft.prepared_by_id, a_user().pk
    services.submit_product_version(version_id=draft.pk, by=author, at=NOON)
    no = refused(
        "second_person_needed",
        None,
        lambda: services.publish_product_version(version_id=draft.pk, at=NOON, by=author),
    )
    assert no.message == "You wrote Office v1; somebody else publishes it."
    version = services.publish_product_version(version_id=draft.pk, at=NOON, by=second)
    assert (version.state, version.published_by_id, version.submitted_at) == (
        "published",
        second,
        NOON,
    )
    with pytest.raises(Error), transaction.atomic():
        ProductVersion.objects.filter(pk=version.pk).update(published_by=author)
    drafted = services.draft_product_version(code="office", by=author, at=NOON)
    with pytest.raises(Error), transaction.atomic():
        ProductVersion.objects.filter(pk=drafted.pk).update(published_by=author)


def test_no_program_publishes_what_a_person_wrote() -> None:
    draft = a_draft()
    plan = DeliveryPlan.objects.create(
        product=draft.product, number=7, tasks=[], prepared_by_id=draft.prepared_by_id
    )
    for deed in (
        lambda: services.publish_product_version(version_id=draft.pk, at=NOON),
        lambda: services.publish_delivery_plan(plan_id=plan.pk, at=NOON),
    ):
        assert "another person publishes it" in refused("second_person_needed", None, deed).message
    plan.refresh_from_db()
    assert plan.state == "draft"


def test_what_a_program_writes_needs_no_second_person() -> None:
    version = ProductVersion.objects.create(product=a_product().product, number=2)
    by = a_user().pk
    services.publish_product_version(version_id=version.pk, at=NOON, by=by)
    version.refresh_from_db()
    assert (version.published_by_id, version.prepared_by_id) == (by, None)


def test_a_loop_that_two_drafts_make_is_found_when_the_second_is_published() -> None:
    one, two = a_draft("one"), a_draft("two")
    edited(one, rules=requires("two"))
    edited(two, rules=requires("one"))
    services.publish_product_version(version_id=one.pk, at=NOON, by=a_user().pk)
    by = a_user().pk
    no = refused(
        "loop", "rules", lambda: services.publish_product_version(version_id=two.pk, at=NOON, by=by)
    )
    assert no.message == "A loop: two → one → two."


def test_a_version_written_past_the_services_is_checked_when_it_is_published() -> None:
    specs = [{"name": "a", "type": "integer", "minimum": 2, "maximum": 1}]
    version = ProductVersion.objects.create(
        product=a_product().product, number=2, characteristics=specs
    )
    refused(
        "definition_invalid",
        "characteristics[0].maximum",
        lambda: services.publish_product_version(version_id=version.pk, at=NOON),
    )


def test_options_and_rules_are_frozen_with_their_version() -> None:
    phone = a_product(code="phone").product
    version = published("office", options=options("phone"), rules=requires("phone"))
    for deed in (
        lambda: BundleOption.objects.update(maximum=9),
        lambda: BundleOption.objects.all().delete(),
        lambda: ProductRule.objects.all().delete(),
        lambda: ProductRule.objects.create(version=version, kind="excludes", other=phone),
    ):
        with pytest.raises(Error), transaction.atomic():
            deed()


def retire(old: ProductVersion, new: ProductVersion | None = None) -> Product:
    return services.retire_product(
        product_id=old.product_id,
        successor_id=new.product_id if new else None,
        on=ON,
        by=None,
    )


def test_a_retired_product_names_its_successor_and_chains_are_followed() -> None:
    isdn, voip, cloud = (a_product(code=code) for code in ("isdn", "voip", "cloud"))
    assert successor_of(isdn) is None
    retire(isdn, voip)
    isdn.refresh_from_db()
    assert (isdn.state, isdn.retired_on, isdn.successor) == ("retired", ON, voip)
    assert successor_of(isdn) == voip
    retire(voip, cloud)
    second = ProductVersion.objects.create(product=cloud.product, number=2)
    services.publish_product_version(version_id=second.pk, at=NOON)
    voip.refresh_from_db()
    assert successors_of([isdn, voip, cloud]) == {isdn.pk: second, voip.pk: second}
    retire(cloud)
    assert successor_of(isdn) is None
    event = Event.objects.filter(name="product.retired").order_by("pk").first()
    assert event is not None
    assert event.facts == {"successor": "voip"}


def test_a_successor_may_be_named_later() -> None:
    isdn, voip = a_product(code="isdn"), a_product(code="voip")
    retire(isdn)
    refused("not_a_draft", None, lambda: retire(isdn))
    retire(isdn, voip)
    isdn.refresh_from_db()
    assert successor_of(isdn) == voip


def test_who_takes_no_place() -> None:
    isdn, gone = a_product(code="isdn"), a_product(code="gone")
    retire(gone)
    draft = a_draft("dream")
    for new in (isdn, gone, draft):
        refused("successor_invalid", "successor", lambda new=new: retire(isdn, new))
    refused("not_a_draft", None, lambda: retire(draft))


def test_a_loop_of_successors_ends_in_nothing() -> None:
    isdn, voip = a_product(code="isdn"), a_product(code="voip")
    retire(isdn, voip)
    retire(voip)
    ProductVersion.objects.filter(pk=voip.pk).update(successor=isdn)
    isdn.refresh_from_db()
    assert successor_of(isdn) is None
