"""How the API shows whose amounts are on a document."""

from rest_framework import serializers

from o2b.api.fields import Plain
from o2b.api.links import AccountLink


class PartOutput(serializers.Serializer):
    """What an account of a family comes to; all of these add up to the document."""

    account = AccountLink()
    net = Plain()
    tax = Plain()
