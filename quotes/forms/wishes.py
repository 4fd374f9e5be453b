"""What the editors of quotes and orders do with their lines: arrange, fill up, blame, show."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS

from o2b.catalog.definitions import definitions_of
from o2b.catalog.models import ProductVersion
from o2b.catalog.rules.compatibility import Definition, Option
from o2b.catalog.rules.selection import Chosen
from o2b.errors import Refused
from quotes.forms.lines import EditorLine, Offered, range_words
from quotes.inputs import LineInput
from quotes.rules.bundles import missing_options
from quotes.rules.totals import Totals

MOST_LINES = 100
AT_LINE = re.compile(r"lines\[(\d+)\]\.(.+)")


@dataclass
class LineEditor:
    """A header and lines, between the browser's fields and a service's arguments."""

    header: forms.Form
    lines: list[EditorLine]
    products: list[ProductVersion]
    totals: Totals | None = None

    has_discounts: ClassVar[bool] = True

    def __post_init__(self) -> None:
        self.find_versions()

    @property
    def wishes(self) -> list[LineInput]:
        return [line.wish for line in self.lines]

    def known(self) -> Mapping[str, ProductVersion]:
        """What a line may name, and what is ordered then."""
        return {version.product.code: version for version in self.products}

    def find_versions(self) -> None:
        """Point each line at the version that would be ordered."""
        known = self.known()
        for line in self.lines:
            line.version = known.get(line.product)

    def rearrange(self, deed: str) -> None:
        """Add, remove, move or fill up a line: "add", "remove-2", "up-2", "options-2", from 0."""
        verb, _dash, digits = deed.partition("-")
        if verb == "add" and len(self.lines) < MOST_LINES:
            self.lines.append(EditorLine(fresh=True))
        i = int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 5 else -1
        if not 0 <= i < len(self.lines):
            return
        if verb == "remove":
            del self.lines[i]
        elif verb == "options":
            self._add_options(i)
        j = i + {"up": -1, "down": 1}.get(verb, 0)
        if verb in {"up", "down"} and 0 <= j < len(self.lines):
            self.lines[i], self.lines[j] = self.lines[j], self.lines[i]

    def offer_options(self) -> None:
        """Tell each bundle's line its options, and which of them can be added at a press."""
        versions = [line.version for line in self.lines if line.version]
        if not versions:
            return
        definitions: dict[str, Definition] = {}
        for definition in definitions_of(versions).values():
            definitions[definition.product] = definition
        chosen = [Chosen(_code(line), line.count) for line in self.lines]
        missing = missing_options(chosen, definitions)
        known = self.known()
        for i, line in enumerate(self.lines):
            mine = definitions.get(chosen[i].product)
            line.options = [_offered(option, known) for option in mine.options] if mine else []
            line.missing = [(code, count) for code, count in missing[i] if code in known]

    def _add_options(self, index: int) -> None:
        self.offer_options()
        room = MOST_LINES - len(self.lines)
        known = self.known()
        self.lines[index + 1 : index + 1] = [
            EditorLine(product=code, quantity=f"{count.normalize():f}", version=known[code])
            for code, count in self.lines[index].missing[:room]
        ]

    def blame(self, fault: Refused, *, gently: bool = False) -> None:
        """Put a refusal beside its field; gently, not where nothing has been chosen yet."""
        at = AT_LINE.fullmatch(fault.field or "")
        if at and int(at[1]) < len(self.lines):
            line = self.lines[int(at[1])]
            if not gently or line.product:
                line.blame(at[2], fault.message)
            return
        field = fault.field if fault.field in self.header.fields else None
        said: Any = self.header.errors.get(field or NON_FIELD_ERRORS, [])
        if (field or not gently) and fault.message not in said:
            self.header.add_error(field, fault.message)

    def show(self, totals: Totals) -> None:
        """Put the amounts where they belong."""
        self.totals = totals
        for line, amounts in zip(self.lines, totals.lines, strict=True):
            line.totals = amounts


def read_lines(data: Mapping[str, str]) -> list[EditorLine]:
    """What the browser sent, however mangled."""
    said = data.get("lines", "")
    count = int(said) if said.isascii() and said.isdigit() and len(said) < 5 else 0
    return [EditorLine.read(data, i) for i in range(min(count, MOST_LINES))]


def _code(line: EditorLine) -> str:
    return line.version.product.code if line.version else line.product


def _offered(option: Option, known: Mapping[str, ProductVersion]) -> Offered:
    version = known.get(option.component)
    name = version.product.name if version else option.component
    return Offered(name, range_words(option.minimum or None, option.maximum))
