"""Fallout: rules that match, every remedy, many at once, and the desk where people do it."""

import re
from html import unescape
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from o2b.models import Event
from orders import services as orders
from orders.fallout import selectors, services
from orders.fallout.advice import USUAL, advise
from orders.fallout.parameters import ParametersWrong, as_text, from_text
from orders.fallout.services.rules import RuleWrong
from orders.fulfilment.services import refusals as no
from orders.models import (
    Approval,
    Attempt,
    Evidence,
    FailureClass,
    FalloutRule,
    OrderLine,
    Queue,
    QueueMember,
    Task,
)
from tests.orders.build import (
    ACTIVATE,
    LATER,
    a_placed_order,
    a_product,
    a_user,
    a_worker,
    advance,
    an_account,
    by_hand,
    entered,
    logged_in,
    states,
    team,
    written,
)
from tests.orders.careful import under_a_clock
from tests.orders.fallen import asks, failing, fell_out

pytestmark = pytest.mark.django_db


def a_rule(**given: Any) -> FalloutRule:
    return services.save_rule(**{"remedy": "retry"} | given)


def spoken_for(task: Task) -> int | None:
    return selectors.fallen_tasks(selectors.rules_in_force()).get(pk=task.pk).rule_id


# rules


def test_the_first_rule_that_matches_speaks():
    order = fell_out(says="port 7 of 12 is taken")
    task = Task.objects.get()
    product = order.lines.get().product_version.product.code
    wrong = [
        a_rule(handler="activation"),
        a_rule(failure_class="timeout"),
        a_rule(product="another"),
        a_rule(says="not there"),
        a_rule(failure_class="refused", says="100%"),
    ]
    assert spoken_for(task) is None
    right = a_rule(
        handler="http_provisioning", failure_class="refused", product=product, says="PORT 7"
    )
    every = a_rule()
    assert spoken_for(task) == right.pk
    services.switch_rule(rule_id=right.pk, on=False)
    assert spoken_for(task) == every.pk
    services.switch_rule(rule_id=right.pk, on=True)
    services.move_rule(rule_id=every.pk, up=True)
    assert spoken_for(task) == every.pk
    assert [rule.pk for rule in FalloutRule.objects.all()] == [
        *(rule.pk for rule in wrong),
        every.pk,
        right.pk,
    ]
    assert selectors.spoken_for() == {every.pk: 1}
    assert list(selectors.matched_by(FalloutRule(says="taken"))) == [task]


def test_moving_past_the_ends_changes_nothing():
    first, last = a_rule(), a_rule()
    services.move_rule(rule_id=first.pk, up=True)
    services.move_rule(rule_id=last.pk, up=False)
    assert list(FalloutRule.objects.values_list("pk", "position")) == [(first.pk, 1), (last.pk, 2)]
    services.move_rule(rule_id=first.pk, up=False)
    assert list(FalloutRule.objects.values_list("pk", "position")) == [(last.pk, 1), (first.pk, 2)]
    with pytest.raises(FalloutRule.DoesNotExist):
        services.move_rule(rule_id=10**6, up=True)


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"remedy": "pray"}, "remedy"),
        ({"failure_class": "weather"}, "failure_class"),
        ({"says": "x" * 201}, "says"),
        ({"advice": "\0"}, "advice"),
        ({"queue": Queue(pk=10**6)}, "queue"),
    ],
)
def test_rules_that_cannot_be(said, field):
    with pytest.raises(RuleWrong) as refusal:
        a_rule(**said)
    assert refusal.value.field == field
    assert not FalloutRule.objects.exists()


def test_every_class_has_its_advice():
    assert set(USUAL) == set(FailureClass.values)
    rule = FalloutRule(remedy="edit", advice="Take the other port")
    assert (advise("refused", None).remedy, advise("", None).text) == ("edit", "")
    assert advise("timeout", rule).text == "Take the other port"
    assert advise("timeout", FalloutRule(remedy="cancel")).text == ""


def test_the_rules_queue_mends_it_or_the_tasks_own():
    worker = a_worker("network")
    fell_out()
    manual = a_placed_order(tasks=[by_hand()])
    clerk, task = a_worker(), Task.objects.get(kind="manual")
    orders.claim_task(task_id=task.pk, user_id=clerk.pk, at=LATER)
    orders.fail_task(task_id=task.pk, user_id=clerk.pk, reason="no access", at=LATER)
    assert states(manual) == (["fallout"], ["fallout"])
    a_rule(failure_class="refused", queue=Queue.objects.get(code="network"))
    assert [t.name for t in selectors.fallen_for(worker.pk)] == ["Set up"]
    assert [t.name for t in selectors.fallen_for(clerk.pk)] == ["Install"]


