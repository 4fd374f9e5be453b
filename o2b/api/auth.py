"""Tokens: log in for one, show it with every request, log out."""

from typing import Any

from django.contrib.auth import authenticate
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from knox.models import AuthToken
from rest_framework import serializers, status
from rest_framework.exceptions import APIException
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import SimpleRateThrottle

from o2b import clock
from o2b.api.fields import Asked
from o2b.api.views import Door, Spoken


class WrongCredentials(APIException):
    status_code = status.HTTP_401_UNAUTHORIZED
    default_code = "wrong_credentials"
    auth_header = "Token"


class LogInThrottle(SimpleRateThrottle):
    """Ten attempts a minute for a name from an address."""

    rate = "10/min"
    scope = "log_in"

    def get_cache_key(self, request: Request, view: Any) -> str:
        name = request.data.get("username") if isinstance(request.data, dict) else ""
        ident = f"{self.get_ident(request)}/{str(name).casefold()[:150]}"
        return f"log-in:{ident.encode().hex()[:200]}"


class LogInInput(Asked):
    username = serializers.CharField(max_length=150)
    password = serializers.CharField(max_length=1000, trim_whitespace=False)


class TokenOutput(serializers.Serializer):
    token = serializers.CharField(help_text="Send it as `Authorization: Token …`.")
    expires_at = serializers.DateTimeField(allow_null=True)
    username = serializers.CharField()


class LogIn(Spoken):
    """A token for a user name and a password."""

    authentication_classes = ()
    permission_classes = (AllowAny,)
    throttle_classes = (LogInThrottle,)

    @extend_schema(
        operation_id="log_in", request=LogInInput, responses=TokenOutput, auth=[], tags=["auth"]
    )
    def post(self, request: Request) -> Response:
        """Answer a token that lives for some hours."""
        asked = LogInInput(data=request.data)
        asked.is_valid(raise_exception=True)
        user = authenticate(request, **asked.validated_data)
        if user is None:
            raise WrongCredentials(_("This user name and password do not belong together."))
        AuthToken.objects.filter(user=user, expiry__lt=clock.now()).delete()
        issued, token = AuthToken.objects.create(user=user)
        told = {"token": token, "expires_at": issued.expiry, "username": user.get_username()}
        return Response(TokenOutput(told).data)


class LogOut(Spoken):
    """The end of the token that came with the request."""

    permission_classes = (Door,)

    @extend_schema(operation_id="log_out", request=None, responses={204: None}, tags=["auth"])
    def post(self, request: Request) -> Response:
        """Forget this token."""
        if isinstance(request.auth, AuthToken):
            request.auth.delete()
        return Response(status=status.HTTP_204_NO_CONTENT)


class LogOutEverywhere(Spoken):
    """The end of all tokens of the user."""

    permission_classes = (Door,)

    @extend_schema(operation_id="log_out_all", request=None, responses={204: None}, tags=["auth"])
    def post(self, request: Request) -> Response:
        """Forget every token of this user."""
        AuthToken.objects.filter(user=request.user.pk).delete()
        return Response(status=status.HTTP_204_NO_CONTENT)
