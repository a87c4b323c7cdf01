"""Documents that our commands wrote, read again."""

from __future__ import annotations

from pathlib import Path

import pytest

from apportion.app.documents import read_document
from apportion_models.errors import InputError


@pytest.mark.parametrize(
    ("content", "told"),
    [(None, "must be there"), (b"{", "must be JSON"), (b"\xff\xfe", "must be JSON"), (b"[1]", "must be a JSON object")],
)
def test_what_is_no_document_is_refused(tmp_path: Path, content: bytes | None, told: str) -> None:
    """Absent, cut off, no text, or something else than an object: the file and the command that writes it are named."""
    path = tmp_path / "plan.json"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=told) as caught:
        read_document(path, command="assign")
    assert str(path) in str(caught.value) and "`apportion assign` wrote it" in str(caught.value)


def test_a_document_is_read_as_it_is(tmp_path: Path) -> None:
    """The object, with all its letters."""
    (tmp_path / "a.json").write_text('{"name": "Åsa"}', encoding="utf-8")
    assert read_document(tmp_path / "a.json", command="assign") == {"name": "Åsa"}
