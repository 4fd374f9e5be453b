"""Operations of a migration taken together, so that Django draws its picture of all models once.

After each operation Django renders the models again that are related to what changed, which here is
nearly all of them: a migration with a hundred operations takes a minute, and two seconds like this.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations import operations as plain
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState
from pgtrigger import migrations as triggers

# Each changes one thing with a name of its own on one model, and asks the models of before or after
# for that thing alone.
_BY_NAME = (
    plain.AddConstraint,
    plain.AddField,
    plain.AddIndex,
    plain.AlterField,
    plain.RemoveConstraint,
    plain.RemoveIndex,
    triggers.AddTrigger,
    triggers.RemoveTrigger,
)


class AtOnce(Operation):
    """Operations none of which needs to see what another of them has changed."""

    reduces_to_sql = True
    atomic = True

    def __init__(self, operations: Sequence[Operation]) -> None:
        self.operations = list(operations)

    def deconstruct(self) -> Any:
        return (self.__class__.__name__, [], {"operations": self.operations})

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        state.__dict__.pop("apps", None)  # rendered again, once, by the first who asks
        for operation in self.operations:
            operation.state_forwards(app_label, state)

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        for operation in self.operations:
            operation.database_forwards(app_label, schema_editor, from_state, to_state)

    def database_backwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        for operation in reversed(self.operations):
            operation.database_backwards(app_label, schema_editor, from_state, to_state)

    def describe(self) -> str:
        return f"{len(self.operations)} operations at once"


def at_once(operations: Iterable[Operation]) -> list[Operation]:
    """The same operations in the same order, neighbours taken together where none sees another.

    A new one begins at a thing that this one changes already, at a model that it creates (what
    stands in the picture of all models would be created with it), and around all that is neither.
    """
    groups: list[list[Operation]] = []
    seen: set[tuple[str, str]] = set()
    for operation in operations:
        touched = _touched(operation)
        if touched is None or not seen or _would_see(touched, seen):
            groups.append([])
            seen = set()
        groups[-1].append(operation)
        seen |= {touched} if touched else set()
    return [group[0] if len(group) == 1 else AtOnce(group) for group in groups]


def _would_see(touched: tuple[str, str], seen: set[tuple[str, str]]) -> bool:
    model, _ = touched
    return touched in seen or (model, "") in seen


def _touched(operation: Operation) -> tuple[str, str] | None:
    """A model and the name of what changes on it, no name for the model itself; None: unknown."""
    if isinstance(operation, plain.CreateModel):
        return operation.name_lower, ""
    if not isinstance(operation, _BY_NAME):
        return None
    told: Any = operation
    for thing in ("constraint", "index", "trigger"):
        if named := getattr(told, thing, None):
            return told.model_name.lower(), named.name.lower()
    return told.model_name.lower(), told.name.lower()