# edit and retry


def test_edit_and_retry_keeps_who_changed_what_and_touches_no_terms():
    order = fell_out()
    task, user = Task.objects.get(), a_worker()
    terms = order.lines.get().terms_id
    services.edit_and_retry(
        task_id=task.pk, parameters={"behaviour": "ok", "port": 9}, at=LATER, user_id=user.pk
    )
    task.refresh_from_db()
    assert (task.state, task.attempts, task.failure) == ("ready", 0, "")
    assert task.parameters == {"behaviour": "ok", "port": 9}
    assert states(order)[0] == ["provisioning"]
    event = Event.objects.get(name="task.edited")
    assert (event.actor_id, event.facts["before"], event.facts["after"]) == (
        user.pk,
        {"behaviour": "ok"},
        {"behaviour": "ok", "port": 9},
    )
    assert order.lines.get().terms_id == terms
    assert [edit.pk for edit in selectors.edits_of(task.pk)] == [event.pk]


@pytest.mark.parametrize(
    "parameters",
    [
        {"poll_every": 1},
        {"give_up_after": "soon"},
        {"x": "\0"},
        {"x": "\ud800"},
        {"x": "y" * 20_000},
        {"x": {"deep": ["a\0"]}},
        {"\udfff": 1},
        {f"x{n}": 1 for n in range(51)},
    ],
)
def test_parameters_that_nobody_can_use(parameters):
    fell_out()
    task, before = Task.objects.get(), written()
    with pytest.raises(ParametersWrong):
        services.edit_and_retry(task_id=task.pk, parameters=parameters, at=LATER)
    task.refresh_from_db()
    assert (task.state, task.parameters, written()) == ("fallout", {"behaviour": "ok"}, before)


def test_a_letter_of_every_alphabet_and_what_looks_like_an_escape_is_kept():
    fell_out()
    task = Task.objects.get()
    said = {"text": "Ready 🎉\nSchöne Grüße", "📮": "\\u0000 and \\ud83c"}
    services.edit_and_retry(task_id=task.pk, parameters=said, at=LATER)
    task.refresh_from_db()
    assert (task.state, task.parameters) == ("ready", said)


LETTER = "Dear customer,\n\nyour line is ready.\n" + "Best regards. " * 200


def test_letters_are_edited_with_their_lines_and_long_values_are_taken():
    parameters = {"text": LETTER, "block": "x" * 9_000, "odd": "a\r\nb", "port": 7}
    fell_out(tasks=asks(parameters=parameters))
    task, client = Task.objects.get(), team()
    names = list(task.parameters)
    page = client.get(reverse("orders:task-mend", args=[task.pk])).text
    areas = re.findall(r'<textarea name="(value-\d)"', page)
    assert {names[int(area[-1])] for area in areas} == {"odd", "text", "block"}
    # As a browser sends it: every line ends with CR LF.
    before = task.parameters
    said = {f"value-{n}": as_text(before[name]) for n, name in enumerate(names)}
    sent = {field: "\r\n".join(text.splitlines()) for field, text in said.items()}
    letter = f"value-{names.index('text')}"
    sent[letter] = LETTER.replace("ready", "here").replace("\n", "\r\n")
    assert client.post(reverse("orders:task-edit", args=[task.pk]), sent).status_code == 302
    task.refresh_from_db()
    assert task.parameters == before | {"text": LETTER.replace("ready", "here")}


def test_what_did_not_fall_out_is_not_mended():
    a_placed_order(tasks=asks())
    task, before = Task.objects.get(), written()
    for remedy in (
        lambda: services.edit_and_retry(task_id=task.pk, parameters={}, at=LATER),
        lambda: services.take_by_hand(task_id=task.pk, user_id=a_user().pk, at=LATER),
    ):
        with pytest.raises(no.TaskNotReady):
            remedy()
    assert written() == before


