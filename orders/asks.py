"""What orders answers when a door of the ground asks."""

from typing import Any

from o2b.asks import Card, Found, Panel


def home_cards(user: Any) -> list[Card]:
    return []


def search(user: Any, text: str) -> list[Found]:
    return []


def account_panels(user: Any, account_id: int) -> list[Panel]:
    return []


def order_panels(user: Any, order_id: int) -> list[Panel]:
    return []
