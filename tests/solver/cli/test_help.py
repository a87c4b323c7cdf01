"""Every command explains itself: what it does in a line that fits, each option once, and an example that works."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from typing import Any

import pytest
import typer.main

from apportion.cli.main import app
from tests.solver.cli.conftest import call

WIDTH = 80
SERVERS = {("serve",), ("console",)}  # they run until they are told to stop, and have no answer to print


def leaves(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """(words, command) of every command that does something."""
    if not hasattr(command, "commands"):
        yield path, command
        return
    for name, below in command.commands.items():
        yield from leaves(below, (*path, name))


ROOT = typer.main.get_command(app)
COMMANDS = dict(leaves(ROOT))
GROUPS = [(), *sorted({path[:-1] for path in COMMANDS if len(path) > 1})]


@pytest.fixture(autouse=True)
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal of the usual width."""
    monkeypatch.setenv("COLUMNS", str(WIDTH))


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_a_command_has_an_example_that_can_be_called(path: tuple[str, ...]) -> None:
    """The help ends 0, fits the terminal, and shows one line of this very command, whose words are all understood."""
    called = call(*path, "--help")
    assert called.code == 0 and called.err == ""
    assert max(map(len, called.out.splitlines())) <= WIDTH
    lines = called.out.splitlines()
    words = shlex.split(lines[lines.index("  Example:") + 2].partition(" > ")[0])
    assert words[: len(path) + 1] == ["apportion", *path]
    COMMANDS[path].make_context(path[-1], words[len(path) + 1 :])


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_what_stands_where_nothing_is_said_is_understood(path: tuple[str, ...]) -> None:
    """Every default passes through the reader of its own option."""
    command = COMMANDS[path]
    with command.make_context(path[-1], [], resilient_parsing=True) as context:
        for one in command.params:
            if not one.required:
                one.process_value(context, one.get_default(context))


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_an_option_is_there_once_and_says_what_it_is(path: tuple[str, ...]) -> None:
    """No two options share a name, and each has its sentence; all but servers can answer in JSON."""
    options = [one for one in COMMANDS[path].params if one.opts[0].startswith("-")]
    names = [name for one in options for name in one.opts]
    assert len(names) == len(set(names))
    assert all(one.help for one in COMMANDS[path].params)
    assert path in SERVERS or "--json" in names


@pytest.mark.parametrize("path", GROUPS, ids=lambda path: " ".join(path) or "apportion")
def test_the_list_of_commands_is_not_cut_off(path: tuple[str, ...]) -> None:
    """What each command does stands whole in the list."""
    called = call(*path, "--help")
    assert called.code == 0 and "..." not in called.out.partition("Commands:")[2]
