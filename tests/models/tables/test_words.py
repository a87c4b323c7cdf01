from __future__ import annotations

import doctest

import pytest

from apportion_models.tables import TABLES, headers, words


@pytest.mark.parametrize("module", [words, headers])
def test_examples(module: object) -> None:
    """The docstrings' examples hold."""
    result = doctest.testmod(module)  # type: ignore[arg-type]
    assert result.attempted > 0 and result.failed == 0


@pytest.mark.parametrize("name", sorted(TABLES))
def test_no_word_means_two_choices(name: str) -> None:
    """No word stands for two choices of one column, and each choice is a word of its own."""
    for column in TABLES[name].columns:
        seen: dict[str, str] = {}
        for choice, spellings in column.words:
            for word in (choice, *spellings):
                assert seen.setdefault(words.plain(word), choice) == choice, word


def test_choices_are_never_missing() -> None:
    """No word for a choice, a yes or a no is also a word for missing."""
    columns = [column for table in TABLES.values() for column in table.columns]
    spoken = {word for column in columns for _, many in column.words for word in many}
    assert not (spoken | words.YES | words.NO) & (words.MISSING | {words.AMBIGUOUS_MISSING})
