"""What a pack is refused for."""

from o2b.errors import Invalid, Refused


class PackInvalid(Invalid):
    """A folder that is no whole pack; `field` names the file."""

    code = "pack_invalid"


class PackThere(Refused):
    """Some of the pack's books are there already."""

    code = "pack_there"
