"""What is filled in about pools of licence keys: a new pool, and keys to add."""

from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext_lazy as _

MOST_BYTES = 2_000_000


class PoolForm(forms.Form):
    """A new pool."""

    name = forms.CharField(label=_("Name"), max_length=100)
    code = forms.SlugField(
        label=_("Code"), max_length=50, help_text=_("Plans name the pool by it.")
    )
    warn_below = forms.IntegerField(
        label=_("Tell when fewer are left"),
        min_value=0,
        max_value=1_000_000,
        initial=10,
        widget=forms.TextInput({"inputmode": "numeric", "autocomplete": "off"}),
    )


class KeysForm(forms.Form):
    """Keys, pasted or as a file: one a row, of a CSV the first column."""

    keys = forms.CharField(
        label=_("Keys, one a line"),
        required=False,
        max_length=MOST_BYTES,
        widget=forms.Textarea({"rows": 6, "autocomplete": "off", "spellcheck": "false"}),
    )
    file = forms.FileField(
        label=_("or a file"),
        required=False,
        help_text=_("Text or CSV with the key in the first column; at most 2 MB."),
    )

    def clean_file(self) -> str:
        """The text of the file."""
        file: UploadedFile | None = self.cleaned_data["file"]
        if file is None:
            return ""
        if (file.size or 0) > MOST_BYTES:
            raise forms.ValidationError(_("The file is larger than 2 MB."))
        try:
            return file.read().decode("utf-8-sig")
        except UnicodeDecodeError as exc:
            raise forms.ValidationError(_("This is no text in UTF-8.")) from exc

    def clean(self) -> dict[str, Any]:
        said = super().clean() or {}
        if not self.errors and not (said["keys"].strip() or said["file"].strip()):
            self.add_error("keys", _("Paste keys, or choose a file."))
        return said

    def text(self) -> str:
        said = self.cleaned_data
        return "\n".join(filter(str.strip, (said["keys"], said["file"])))
