"""The meters of a pack: added and published, or those of another pack used again."""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from o2b.catalog.models import Meter
from o2b.catalog.services.meters import add_meter, edit_version, publish_version
from o2b.errors import Refused
from o2b.packs.refusals import PackInvalid

FIXED = ("code", "name", "unit", "aggregation")
MEASURE = frozenset({"decimals", "least", "most", "dimensions", "timed"})
HEAD = "pack.toml"


def load_meter(said: Mapping[str, Any], *, starts_on: date, at: datetime) -> None:
    """One table of `[[meters]]`, published from a day on; one that is there must be the same."""
    for name in set(said) - {*FIXED, *MEASURE}:
        raise PackInvalid(_("There is no setting “%(name)s”.") % {"name": name[:60]}, field=HEAD)
    fixed = {name: said.get(name, "") for name in FIXED}
    if not all(isinstance(value, str) for value in fixed.values()):
        raise PackInvalid(_("A meter says code, name, unit and aggregation."), field=HEAD)
    if there := Meter.objects.filter(code=fixed["code"]).first():
        if (there.unit, there.aggregation) != (fixed["unit"], fixed["aggregation"]):
            message = _("There is another meter “%(code)s” already.") % {"code": there.code}
            raise PackInvalid(message, field=HEAD)
        return
    try:
        meter = add_meter(**fixed, starts_on=starts_on, by=None, at=at)
        version = meter.versions.get()
        edit_version(version_id=version.pk, by=None, at=at, **_measure(said))
        publish_version(version_id=version.pk, at=at)
    except Refused as fault:
        where = f"{fault.field}: " if fault.field else ""
        message = f"meters, {fixed['code']}: {where}{fault.message}"
        raise PackInvalid(message, field=HEAD) from fault


def _measure(said: Mapping[str, Any]) -> dict[str, Any]:
    """What its version says; bounds that are no numbers are a fault of the file."""
    found = {name: said[name] for name in MEASURE if name in said}
    for name in ("least", "most"):
        if name in found:
            found[name] = _number(found[name], name)
    if type(found.get("decimals", 0)) is not int:
        raise PackInvalid(_("“%(name)s” is a whole number.") % {"name": "decimals"}, field=HEAD)
    if type(found.get("timed", False)) is not bool:
        raise PackInvalid(_("“%(name)s” is true or false.") % {"name": "timed"}, field=HEAD)
    return found


def _number(value: Any, name: str) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise PackInvalid(_("“%(name)s” is a number.") % {"name": name}, field=HEAD)
    try:
        return Decimal(value)
    except ArithmeticError as exc:
        raise PackInvalid(_("“%(name)s” is a number.") % {"name": name}, field=HEAD) from exc
