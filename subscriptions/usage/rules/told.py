"""An event as it is told: our own shape and CloudEvents 1.0, decoded with exact decimals."""

import json
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any
from urllib.parse import unquote

import msgspec

Moment = Annotated[datetime, msgspec.Meta(tz=True)]
Said = dict[str, Any]  # JSON; a number with a point as the text that was sent


class Told(msgspec.Struct, gc=False):
    """One event: (source, id) is who it is, the rest what it says. See docs/usage.md."""

    id: str
    source: str
    meter: str = ""
    subject: str = ""
    time: Moment | None = None
    value: Decimal | None = None
    unit: str = ""
    account: str = ""
    properties: Said | None = None
    replaces: str = ""
    retracts: str = ""
    specversion: str = ""


class Cloud(msgspec.Struct):
    """The envelope of CloudEvents 1.0: `type` is the meter, `data` {value, unit, dimensions …}."""

    id: str
    source: str
    type: str = ""
    specversion: str = ""
    subject: str = ""
    time: Moment | None = None
    account: str = ""
    replaces: str = ""
    retracts: str = ""
    data: msgspec.Raw = msgspec.Raw(b"null")


class CloudData(msgspec.Struct):
    value: Decimal | None = None
    unit: str = ""


class Unreadable(ValueError):
    """What came (`text`) is no event; `field` says where, if that can be said."""

    def __init__(self, message: str, field: str = "", text: bytes = b"") -> None:
        super().__init__(message)
        self.message, self.field, self.text = message, field, text


_RAW = msgspec.json.Decoder(list[msgspec.Raw])
_ONE = msgspec.json.Decoder(Told, float_hook=str)
_MANY = msgspec.json.Decoder(list[Told], float_hook=str)
_CLOUD = msgspec.json.Decoder(Cloud)
_DATA = msgspec.json.Decoder(CloudData)
_MEMBERS = msgspec.json.Decoder(dict[str, msgspec.Raw])
_ANY = msgspec.json.Decoder(float_hook=str)
_OWN = {"value", "unit"}


def read_many(body: bytes) -> list["Told | Unreadable"]:
    """Every event of a JSON list, each by itself; Unreadable is raised if it is no list at all."""
    try:
        events = _MANY.decode(body)
    except (msgspec.ValidationError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return [read_one(raw) for raw in _texts(body)]
    if any(event.specversion for event in events):
        return [read_one(raw) for raw in _RAW.decode(body)]
    return list(events)


def read_one(text: bytes | msgspec.Raw) -> "Told | Unreadable":
    """One event of a list or a line; what cannot be read says why."""
    found = _read(text)
    if isinstance(found, Unreadable):
        found.text = bytes(text)
    return found


def _read(text: bytes | msgspec.Raw) -> "Told | Unreadable":
    try:
        event = _ONE.decode(text)
        return _of_cloud(bytes(text)) if event.specversion else event
    except msgspec.ValidationError as exc:
        try:
            cloud = b'"specversion"' in bytes(text)
            return _of_cloud(bytes(text)) if cloud else _refused(exc)
        except msgspec.ValidationError as other:
            return _refused(other)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as exc:
        return Unreadable(str(exc))


def _of_cloud(text: bytes) -> Told | Unreadable:
    cloud = _CLOUD.decode(text)
    if cloud.specversion != "1.0":
        return Unreadable("only CloudEvents 1.0 are known", "specversion")
    data = CloudData()
    properties: Said = {}
    if bytes(cloud.data) != b"null":
        try:
            members = _MEMBERS.decode(cloud.data)
            data = _DATA.decode(cloud.data)
            for name, raw in members.items():
                if name not in _OWN:
                    properties[name] = _ANY.decode(raw)
        except msgspec.ValidationError as exc:
            return _refused(exc, within="data")
    return Told(
        id=cloud.id,
        source=cloud.source,
        meter=cloud.type,
        subject=cloud.subject,
        time=cloud.time,
        value=data.value,
        unit=data.unit,
        account=cloud.account,
        properties=properties or None,
        replaces=cloud.replaces,
        retracts=cloud.retracts,
    )


def text_of(event: Told) -> bytes:
    """The event as it could be sent again; without properties that are too deep to be written."""
    said = {
        name: value
        for name, value in msgspec.structs.asdict(event).items()
        if value not in ("", None)
    }
    try:
        return msgspec.json.encode(said)
    except RecursionError:
        return msgspec.json.encode(said | {"properties": None})


def read_cloud_headers(headers: Mapping[str, str], body: bytes) -> "Told | Unreadable":
    """A CloudEvent in binary mode: its attributes are headers (ce-…), the body is its data."""
    attributes = {
        name[3:].lower(): unquote(value)
        for name, value in headers.items()
        if name.lower().startswith("ce-")
    }
    head = json.dumps(attributes)[:-1]
    return read_one(f'{head}, "data": '.encode() + (body.strip() or b"null") + b"}")


def identity_of(text: bytes) -> tuple[str, str]:
    """Source and id of what could not be read as an event, as far as it says them."""
    try:
        said = json.loads(text)
    except (ValueError, RecursionError):
        return "", ""
    if not isinstance(said, Mapping):
        return "", ""
    return tuple(said[n] if isinstance(said.get(n), str) else "" for n in ("source", "id"))  # type: ignore[return-value]


def _texts(body: bytes) -> list[bytes]:
    """The members of a list, one of which may be no strict JSON (NaN, Infinity)."""
    try:
        return [bytes(raw) for raw in _RAW.decode(body)]
    except (
        msgspec.ValidationError,
        msgspec.DecodeError,
        UnicodeDecodeError,
        RecursionError,
    ) as exc:
        try:
            members = json.loads(body, parse_float=str, parse_constant=_Constant)
        except (ValueError, RecursionError):
            raise Unreadable(str(exc)) from exc
    if not isinstance(members, list):
        raise Unreadable("a list of events is expected")
    return [json.dumps(each).encode() for each in members]


class _Constant(str):
    """NaN or Infinity: goes on as text, to be refused as a value."""

    __slots__ = ()


def _refused(exc: Exception, within: str = "") -> Unreadable:
    """What msgspec found wrong, with the field that it names.

    >>> _refused(ValueError("Expected `str`, got `int` - at `$.id`")).field
    'id'
    """
    message, _, place = str(exc).partition(" - at `$")
    if not place and "required field `" in message:
        return Unreadable("is required", _joined(within, message.split("`")[1]))
    return Unreadable(message, _joined(within, place.rstrip("`").lstrip(".")))


def _joined(within: str, field: str) -> str:
    return f"{within}.{field}" if within and field else within or field
