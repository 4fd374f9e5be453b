"""The taxes app."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class TaxesConfig(AppConfig):
    name = "o2b.taxes"
    label = "taxes"
    verbose_name = _("Taxes")
