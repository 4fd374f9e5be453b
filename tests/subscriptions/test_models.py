"""The life cycle that a subscription and its items share, as a set of arrows."""

import pytest

from o2b.fsm import Stateful, law
from subscriptions.models import Item, Subscription


@pytest.mark.parametrize("model", [Subscription, Item])
def test_the_law(model: type[Stateful]) -> None:
    assert law(model) == {
        ("pending", "activate", "active"),
        ("active", "suspend", "suspended"),
        ("suspended", "resume", "active"),
        ("pending", "end", "ended"),
        ("active", "end", "ended"),
        ("suspended", "end", "ended"),
    }
