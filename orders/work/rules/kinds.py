"""What kind of file it is, by its content: images, PDF, plain text and CSV; all else is none."""

# type -> endings that it may have; the first is the usual one
TYPES: dict[str, tuple[str, ...]] = {
    "image/png": ("png",),
    "image/jpeg": ("jpg", "jpeg"),
    "image/gif": ("gif",),
    "image/webp": ("webp",),
    "image/heic": ("heic", "heif"),
    "application/pdf": ("pdf",),
    "text/csv": ("csv",),
    "text/plain": ("txt", "log", "md"),
}
MAGIC = (
    (0, b"\x89PNG\r\n\x1a\n", "image/png"),
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (0, b"GIF87a", "image/gif"),
    (0, b"GIF89a", "image/gif"),
    (8, b"WEBP", "image/webp"),
    (4, b"ftypheic", "image/heic"),
    (4, b"ftypmif1", "image/heic"),
    (0, b"%PDF-", "application/pdf"),
)
TEXTS = ("text/csv", "text/plain")


def kind_of(name: str, body: bytes) -> str:
    """The type of a file if its content and its ending agree on one that is allowed; else empty.

    >>> kind_of("photo.JPG", b"\\xff\\xd8\\xff\\xe0..."), kind_of("photo.jpg", b"%PDF-1.7")
    ('image/jpeg', '')
    >>> kind_of("list.csv", b"a;b\\n1;2\\n"), kind_of("page.txt", b" <svg onload=x>")
    ('text/csv', '')
    """
    ending = name.rpartition(".")[2].lower()
    said = next((kind for kind, endings in TYPES.items() if ending in endings), "")
    if not said or not body:
        return ""
    if said in TEXTS:
        return said if _is_text(body) else ""
    shown = next((k for start, magic, k in MAGIC if body[start : start + len(magic)] == magic), "")
    return said if shown == said else ""


def _is_text(body: bytes) -> bool:
    """Text that people read, and no page that a browser would run."""
    if b"\0" in body or any(body.startswith(magic) for at, magic, _ in MAGIC if not at):
        return False
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = body.decode("latin-1")
        if any(ord(letter) < 9 for letter in text[:10_000]):
            return False
    return not text.lstrip().startswith("<")
