"""HTTP with one deadline for a whole exchange: a server that drips, even its headers, is left."""

import ssl
import time
from collections.abc import Iterable
from typing import Any

import httpcore
import httpx


class _Stream(httpcore.NetworkStream):
    """A connection on which nothing waits past the deadline."""

    def __init__(self, inner: httpcore.NetworkStream, until: float) -> None:
        self.inner, self.until = inner, until

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self.inner.read(max_bytes, left(self.until, timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self.inner.write(buffer, left(self.until, timeout))

    def close(self) -> None:
        self.inner.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        secured = self.inner.start_tls(ssl_context, server_hostname, left(self.until, timeout))
        return _Stream(secured, self.until)

    def get_extra_info(self, info: str) -> Any:
        return self.inner.get_extra_info(info)


class _Backend(httpcore.SyncBackend):
    """Opens connections that know the deadline."""

    def __init__(self, until: float) -> None:
        self.until = until

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        opened = super().connect_tcp(
            host, port, left(self.until, timeout), local_address, socket_options
        )
        return _Stream(opened, self.until)


def transport(*, until: float, trust: ssl.SSLContext) -> httpx.HTTPTransport:
    """For one exchange that is over at `until`, by time.monotonic()."""
    made = httpx.HTTPTransport(verify=trust, trust_env=False)
    made._pool = httpcore.ConnectionPool(ssl_context=trust, network_backend=_Backend(until))
    return made


def left(until: float, timeout: float | None) -> float:
    """How long may still be waited; nothing left is a time-out."""
    remains = until - time.monotonic()
    if remains <= 0:
        raise httpcore.ReadTimeout("the whole answer took too long")
    return remains if timeout is None else min(timeout, remains)
