"""Times and numbers of a cell, as the mapping says they are written."""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

ISO, EPOCH, EPOCH_MS = "iso", "epoch", "epoch_ms"
DOTS, DAY_FIRST, MONTH_FIRST = "dots", "day_first", "month_first"
# What a person chooses from, by how a moment looks.
FORMATS = {
    ISO: "2026-02-09 14:03:22",
    DOTS: "09.02.2026 14:03:22",
    DAY_FIRST: "09/02/2026 14:03:22",
    MONTH_FIRST: "02/09/2026 14:03:22",
    EPOCH: "1770645802",
    EPOCH_MS: "1770645802000",
}
_PATTERNS = {DOTS: "%d.%m.%Y", DAY_FIRST: "%d/%m/%Y", MONTH_FIRST: "%m/%d/%Y"}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECONDS = re.compile(r"-?\d{1,11}(\.\d{1,6})?")
_MILLIS = re.compile(r"-?\d{1,14}")
_NUMBERS = {
    ".": re.compile(r"[+-]?\d{1,18}(\.\d{1,12})?"),
    ",": re.compile(r"[+-]?\d{1,18}(,\d{1,12})?"),
}


class Unread(ValueError):
    """A cell that does not say what is wanted of it; `code` says why, see `words.SAID`."""

    def __init__(self, code: str, value: str = "") -> None:
        super().__init__(code)
        self.code, self.value = code, value


def number_in(text: str, decimal: str = ".") -> Decimal:
    """A number with this decimal sign; separators of thousands are refused: they read two ways.

    >>> number_in("1,5", ",")
    Decimal('1.5')
    """
    said = text.strip()
    if not said.isascii() or not _NUMBERS[decimal].fullmatch(said):
        raise Unread("no_number", said)
    return Decimal(said.replace(",", "."))


def moment_in(text: str, form: str, zone: str = "") -> datetime:
    """A moment as it is written; one without an offset is of this time zone.

    Where clocks go back, an hour comes twice: the first one is meant. One that clocks skip is
    refused.

    >>> moment_in("2026-02-09 14:03:22", ISO, "Europe/Berlin").isoformat()
    '2026-02-09T13:03:22+00:00'
    """
    said = text.strip()
    if not said:
        raise Unread("empty")
    if form == EPOCH:
        return _since_epoch(said, _SECONDS, 1_000_000)
    if form == EPOCH_MS:
        return _since_epoch(said, _MILLIS, 1_000)
    found = _written(said, form)
    if found.tzinfo is None:
        found = _placed(found, said, zone)
    try:
        return found.astimezone(UTC)
    except OverflowError as exc:
        raise Unread("no_time", said) from exc


def has_offset(text: str) -> bool:
    """Whether a moment says its own distance to UTC.

    >>> has_offset("2026-02-09T14:03:22+01:00"), has_offset("2026-02-09 14:03:22")
    (True, False)
    """
    try:
        return datetime.fromisoformat(text.strip()).tzinfo is not None
    except ValueError:
        return False


@lru_cache(maxsize=64)
def zone_of(name: str) -> ZoneInfo | None:
    """A time zone by its name; None where there is none."""
    try:
        return ZoneInfo(name) if name else None
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def form_of(text: str) -> str:
    """How a moment seems to be written; day before month where it can be told, and where not.

    >>> form_of("1770645802"), form_of("13/02/2026 10:00"), form_of("2026-02-09 10:00:00")
    ('epoch', 'day_first', 'iso')
    """
    said = text.strip()
    if said.isdigit():
        return EPOCH_MS if len(said) >= 13 else EPOCH
    if _SECONDS.fullmatch(said):
        return EPOCH
    for form in (DOTS, DAY_FIRST, MONTH_FIRST):
        try:
            _written(said, form)
        except Unread:
            continue
        return form
    return ISO


def _since_epoch(said: str, pattern: re.Pattern[str], micros: int) -> datetime:
    if not said.isascii() or not pattern.fullmatch(said):
        raise Unread("no_time", said)
    try:
        return _EPOCH + timedelta(microseconds=int(Decimal(said) * micros))
    except OverflowError as exc:
        raise Unread("no_time", said) from exc


def _written(said: str, form: str) -> datetime:
    if form == ISO:
        try:
            return datetime.fromisoformat(said)
        except ValueError as exc:
            raise Unread("no_time", said) from exc
    for clock in (" %H:%M:%S", " %H:%M"):
        try:
            return datetime.strptime(said, _PATTERNS[form] + clock)  # noqa: DTZ007 - placed later
        except ValueError:
            continue
    raise Unread("no_time", said)


def _placed(moment: datetime, said: str, name: str) -> datetime:
    zone = zone_of(name)
    if zone is None:
        raise Unread("no_zone", said)
    placed = moment.replace(tzinfo=zone, fold=0)
    try:
        back = placed.astimezone(UTC).astimezone(zone).replace(tzinfo=None)
    except OverflowError as exc:
        raise Unread("no_time", said) from exc
    if back != moment:
        raise Unread("skipped_hour", said)
    return placed
