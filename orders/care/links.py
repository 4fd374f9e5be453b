"""The signed link by which a customer follows an order without log-in; it works for good."""

from django.conf import settings
from django.core.signing import BadSignature, Signer
from django.urls import reverse

SALT = "orders.track"
LARGEST_KEY = 2**63 - 1


class NoSuchLink(Exception):
    """Somebody has changed the link, or it was never ours: nothing is there."""


def sign(order_id: int) -> str:
    """The token of an order's link."""
    return _signer().sign(str(order_id))


def read(token: str) -> int:
    """The order that a token names."""
    try:
        key = int(_signer().unsign(token))
    except (BadSignature, ValueError) as exc:
        raise NoSuchLink(token[:80]) from exc
    if not 0 < key <= LARGEST_KEY:
        raise NoSuchLink(token[:80])
    return key


def address(order_id: int) -> str:
    """The whole address, as it leaves the house."""
    return f"{settings.O2B_PUBLIC_URL}{reverse('orders:track', args=[sign(order_id)])}"


def _signer() -> Signer:
    # The default separator, a colon, is cut off when people copy links out of mails.
    return Signer(sep=".", salt=SALT)
