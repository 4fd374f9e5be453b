"""CatalogImport: what a file brought into the catalog, so that it can be undone; CatalogUpload."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class SheetKind(models.TextChoices):
    """What a sheet holds."""

    PRODUCTS = "products", _("products")
    BOOKS = "books", _("price books")
    CONTRACTS = "contracts", _("contracts")


class CatalogImport(models.Model):
    """One file taken in: `made` lists the rows it wrote, by model label; `report` its counts.

    `results` says what became of each row: JSON lines, compressed.
    """

    Kind = SheetKind

    kind = models.CharField(max_length=9, choices=Kind.choices)
    file_name = models.CharField(max_length=200)
    sha256 = models.CharField(max_length=64)
    options = models.JSONField(default=dict, blank=True)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    at = models.DateTimeField()
    rows = models.PositiveIntegerField()
    made = models.JSONField(default=dict, blank=True)
    report = models.JSONField(default=dict, blank=True)
    results = models.BinaryField(default=bytes)
    undone_at = models.DateTimeField(null=True, blank=True)
    undone_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        ordering = ["-at", "-pk"]

    def __str__(self) -> str:
        return f"{self.file_name} ({self.kind})"


class CatalogUpload(models.Model):
    """A file that was tried and waits to be imported by the same person; thrown away next day."""

    kind = models.CharField(max_length=9, choices=SheetKind.choices)
    file_name = models.CharField(max_length=200)
    options = models.JSONField(default=dict, blank=True)
    body = models.BinaryField()  # compressed
    report = models.JSONField(default=dict, blank=True)
    results = models.BinaryField(default=bytes)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.file_name} ({self.kind})"
