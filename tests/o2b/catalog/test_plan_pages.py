"""The pages of delivery plans: list, picture, editor with and without htmx, dry run, files."""

import json
from decimal import Decimal
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import QueryDict
from django.test import Client

from o2b.catalog import asks, services
from o2b.catalog.forms import PlanEditor, shown_editor
from o2b.catalog.forms.plan_rows import value_said, value_text
from o2b.catalog.models import DeliveryPlan
from o2b.people.models import User
from orders.fulfilment import handlers
from orders.fulfilment.handlers import Handler
from orders.fulfilment.outcomes import Done
from orders.models import Queue
from tests.factories import INSTALL, NOON, a_product, a_user
from tests.orders.build import unread

pytestmark = pytest.mark.django_db

SPEED = {"name": "speed", "label": "Bandwidth", "type": "choice", "choices": [100, 400]}
URL = "/catalog/products/fibre/plans/"
STEPS: list[dict[str, Any]] = [
    {
        "key": "build",
        "name": "Build",
        "kind": "manual",
        "queue": "field",
        "minutes": 90,
        "estimate": 120,
        "maximum": 240,
        "skills": ["fibre", "ladder"],
        "evidence": ["version", "Port"],
        "checklist": ["Label the cable", "Clean up"],
        "rate": "60.5",
        "equipment": 35,
        "weight": "0.5",
        "component": "line",
        "compensation": {
            "name": "Remove",
            "kind": "automatic",
            "handler": "bell",
            "parameters": {"port": "=version"},
            "minutes": 10,
        },
    },
    {
        "key": "activate",
        "kind": "automatic",
        "handler": "bell",
        "after": ["build"],
        "when": "has(speed) and speed > 100",
        "parameters": {"speed": "=speed", "code": "100", "retries": 3, "flags": ["a", True]},
        "point_of_no_return": True,
    },
]
PARTS = [{"key": "line", "name": "Line", "quantity": "=quantity", "characteristics": {"a": "b"}}]


@pytest.fixture(autouse=True)
def bell(monkeypatch: pytest.MonkeyPatch) -> None:
    """A kind of task that takes any parameters."""
    monkeypatch.setitem(handlers.HANDLERS, "bell", Handler(run=lambda job: Done()))


@pytest.fixture
def nora() -> User:
    return a_user("product", first_name="Nora")


@pytest.fixture
def manager(client: Client, nora: User) -> Client:
    client.force_login(nora)
    return client


@pytest.fixture
def colleague() -> Client:
    other = Client()
    other.force_login(a_user("product", first_name="Felix"))
    return other


@pytest.fixture
def draft(nora: User) -> DeliveryPlan:
    a_product(code="fibre", name="Fibre", characteristics=[SPEED], charges=[])
    made = services.draft_plan(code="fibre", by=nora.pk, at=NOON)
    services.edit_plan(plan_id=made.pk, by=nora.pk, at=NOON, tasks=STEPS, components=PARTS)
    made.refresh_from_db()
    return made


def sent(editor: PlanEditor, do: str = "save", **more: Any) -> dict[str, Any]:
    """What a browser sends of the editor as it is shown."""
    shown = shown_editor(editor)
    counts = {"steps": len(shown["steps"]), "parts": len(shown["parts"])}
    post: dict[str, Any] = {"do": do, "seen": editor.seen} | counts
    for row in shown["steps"]:
        undo = row["undo"]
        post |= cells(row) | pairs(row["parameters_place"], row["parameters"])
        post |= cells(undo) | pairs(undo["parameters_place"], undo["parameters"])
        post[f"{row['place']}-after"] = [o["n"] for o in row["others"] if o["checked"]]
        post |= {undo["place"]: "1"} if undo["on"] else {}
    for part in shown["parts"]:
        post |= cells(part) | pairs(part["traits_place"], part["traits"])
    return {name: value for name, value in post.items() if value != ""} | more


def cells(row: dict[str, Any]) -> dict[str, str]:
    found = (cell for cell in row.values() if isinstance(cell, dict) and "value" in cell)
    return {cell["id"]: cell["value"] for cell in found if "id" in cell}


def pairs(place: str, rows: list[dict[str, Any]]) -> dict[str, Any]:
    post: dict[str, Any] = {place: len(rows)}
    for row in rows:
        post |= cells(row)
    return post


def read(post: dict[str, Any]) -> PlanEditor:
    data = QueryDict(mutable=True)
    for name, value in post.items():
        data.setlist(name, [str(v) for v in value] if isinstance(value, list) else [str(value)])
    return PlanEditor.read(data)


# the form


