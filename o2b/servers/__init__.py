"""Postgres and Valkey that come with O2B: found, started, shared by processes and stopped again."""

from o2b.servers.embedded import Addresses, ensure, release
from o2b.servers.trouble import ServerTrouble

__all__ = ["Addresses", "ServerTrouble", "ensure", "release"]
