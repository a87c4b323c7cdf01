"""`apportion`: one command a use case, one exit code a kind of end.

0 done · 1 bug · 2 usage · 3 bad input · 4 infeasible · 5 stopped at a limit, best plan written ·
6 a service beyond us failed · 130 interrupted.
Data go to stdout, progress and faults to stderr.
"""

from __future__ import annotations

import errno
import io
import sys
import traceback
from typing import Any, NoReturn

import typer

from apportion.cli.assign import assign_command
from apportion.cli.check import verify_command
from apportion.cli.console import console_command
from apportion.cli.demo import demo_command
from apportion.cli.doctor import doctor_command
from apportion.cli.evaluate import evaluate_command
from apportion.cli.experiment import experiment_commands
from apportion.cli.keys import keys_commands
from apportion.cli.monitor import monitor_command
from apportion.cli.outbox import outbox_commands
from apportion.cli.policy import policy_commands
from apportion.cli.replay import replay_command
from apportion.cli.run_due import run_due_command
from apportion.cli.screen import tell_error
from apportion.cli.serve import serve_command
from apportion.cli.simulate import simulate_command
from apportion.cli.store import store_commands
from apportion.cli.train import fit_command
from apportion.cli.whatif import whatif_command
from apportion.cli.why import why_command
from apportion_models.errors import ApportionError, InputError, ServiceError, sentence

DONE, BUG, USAGE, INTERRUPTED = 0, 1, 2, 130
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EIO)
# what typer raises for any wrong call: its own or click's class, by its version
WRONG_CALL: Any = next(kind for kind in typer.BadParameter.__mro__ if kind.__name__ == "ClickException")

app = typer.Typer(
    name="apportion",
    help="Decides which sales rep gets which lead: a joint optimum, with its proof, its prices and its reasons.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _version(wanted: bool) -> None:
    if wanted:
        from apportion import __version__

        typer.echo(f"apportion {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: bool = typer.Option(
        False, "--version", callback=_version, is_eager=True, help="Show the version and stop."
    ),
) -> None:
    pass


for name, command in (
    ("demo", demo_command),
    ("fit", fit_command),
    ("assign", assign_command),
    ("verify", verify_command),
    ("evaluate", evaluate_command),
    ("monitor", monitor_command),
    ("whatif", whatif_command),
    ("replay", replay_command),
    ("simulate", simulate_command),
    ("why", why_command),
    ("console", console_command),
    ("serve", serve_command),
    ("run-due", run_due_command),
    ("doctor", doctor_command),
):
    app.command(name)(command)
for name, commands in (
    ("policy", policy_commands),
    ("experiment", experiment_commands),
    ("store", store_commands),
    ("keys", keys_commands),
    ("outbox", outbox_commands),
):
    app.add_typer(commands, name=name)


def run(arguments: list[str] | None = None) -> int:
    """Run one command and give its exit code."""
    try:
        code = app(arguments, standalone_mode=False, prog_name="apportion")
        return _interrupted() if code == INTERRUPTED else code if isinstance(code, int) else 0
    except typer.Exit as stop:
        return stop.exit_code
    except (typer.Abort, KeyboardInterrupt):
        return _interrupted()
    except (SystemExit, BrokenPipeError):
        return DONE  # whoever read stdout went away, as `head` does: typer ends 1 then, which here is a bug
    except WRONG_CALL as error:
        error.show(sys.stderr)
        return USAGE
    except InputError as error:
        faults = [str(finding) for finding in error.findings]
        tell_error(
            f"The input cannot be used ({error.code}, {len(faults)} {'fault' if len(faults) == 1 else 'faults'}):",
            *faults,
        )
        return error.exit_code
    except ApportionError as error:
        tell_error(sentence(str(error)))
        return error.exit_code
    except MemoryError:
        tell_error("There is not enough memory for this problem. Split the batch, or use a machine with more.")
        return 5
    except OSError as error:
        if error.errno not in FULL:
            return _bug()
        tell_error(f"What was to be shown could not be written: {error.strerror}. Files that were written are whole.")
        return ServiceError.exit_code
    except Exception:
        return _bug()


def _bug() -> int:
    traceback.print_exc()
    tell_error("This is a bug in Apportion. Please report it with the lines above.")
    return BUG


def _interrupted() -> int:
    """Some versions of typer raise at Ctrl-C, others give the exit code back."""
    tell_error("Interrupted. Nothing that was not whole was written.")
    return INTERRUPTED


def main() -> NoReturn:
    """Entry point of the `apportion` command."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that lacks a sign is no reason to stop
    sys.exit(run())