def test_a_plan_goes_through_the_form_unchanged(draft: DeliveryPlan) -> None:
    editor = read(sent(PlanEditor.of(draft)))
    told = editor.told()
    assert told["tasks"] == STEPS
    assert told["components"] == PARTS


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", ""),
        ("a text", "a text"),
        ("=speed * 2", "=speed * 2"),
        ("100", 100),
        ('"100"', "100"),
        ("true", True),
        ("null", None),
        ('["a", 1]', ["a", 1]),
        ('{"a": 1}', {"a": 1}),
        ("1.5", 1.5),
        ("NaN", "NaN"),
        ("-Infinity", "-Infinity"),
        ("1e999", "1e999"),
        ("[" * 5000, "[" * 5000),
    ],
)
def test_values_are_typed_as_text(text: str, value: Any) -> None:
    assert value_said(text) == value
    assert value_said(value_text(value)) == value


def keys(editor: PlanEditor) -> list[str]:
    return [row.texts["key"] for row in editor.steps]


def afters(editor: PlanEditor) -> dict[str, list[str]]:
    return {step["key"]: step.get("after", []) for step in editor.told()["tasks"]}


def test_rows_move_are_copied_and_keep_what_they_wait_on(draft: DeliveryPlan) -> None:
    editor = read(sent(PlanEditor.of(draft), "up-1"))
    editor.rearrange("up-1")
    assert (keys(editor), afters(editor)["activate"]) == (["activate", "build"], ["build"])
    editor = read(sent(editor))
    editor.rearrange("copy-1")
    assert keys(editor) == ["activate", "build", "build-2"]
    editor = read(sent(editor))
    editor.steps[1].texts["key"] = "erect"
    assert afters(editor) == {"activate": ["erect"], "erect": [], "build-2": []}
    editor.rearrange("remove-1")
    assert afters(editor) == {"activate": [], "build-2": []}
    editor.rearrange("add-manual")
    editor.rearrange("add-automatic")
    assert keys(editor) == ["activate", "build-2", "step-3", "step-4"]
    assert [row.texts["kind"] for row in editor.steps[2:]] == ["manual", "automatic"]


def test_parameters_and_components_come_and_go(draft: DeliveryPlan) -> None:
    editor = PlanEditor.of(DeliveryPlan(tasks=STEPS, components=PARTS))
    for deed in ("add-parameters-1", "remove-parameters-1-3", "add-undo-0", "add-traits-0"):
        editor.rearrange(deed)
    assert [name for name, _value in editor.steps[1].parameters] == ["speed", "code", "retries", ""]
    assert editor.steps[0].undo_parameters == [("port", "=version"), ("", "")]
    assert editor.parts[0].traits == [("a", "b"), ("", "")]
    editor.rearrange("add-part")
    editor.rearrange("remove-part-0")
    assert [part.texts["key"] for part in editor.parts] == ["part-1"]


@pytest.mark.parametrize(
    "deed",
    [
        *("", "stay", "add", "add-", "add-magic", "remove-99", "up-x", "up-", "up-²", "down--1"),
        *("add-parameters", "add-parameters-99", "remove-parameters-0-99", "add-traits-9"),
        *("remove-part-9", "remove-parameters-0", "add-undo-x", "fly-0", "add-part-0-0"),
        *("add-parameters-99999999999999", "remove-part-", "up-0\0", "up-" + "1" * 5000),
    ],
)
def test_a_deed_that_is_none_changes_nothing(draft: DeliveryPlan, deed: str) -> None:
    editor = PlanEditor.of(draft)
    editor.rearrange(deed)
    assert editor.told() == {"tasks": STEPS, "components": PARTS}


# pages


def test_the_product_leads_to_its_plans(manager: Client, draft: DeliveryPlan) -> None:
    product = manager.get("/catalog/products/fibre/").content.decode()
    assert f'href="{URL}"' in product
    assert f'href="{URL}1/"' in product
    page = manager.get(URL).content.decode()
    assert f'href="{URL}2/edit/"' in page
    assert "new orders are laid from it" in page
    assert f'href="{URL}2/"' in manager.get("/catalog/plans/?state=draft").content.decode()


def test_a_plan_is_drawn_and_said(manager: Client, draft: DeliveryPlan) -> None:
    page = manager.get(f"{URL}2/").content.decode()
    assert "<svg" in page
    assert page.count("<rect") == 2
    for words in ("minutes of work 90", "has(speed) and speed &gt; 100", "What changed since v1"):
        assert words in page
    assert "Submit for publication" in page
    assert f'action="{URL}2/publish/"' not in page


