"""Read a pack's folder: what pack.toml says, and its files beside it."""

import csv
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _

from o2b.customers.opening import NewAccount
from o2b.packs.refusals import PackInvalid
from o2b.packs.work import PlanFile, Work, people_of, plans_in, work_in
from o2b.people.demo import Person

FOLDER = Path(__file__).parent
HEAD = "pack.toml"
PRODUCTS = "products.csv"


@dataclass(frozen=True, slots=True)
class BookFile:
    """One version of a book: its sheet and what the import is told of it."""

    file: Path
    options: Mapping[str, Any]
    # A book from the day on which products retire need not price them.
    after_retirement: bool


@dataclass(frozen=True, slots=True)
class Pack:
    """What a folder offers to load."""

    name: str
    title: str
    description: str
    entity: Mapping[str, Any]
    products: Path
    meters: tuple[Mapping[str, Any], ...]
    books: tuple[BookFile, ...]
    retired: tuple[str, ...]
    retired_on: date
    contracts: Path | None
    customers: Path | None
    plans: tuple[PlanFile, ...]
    people: tuple[Person, ...]
    work: Work
    folder: Path


def names() -> list[str]:
    """Every pack that comes with the product."""
    return sorted(path.parent.name for path in FOLDER.glob(f"*/{HEAD}"))


def read_pack(told: str) -> Pack:
    """The pack of that name, or in that folder; refuses one that is not whole."""
    folder = FOLDER / told if told in names() else Path(told)
    if not (folder / HEAD).is_file():
        message = _(
            "There is no pack “%(told)s”: name a folder with a %(head)s, or one of %(known)s."
        )
        raise PackInvalid(
            message % {"told": told, "head": HEAD, "known": ", ".join(names())}, field="pack"
        )
    try:
        head = tomllib.loads((folder / HEAD).read_text(encoding="utf-8"))
        return _pack(folder, head)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as exc:
        raise PackInvalid(f"{HEAD}: {exc}", field=HEAD) from exc
    except (KeyError, TypeError, AttributeError) as exc:
        message = _("%(head)s lacks or mistakes %(what)s.") % {"head": HEAD, "what": exc}
        raise PackInvalid(message, field=HEAD) from exc


def accounts_of(path: Path, *, advocate_id: int) -> Iterator[NewAccount]:
    """The sample customers of a sheet with a column for each field."""
    with path.open(newline="", encoding="utf-8") as file:
        for number, row in enumerate(csv.DictReader(file), start=2):
            try:
                said: dict[str, Any] = dict(row)
                for name in ("bill_day", "payment_days"):
                    said[name] = int(said[name])
                yield NewAccount(advocate_id=advocate_id, **said)
            except (KeyError, TypeError, ValueError) as exc:
                message = _("row %(row)s: %(problem)s") % {"row": number, "problem": exc}
                raise PackInvalid(message, field=path.name) from exc


def _pack(folder: Path, head: Mapping[str, Any]) -> Pack:
    retired = head.get("retired", {})
    work = work_in(_file(folder, head["work"])) if "work" in head else {}
    retired_on = retired.get("on", date.max)
    return Pack(
        name=folder.name,
        title=head["title"],
        description=head["description"],
        entity=head["entity"],
        products=_file(folder, PRODUCTS),
        meters=tuple(head.get("meters", ())),
        books=tuple(
            BookFile(
                _file(folder, book["file"]),
                {
                    "book" if name == "code" else name: str(book[name])
                    for name in book
                    if name != "file"
                }
                | {"currency": head["entity"]["currency"]},
                book["valid_from"] >= retired_on,
            )
            for book in head["books"]
        ),
        retired=tuple(retired.get("products", ())),
        retired_on=retired_on,
        contracts=_file(folder, head["contracts"]) if "contracts" in head else None,
        customers=_file(folder, head["customers"]) if "customers" in head else None,
        plans=plans_in(folder),
        people=tuple(people_of(work)),
        work=work,
        folder=folder,
    )


def text_of(pack: Pack, name: object) -> str:
    """What another file of the pack holds."""
    try:
        return _file(pack.folder, str(name)).read_text(encoding="utf-8")
    except UnicodeDecodeError as exc:
        raise PackInvalid(str(exc), field=str(name)) from exc


def _file(folder: Path, name: str) -> Path:
    path = folder / name
    if path.resolve().parent != folder.resolve() or not path.is_file():
        message = _("The pack has no file “%(name)s”.") % {"name": name}
        raise PackInvalid(message, field=name)
    return path
