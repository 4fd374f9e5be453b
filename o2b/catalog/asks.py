"""What this room answers when a door of the ground asks."""

from typing import Any

from o2b.asks import Found


def search(user: Any, text: str) -> list[Found]:
    return []
