"""Addresses by name, found once a process: a page of fifty rows asks for hundreds of them."""

from functools import cache

from django.conf import settings
from django.urls import NoReverseMatch, get_script_prefix, get_urlconf, reverse


def safe_reverse(url_name: str) -> str:
    """The address of a name, empty while no stage defines it."""
    return _address(get_urlconf() or settings.ROOT_URLCONF, get_script_prefix(), url_name)


def address_of(url_name: str, pk: int) -> str:
    """The address of a page whose one argument is a key, such as a row's."""
    urlconf = get_urlconf() or settings.ROOT_URLCONF
    head, tail = _around_the_key(urlconf, get_script_prefix(), url_name)
    return f"{head}{pk}{tail}"


@cache
def _address(urlconf: str, prefix: str, url_name: str) -> str:
    try:
        return reverse(url_name, urlconf=urlconf)
    except NoReverseMatch:
        return ""


@cache
def _around_the_key(urlconf: str, prefix: str, url_name: str) -> tuple[str, str]:
    """What stands before and after the key; the key is the last number of the address."""
    head, _key, tail = reverse(url_name, args=[0], urlconf=urlconf).rpartition("0")
    return head, tail
