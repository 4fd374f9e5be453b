"""python -m o2b.servers.probe PORT: whether web answers, for health checks and for `up`."""

import http.client
import sys


def answers(host: str, port: int) -> bool:
    """True when it says anything but that it is broken."""
    connection = http.client.HTTPConnection(host, port, timeout=4)
    try:
        connection.request("GET", "/", headers={"Host": "localhost"})
        return connection.getresponse().status < http.HTTPStatus.INTERNAL_SERVER_ERROR
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


if __name__ == "__main__":
    sys.exit(0 if answers("127.0.0.1", int(sys.argv[1])) else 1)
