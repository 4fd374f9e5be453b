"""How a licence key looks, made and masked; pure."""

import secrets

ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"  # nothing that is mistaken for something else
GROUPS = GROUP = 5
LONGEST = 120
HIDDEN = "…"


def make_key() -> str:
    """A new key, 125 bits of chance: ABCDE-FGHJK-….

    >>> [len(group) for group in make_key().split("-")]
    [5, 5, 5, 5, 5]
    """
    # 32 letters: five bits of each byte, so that every letter is as likely as any other.
    letters = "".join(ALPHABET[byte & 31] for byte in secrets.token_bytes(GROUPS * GROUP))
    return "-".join(letters[n : n + GROUP] for n in range(0, len(letters), GROUP))


def masked(key: str) -> str:
    """By what a key is known after it was shown: its end, never more than a quarter of it.

    >>> masked("AAAAA-BBBBB-CCCCC-DDDDD-EEEEE"), masked("12345678"), masked("abc")
    ('…EEEEE', '…78', '…')
    """
    shown = min(GROUP, len(key) // 4)
    return HIDDEN + key[len(key) - shown :]
