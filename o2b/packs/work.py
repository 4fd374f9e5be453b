"""How a pack's products are delivered, and by whom: its plans and its `work.toml`, as data."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _

from o2b.errors import Refused
from o2b.packs.refusals import PackInvalid
from o2b.people.demo import Person
from o2b.people.groups import GROUPS

PLANS = "plans"
PEOPLE = "people"
PERSON = {"username": 150, "first_name": 150, "last_name": 150, "group": 150}


@dataclass(frozen=True, slots=True)
class PlanFile:
    """How the products of one file are delivered."""

    name: str
    products: tuple[str, ...]
    tasks: list[Any]
    components: list[Any]


@dataclass(frozen=True, slots=True)
class Row:
    """One table of `work.toml`: the stage that knows its section says what it may hold."""

    file: str
    section: str
    number: int
    said: Mapping[str, Any]

    def fault(self, column: str, problem: object) -> PackInvalid:
        """What is wrong with it, by file, row and field."""
        return PackInvalid(f"{self.section} {self.number}, {column}: {problem}", field=self.file)


Work = Mapping[str, tuple[Row, ...]]


def plans_in(folder: Path) -> tuple[PlanFile, ...]:
    """Every plan of a pack, a file each; without `products` it is of the product it is named."""
    found = tuple(_plan(path) for path in sorted((folder / PLANS).glob("*.toml")))
    seen: dict[str, str] = {}
    for plan in found:
        for code in plan.products:
            if code in seen:
                message = _("The plan of “%(code)s” is in %(file)s already.")
                raise PackInvalid(message % {"code": code, "file": seen[code]}, field=plan.name)
            seen[code] = plan.name
    return found


def work_in(path: Path) -> Work:
    """The sections of a `work.toml`, row by row."""
    head = _read(path, path.name)
    found = {}
    for section, rows in head.items():
        if not isinstance(rows, list) or not all(isinstance(row, Mapping) for row in rows):
            message = _("“%(name)s” is a list of tables: [[%(name)s]].") % {"name": section}
            raise PackInvalid(message, field=path.name)
        found[section] = tuple(Row(path.name, section, n, row) for n, row in enumerate(rows, 1))
    return found


def people_of(work: Work) -> list[Person]:
    """Who works with a pack; what they work in, the stage says."""
    return [_person(row) for row in work.get(PEOPLE, ())]


def _person(row: Row) -> Person:
    for name in set(row.said) - set(PERSON):
        raise row.fault(name, _("There is no such field."))
    said = {name: row.said.get(name) for name in PERSON}
    for name, value in said.items():
        if not isinstance(value, str) or not 0 < len(value) <= PERSON[name] or "\0" in value:
            raise row.fault(name, _("A text of up to %(longest)s characters.") % {"longest": 150})
    if said["group"] not in GROUPS:
        raise row.fault("group", _("There is no such group."))
    return Person(**said)  # type: ignore[arg-type]


def _plan(path: Path) -> PlanFile:
    name = f"{PLANS}/{path.name}"
    said = _read(path, name)
    for key in set(said) - {"products", "tasks", "components"}:
        raise PackInvalid(_("There is no setting “%(name)s”.") % {"name": key[:60]}, field=name)
    products = said.get("products", [path.stem])
    if not isinstance(products, list) or not all(isinstance(code, str) for code in products):
        raise PackInvalid(_("“products” is a list of codes."), field=name)
    return PlanFile(name, tuple(products), said.get("tasks", []), said.get("components", []))


def _read(path: Path, name: str) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as exc:
        raise PackInvalid(str(exc), field=name) from exc


def in_file(name: str, fault: Refused) -> PackInvalid:
    """A refusal of one of a pack's plans, with its file and field."""
    where = f"{fault.field}: " if fault.field else ""
    return PackInvalid(f"{where}{fault.message}", field=name)
