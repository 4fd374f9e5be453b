"""Every "no" of work beside its doing."""

from o2b.errors import Invalid, Refused


class AskedAlready(Refused):
    code = "asked_already"


class ApprovalNotOpen(Refused):
    code = "approval_not_open"


class NotYours(Refused):
    """A second person decides, and only who was asked or who may."""

    code = "not_yours_to_decide"
    status = 403


class SubstituteUnknown(Invalid):
    code = "substitute_unknown"


class TextMissing(Invalid):
    code = "text_missing"


class NobodyCalledSo(Invalid):
    code = "nobody_called_so"


class FileRefused(Invalid):
    code = "file_refused"


class TooManyFiles(Refused):
    code = "too_many_files"


class MemberUnknown(Invalid):
    code = "member_unknown"


class NothingToDo(Invalid):
    code = "nothing_to_do"
