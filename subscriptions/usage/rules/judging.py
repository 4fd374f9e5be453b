"""Whether an event may be counted, and how it changes its total; what is refused says why."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Context, Decimal
from typing import NamedTuple

from o2b.charging import Aggregation, called_number
from subscriptions.usage.rules.kept import DEEPEST, kept_fault
from subscriptions.usage.rules.parts import LONGEST, dimension_key
from subscriptions.usage.rules.told import Told

SKEW = timedelta(minutes=5)  # so far may the clocks of others be ahead
OLDEST_DAYS = 3660  # ten years
HORIZON = datetime(9998, 12, 31, tzinfo=UTC)  # the future by any clock; pages can still show it
LONGEST_TEXT = 200
LONGEST_ACCOUNT = 40
BIGGEST = Decimal(10) ** 18
ADD, HIGHEST, LATEST = 0, 1, 2
USED, REPLACES, RETRACTS = 0, 1, 2

_ZERO, _ONE = Decimal(0), Decimal(1)
WIDE = Context(prec=60)  # more digits than any value that is taken
_HOW = {Aggregation.MAX: HIGHEST, Aggregation.LAST: LATEST}
_BY_VALUE = frozenset({Aggregation.UNIQUE, Aggregation.AVERAGE, Aggregation.EACH})


class Dimension(NamedTuple):
    """What an event may say beside its value; `choices` empty: any text.

    Of a called number the total is kept by its first `digits`; 0: it is none.
    """

    name: str
    required: bool = False
    choices: tuple[str, ...] = ()
    digits: int = 0


class MeterVersion(NamedTuple):
    """What an event of a meter must look like from a day on."""

    meter_id: int
    code: str
    unit: str
    aggregation: Aggregation
    begins_at: datetime
    decimals: int = 6
    least: Decimal = _ZERO
    most: Decimal = BIGGEST
    dimensions: tuple[Dimension, ...] = ()
    timed: bool = False
    ends_at: datetime | None = None

    @property
    def counts(self) -> bool:
        """Whether each event is one, whatever its value."""
        return self.aggregation is Aggregation.COUNT

    @property
    def how(self) -> int:
        """How an event changes its total."""
        return _HOW.get(self.aggregation, ADD)

    @property
    def by_moment(self) -> bool:
        """Whether totals are kept apart by the local time."""
        return self.timed or self.aggregation is Aggregation.AVERAGE

    @property
    def keeps_apart(self) -> bool:
        """Whether totals of a day are kept apart by something that an event says."""
        return bool(self.dimensions) or self.aggregation in _BY_VALUE


# The versions of each meter by its code, the latest first.
Meters = Mapping[str, Sequence[MeterVersion]]


class Rejection(NamedTuple):
    """Why an event is refused; `words.say` makes a sentence of it that names the remedy."""

    code: str
    field: str
    value: str = ""


class Judged(NamedTuple):
    """An event that may be counted, as its row will have it."""

    source: str
    key: str
    kind: int
    meter_id: int | None
    meter: str
    subject: str
    account: str
    at: datetime
    value: Decimal
    amount: Decimal
    part: str
    how: int
    timed: bool
    corrects: str
    properties: Mapping[str, object] | None


class Judge:
    """Judges the events of a batch at one moment, by the meters as they are then."""

    def __init__(self, meters: Meters, *, now: datetime) -> None:
        self.meters, self.now = meters, now
        self.oldest = now - timedelta(days=OLDEST_DAYS)

    def __call__(self, told: Told) -> Judged | Rejection:
        """The event as it may be counted. Whose subject it is, and its day, says the database.

        An event is judged by the version of its meter that holds on its day in UTC.
        """
        fault = _identity(told)
        if fault is not None:
            return fault
        at = told.time
        if told.retracts:
            return _retraction(told, self.now)
        if at is None:
            return Rejection("required", "time")
        if not self.oldest <= at <= HORIZON:
            return Rejection("too_old" if at < self.oldest else "in_the_future", "time")
        versions = self.meters.get(told.meter)
        if versions is None:
            return _no_meter(told.meter)
        for version in versions:
            if version.begins_at <= at and (version.ends_at is None or at < version.ends_at):
                return _measured(told, at, version)
        return Rejection("meter_not_in_force", "meter")


def _identity(told: Told) -> Rejection | None:
    """What is wrong with who it is, whose it is, and what it corrects."""
    key, source, subject = told.id, told.source, told.subject
    if not key or not source or not (subject or told.retracts):
        return Rejection("required", "subject" if key and source else "source" if key else "id")
    if not f"{key}{source}{subject}".isprintable() or (
        len(key) > LONGEST_TEXT or len(source) > LONGEST_TEXT or len(subject) > LONGEST_TEXT
    ):
        named = (("id", key), ("source", source), ("subject", subject))
        return next(filter(None, (_text_fault(name, text) for name, text in named)), None)
    if told.account and (len(told.account) > LONGEST_ACCOUNT or not told.account.isprintable()):
        return Rejection("no_account", "account")
    return _correction_fault(told) if told.replaces or told.retracts else None


def _text_fault(name: str, text: str) -> Rejection | None:
    if len(text) > LONGEST_TEXT:
        return Rejection("too_long", name, str(LONGEST_TEXT))
    return None if text.isprintable() else Rejection("unprintable", name)


def _correction_fault(told: Told) -> Rejection | None:
    for name, text in (("replaces", told.replaces), ("retracts", told.retracts)):
        if fault := _text_fault(name, text):
            return fault
    if told.replaces and told.retracts:
        return Rejection("both", "retracts")
    if told.id in (told.replaces, told.retracts):
        return Rejection("own_id", "id")
    return None


def _no_meter(code: str) -> Rejection:
    if not code:
        return Rejection("required", "meter")
    return Rejection("unknown_meter", "meter")


def _retraction(told: Told, at: datetime) -> Judged:
    """Nothing in the place of another event, whatever else it says."""
    return Judged(
        *(told.source, told.id, RETRACTS, None, "", told.subject, told.account, at),
        *(_ZERO, _ZERO, "", ADD, False, told.retracts, None),
    )


def _measured(told: Told, at: datetime, version: MeterVersion) -> Judged | Rejection:
    if told.unit and told.unit != version.unit:
        return Rejection("wrong_unit", "unit", version.unit)
    value = told.value
    counts = version.counts
    if value is None:
        if not counts:
            return Rejection("required", "value")
        value = _ONE
    elif fault := _value_fault(value, version):
        return fault
    if told.properties and (code := kept_fault(told.properties)):
        return Rejection(code, "properties", str(DEEPEST))
    part = ""
    if version.keeps_apart:
        found = _part(told.properties or {}, value, version)
        if isinstance(found, Rejection):
            return found
        part = found
    return Judged(
        told.source,
        told.id,
        REPLACES if told.replaces else USED,
        version.meter_id,
        version.code,
        told.subject,
        told.account,
        at,
        value,
        _ONE if counts else value,
        part,
        version.how,
        version.by_moment,
        told.replaces,
        told.properties,
    )


def _part(said: Mapping[str, object], value: Decimal, version: MeterVersion) -> str | Rejection:
    """What the totals of the meter are kept apart by; the local time is added by the database."""
    part = _dimensions(said, version.dimensions) if version.dimensions else ""
    if isinstance(part, Rejection):
        return part
    if version.aggregation in _BY_VALUE:
        part = f"{part}={value.normalize(WIDE):f}"
    room = LONGEST - len("@00:00:00.000000")
    return part if len(part) <= room else Rejection("too_long", "properties", str(room))


def _value_fault(value: Decimal, version: MeterVersion) -> Rejection | None:
    if not value.is_finite():
        return Rejection("no_number", "value")
    if not version.least <= value <= version.most:
        return Rejection(
            "out_of_range",
            "value",
            f"{version.least.normalize():f} – {version.most.normalize():f}",
        )
    places = version.decimals
    if -int(value.as_tuple().exponent) > places and value != value.quantize(
        Decimal(1).scaleb(-places), context=WIDE
    ):
        return Rejection("too_exact", "value", str(places))
    return None


def _dimensions(said: Mapping[str, object], dimensions: Sequence[Dimension]) -> str | Rejection:
    """The key of those that the meter keeps apart; what else was said is kept, not counted by."""
    found: dict[str, str] = {}
    for dimension in dimensions:
        value = said.get(dimension.name)
        if value is not None and value != "":
            text = _dimension(value, dimension)
            if isinstance(text, Rejection):
                return text
            found[dimension.name] = text
        elif dimension.required:
            return Rejection("required", f"properties.{dimension.name}")
    return dimension_key(found)


def _dimension(value: object, dimension: Dimension) -> str | Rejection:
    """What a total is kept by, or why that cannot be."""
    name, _required, choices, digits = dimension
    if isinstance(value, dict | list):
        return Rejection("no_text", f"properties.{name}")
    text = value if isinstance(value, str) else str(value)
    if choices and text not in choices:
        return Rejection("no_choice", f"properties.{name}", ", ".join(choices)[:200])
    if not text.isprintable():
        return Rejection("unprintable", f"properties.{name}")
    if digits:
        text = called_number(text)[:digits]
    return text or Rejection("no_called_number", f"properties.{name}")
