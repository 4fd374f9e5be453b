"""The picture of a plan: columns by the longest way, curves from each task to what waits on it."""

from orders.models import Task
from orders.picture import draw


def test_a_diamond():
    plan = {"a": [], "b": ["a"], "c": ["a"], "d": ["b", "c"], "e": ["a", "d"]}
    drawn = draw([Task(key=key, name=key, after=after) for key, after in plan.items()])
    assert [(box.task.key, box.x, box.y) for box in drawn.boxes] == [
        ("a", 6, 6),
        ("b", 196, 6),
        ("c", 196, 68),
        ("d", 386, 6),
        ("e", 576, 6),
    ]
    assert drawn.path.split(" M")[0] == "M156 29 C176 29 176 29 196 29"
    assert drawn.path.count("M") == 6
    assert (drawn.width, drawn.height) == (732, 120)


def test_one_task_and_a_long_name():
    drawn = draw([Task(key="a", name="A very long name indeed", after=["gone"])])
    assert drawn.boxes[0].title == "A very long name…"
    assert (drawn.path, drawn.width, drawn.height) == ("", 162, 58)