@pytest.mark.parametrize(
    ("text", "before", "value"),
    [
        ("7", "6", "7"),
        ("7", 6, 7),
        ("7.5", 6, 7.5),
        ("true", False, True),
        ("maybe", False, "maybe"),
        ('{"a": [1]}', {}, {"a": [1]}),
        ("NaN", 1, "NaN"),
        ("null", None, None),
        ("plain", None, "plain"),
    ],
)
def test_values_keep_their_kind(text, before, value):
    assert from_text(text, before) == value
    assert from_text(as_text(value), value) == value


# by hand


def test_taken_by_hand_and_completed_with_evidence():
    order = fell_out(tasks=[*asks(), {**ACTIVATE[0], "after": ["call"]}])
    task, user = Task.objects.get(key="call"), a_worker()
    services.take_by_hand(task_id=task.pk, user_id=user.pk, at=LATER)
    assert states(order) == (["provisioning"], ["claimed", "blocked"])
    assert Event.objects.get(name="task.taken_by_hand").actor_id == user.pk
    orders.complete_task(
        task_id=task.pk, user_id=user.pk, at=LATER, version=1, serial="SN-9", data={}
    )
    assert states(order) == (["provisioning"], ["done", "ready"])
    assert Evidence.objects.get().serial == "SN-9"
    assert Evidence.objects.get().by_id == user.pk
    advance(order)
    assert states(order)[0] == ["completed"]


def test_taken_by_hand_and_given_back_to_the_machine():
    order = fell_out()
    task, user = Task.objects.get(), a_worker()
    services.take_by_hand(task_id=task.pk, user_id=user.pk, at=LATER)
    with pytest.raises(no.TaskNotYours):
        orders.release_task(task_id=task.pk, user_id=a_worker().pk, at=LATER)
    orders.release_task(task_id=task.pk, user_id=user.pk, at=LATER)
    assert states(order) == (["provisioning"], ["ready"])


def test_manual_work_is_taken_by_those_of_its_queue_only():
    order = a_placed_order(tasks=[by_hand()])
    clerk, task = a_worker(), Task.objects.get()
    orders.claim_task(task_id=task.pk, user_id=clerk.pk, at=LATER)
    orders.fail_task(task_id=task.pk, user_id=clerk.pk, reason="no access", at=LATER)
    before = written()
    with pytest.raises(no.NotInQueue):
        services.take_by_hand(task_id=task.pk, user_id=a_user("order team").pk, at=LATER)
    assert written() == before
    services.take_by_hand(task_id=task.pk, user_id=clerk.pk, at=LATER)
    assert states(order) == (["provisioning"], ["claimed"])


def test_an_undoing_that_failed_is_mended_by_hand():
    """A line that is given up waits for its compensation; a person does it, and the line closes."""
    undo = {"name": "Remove", "handler": "http_provisioning", "parameters": {"action": "remove"}}
    order = a_placed_order(
        tasks=[{**ACTIVATE[0], "compensation": {**undo, "kind": "automatic"}}, by_hand()]
    )
    advance(order)
    line = order.lines.get()
    orders.cancel_line(line_id=line.pk, at=LATER, reason="changed his mind")
    with failing("nobody knows that key"):
        advance(order)
    undoing, user = Task.objects.get(compensates__isnull=False), a_worker()
    assert (undoing.state, states(order)[0]) == ("fallout", ["cancelling"])
    assert [t.pk for t in selectors.fallen_tasks([])] == [undoing.pk]
    page = logged_in(user).get(reverse("orders:fallout")).text
    assert ("undoing" in page, "nobody knows that key" in page) == (True, True)
    services.take_by_hand(task_id=undoing.pk, user_id=user.pk, at=LATER)
    orders.complete_task(task_id=undoing.pk, user_id=user.pk, at=LATER, data={})
    assert states(order)[0] == ["cancelled"]


# go on without


def two_lines() -> tuple[Any, OrderLine, OrderLine]:
    """Two lines, the second of which waits on the first's step."""
    first = a_product(code="first", tasks=[by_hand(key="dig")])
    second = a_product(code="second", tasks=[by_hand(key="build", after=["first/dig"])])
    order = entered(an_account(), first, second)
    one, two = order.lines.order_by("position")
    return order, one, two


