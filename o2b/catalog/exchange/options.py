"""What an import is told beside its file: of which book, in which currency, valid from when."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from o2b.catalog.exchange import cells
from o2b.catalog.exchange.faults import CellInvalid
from o2b.catalog.models import PriceBook
from o2b.currencies import is_tender
from o2b.customers.models import Account
from o2b.errors import Invalid

LONGEST_NAME = 200
LONGEST_SLUG = 50


class OptionInvalid(Invalid):
    code = "option_invalid"


@dataclass(frozen=True, slots=True)
class BookOptions:
    """The book that a sheet of prices goes to, and from when they are valid."""

    book: str
    valid_from: date
    name: str = ""
    currency: str = ""
    segment: str = ""
    account: str = ""
    is_default: bool = False
    note: str = ""
    valid_to: date | None = None

    @classmethod
    def read(cls, told: dict[str, Any]) -> "BookOptions":
        """From what a form, a command or a stored upload says; refuses by the option's name."""
        unknown = set(told) - set(cls.__dataclass_fields__)
        if unknown:
            raise OptionInvalid(_("This option is not known."), field=min(unknown))
        missing = _("Say which: a book's code and its first day.")
        for name in ("book", "valid_from"):
            if not told.get(name):
                raise OptionInvalid(missing, field=name)
        valid_from = _day("valid_from", told["valid_from"])
        valid_to = _day("valid_to", told["valid_to"]) if told.get("valid_to") else None
        if valid_to and valid_to <= valid_from:
            message = _("It ends before it begins: say the first day outside.")
            raise OptionInvalid(message, field="valid_to")
        options = cls(**told | {"valid_from": valid_from, "valid_to": valid_to})
        if len(options.account) > LONGEST_NAME or "\0" in options.account:
            message = _("There is no account “%(given)s”.")
            given = options.account[:60].replace("\0", "")
            raise OptionInvalid(message % {"given": given}, field="account")
        for name in ("book", "segment"):
            _slug(name, getattr(options, name))
        if len(options.name) > LONGEST_NAME or "\0" in options.name + options.note:
            raise OptionInvalid(_("A name has at most 200 characters."), field="name")
        return options

    def open_book(self) -> tuple[PriceBook, bool]:
        """The book, locked, and whether it was made now; refuses what contradicts it."""
        books = PriceBook.objects.select_for_update(of=("self",)).select_related("account")
        book = books.filter(code=self.book).first()
        if book is None:
            return self._new_book(), True
        for field in ("currency", "segment", "name", "account"):
            told, stands = getattr(self, field), getattr(book, field)
            if field == "account":
                stands = stands.reference if stands else ""
            if told and told != stands:
                raise OptionInvalid(
                    _("Book %(book)s has “%(stands)s”: leave it empty, or name another book.")
                    % {"book": book.code, "stands": stands or "—"},
                    field=field,
                )
        if self.is_default and not book.is_default:
            raise OptionInvalid(_("The book is not the default one."), field="is_default")
        return book, False

    def _new_book(self) -> PriceBook:
        if not is_tender(self.currency, self.valid_from):
            raise OptionInvalid(
                _("The book is new: say its currency, such as EUR."), field="currency"
            )
        taken = PriceBook.objects.filter(currency=self.currency, is_default=True).first()
        if self.is_default and taken:
            raise OptionInvalid(
                _("%(book)s is the default book of %(currency)s already.")
                % {"book": taken.code, "currency": self.currency},
                field="is_default",
            )
        book = PriceBook(
            code=self.book,
            name=self.name or self.book,
            currency=self.currency,
            segment=self.segment,
            is_default=self.is_default,
            account=self._account(),
        )
        try:
            book.clean()
        except ValidationError as exc:
            field, messages = next(iter(exc.message_dict.items()))
            raise OptionInvalid(messages[0], field=field) from exc
        book.save()
        return book

    def _account(self) -> Account | None:
        """Whose own book it is to be, locked; nobody closes it meanwhile."""
        if not self.account:
            return None
        found = Account.objects.select_for_update().filter(reference=self.account).first()
        if found is None:
            message = _("There is no account “%(given)s”.") % {"given": self.account[:60]}
            raise OptionInvalid(message, field="account")
        return found


def _day(name: str, told: Any) -> date:
    if isinstance(told, date):
        return told
    try:
        return cells.day(str(told))
    except CellInvalid as exc:
        raise OptionInvalid(str(exc), field=name) from exc


def _slug(name: str, told: str) -> None:
    if not told:
        return
    try:
        cells.word(told, longest=LONGEST_SLUG)
    except CellInvalid as exc:
        raise OptionInvalid(str(exc), field=name) from exc
