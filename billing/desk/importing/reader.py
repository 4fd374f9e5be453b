"""The subscribers' file, read strictly: whole columns or no import, a bad row costs only itself."""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path

from o2b.errors import Invalid

YES_NO = {"Yes", "No"}
OPTION = YES_NO | {"No internet service"}
TERMS = {"Month-to-month": 0, "One year": 12, "Two year": 24}
ALLOWED: Mapping[str, set[str]] = {
    "PhoneService": YES_NO,
    "MultipleLines": YES_NO | {"No phone service"},
    "InternetService": {"DSL", "Fiber optic", "No"},
    "OnlineSecurity": OPTION,
    "OnlineBackup": OPTION,
    "DeviceProtection": OPTION,
    "TechSupport": OPTION,
    "StreamingTV": OPTION,
    "StreamingMovies": OPTION,
    "Contract": set(TERMS),
}
# column, its value, the product held
HELD = (
    ("PhoneService", "Yes", "phone"),
    ("MultipleLines", "Yes", "second-line"),
    ("InternetService", "DSL", "dsl"),
    ("InternetService", "Fiber optic", "fibre"),
    ("OnlineSecurity", "Yes", "online-security"),
    ("OnlineBackup", "Yes", "online-backup"),
    ("DeviceProtection", "Yes", "device-protection"),
    ("TechSupport", "Yes", "tech-support"),
    ("StreamingTV", "Yes", "streaming-tv"),
    ("StreamingMovies", "Yes", "streaming-films"),
)
COLUMNS = ("customerID", *ALLOWED, "PaymentMethod", "MonthlyCharges")
LARGEST = Decimal("1000000")
REFERENCE = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,39}")


class FileUnreadable(Invalid):
    """The file as a whole is not what the import reads; nothing was imported."""

    code = "file_unreadable"


@dataclass(frozen=True, slots=True)
class Subscriber:
    """One good row: `row` is its number in the file (the header is 1)."""

    row: int
    reference: str
    products: tuple[str, ...]
    term_months: int
    payment_method: str
    monthly: Decimal


@dataclass(frozen=True, slots=True)
class RowError:
    """One refused row: which, in which field, and the remedy."""

    row: int
    field: str
    message: str


class _Bad(Exception):
    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field
        self.message = message


def read(path: Path) -> Iterator[Subscriber | RowError]:
    """Every row of the file in order, as a subscriber or as an error.

    Raises FileUnreadable before the first row when the file cannot be read at all.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as exc:
        raise FileUnreadable(f"{path}: {exc.strerror}", field="file") from exc
    except UnicodeDecodeError as exc:
        raise FileUnreadable(
            f"{path} is not UTF-8 (byte {exc.start}); save it as UTF-8", field="file"
        ) from exc
    return _rows(io.StringIO(text, newline=""))


def _rows(lines: Iterable[str]) -> Iterator[Subscriber | RowError]:
    reader = csv.DictReader(lines, strict=True)
    try:
        header = list(reader.fieldnames or [])
    except csv.Error as exc:
        raise FileUnreadable(f"the header is no CSV: {exc}", field="header") from exc
    if missing := [c for c in COLUMNS if c not in header]:
        raise FileUnreadable(f"missing columns: {', '.join(missing)}", field="header")
    if doubled := sorted({c for c in header if header.count(c) > 1}):
        raise FileUnreadable(f"columns named twice: {', '.join(doubled)}", field="header")
    return _subscribers(reader)


def _subscribers(reader: "csv.DictReader[str]") -> Iterator[Subscriber | RowError]:
    seen: dict[str, int] = {}
    row = 1
    while True:
        row += 1
        try:
            record = next(reader)
            subscriber = _subscriber(row, record)
            first = seen.setdefault(subscriber.reference, row)
            if first != row:
                raise _Bad("customerID", f"stands already in row {first}")
        except StopIteration:
            return
        except csv.Error as exc:
            yield RowError(row, "row", f"no CSV: {exc}")
        except _Bad as exc:
            yield RowError(row, exc.field, exc.message)
        else:
            yield subscriber


def _subscriber(row: int, record: Mapping[str | None, str | list[str] | None]) -> Subscriber:
    fields = _fields(record)
    if not REFERENCE.fullmatch(fields["customerID"]):
        raise _Bad("customerID", "needs 1 to 40 letters, digits and hyphens")
    products = tuple(code for column, value, code in HELD if fields[column] == value)
    if not products:
        raise _Bad("PhoneService", "no service is held at all")
    if "second-line" in products and "phone" not in products:
        raise _Bad("MultipleLines", "a second line needs a phone service")
    return Subscriber(
        row=row,
        reference=fields["customerID"],
        products=products,
        term_months=TERMS[fields["Contract"]],
        payment_method=_slug(fields["PaymentMethod"]),
        monthly=_amount(fields["MonthlyCharges"]),
    )


def _fields(record: Mapping[str | None, str | list[str] | None]) -> dict[str, str]:
    if record.get(None):
        raise _Bad("row", "has more fields than the header")
    fields: dict[str, str] = {}
    for column in COLUMNS:
        value = record[column]
        if not isinstance(value, str):
            raise _Bad(column, "is missing: the row ends before it")
        fields[column] = value.strip()
        allowed = ALLOWED.get(column)
        if allowed and fields[column] not in allowed:
            raise _Bad(column, f"{fields[column][:40]!r} is none of {', '.join(sorted(allowed))}")
    return fields


def _amount(text: str) -> Decimal:
    try:
        amount = Decimal(text)
    except InvalidOperation as exc:
        raise _Bad("MonthlyCharges", f"{text[:40]!r} is no amount; write it like 29.85") from exc
    if not amount.is_finite() or not 0 <= amount <= LARGEST:
        raise _Bad("MonthlyCharges", f"lies between 0 and {LARGEST}")
    if amount != amount.quantize(Decimal("0.01")):
        raise _Bad("MonthlyCharges", "has more than two decimals")
    return amount


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:50]