def test_a_line_goes_on_without_what_was_given_up():
    order, one, two = two_lines()
    build = Task.objects.get(key="build")
    assert build.after == [Task.objects.get(key="dig").pk]
    orders.cancel_line(line_id=one.pk, at=LATER, reason="not wanted")
    advance(order)
    assert states(order) == (["cancelled", "fallout"], ["cancelled", "blocked"])
    client = team()
    page = client.get(reverse("orders:fallout")).text
    assert "waits on “Dig” of line 1, which was cancelled" in page
    assert reverse("orders:line-go-on", args=[two.pk]) in page
    before = written()
    with pytest.raises(no.ReasonMissing):
        services.go_on_without(line_id=two.pk, reason=" ", at=LATER)
    with pytest.raises(no.LineNotReady):
        services.go_on_without(line_id=one.pk, reason="x", at=LATER)
    assert written() == before
    client.post(reverse("orders:line-go-on", args=[two.pk]), {"reason": "there is a duct"})
    assert states(order) == (["cancelled", "provisioning"], ["cancelled", "ready"])
    event = Event.objects.get(name="order_line.went_without")
    assert (event.facts["reason"], event.facts["without"]) == ("there is a duct", ["Dig"])


# many at once


def test_all_of_one_cause_are_retried_together(drain):
    for n in range(3):
        fell_out(says=f"port {n} is taken", lines=2)
    other = fell_out(says="no such street")
    found = selectors.causes(selectors.fallen_tasks([]))
    assert [(cause.words, cause.count) for cause in found] == [
        ("port # is taken", 6),
        ("no such street", 1),
    ]
    drain()
    client = team()
    page = client.get(reverse("orders:fallout")).text
    assert "<b>6 ×</b> port # is taken" in page
    assert "Retry all 6" in page
    assert "6 steps are tried again." in page
    client.post(reverse("orders:fallout-retry"), {"cause": found[0].key})
    assert Task.objects.filter(state="ready", attempts=0, failure="").count() == 6
    assert OrderLine.objects.filter(state="provisioning").count() == 6
    assert states(other) == (["fallout"], ["fallout"])
    assert Event.objects.filter(name="task.retried").count() == 6
    assert Event.objects.filter(name="order.woken").count() == 3


HIDDEN = re.compile(r'<input type="hidden" name="([a-z]+)" value="([^"]*)">')


def retried_from(client: Client, **asked: str) -> Any:
    """The form of the first cause on the desk, sent as it stands there."""
    page = desk(client, **asked)
    form = page.split(f'action="{reverse("orders:fallout-retry")}"', 1)[1].split("</form>", 1)[0]
    said = {name: unescape(value) for name, value in HIDDEN.findall(form)}
    return client.post(reverse("orders:fallout-retry"), said)


@pytest.mark.parametrize("by", ["customer", "product", "queue", "age", "q", "system", "class"])
def test_retry_all_concerns_no_more_than_the_narrowed_desk_shows(by):
    one = fell_out(says="port 1 is taken")
    other = fell_out(says="port 2 is taken", account=under_a_clock())  # it fell out just now
    product = one.lines.get().product_version.product.code
    a_worker("network")
    if by == "queue":
        a_rule(product=product, queue=Queue.objects.get(code="network"))
    if by == "system":
        Task.objects.filter(order=other).update(system="another")
    asked = {
        "customer": str(one.account.customer_id),
        "product": product,
        "queue": "network",
        "age": "week",
        "q": one.number,
        "system": "provisioning",
        "class": "refused",
    }[by]
    client = team()
    assert ("Retry all 2" in desk(client, **{by: asked})) == (by == "class")
    answer = retried_from(client, **{by: asked})
    assert answer["Location"] == f"{reverse('orders:fallout')}?{by}={asked}"
    assert states(one)[1] == ["ready"]
    assert states(other)[1] == (["ready"] if by == "class" else ["fallout"])


def test_retrying_many_takes_no_more_queries_for_many(django_assert_max_num_queries):
    fell_out(lines=12)
    ids = list(Task.objects.values_list("pk", flat=True))
    with django_assert_max_num_queries(25):
        assert services.retry_together(task_ids=ids, at_of=lambda _: LATER) == 12
    assert services.retry_together(task_ids=ids, at_of=lambda _: LATER) == 0


@pytest.mark.parametrize("cause", ["", "x", "x" * 32, "\0" * 32, "%" * 32, "é" * 32])
def test_causes_that_are_none(cause):
    fell_out()
    before = written()
    assert team().post(reverse("orders:fallout-retry"), {"cause": cause}).status_code == 302
    assert written() == before


