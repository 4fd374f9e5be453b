"""How a seller's documents look and are sent: the settings, and what is refused of them."""

import re
from typing import Any
from xml.etree import ElementTree

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

COLOUR = re.compile(r"#[0-9a-fA-F]{6}")
BIC = re.compile(r"[A-Z]{6}[A-Z0-9]{2}([A-Z0-9]{3})?")
LONGEST_LOGO, LONGEST_FOOTER, LONGEST_TEXT = 100_000, 600, 200
# Shapes, colours and text; nothing that runs, is loaded from elsewhere or grows when it is read.
SVG = "{http://www.w3.org/2000/svg}"
REFUSED_TAGS = ("script", "image", "foreignObject", "use", "style", "iframe", "a", "animate", "set")


class Sending(models.TextChoices):
    """What becomes of an invoice once it is final."""

    ON_DEMAND = "on_demand", _("nothing: the PDF is made when it is asked for")
    PORTAL = "portal", _("the PDF is made and kept")
    POST = "post", _("the PDF is made and kept, to be printed and posted")
    MAIL = "mail", _("the PDF is made, kept and mailed")


ACCOUNT_SENDING = [choice for choice in Sending.choices if choice[0] != Sending.ON_DEMAND]
LANGUAGES = [("en", _("English")), ("de", _("German"))]


class Grouping(models.TextChoices):
    """What the lines of a document are put together by."""

    AUTO = "", _("by item; by service when there are many")
    ITEM = "item", _("by item")
    SERVICE = "service", _("by service")
    SITE = "site", _("by site")


class Split(models.TextChoices):
    """What the bills of an account are split by: a document for each."""

    NONE = "", _("not at all: one document")
    PURCHASE_ORDER = "purchase_order", _("by purchase order")
    SITE = "site", _("by site")
    ITEM = "item", _("by item")


def validate_layout(said: Any) -> None:
    """Refuse a setting that nobody knows, and a value that it cannot have."""
    if not isinstance(said, dict):
        raise ValidationError(_("A layout is settings with values."))
    for name, value in said.items():
        check = CHECKS.get(name)
        if check is None:
            told = {"name": name, "names": ", ".join(sorted(CHECKS))}
            raise ValidationError(_("A layout has no %(name)s; it has %(names)s."), params=told)
        if not isinstance(value, str):
            raise ValidationError(_("%(name)s is a text."), params={"name": name})
        check(value)


def _colour(value: str) -> None:
    if not COLOUR.fullmatch(value):
        raise ValidationError(_("A colour is written like #2f4fdc."))


def _bic(value: str) -> None:
    if not BIC.fullmatch(value):
        raise ValidationError(_("A BIC has 8 or 11 letters and digits."))


def _short(value: str) -> None:
    if len(value) > LONGEST_TEXT or "\0" in value:
        raise ValidationError(_("At most %(n)s characters."), params={"n": LONGEST_TEXT})


def _footer(value: str) -> None:
    if len(value) > LONGEST_FOOTER or len(value.splitlines()) > 4 or "\0" in value:
        raise ValidationError(
            _("A footer has at most 4 lines and %(n)s characters."), params={"n": LONGEST_FOOTER}
        )


def _grouping(value: str) -> None:
    if value not in Grouping.values:
        told = {"names": ", ".join(filter(None, Grouping.values))}
        raise ValidationError(_("Lines are put together by %(names)s."), params=told)


def _logo(value: str) -> None:
    """An SVG of shapes alone: what it names lies in it, and it runs nothing."""
    if len(value) > LONGEST_LOGO:
        raise ValidationError(_("A logo has at most 100,000 characters."))
    if "<!" in value.replace("<!--", ""):
        raise ValidationError(_("A logo declares no entities."))
    try:
        root = ElementTree.fromstring(value)
    except ElementTree.ParseError as exc:
        raise ValidationError(_("A logo is an SVG picture.")) from exc
    if root.tag != f"{SVG}svg":
        raise ValidationError(_("A logo is an SVG picture."))
    if not all(_is_shape(each) for each in root.iter()):
        raise ValidationError(_("A logo is made of shapes and text alone."))


def _is_shape(each: ElementTree.Element) -> bool:
    """Whether it only draws, and names nothing outside of the picture."""
    tag = str(each.tag)
    if not tag.startswith(SVG) or tag.removeprefix(SVG) in REFUSED_TAGS:
        return False
    for name, text in each.attrib.items():
        outside = "url(" in text and "url(#" not in text.replace(" ", "")
        if name.rpartition("}")[2] in ("href", "style") or name.startswith("on") or outside:
            return False
    return True


CHECKS = {
    "accent": _colour,
    "bank": _short,
    "bic": _bic,
    "exempt_note": _short,
    "footer": _footer,
    "grouping": _grouping,
    "logo": _logo,
    "mail_text": _footer,
}
