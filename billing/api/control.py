"""REST of a run's control: variance, set aside, retry, and what advocates say."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from billing.api import control_outputs, run_outputs
from billing.api.inputs import LookAsked, RunRetryAsked, SetAsideAsked
from billing.control.selectors import variances_for_list
from billing.runs import services as runs
from billing.runs.selectors.looking import bills_to_look_at
from o2b import clock
from o2b.api.idempotency import once
from o2b.customers.references import account_named, accounts_named

DOORS = (
    {"variance": "billing.view_billrun"}
    | dict.fromkeys(("set_aside", "retry"), "billing.run_bills")
    | dict.fromkeys(("looks", "look"), "billing.look_at_bills")
)


class RunControl:
    """What may be done with the accounts of a run that is drafted."""

    @extend_schema(responses=control_outputs.VarianceOutput(many=True))
    @action(detail=True, filterset_class=None)
    def variance(self: Any, request: Request, pk: str) -> Response:
        """Its accounts beside their last bills; a first bill has none."""
        run = self.get_object()
        page = self.paginate_queryset(variances_for_list(run_id=run.pk))
        return self.get_paginated_response(control_outputs.VarianceOutput(page, many=True).data)

    @extend_schema(request=SetAsideAsked, responses=run_outputs.RunOutput)
    @action(detail=True, methods=["post"], url_path="set-aside")
    @once
    def set_aside(self: Any, request: Request, pk: str) -> Response:
        """Take accounts, or all outliers of a rule, out of the run."""
        asked = self.asked(SetAsideAsked)
        accounts = asked.get("accounts")
        runs.set_aside(
            run_id=self.key(),
            account_ids=None if accounts is None else accounts_named(accounts),
            rule=asked["rule"],
            reason=asked["reason"],
            by=self.user_id,
            at=clock.now(),
        )
        return self.shown(self.key())

    @extend_schema(request=RunRetryAsked, responses=run_outputs.RunOutput)
    @action(detail=True, methods=["post"])
    @once
    def retry(self: Any, request: Request, pk: str) -> Response:
        """Draft and check parked accounts again, for this run; the workers do it."""
        asked = self.asked(RunRetryAsked)
        accounts = asked.get("accounts")
        runs.ask_retry(
            run_id=self.key(),
            account_ids=None if accounts is None else accounts_named(accounts),
            lift=asked["lift"],
            at=clock.now(),
            actor_id=self.user_id,
        )
        return self.shown(self.key())

    @extend_schema(responses=control_outputs.LookOutput(many=True))
    @action(detail=True, filterset_class=None, pagination_class=None)
    def looks(self: Any, request: Request, pk: str) -> Response:
        """The first and changed bills of my accounts in it."""
        run = self.get_object()
        bills = bills_to_look_at(run_id=run.pk, advocate_id=self.user_id)
        return Response(control_outputs.LookOutput(bills, many=True).data)

    @extend_schema(request=LookAsked, responses=control_outputs.LookOutput(many=True))
    @action(detail=True, methods=["post"])
    @once
    def look(self: Any, request: Request, pk: str) -> Response:
        """Say that a bill of my account is right, or stop it with a reason."""
        asked = self.asked(LookAsked)
        account = account_named(asked["account"])
        told = {
            "run_id": self.key(),
            "account_id": account.pk,
            "by": self.user_id,
            "at": clock.now(),
        }
        if asked["verdict"] == "fine":
            runs.say_fine(**told)
        else:
            runs.veto_bill(**told, reason=asked["reason"])
        bills = bills_to_look_at(run_id=self.key(), advocate_id=self.user_id)
        return Response(control_outputs.LookOutput(bills, many=True).data)