# the desk


def desk(client: Client | None = None, **asked: str) -> str:
    return (client or team()).get(reverse("orders:fallout"), asked).text


def test_the_desk_shows_request_response_attempts_and_what_helps():
    fell_out(says="no port is free")
    a_rule(failure_class="refused", remedy="edit", advice="Ask for port 8")
    page = desk()
    for words in (
        "no port is free",
        "1 attempt",
        "&quot;product&quot;: &quot;x&quot;",
        "&quot;status&quot;: 422",
        "edit and retry",
        "Ask for port 8",
        "Attempt 1",
        "advocate",
    ):
        assert words in page, words


def test_filters_are_links_and_search_finds():
    one = fell_out(says="alpha")
    other = fell_out(says="beta", kind="unreachable")
    a_worker("network")
    a_rule(failure_class="refused", queue=Queue.objects.get(code="network"))
    product = one.lines.get().product_version.product.code
    customer = str(one.account.customer_id)
    for asked in (
        {"class": "refused"},
        {"q": "alpha"},
        {"q": one.number},
        {"product": product},
        {"customer": customer},
        {"queue": "network"},
        {"cause": selectors.causes(selectors.fallen_tasks([]).filter(failure="alpha"))[0].key},
    ):
        page = desk(**asked)
        assert ("alpha</p>" in page, "beta</p>" in page) == (True, False), asked
    both = desk(system="provisioning")
    assert ("alpha</p>" in both, "beta</p>" in both) == (True, True)
    assert "alpha</p>" in desk(age="day")
    Task.objects.update(ready_at=LATER)
    assert f"/orders/{other.pk}/" in desk(**{"class": "unreachable"})


@pytest.mark.parametrize(
    "asked",
    [
        {"queue": "no-such"},
        {"queue": "mine"},
        {"class": "\0"},
        {"customer": "x"},
        {"customer": "9" * 60},
        {"age": "never"},
        {"cause": "x" * 500},
        {"page": "x"},
        {"lines": "-1"},
        {"q": "\0" * 3},
        {"sort": "-fell_at"},
    ],
)
def test_junk_in_the_address_is_no_500(asked):
    fell_out()
    assert team().get(reverse("orders:fallout"), asked).status_code == 200


def test_what_fell_out_as_csv():
    order = fell_out(says="=cmd()")
    answer: Any = team().get(reverse("orders:fallout"), {"format": "csv"})
    head, row = b"".join(answer.streaming_content).decode().splitlines()
    assert head.startswith("Order,Task,Product,Customer")
    assert row.startswith(f"{order.number},Set up,")
    assert "'=cmd()" in row


def test_the_sheet_advises_as_the_page_does():
    fell_out(says="no port")
    assert "What helps: edit and retry" in desk().replace("</b>", "")
    a_rule(failure_class="refused", remedy="by_hand")
    assert "What helps: complete by hand" in desk().replace("</b>", "")
    answer: Any = team().get(reverse("orders:fallout"), {"format": "csv"})
    head, row = b"".join(answer.streaming_content).decode().splitlines()
    assert (head.split(",")[-1], row.split(",")[-1]) == ("What helps", "complete by hand")


def test_many_rows_take_no_more_queries():
    client = team()
    fell_out()
    order, one, _ = two_lines()
    orders.cancel_line(line_id=one.pk, at=LATER, reason="x")
    advance(order)
    counted = _queries(client)
    fell_out(lines=9)
    for _ in range(2):
        order = entered(order.account, *[ln.product_version for ln in order.lines.all()])
        orders.cancel_line(line_id=order.lines.order_by("position")[0].pk, at=LATER, reason="x")
        advance(order)
    assert OrderLine.objects.filter(state="fallout").count() == 13
    assert _queries(client) == counted


def _queries(client: Client) -> int:
    with CaptureQueriesContext(connection) as captured:
        assert client.get(reverse("orders:fallout")).status_code == 200
    return len(captured)


