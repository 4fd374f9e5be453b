"""Signatures of call-backs: HMAC-SHA256 over the moment and the body, good for five minutes."""

import hashlib
import hmac

HEADER = "X-O2B-Signature"
TOLERANCE = 300  # seconds that the clocks of two houses may differ, and a message may travel
LONGEST = 200


def sign(body: bytes, *, secret: str, moment: int) -> str:
    """The header's value: "t=<unix seconds>,v1=<hex>".

    >>> sign(b"{}", secret="s", moment=1)[:14]
    't=1,v1=66ed92d'
    """
    return f"t={moment},v1={_digest(body, secret, str(moment))}"


def fault_of(header: str, body: bytes, *, secret: str, moment: float) -> str:
    """Why the signature is not to be believed; empty when it is."""
    if not header:
        return "missing"
    parts = dict(part.strip().partition("=")[::2] for part in header[:LONGEST].split(","))
    said, given = parts.get("t", ""), parts.get("v1", "")
    if not (said.isascii() and said.isdigit() and len(said) < 15 and given.isascii()):
        return "malformed"
    if not hmac.compare_digest(_digest(body, secret, said), given):
        return "forged"
    # Only of what is genuine: who forges learns nothing of our clock.
    return "" if abs(moment - int(said)) <= TOLERANCE else "expired"


def _digest(body: bytes, secret: str, moment: str) -> str:
    return hmac.new(secret.encode(), moment.encode() + b"." + body, hashlib.sha256).hexdigest()
