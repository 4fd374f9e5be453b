"""How the API shows what is compared and looked at in a run."""

from rest_framework import serializers

from billing.api.run_outputs import amount_text
from billing.runs.selectors.looking import ToLookAt
from o2b.api.fields import Amount
from o2b.api.links import AccountLink


class VarianceOutput(serializers.Serializer):
    """An account of a run beside its last bill, net."""

    account = AccountLink()
    currency = serializers.CharField()
    rule = serializers.CharField(help_text="more, less, credit, missing; empty: no outlier.")
    is_changed = serializers.BooleanField()
    out = serializers.CharField(allow_null=True, help_text="Why it left the run since.")
    before_on = serializers.DateField()
    before = Amount()
    now = Amount()
    change = Amount()


class LookOutput(serializers.Serializer):
    """A first bill (`before` is null) or one after a change, for its advocate to look at."""

    account = serializers.IntegerField(source="account_id")
    reference = serializers.CharField()
    name = serializers.CharField()
    why = serializers.CharField()
    currency = serializers.CharField()
    net = serializers.SerializerMethodField()
    before = serializers.SerializerMethodField()
    looked_at = serializers.DateTimeField(allow_null=True)

    def get_net(self, bill: ToLookAt) -> str:
        return amount_text(bill.net, bill.currency)

    def get_before(self, bill: ToLookAt) -> str | None:
        return None if bill.before is None else amount_text(bill.before, bill.currency)
