"""Who asks: the token of knox, hashed where it is kept."""

from typing import Any

from django.utils.translation import gettext as _
from knox.auth import TokenAuthentication
from knox.models import AuthToken
from rest_framework.exceptions import AuthenticationFailed

from o2b import clock


class HashedToken(TokenAuthentication):
    """Knox's, with one query a request; a token that is no text is just an unknown one."""

    def authenticate_credentials(self, token: bytes) -> tuple[Any, AuthToken]:
        if not (token.isascii() and token.isalnum()):
            raise AuthenticationFailed(_("Invalid token."))
        return super().authenticate_credentials(token)

    def _cleanup_token(self, auth_token: AuthToken) -> bool:
        """Whether it has expired. Old tokens are thrown away at the next log-in, not here."""
        return auth_token.expiry is not None and auth_token.expiry < clock.now()
