"""The circuit breaker: opens after failures in a row, one trial at a time, by hand, all else on."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.urls import reverse

from o2b.models import Event, Outbox
from orders import services
from orders.fallout import breaker, selectors
from orders.fallout.services import close_system, open_system, wake_system
from orders.fulfilment import handlers
from orders.fulfilment.outcomes import Done, Failed, TryAgain
from orders.fulfilment.services.refusals import ReasonMissing
from orders.models import FailureClass, Order, OutsideSystem, Task
from orders.rules.backoff import BY_CLASS, MOST_ATTEMPTS, is_hopeless, wait_before
from tests.orders.build import (
    LATER,
    a_placed_order,
    a_user,
    advance,
    by_hand,
    logged_in,
    states,
    team,
    written,
)
from tests.orders.fallen import asks

pytestmark = pytest.mark.django_db

CODE = "provisioning"
ILL = TryAgain("it hangs", kind=FailureClass.TIMEOUT)
REFUSED = Failed("no", kind=FailureClass.REFUSED)
OURS = TryAgain("KeyError", kind=FailureClass.BROKEN)


def after(seconds: float) -> Any:
    return LATER + timedelta(seconds=seconds)


def note(*outcomes: Any, at: Any = LATER) -> None:
    breaker.note(dict(enumerate(outcomes)), dict.fromkeys(range(len(outcomes)), CODE), at=at)


def system() -> OutsideSystem:
    return OutsideSystem.objects.get(code=CODE)


def stand() -> tuple[str, int]:
    return (system().state, system().failures)


def opened(at: Any = LATER) -> OutsideSystem:
    for _ in range(5):
        note(ILL, at=at)
    return system()


def news() -> list[str]:
    found = Event.objects.filter(subject_type="orders.outsidesystem").order_by("id")
    return list(found.values_list("name", flat=True))


# back-off by class of error


@pytest.mark.parametrize(
    ("kind", "waits", "attempts"),
    [
        ("unreachable", [2, 4, 8, 16, 32], 6),
        ("timeout", [5, 10, 20, 40, 80], 6),
        ("overloaded", [10, 20, 40, 80, 160, 320, 600], 8),
        ("server_error", [2, 4, 8, 16, 32], 6),
        ("garbage", [5, 10], 3),
        ("broken", [2, 4, 8], 4),
        ("lost", [2, 4, 8, 16, 32], 6),
    ],
)
def test_back_off_by_class(kind, waits, attempts):
    found = [int(wait_before(kind, n).total_seconds()) for n in range(1, attempts)]
    assert found == waits
    assert [n for n in range(1, 12) if is_hopeless(kind, n)][0] == attempts


def test_every_class_that_is_tried_again_has_its_patience():
    assert set(BY_CLASS) | {"refused", "set_up", "no_stock", "person"} == set(FailureClass.values)
    assert MOST_ATTEMPTS == 8


# the machine


def test_failures_in_a_row_open_it_and_sound_answers_begin_anew():
    for _ in range(4):
        note(ILL)
    assert stand() == ("closed", 4)
    note(Done())
    assert stand() == ("closed", 0)
    for _ in range(4):
        note(ILL)
    note(REFUSED)  # who refuses is well
    assert stand() == ("closed", 0)
    note(ILL, Done(), ILL)
    assert stand() == ("closed", 0)
    opened()
    assert stand() == ("open", 5)
    assert (system().opened_at, system().retry_at) == (LATER, after(60))
    assert (system().last_error, news()) == ("it hangs", ["system.opened"])


def test_what_is_our_own_fault_says_nothing_of_the_system():
    note(ILL, ILL)
    note(OURS)
    assert stand() == ("closed", 2)


def test_a_sound_answer_of_a_sound_system_writes_nothing(django_assert_num_queries):
    with django_assert_num_queries(1):
        note(Done(), Done())
    note(ILL)
    note(Done())
    with django_assert_num_queries(1):
        note(Done())
    with django_assert_num_queries(1):
        assert breaker.look({CODE}, at=LATER) == breaker.ALL_WELL
    with django_assert_num_queries(0):
        breaker.note({1: Done()}, {1: ""}, at=LATER)
        assert breaker.look(set(), at=LATER) == breaker.ALL_WELL


def test_one_trial_after_the_cool_down_and_longer_after_each_that_fails():
    opened()
    down = breaker.Circuits(down=frozenset({CODE}))
    to_try = breaker.Circuits(to_try=frozenset({CODE}))
    assert breaker.look({CODE}, at=after(59)) == down
    assert breaker.look_at_all(at=after(60)) == to_try
    tasks = [Task(pk=n, system=CODE) for n in (1, 2)] + [Task(pk=3)]
    through = breaker.let_through(tasks, to_try, at=after(60))
    assert [task.pk for task in through] == [1, 3]
    assert stand() == ("half_open", 5)
    # The trial is on: nobody else asks, until it is lost.
    assert breaker.look({CODE}, at=after(149)) == down
    assert [t.pk for t in breaker.let_through(tasks, to_try, at=after(61))] == [3]
    assert breaker.look({CODE}, at=after(150)) == to_try
    assert len(breaker.let_through(tasks, to_try, at=after(150))) == 2
    waits = []
    for _ in range(6):
        note(ILL, at=after(200))
        waits.append(int((system().retry_at - after(200)).total_seconds()))
        assert breaker.let_through(tasks, to_try, at=after(10_000)) != tasks
        OutsideSystem.objects.update(retry_at=after(10_000))
    assert waits == [120, 240, 480, 900, 900, 900]
    note(Done(), at=after(300))
    assert stand() == ("closed", 0)
    assert (system().retry_at, system().opened_at) == (None, None)
    assert news()[:3] == ["system.opened", "system.tried", "system.opened"]
    assert news()[-1] == "system.closed"


def test_answers_to_what_was_asked_before_it_opened_count_no_more():
    opened()
    before = system().retry_at
    note(ILL, at=after(30))
    note(Done(), at=after(31))
    assert (stand(), system().retry_at) == (("open", 5), before)


def test_a_trial_that_breaks_here_is_given_again():
    opened()
    circuits = breaker.look_at_all(at=after(60))
    breaker.let_through([Task(pk=1, system=CODE)], circuits, at=after(60))
    note(OURS, at=after(61))
    assert stand() == ("half_open", 5)
    assert CODE in breaker.look_at_all(at=after(150)).to_try


# orders


@pytest.fixture
def down():
    """The outside hangs; each test says when it is well again."""
    before: Any = handlers.find("http_provisioning")
    said: dict[str, Any] = {"outcome": ILL, "asked": []}

    def run(job):
        said["asked"].append(job.task_id)
        return said["outcome"]

    handlers.HANDLERS["http_provisioning"] = handlers.Handler(run=run, system=CODE)
    yield said
    handlers.HANDLERS["http_provisioning"] = before


def wake(at: Any) -> list[int]:
    """The orders that the clock wakes."""
    Outbox.objects.all().delete()
    services.wake_due(machine_now=at)
    return sorted(Outbox.objects.values_list("key", flat=True))


def test_while_it_is_down_its_tasks_wait_and_all_else_goes_on(down):
    steps = [*asks(), by_hand(key="dig")]
    orders = [a_placed_order(tasks=steps) for _ in range(4)]
    other = a_placed_order()
    opened(at=LATER)
    for order in (*orders, other):
        advance(order)
    assert down["asked"] == []
    assert [states(order)[1] for order in orders] == [["ready", "ready"]] * 4
    assert set(Task.objects.filter(key="call").values_list("attempts", "state")) == {(0, "ready")}
    assert states(other)[0] == ["completed"]
    assert wake(after(59)) == []
    # The cool-down is over: one is woken, one is asked, the others wait on.
    assert wake(after(60)) == [orders[0].pk]
    for order in orders:
        advance(order, at=after(60))
    assert len(down["asked"]) == 1
    assert stand() == ("open", 6)
    assert wake(after(61)) == []
    down["outcome"] = Done()
    assert wake(after(180)) == [orders[0].pk]
    advance(orders[1], at=after(180))
    assert stand() == ("closed", 0)
    assert wake(after(181)) == sorted(order.pk for order in (orders[0], orders[2], orders[3]))


def test_a_trial_burns_no_attempt(down):
    order = a_placed_order(tasks=asks())
    advance(order)
    assert Task.objects.get().attempts == 1
    opened(at=after(10))
    for n in range(1, 8):
        OutsideSystem.objects.update(retry_at=after(1000 * n))
        advance(order, at=after(1000 * n))
    assert len(down["asked"]) == 8
    task = Task.objects.get()
    assert (task.state, task.attempts) == ("ready", 1)


def test_it_opens_by_the_tasks_themselves_and_the_rest_keep_their_attempts(down):
    order = a_placed_order(tasks=asks(), lines=8)
    advance(order)
    tried = Task.objects.filter(attempts=1).count()
    assert (stand(), tried, len(down["asked"])) == (("open", 5), 6, 6)
    assert Task.objects.filter(attempts=0, state="ready").count() == 2


def test_when_it_is_asked_again_all_that_waited_is_woken(down, drain):
    orders = [a_placed_order(tasks=asks()) for _ in range(3)]
    opened()
    Outbox.objects.all().delete()
    down["outcome"] = Done()
    close_system(code=CODE, user_id=a_user().pk, at=LATER)
    assert list(Outbox.objects.values_list("task", "key")) == [("orders.wake_system", system().pk)]
    drain()
    assert {states(order)[0][0] for order in orders} == {"completed"}
    assert wake_system(system_id=system().pk, at=LATER) == 0


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_make_one_trial(down):
    """Both see that it may be tried; one of them goes, the other waits."""
    orders = [a_placed_order(tasks=asks()) for _ in range(2)]
    opened()
    gate = threading.Barrier(2)
    down["outcome"] = Done()

    def work(order: Order) -> None:
        gate.wait()
        try:
            advance(order, at=after(60), worker=f"test:{order.pk}")
        finally:
            connection.close()

    threads = [threading.Thread(target=work, args=(order,)) for order in orders]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert news().count("system.tried") == 1
    assert news().count("system.closed") == 1
    assert stand() == ("closed", 0)


# by hand


def test_by_hand_it_stays_open_until_a_person_closes_it():
    user = a_user()
    assert not OutsideSystem.objects.exists()
    open_system(code=CODE, reason="they move house", user_id=user.pk, at=LATER)
    assert (stand(), system().by_hand, system().last_error) == (
        ("open", 0),
        True,
        "they move house",
    )
    event = Event.objects.get(name="system.opened")
    assert (event.actor_id, event.facts) == (
        user.pk,
        {"reason": "they move house", "by_hand": True},
    )
    assert breaker.look_at_all(at=after(10**6)).down == {CODE}
    note(Done())
    assert system().state == "open"
    before = written()
    with pytest.raises(breaker.SystemNotSo):
        open_system(code=CODE, reason="again", user_id=user.pk, at=LATER)
    with pytest.raises(ReasonMissing):
        open_system(code=CODE, reason=" ", user_id=user.pk, at=LATER)
    assert written() == before
    close_system(code=CODE, user_id=user.pk, at=after(5))
    assert (stand(), system().by_hand) == (("closed", 0), False)
    with pytest.raises(breaker.SystemNotSo):
        close_system(code=CODE, user_id=user.pk, at=after(5))


def test_what_opened_by_itself_can_be_kept_open_by_hand():
    opened()
    open_system(code=CODE, reason="leave it", user_id=a_user().pk, at=after(1))
    assert (system().by_hand, system().retry_at) == (True, None)


def test_unknown_systems():
    with pytest.raises(OutsideSystem.DoesNotExist):
        open_system(code="nobody", reason="x", user_id=a_user().pk, at=LATER)
    assert not OutsideSystem.objects.exists()


# its page


def leader():
    """A browser of somebody who manages work."""
    return team("administrator")


def test_the_page_says_so_and_the_buttons_work(down):
    a_placed_order(tasks=asks(), lines=3)
    client = leader()
    url = reverse("orders:systems")
    page = client.get(url).text
    assert "All are asked." in page
    assert (">3</dd>" in page, "Stop asking it" in page) == (True, True)
    opened()
    page = client.get(url).text
    for words in ("1 system is not asked now", "it hangs", "5 / 5", "Ask it again now"):
        assert words in page, words
    assert "not asked since" in client.get(reverse("orders:fallout")).text
    client.post(reverse("orders:system-close", args=[CODE]))
    assert stand() == ("closed", 0)
    client.post(reverse("orders:system-open", args=[CODE]), {"reason": "repairs"})
    assert system().by_hand
    assert "a person opened the circuit" in client.get(reverse("orders:fallout")).text
    first, *others = selectors.systems()
    assert (first.code, first.is_asked) == (CODE, False)
    assert all(one.is_asked for one in others)


def test_who_may_switch():
    clerk = team()
    assert clerk.get(reverse("orders:systems")).status_code == 200
    for name in ("system-open", "system-close"):
        assert clerk.post(reverse(f"orders:{name}", args=[CODE])).status_code == 403
        assert leader().post(reverse(f"orders:{name}", args=["no-such"])).status_code == 404
    nobody = logged_in(a_user())
    assert nobody.get(reverse("orders:systems")).status_code == 403
    assert not OutsideSystem.objects.exists()