@pytest.mark.parametrize("count", [2, 40])
def test_pages_read_as_often_for_many(
    manager: Client, draft: DeliveryPlan, count: int, django_assert_max_num_queries: Any
) -> None:
    steps = [{**STEPS[0], "key": f"s{n}"} for n in range(count)]
    services.edit_plan(plan_id=draft.pk, by=a_user().pk, at=NOON, tasks=steps, components=PARTS)
    for n in range(3, count):
        DeliveryPlan.objects.create(product=draft.product, number=n)
    for path, most in ((f"{URL}2/", 11), (f"{URL}2/edit/", 10), (URL, 8), ("/catalog/plans/", 8)):
        with django_assert_max_num_queries(most):
            assert manager.get(path).status_code == 200
    with django_assert_max_num_queries(10):
        assert manager.get(f"{URL}2/try/").status_code == 200


def test_a_draft_is_edited_published_by_another_and_stands(
    manager: Client, colleague: Client, draft: DeliveryPlan
) -> None:
    post = sent(PlanEditor.of(draft), **{"steps-0-name": "Build it", "steps-1-when": "has(speed)"})
    saved = manager.post(f"{URL}2/edit/", post)
    assert (saved.status_code, saved["Location"]) == (302, f"{URL}2/")
    draft.refresh_from_db()
    assert draft.tasks[0]["name"] == "Build it"
    assert draft.tasks[1]["when"] == "has(speed)"
    assert manager.post(f"{URL}2/publish/").status_code == 409
    assert manager.post(f"{URL}2/submit/")["Location"] == f"{URL}2/"
    assert "ask a colleague" in manager.get(f"{URL}2/").content.decode()
    assert f'action="{URL}2/publish/"' in colleague.get(f"{URL}2/").content.decode()
    assert colleague.post(f"{URL}2/publish/")["Location"] == f"{URL}2/"
    draft.refresh_from_db()
    assert draft.state == "published"
    late = manager.post(f"{URL}2/edit/", post)
    assert late["Location"] == f"{URL}2/"
    assert "A published plan stands" in manager.get(f"{URL}2/").content.decode()
    made = manager.post(f"{URL}draft/")
    assert made["Location"] == f"{URL}3/edit/"


def test_faults_stand_beside_their_fields(manager: Client, draft: DeliveryPlan) -> None:
    post = sent(
        PlanEditor.of(draft),
        **{
            "steps-0-after": ["1"],
            "steps-0-queue": "",
            "steps-0-undo-handler": "sing",
            "steps-0-undo-parameters-0-value": "=nobody",
            "steps-1-when": "spede > 5",
            "steps-1-parameters-0-value": "=speed * nobody",
            "parts-0-quantity": "=nobody",
        },
    )
    answer = manager.post(f"{URL}2/edit/", post)
    assert answer.status_code == 200
    faults = answer.context["editor"].faults
    assert set(faults) >= {
        "steps-0-queue",
        "steps-0-undo-parameters-0-value",
        "steps-1-when",
        "steps-1-parameters-0-value",
        "parts-0-quantity",
    }
    assert {"steps-0-after", "steps-1-after"} & set(faults)
    page = answer.content.decode()
    assert "A loop: " in page
    assert "things are to be mended" in page
    draft.refresh_from_db()
    assert draft.tasks[1]["when"] == "spede > 5"
    assert manager.post(f"{URL}2/submit/").status_code == 422
    draft.refresh_from_db()
    assert draft.submitted_at is None


def test_a_file_that_is_too_large_is_not_even_read(manager: Client, draft: DeliveryPlan) -> None:
    answer = unread(manager, f"{URL}import/")
    assert (answer.status_code, "larger than 500 kB" in answer.text) == (413, True)
    draft.refresh_from_db()
    assert draft.tasks == STEPS


def test_htmx_gets_the_editor_alone(manager: Client, draft: DeliveryPlan) -> None:
    post = sent(PlanEditor.of(draft), "add-manual")
    answer = manager.post(f"{URL}2/edit/", post, headers={"HX-Request": "true"})
    page = answer.content.decode()
    assert page.startswith('<form id="plan-editor"')
    assert 'name="steps-2-key"' in page
    draft.refresh_from_db()
    assert len(draft.tasks) == 2


def test_who_was_overtaken_sees_what_was_typed(manager: Client, draft: DeliveryPlan) -> None:
    post = sent(PlanEditor.of(draft), **{"steps-0-name": "Mine"})
    services.edit_plan(plan_id=draft.pk, by=a_user().pk, at=NOON, tasks=INSTALL)
    answer = manager.post(f"{URL}2/edit/", post)
    assert answer.status_code == 409
    assert 'value="Mine"' in answer.content.decode()
    draft.refresh_from_db()
    assert draft.tasks == INSTALL


