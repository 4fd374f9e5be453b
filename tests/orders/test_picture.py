"""The picture of a plan: columns by the longest way, curves from each task to what waits on it."""

from orders.models import Task
from orders.picture import draw


def test_a_diamond():
    plan = {"a": [], "b": ["a"], "c": ["a"], "d": ["b", "c"], "e": ["a", "d"]}
    drawn = draw([Task(key=key, name=key, after=after) for key, after in plan.items()])
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
    drawn = draw([Task(key="a", name="A very long name indeed, it is", after=["gone"])])
    assert drawn.boxes[0].title == "A very long name inde…"
    assert (drawn.path, drawn.width, drawn.height) == ("", 188, 58)
