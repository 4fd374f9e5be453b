"""How the API shows prepaid money."""

from rest_framework import serializers

from billing.models import WalletGrant, WalletMovement
from billing.models.wallets import BY_HAND, Covers, Source, Usable
from o2b.api.fields import Amount, Link, State
from o2b.api.links import AccountLink

GIFTS = [(each.value, each.label) for each in BY_HAND]


class StandingOutput(serializers.Serializer):
    """A projection: nothing of it is set aside."""

    available = serializers.CharField(source="available.amount", help_text="May be drawn now.")
    waiting = serializers.CharField(source="waiting.amount", help_text="Not usable yet.")
    unbilled = serializers.CharField(
        source="unbilled.amount", help_text="What usage that is not billed yet would cost."
    )
    left = serializers.CharField(source="left.amount", help_text="available less unbilled.")


class WalletHeadOutput(serializers.Serializer):
    id = serializers.IntegerField()
    url = Link("api-wallet-detail")
    number = serializers.CharField(source="__str__")
    account = AccountLink()
    currency = serializers.CharField()
    covers = State(name="WalletCovers", choices=Covers.choices)
    usable = State(name="WalletUsable", choices=Usable.choices)
    held = Amount(help_text="What its lots hold.")
    opened_at = serializers.DateTimeField()


class WalletOutput(WalletHeadOutput):
    standing = StandingOutput()


class WalletLotOutput(serializers.Serializer):
    id = serializers.IntegerField()
    source = State(name="WalletLotSource", choices=Source.choices)  # type: ignore[assignment]
    text = serializers.CharField()
    amount = Amount(currency="wallet.currency")
    left = Amount(currency="wallet.currency")
    priority = serializers.IntegerField(help_text="The lowest is drawn first.")
    begins_on = serializers.DateField()
    ends_on = serializers.DateField(allow_null=True, help_text="First day on which it is gone.")
    invoice = serializers.IntegerField(source="invoice_id", allow_null=True)
    grant = serializers.IntegerField(source="grant_id", allow_null=True)


class WalletMovementOutput(serializers.Serializer):
    id = serializers.IntegerField()
    kind = State(name="WalletMovementKind", choices=WalletMovement.Kind.choices)
    lot = serializers.IntegerField(source="lot_id")
    amount = Amount(currency="wallet.currency")
    balance = Amount(currency="wallet.currency", help_text="What the wallet held after it.")
    on = serializers.DateField()
    at = serializers.DateTimeField()
    invoice = serializers.IntegerField(source="invoice_id", allow_null=True)


class WalletGrantOutput(serializers.Serializer):
    id = serializers.IntegerField()
    url = Link("api-wallet-grant-detail")
    number = serializers.CharField(source="__str__")
    account = AccountLink()
    currency = serializers.CharField()
    amount = Amount()
    source = State(name="WalletGrantSource", choices=GIFTS)  # type: ignore[assignment]
    reason = serializers.CharField()
    priority = serializers.IntegerField()
    ends_on = serializers.DateField(allow_null=True)
    state = State(name="WalletGrantState", choices=WalletGrant.State.choices)
    asked_by = serializers.CharField(source="asked_by.username")
    asked_at = serializers.DateTimeField()
    decided_by = serializers.CharField(source="decided_by.username", default=None, allow_null=True)
    decided_at = serializers.DateTimeField(allow_null=True)
