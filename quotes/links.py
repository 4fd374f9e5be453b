"""The signed link by which a customer sees an offer without log-in."""

from django.core.signing import BadSignature, Signer
from django.utils.translation import gettext as _

from o2b.errors import Invalid

SALT = "quotes.offer"


class LinkInvalid(Invalid):
    """Somebody has changed the link, or it was never ours: nothing is there."""

    code = "link_invalid"
    status = 404


def sign(quote_id: int) -> str:
    """The token of a quote's link; how long it works says the quote's own validity."""
    return _signer().sign(str(quote_id))


def read(token: str) -> int:
    """The quote that a token names."""
    try:
        return int(_signer().unsign(token))
    except (BadSignature, ValueError) as exc:
        raise LinkInvalid(_("This link is not valid. Please ask for a new one.")) from exc


def _signer() -> Signer:
    # The default separator, a colon, is cut off when people copy links out of mails.
    return Signer(sep=".", salt=SALT)