def test_the_page_of_one_task_edits_and_says_what_is_wrong():
    fell_out()
    task, client = Task.objects.get(), team()
    url = reverse("orders:task-edit", args=[task.pk])
    page = client.get(reverse("orders:task-mend", args=[task.pk])).text
    assert (url in page, 'name="value-0"' in page, 'value="ok"' in page) == (True, True, True)
    before = written()
    wrong = client.post(url, {"value-0": "ok", "new-name-0": "poll_every", "new-value-0": "1"})
    assert wrong.status_code == 422
    assert "poll_every is a whole number from 5 to 86400" in wrong.text
    assert client.post(url, {"value-0": "x" * 10_001}).status_code == 422
    assert client.post(url, {"value-0": "a\0b"}).status_code == 422
    assert written() == before
    client.post(url, {"value-0": "", "new-name-0": "port", "new-value-0": "8"})
    task.refresh_from_db()
    assert (task.state, task.parameters) == ("ready", {"port": 8})
    assert client.get(reverse("orders:task-mend", args=[task.pk])).status_code == 404


def test_take_and_skip_from_the_desk():
    fell_out(lines=2)
    first, second = Task.objects.order_by("pk")
    user = a_worker()
    client = logged_in(user)
    client.post(reverse("orders:task-take", args=[first.pk]))
    first.refresh_from_db()
    assert (first.state, first.claimed_by_id) == ("claimed", user.pk)
    assert "Set up" in client.get(reverse("orders:queue")).text
    url, page = reverse("orders:task-ask-skip", args=[second.pk]), desk(client)
    assert (f'action="{url}"' in page, 'name="skip-reason"' in page) == (True, True)
    said = {"skip-reason": "it is there", "next": reverse("orders:fallout")}
    assert client.post(url, said)["Location"] == reverse("orders:fallout")
    asked = Approval.objects.get()
    assert (asked.kind, asked.task_id, asked.asked_by_id) == ("skip", second.pk, user.pk)
    assert asked.reason == "it is there"


POSTS = ("task-take", "task-edit", "line-go-on")


def test_who_may_what():
    visitor, sales, nobody = Client(), team("sales"), logged_in(a_user())
    for name in (*POSTS, "task-retry"):
        url = reverse(f"orders:{name}", args=[1])
        assert visitor.post(url)["Location"].startswith("/login/"), name
        assert sales.post(url).status_code == 403, name
        assert team().post(reverse(f"orders:{name}", args=[10**30])).status_code == 404, name
    assert nobody.get(reverse("orders:fallout")).status_code == 403
    assert sales.get(reverse("orders:fallout")).status_code == 200
    assert "Retry" not in desk(sales)
    assert sales.post(reverse("orders:fallout-retry")).status_code == 403
    clerk = team()
    for name in ("fallout-rules", "fallout-rule-new"):
        assert clerk.get(reverse(f"orders:{name}")).status_code == 403, name
    for name in ("fallout-rule-move", "fallout-rule-switch"):
        assert clerk.post(reverse(f"orders:{name}", args=[1])).status_code == 403, name
        missing = reverse(f"orders:{name}", args=[10**6])
        assert team("order lead").post(missing).status_code == 404, name


# the page of the rules


def test_rules_are_written_tried_ordered_and_switched_off():
    fell_out(says="port 7 is taken")
    lead = team("order lead")
    new = reverse("orders:fallout-rule-new")
    assert "No rules yet" in lead.get(reverse("orders:fallout-rules")).text
    said = {"failure_class": "refused", "says": "taken", "remedy": "edit", "advice": "Port 8"}
    tried = lead.post(new, said | {"try": "1"})
    assert (tried.status_code, "It matches 1 step in fallout" in tried.text) == (200, True)
    assert not FalloutRule.objects.exists()
    assert lead.post(new, said).status_code == 302
    assert lead.post(new, {"remedy": "retry"}).status_code == 302
    first, second = FalloutRule.objects.all()
    assert (first.says, first.remedy, first.advice, first.queue) == (
        "taken",
        "edit",
        "Port 8",
        None,
    )
    page = lead.get(reverse("orders:fallout-rules")).text
    assert ("“taken”" in page, "everything" in page, "0 steps in fallout" in page) == (
        True,
        True,
        True,
    )
    wrong = lead.post(new, {"remedy": "pray"})
    assert (wrong.status_code, FalloutRule.objects.count()) == (422, 2)
    edit = reverse("orders:fallout-rule", args=[first.pk])
    assert 'value="taken"' in lead.get(edit).text
    lead.post(edit, said | {"says": "gone"})
    lead.post(reverse("orders:fallout-rule-move", args=[first.pk]), {"to": "down"})
    lead.post(reverse("orders:fallout-rule-switch", args=[second.pk]), {"on": "0"})
    assert list(FalloutRule.objects.values_list("pk", "says", "is_active")) == [
        (second.pk, "", False),
        (first.pk, "gone", True),
    ]
    assert lead.get(reverse("orders:fallout-rule", args=[10**6])).status_code == 404


