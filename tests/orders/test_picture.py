"""The picture of a plan: columns by the longest way, curves from each task to what waits on it."""

from orders.models import Task
from orders.picture import draw


def test_a_diamond():
    plan = {"a": [], "b": ["a"], "c": ["a"], "d": ["b", "c"], "e": ["a", "d"]}
    number = {key: n for n, key in enumerate(plan, start=1)}
    tasks = [
        Task(pk=number[key], key=key, name=key, after=[number[each] for each in after])
        for key, after in plan.items()
    ]
    drawn = draw(tasks)
    assert [(box.task.key, box.x, box.y) for box in drawn.boxes] == [
        ("a", 6, 6),
        ("b", 222, 6),
        ("c", 222, 68),
        ("d", 438, 6),
        ("e", 654, 6),
    ]
    assert drawn.path.split(" M")[0] == "M182 29 C202 29 202 29 222 29"
    assert drawn.path.count("M") == 6
    assert (drawn.width, drawn.height) == (836, 120)


def test_one_task_and_a_long_name():
    drawn = draw([Task(pk=1, key="a", name="A very long name indeed, it is", after=[99])])
    assert drawn.boxes[0].title == "A very long name inde…"
    assert (drawn.path, drawn.width, drawn.height) == ("", 188, 58)


def test_the_critical_path_and_what_waits_on_other_lines():
    tasks = [
        Task(pk=1, key="a", name="Lay the fibre to the house", after=[], jeopardy="red"),
        Task(pk=2, key="b", name="B", after=[1, 99]),
        Task(pk=3, key="c", name="C", after=[1], state="done", jeopardy="red"),
    ]
    drawn = draw(tasks, critical={1, 2}, others={99: "2 · Router: Mount", 1: "itself"})
    assert drawn.critical == "M182 29 C202 29 202 29 222 29"
    assert drawn.stubs == "M208 29 L222 29"
    assert [(task.pk, name) for task, name in drawn.beyond] == [(2, "2 · Router: Mount")]
    assert [(box.task.pk, box.mark, box.title) for box in drawn.marked] == [
        (1, "red", "Lay the fibre to…")
    ]


def test_a_first_task_that_waits_on_another_line_makes_room_for_that():
    drawn = draw([Task(pk=1, key="a", name="A", after=[9])], others={9: "2 · Router: Mount"})
    assert (drawn.boxes[0].x, drawn.stubs, drawn.width) == (20, "M6 29 L20 29", 202)
