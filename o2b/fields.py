"""The model fields that everybody who stores money, rates or quantities uses."""

from typing import Any

from django.db import models


class AmountField(models.DecimalField):
    """A rounded amount of money: up to 15 digits before the point, 4 after (KWD has 3)."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"max_digits": 19, "decimal_places": 4} | kwargs)


class RateField(models.DecimalField):
    """A price of one unit, exact: 8 places after the point."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"max_digits": 22, "decimal_places": 8} | kwargs)


class QuantityField(models.DecimalField):
    """How many or how much: up to 12 digits before the point, 6 after."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"max_digits": 18, "decimal_places": 6} | kwargs)