@pytest.mark.parametrize(
    "post",
    [
        {},
        {"do": "save"},
        {"do": "save", "steps": "99999999", "parts": "-1"},
        {"do": "save", "steps": "²", "seen": "\0"},
        {"do": "save", "steps": "2", "steps-0-key": "a\0", "steps-1-minutes": "9" * 400},
        {"do": "save", "steps": "1", "steps-0-after": ["\0", "99", "-1", "²"]},
        {"do": "save", "steps": "1", "steps-0-parameters": "9999999"},
        {
            "do": "save",
            "steps": "1",
            "steps-0-parameters": "1",
            "steps-0-parameters-0-value": "[" * 99,
        },
        {"do": "save", "steps": "1", "steps-0-name": "x" * 600_000},
    ],
)
def test_junk_is_refused_not_broken(
    manager: Client, draft: DeliveryPlan, post: dict[str, Any]
) -> None:
    answer = manager.post(f"{URL}2/edit/", {"seen": PlanEditor.of(draft).seen} | post)
    assert answer.status_code in {200, 302, 409, 413, 422}


@pytest.mark.parametrize(
    ("sent_", "words"),
    [
        ({"steps-0-when": "has(speed) and speed > 100"}, "Reads well"),
        ({"steps-0-when": "speed > 100"}, "With speed = —"),
        ({"steps-0-when": "spede"}, "asks for “spede”"),
        ({"steps-0-when": ""}, None),
        ({"steps-0-parameters-0-value": "a text"}, None),
        ({"steps-0-parameters-0-value": "=1 / 0"}, "fails"),
        ({"steps-0-parameters-0-value": "=().__class__"}, "no plan may"),
        ({"steps-0-when": "x\0"}, "an expression has 1 to 500 characters"),
        ({"steps-0-when": "<script>"}, "&lt;script&gt;"),
        ({}, None),
    ],
)
def test_an_expression_is_checked_while_it_is_typed(
    manager: Client, draft: DeliveryPlan, sent_: dict[str, str], words: str | None
) -> None:
    answer = manager.get(f"{URL}check/", sent_)
    page = answer.content.decode()
    assert answer.status_code == 200
    assert (words in page) if words else page.strip() == ""


def test_a_dry_run_tells_what_is_laid(manager: Client, draft: DeliveryPlan) -> None:
    Queue.objects.create(code="field", name="Field", hourly_rate=Decimal(30))
    fast = manager.get(f"{URL}2/try/", {"quantity": "2", "c-speed": "400"})
    tried = fast.context["tried"]
    assert [one.key for one in tried.steps] == ["build", "activate"]
    assert tried.cost == Decimal("125.75")
    page = fast.content.decode()
    assert "<svg" in page
    slow = manager.get(f"{URL}2/try/", {"quantity": "2", "c-speed": "100"})
    assert [step["key"] for step in slow.context["tried"].left_out] == ["activate"]
    assert "because this does not hold" in slow.content.decode()
    assert manager.get(f"{URL}2/try/").context["tried"].steps


@pytest.mark.parametrize(
    "asked",
    [
        {"quantity": "x"},
        {"quantity": "-1"},
        {"quantity": "1.5"},
        {"quantity": "1", "c-speed": "7"},
        {"quantity": "\0"},
        {"quantity": "1", "parent": "nobody", "beside": "x"},
        {"quantity": "9" * 90},
    ],
)
def test_a_line_that_cannot_be_is_not_tried(
    manager: Client, draft: DeliveryPlan, asked: dict[str, str]
) -> None:
    answer = manager.get(f"{URL}2/try/", asked)
    assert answer.status_code in {200, 422}
    assert ("tried" in answer.context) == (answer.status_code == 200)


def test_a_broken_draft_says_why_it_cannot_be_tried(manager: Client, draft: DeliveryPlan) -> None:
    for tasks in ([{**STEPS[0], "when": "1 / 0"}], [{**STEPS[0], "after": ["build"]}], []):
        services.edit_plan(plan_id=draft.pk, by=a_user().pk, at=NOON, tasks=tasks, components=PARTS)
        answer = manager.get(f"{URL}2/try/", {"quantity": "1"})
        assert answer.status_code == 200
        assert "Such a line could not be ordered" in answer.content.decode()
        assert manager.get(f"{URL}2/").status_code == 200


