"""A product's version as the cells of a sheet, read and written."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from o2b.catalog.exchange import cells
from o2b.catalog.exchange.faults import CellInvalid
from o2b.catalog.exchange.sheets import Row
from o2b.catalog.models import Product, ProductRule, ProductVersion
from o2b.catalog.rules.definitions import faults_of_characteristics

LONGEST_CODE, LONGEST_NAME, LONGEST_FAMILY, LONGEST_UNIT = 60, 200, 50, 30
MOST_PLACES = 6
PIECE = "piece"
IDENTITY = ("name", "family", "unit", "quantity_places")
VERSIONED = (
    "description",
    "characteristics",
    "eligibility_segments",
    "eligibility_countries",
    "requires",
    "excludes",
    "components",
    "successor",
)


@dataclass(frozen=True, slots=True)
class Component:
    """One option of a bundle: code:minimum:maximum:default:group."""

    code: str
    minimum: int = 0
    maximum: int | None = None
    default: int = 0
    group: str = ""

    def __str__(self) -> str:
        most = "" if self.maximum is None else str(self.maximum)
        said = [self.code, str(self.minimum), most, str(self.default), self.group]
        return ":".join(said if self.group else said[:-1])


@dataclass(frozen=True, slots=True)
class ProductCells:
    """What a row says of a version, typed; a column that the sheet lacks is taken as it stands."""

    description: str
    characteristics: list[dict[str, Any]]
    segments: list[str]
    countries: list[str]
    requires: list[str]
    excludes: list[str]
    components: list[Component]
    successor: str

    def text(self) -> dict[str, str]:
        """As cells, always in one way, so that equal versions have equal cells."""
        return {
            "description": self.description,
            "characteristics": cells.document_text(self.characteristics),
            "eligibility_segments": "; ".join(self.segments),
            "eligibility_countries": "; ".join(self.countries),
            "requires": "; ".join(sorted(self.requires)),
            "excludes": "; ".join(sorted(self.excludes)),
            "components": "; ".join(sorted(map(str, self.components))),
            "successor": self.successor,
        }

    @property
    def eligibility(self) -> dict[str, list[str]]:
        said = {"segments": self.segments, "countries": self.countries}
        return {name: values for name, values in said.items() if values}

    @property
    def others(self) -> dict[str, list[str]]:
        """The products that it names, by the column that names them."""
        return {
            "requires": self.requires,
            "excludes": self.excludes,
            "components": [each.code for each in self.components],
            "successor": [self.successor] if self.successor else [],
        }


def identity_text(product: Product) -> dict[str, str]:
    return {
        "name": product.name,
        "family": product.family,
        "unit": product.unit,
        "quantity_places": str(product.quantity_places),
    }


def cells_of(version: ProductVersion) -> ProductCells:
    """A stored version; its options and rules are prefetched with their products."""
    rules = list(version.rules.all())
    return ProductCells(
        description=version.description,
        characteristics=version.characteristics,
        segments=version.eligibility.get("segments", []),
        countries=version.eligibility.get("countries", []),
        requires=[r.other.code for r in rules if r.kind == ProductRule.Kind.REQUIRES],
        excludes=[r.other.code for r in rules if r.kind == ProductRule.Kind.EXCLUDES],
        components=[
            Component(o.component.code, o.minimum, o.maximum, o.default, o.group)
            for o in version.options.all()
        ],
        successor=version.successor.product.code if version.successor else "",
    )


def read_identity(row: Row) -> dict[str, str] | None:
    """Code and what is the product's own for ever; None where a cell is at fault."""
    readers: dict[str, Callable[[str], str]] = {
        "code": lambda text: cells.word(text, longest=LONGEST_CODE),
        "name": lambda text: cells.phrase(text, longest=LONGEST_NAME),
        "family": lambda text: cells.word(text, longest=LONGEST_FAMILY) if text else "",
        "unit": lambda text: cells.phrase(text or PIECE, longest=LONGEST_UNIT),
        "quantity_places": lambda text: str(cells.whole(text or "0", most=MOST_PLACES)),
    }
    found = {}
    for name, read in readers.items():
        try:
            found[name] = read(row.get(name))
        except CellInvalid as fault:
            row.fault(name, str(fault))
    return found if len(found) == len(readers) else None


def read_version(row: Row, before: ProductCells | None) -> ProductCells | None:
    """What the row says beyond identity; None where a cell is at fault."""
    stands = before or ProductCells("", [], [], [], [], [], [], "")
    readers: dict[str, tuple[str, Callable[[str], Any]]] = {
        "description": ("description", lambda text: text),
        "characteristics": ("characteristics", _specs),
        "eligibility_segments": ("segments", _words),
        "eligibility_countries": ("countries", _countries),
        "requires": ("requires", _words),
        "excludes": ("excludes", _words),
        "components": ("components", _components),
        "successor": ("successor", lambda text: cells.word(text) if text else ""),
    }
    found = {}
    for header, (name, read) in readers.items():
        try:
            there = header in row.columns
            found[name] = read(row.get(header)) if there else getattr(stands, name)
        except CellInvalid as fault:
            row.fault(header, str(fault))
    if len(found) < len(readers):
        return None
    version = ProductCells(**found)
    _check_together(row, version)
    return version


def _check_together(row: Row, version: ProductCells) -> None:
    code = row.get("code")
    for header, named in version.others.items():
        if code in named:
            row.fault(header, _("A product does not name itself here."))
        if len(set(named)) < len(named):
            row.fault(header, _("A product is named twice."))
    both = set(version.excludes) & {*version.requires, *version.others["components"]}
    if both:
        row.fault(
            "excludes",
            _("%(code)s is required, or part of the bundle, as well: delete it on one side.")
            % {"code": min(both)},
        )


def _specs(text: str) -> list[dict[str, Any]]:
    found = cells.document(text, list) if text else []
    for fault in faults_of_characteristics(found):
        raise CellInvalid(f"{fault.field}: {_(fault.message) % fault.facts}")
    return found


def _words(text: str) -> list[str]:
    return [cells.word(part) for part in cells.parts(text)]


def _countries(text: str) -> list[str]:
    found = cells.parts(text)
    for part in found:
        if len(part) != 2 or not (part.isascii() and part.isalpha() and part.isupper()):
            raise CellInvalid(
                _("“%(text)s” is no country: write two capitals, such as DE.") % {"text": part[:20]}
            )
    return found


def _components(text: str) -> list[Component]:
    return [_component(part) for part in cells.parts(text)]


def _component(text: str) -> Component:
    code, *said = [each.strip() for each in text.split(":")]
    said += [""] * (4 - len(said))
    if len(said) > 4:
        raise CellInvalid(
            _("“%(text)s”: write code:minimum:maximum:default:group.") % {"text": text[:60]}
        )
    least = cells.whole(said[0]) if said[0] else 0
    most = cells.whole(said[1], least=least) if said[1] else None
    default = cells.whole(said[2]) if said[2] else least
    if default < least or (most is not None and default > most):
        raise CellInvalid(
            _("“%(text)s”: the default lies between minimum and maximum.") % {"text": text[:60]}
        )
    return Component(cells.word(code), least, most, default, cells.word(said[3]) if said[3] else "")
