"""The arithmetic of a price in the reader's words."""

from o2b.charging.pricing.explained import LABELS
from subscriptions.explained import STEPS


def test_every_label_is_known_to_the_translators():
    assert set(LABELS) == set(STEPS)
