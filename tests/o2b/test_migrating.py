"""Operations of migrations taken together: only neighbours none of which sees another."""

from django.db import migrations, models
from django.db.migrations.operations.base import Operation

from o2b.migrating import AtOnce, at_once


def field(model: str, name: str) -> Operation:
    return migrations.AddField(model, name, models.IntegerField(null=True))


def constraint(model: str, name: str) -> Operation:
    return migrations.AddConstraint(
        model, models.CheckConstraint(condition=models.Q(pk__gt=0), name=name)
    )


def created(name: str) -> Operation:
    return migrations.CreateModel(name, fields=[("id", models.BigAutoField(primary_key=True))])


def sql() -> Operation:
    return migrations.RunSQL("SELECT 1", "SELECT 1")


def groups(*operations: Operation) -> list[list[Operation]]:
    return [
        group.operations if isinstance(group, AtOnce) else [group] for group in at_once(operations)
    ]


def test_neighbours_go_together_in_their_order():
    all_of_them = [created("A"), created("B"), field("c", "x"), constraint("c", "y")]
    assert groups(*all_of_them) == [all_of_them]


def test_what_changes_twice_is_seen_between():
    first, again = field("c", "x"), migrations.AlterField("C", "X", models.IntegerField())
    dropped = migrations.RemoveConstraint("c", "y")
    made = constraint("c", "y")
    assert groups(first, again) == [[first], [again]]
    assert groups(dropped, made) == [[dropped], [made]]


def test_a_model_is_created_before_anything_changes_on_it():
    model, other, more = created("A"), field("b", "x"), constraint("a", "y")
    assert groups(model, other, more) == [[model, other], [more]]


def test_what_may_look_at_anything_stands_alone():
    first, looks, last = field("c", "x"), sql(), field("c", "y")
    assert groups(first, looks, last) == [[first], [looks], [last]]
    dropped = migrations.RemoveField("c", "x")
    assert groups(first, dropped, last) == [[first], [dropped], [last]]


def test_one_alone_stays_as_it_is():
    alone = field("c", "x")
    assert at_once([alone]) == [alone]
    assert at_once([]) == []
