"""What keeps O2B from running, each said in one sentence."""

import errno
import shutil
from pathlib import Path

NEEDED_MB = 300
NO_SPACE = "No space left on device"


class ServerTrouble(Exception):
    """One clear sentence for the person at the terminal."""


class DiskFull(ServerTrouble):
    def __init__(self, folder: Path) -> None:
        super().__init__(
            f"the disk that holds {folder} is full; free {NEEDED_MB} MB "
            "or set O2B_HOME to a folder on another disk."
        )


class NotYours(ServerTrouble):
    def __init__(self, folder: Path) -> None:
        super().__init__(f"{folder} belongs to another user; set O2B_HOME to a folder of your own.")


def check_space(folder: Path) -> None:
    """Refuse before Postgres finds out half-way."""
    if shutil.disk_usage(folder).free < NEEDED_MB * 1_000_000:
        raise DiskFull(folder)


def from_os_error(failure: OSError, folder: Path) -> ServerTrouble:
    """The sentence for what the operating system refused."""
    if failure.errno in (errno.ENOSPC, errno.EDQUOT):
        return DiskFull(folder)
    if failure.errno in (errno.EACCES, errno.EPERM):
        return NotYours(folder)
    if failure.errno == errno.EROFS:
        return ServerTrouble(f"{folder} cannot be written to; set O2B_HOME to another folder.")
    return ServerTrouble(f"{folder} cannot be used: {failure.strerror or failure}.")
