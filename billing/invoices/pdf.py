"""Sets an invoice as PDF: one compiler a process, the template its only source, data as JSON."""

import json
import re
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from threading import Lock

import typst

from billing.invoices.document import Document

TEMPLATE = Path(__file__).with_name("invoice.typ")
SOURCE = TEMPLATE.read_bytes()
# Fonts that typst brings along: the same page on every machine.
FONTS = typst.Fonts(include_system_fonts=False, include_embedded_fonts=True)

_compiler = typst.Compiler(
    TEMPLATE, root=TEMPLATE.parent, font_paths=FONTS, ignore_system_fonts=True
)
_lock = Lock()  # a compiler keeps its last inputs; two threads must not share a page


def render(document: Document) -> bytes:
    """The document as PDF; equal documents give equal bytes.

    Whatever the texts hold, they reach the template as values and are never read as source.
    """
    data = _json(document)
    year, month, day = document["issued"]
    with _lock:
        page = _compiler.compile(
            format="pdf", sys_inputs={"data": data}, timestamp=_midnight(year, month, day)
        )
    if not isinstance(page, bytes):
        raise TypeError("typst gave no page")
    return page


def digest(document: Document) -> str:
    """A name for the bytes that `render` would give, without rendering."""
    return sha256(SOURCE + _json(document).encode()).hexdigest()


def file_name(number: str, ending: str = ".pdf") -> str:
    """INV-000042.pdf, whatever the number series holds."""
    return f"{re.sub(r'[^A-Za-z0-9._-]+', '-', number).strip('-') or 'invoice'}{ending}"


def _json(document: Document) -> str:
    return json.dumps(document, ensure_ascii=False, sort_keys=True)


def _midnight(year: int, month: int, day: int) -> datetime:
    return datetime(year, month, day, tzinfo=UTC)