# REST


def test_fallout_by_rest(as_team):
    fell_out(says="no port", lines=2)
    a_worker("network")
    a_rule(remedy="by_hand", advice="Go there", queue=Queue.objects.get(code="network"))
    client, user = as_team
    rows = client.get("/api/v1/fallout?failure_class=refused").json()["results"]
    first, second = Task.objects.order_by("pk")
    assert {row["id"] for row in rows} == {first.pk, second.pk}
    row = client.get(f"/api/v1/fallout/{first.pk}").json()
    assert (row["remedy"], row["advice"], row["mended_by"]) == ("by_hand", "Go there", "network")
    assert (row["failure"], row["response"]["status"]) == ("no port", 422)
    edited = client.post(
        f"/api/v1/fallout/{first.pk}/edit",
        {"parameters": {"port": 8, "tags": ["a"]}},
        content_type="application/json",
    )
    assert (edited.status_code, edited.json()["state"]) == (200, "ready")
    first.refresh_from_db()
    assert first.parameters == {"port": 8, "tags": ["a"]}
    again = client.post(
        f"/api/v1/fallout/{first.pk}/edit", {"parameters": {}}, content_type="application/json"
    )
    assert (again.status_code, again.json()["code"]) == (409, "task_not_ready")
    bad = client.post(
        f"/api/v1/fallout/{second.pk}/edit",
        {"parameters": {"poll_every": 1}},
        content_type="application/json",
    )
    assert (bad.status_code, bad.json()["code"]) == (422, "parameters_wrong")
    skip = client.post(
        f"/api/v1/fallout/{second.pk}/skip", {"reason": "done"}, content_type="application/json"
    )
    assert (skip.status_code, Approval.objects.get().kind) == (200, "skip")
    taken = client.post(f"/api/v1/fallout/{second.pk}/take", content_type="application/json")
    assert (taken.json()["state"], taken.json()["claimed_by"]) == ("claimed", user.username)


def test_many_and_systems_by_rest(as_team):
    fell_out(lines=3)
    client, user = as_team
    ids = list(Task.objects.values_list("pk", flat=True))
    told = client.post(
        "/api/v1/fallout/retry", {"tasks": [*ids, 10**9]}, content_type="application/json"
    )
    assert (told.status_code, told.json()) == (200, {"retried": 3})
    for junk in ({"tasks": []}, {"tasks": ["x"]}, {"tasks": [10**30]}, {}):
        answer = client.post("/api/v1/fallout/retry", junk, content_type="application/json")
        assert answer.status_code == 400, junk
    listed = {one["code"]: one for one in client.get("/api/v1/systems").json()}
    system = listed["provisioning"]
    assert (system["code"], system["state"], system["waiting"]) == ("provisioning", "closed", 3)
    url = "/api/v1/systems/provisioning"
    denied = client.post(f"{url}/open", {"reason": "x"}, content_type="application/json")
    assert denied.status_code == 403
    user.groups.add(*a_user("order lead").groups.all())
    opened = client.post(f"{url}/open", {"reason": "repairs"}, content_type="application/json")
    assert (opened.status_code, opened.json()["state"], opened.json()["by_hand"]) == (
        200,
        "open",
        True,
    )
    closed = client.post(f"{url}/close", content_type="application/json")
    assert closed.json()["state"] == "closed"
    twice = client.post(f"{url}/close", content_type="application/json")
    assert (twice.status_code, twice.json()["code"]) == (409, "system_not_so")
    unknown = client.post("/api/v1/systems/none/close", content_type="application/json")
    assert unknown.status_code == 404


@pytest.fixture
def as_team():
    """Somebody of the order team, by the session that their pages have."""
    user = a_user("order team")
    QueueMember.objects.create(queue=Queue.objects.create(code="own", name="Own"), user=user)
    return logged_in(user), user


def test_attempts_stay_when_it_is_tried_again():
    fell_out()
    task = Task.objects.get()
    orders.retry_task(task_id=task.pk, at=LATER)
    assert list(Attempt.objects.values_list("task", "outcome")) == [(task.pk, "failed")]
