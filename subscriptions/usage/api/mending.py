"""POST below /api/v1/usage/pending and rejected: what the desk's buttons do, with its rights."""

from typing import ClassVar

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiTypes, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from o2b import clock
from o2b.api.fields import LARGEST_KEY, Asked
from o2b.api.idempotency import once
from o2b.api.views import Verbs
from subscriptions.models import UsagePending
from subscriptions.usage import selectors, services
from subscriptions.usage.api.desk import UsageRejectedOutput
from subscriptions.usage.api.reading import MEND, SEE
from subscriptions.usage.services.dismissing import LONGEST_REASON


class UsageDismissAsked(Asked):
    """Why an event that waits is given up."""

    reason = serializers.CharField(max_length=LONGEST_REASON)


class UsageRowsAsked(Asked):
    """Refused events by their `row`; of those that are not open any more nothing is done."""

    rows = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=LARGEST_KEY),
        min_length=1,
        max_length=services.MOST_AT_ONCE,
    )


class UsageReleasedOutput(serializers.Serializer):
    """How many events that waited are counted now."""

    released = serializers.IntegerField()


class UsageRetriedOutput(serializers.Serializer):
    """What became of refused events that were taken again."""

    taken = serializers.IntegerField(help_text="Counted now, or known already.")
    pending = serializers.IntegerField(help_text="Taken now; they wait.")
    refused = serializers.IntegerField(help_text="Refused still; each row says why it is now.")


class UsageSettledOutput(serializers.Serializer):
    """How many refused events nothing is to be done about any more."""

    settled = serializers.IntegerField()


class MendingViewSet(Verbs):
    """What does not count is mended."""

    queryset: QuerySet[UsagePending] = UsagePending.objects.none()
    doors: ClassVar[dict[str, str]] = {
        "release": SEE,
        **dict.fromkeys(("dismiss", "retry", "settle"), MEND),
    }

    @extend_schema(
        operation_id="usage_pending_release",
        request=OpenApiTypes.NONE,
        responses=UsageReleasedOutput,
    )
    def release(self, request: Request) -> Response:
        """Count what can be counted now, without waiting for the clock."""
        n = services.release_waiting(machine_now=clock.now())
        return Response(UsageReleasedOutput({"released": n}).data)

    @extend_schema(
        operation_id="usage_pending_dismiss",
        request=UsageDismissAsked,
        responses=UsageRejectedOutput,
    )
    @once
    def dismiss(self, request: Request, pk: str) -> Response:
        """One event that waits will never count; its id stays taken."""
        told = self.asked(UsageDismissAsked)
        gone = services.dismiss_pending(
            pending_id=self.key(), **told, user_id=self.user_id, at=clock.now()
        )
        return Response(UsageRejectedOutput(selectors.rejected().get(pk=gone.pk)).data)

    @extend_schema(
        operation_id="usage_rejected_retry",
        request=UsageRowsAsked,
        responses=UsageRetriedOutput,
    )
    @once
    def retry(self, request: Request) -> Response:
        """Take refused events again as they were sent, by the meters of now."""
        made = services.retry_rejected(row_ids=self._rows(), user_id=self.user_id, at=clock.now())
        return Response(UsageRetriedOutput(made).data)

    @extend_schema(
        operation_id="usage_rejected_settle",
        request=UsageRowsAsked,
        responses=UsageSettledOutput,
    )
    @once
    def settle(self, request: Request) -> Response:
        """Nothing is to be done about these."""
        n = services.settle_rejected(row_ids=self._rows(), user_id=self.user_id, at=clock.now())
        return Response(UsageSettledOutput({"settled": n}).data)

    def _rows(self) -> set[int]:
        return set(self.asked(UsageRowsAsked)["rows"])