def test_odd_drafts_are_shown(manager: Client, draft: DeliveryPlan) -> None:
    odd = [{"key": ["x"]}, {"minutes": "x", "after": 5, "when": 5, "parameters": 5}]
    odd += [{"key": "a", "skills": "x", "compensation": "y", "kind": "automatic", "handler": 7}]
    services.edit_plan(
        plan_id=draft.pk, by=a_user().pk, at=NOON, tasks=odd, components=[{"quantity": []}]
    )
    for path in ("", "edit/", "try/?quantity=1", "export/"):
        assert manager.get(f"{URL}2/{path}").status_code == 200
    assert manager.get(f"{URL}compare/?from=1&to=2").status_code == 200


def test_a_plan_goes_out_and_comes_in(manager: Client, draft: DeliveryPlan) -> None:
    out = manager.get(f"{URL}2/export/")
    assert out["Content-Disposition"] == 'attachment; filename="plan-fibre-v2.json"'
    document = json.loads(out.content)
    assert (document["tasks"], document["components"]) == (STEPS, PARTS)
    a_product(code="copper", characteristics=[SPEED], charges=[])
    answer = manager.post(
        "/catalog/products/copper/plans/import/",
        {"file": SimpleUploadedFile("plan.json", out.content)},
    )
    assert answer["Location"] == "/catalog/products/copper/plans/2/"
    assert DeliveryPlan.objects.get(product__code="copper", number=2).tasks == STEPS


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"{", "This is no JSON document."),
        (b"\xff\xfe", "This is no JSON document."),
        (b'{"tasks": [{"key": "a"}]}', "a: The kind is manual or automatic."),
        (b'{"tasks": "' + b"x" * 550_000 + b'"}', "larger than 500 kB"),
        (b'{"tasks": [{"key": "a\\u0000"}]}', "cannot be kept"),
        (b"", "empty"),
    ],
)
def test_a_bad_file_says_what_is_wrong(
    manager: Client, draft: DeliveryPlan, body: bytes, words: str
) -> None:
    answer = manager.post(f"{URL}import/", {"file": SimpleUploadedFile("plan.json", body)})
    assert answer.status_code == 422
    assert words in answer.content.decode()
    draft.refresh_from_db()
    assert draft.tasks == STEPS


def test_a_draft_is_thrown_away(manager: Client, draft: DeliveryPlan) -> None:
    assert manager.post(f"{URL}2/discard/")["Location"] == URL
    assert not DeliveryPlan.objects.filter(pk=draft.pk).exists()
    assert manager.get(f"{URL}2/").status_code == 404


@pytest.mark.parametrize("path", ["", "1/", "1/try/", "1/export/", "compare/"])
def test_who_may_look(client: Client, draft: DeliveryPlan, path: str) -> None:
    assert client.get(URL + path)["Location"].startswith("/login/")
    client.force_login(a_user("sales"))
    assert client.get(URL + path).status_code == (
        200 if a_user("sales").has_perm("catalog.view_product") else 403
    )
    client.force_login(a_user())
    assert client.get(URL + path).status_code == 403


@pytest.mark.parametrize(
    "path", ["draft/", "import/", "2/edit/", "2/submit/", "2/publish/", "2/discard/"]
)
def test_who_may_write(client: Client, draft: DeliveryPlan, path: str) -> None:
    for groups in (("sales",), ("order team",), ()):
        client.force_login(a_user(*groups))
        assert client.post(URL + path).status_code == 403
    assert DeliveryPlan.objects.filter(product=draft.product, state="draft").count() == 1


@pytest.mark.parametrize(
    "path",
    [
        *("99/", "99999999999999999999/", "99/edit/", "99/try/", "99/export/"),
        *("../nothing/plans/", "../nothing/plans/compare/", "../nothing/plans/check/"),
    ],
)
def test_what_is_not_there_is_a_404(manager: Client, draft: DeliveryPlan, path: str) -> None:
    url = f"/catalog/products/{path[3:]}" if path.startswith("../") else URL + path
    assert manager.get(url).status_code == 404


def test_home_tells_of_drafts(draft: DeliveryPlan, nora: User) -> None:
    services.submit_plan(plan_id=draft.pk, by=nora.pk, at=NOON)
    (mine,), (for_him,) = asks.home_cards(nora), asks.home_cards(a_user("product"))
    assert (mine.title, mine.url) == ("Drafts that I prepare", "/catalog/plans/?state=draft")
    assert (for_him.title, for_him.value) == ("Drafts for me to publish", "1")


def test_the_real_handlers_are_known(manager: Client, draft: DeliveryPlan) -> None:
    page = manager.get(f"{URL}2/edit/").content.decode()
    assert '<option value="activation">' in page
    assert '<option value="http_provisioning">' in page
