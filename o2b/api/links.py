"""Whom and what other resources point at: an account, a product's version, a user."""

from rest_framework import serializers

from o2b.api.fields import Link


class AccountLink(serializers.Serializer):
    """Enough of an account to show it, and where to read the rest."""

    id = serializers.IntegerField()
    url = Link("api-account-detail")
    reference = serializers.CharField()
    name = serializers.CharField()


class ProductVersionLink(serializers.Serializer):
    """Which version of which product."""

    product = serializers.CharField(source="product.code")
    name = serializers.CharField(source="product.name")
    version = serializers.IntegerField(source="number")
