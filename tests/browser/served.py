"""What gunicorn serves to browser tests: O2B as everywhere, but quick with passwords."""

from django.conf import settings

from o2b.wsgi import application
from tests.passwords import HASHERS

settings.PASSWORD_HASHERS = HASHERS

__all__ = ["application"]
