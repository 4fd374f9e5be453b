"""The clocks app."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ClocksConfig(AppConfig):
    name = "o2b.clocks"
    label = "clocks"
    verbose_name = _("Test clocks")
