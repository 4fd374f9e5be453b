"""The form by which a file is attached to a contract."""

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext_lazy as _

MOST_BYTES = 10 * 1024 * 1024
# How a file begins tells what it is; its name and what the browser says of it do not.
KINDS = {
    b"%PDF-": ("application/pdf", (".pdf",)),
    b"\x89PNG\r\n\x1a\n": ("image/png", (".png",)),
    b"\xff\xd8\xff": ("image/jpeg", (".jpg", ".jpeg")),
    b"PK\x03\x04": ("application/zip", (".docx", ".odt", ".xlsx", ".ods", ".zip")),
}


class DocumentForm(forms.Form):
    """What was signed, as a file."""

    file = forms.FileField(
        label=_("File"),
        max_length=200,
        help_text=_("PDF, PNG, JPEG or an office document of at most 10 MB; it stays for ever."),
    )

    def clean_file(self) -> UploadedFile:
        file: UploadedFile = self.cleaned_data["file"]
        if (file.size or 0) > MOST_BYTES:
            raise forms.ValidationError(_("The file is larger than 10 MB."))
        begins = file.read(8)
        file.seek(0)
        kind = next((told for magic, told in KINDS.items() if begins.startswith(magic)), None)
        if kind is None or not (file.name or "").lower().endswith(kind[1]):
            raise forms.ValidationError(_("This is no PDF, PNG, JPEG or office document."))
        self.content_type = kind[0]
        return file
