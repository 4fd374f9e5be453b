"""Passwords in tests: kept and checked as in every house, but in no time."""

from django.contrib.auth.hashers import PBKDF2PasswordHasher

HASHERS = ["tests.passwords.Quick"]


class Quick(PBKDF2PasswordHasher):
    """The slowness of the real one keeps thieves away; here it would keep the tests waiting."""

    iterations = 1
