"""`apportion`: one command a use case, one exit code a kind of end.

0 done · 1 bug · 2 usage · 3 bad input · 4 infeasible · 5 stopped at a limit, best plan written ·
6 a service beyond us failed · 130 interrupted.
Data go to stdout, progress and faults to stderr.
"""

from __future__ import annotations

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
from apportion_models.errors import ApportionError, InputError

DONE, BUG, USAGE, INTERRUPTED = 0, 1, 2, 130
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


app.command("demo", help="Assign the shipped sample batch, and show what comes out.")(demo_command)
app.command("fit", help="Learn a fit model from a history and save it.")(fit_command)
app.command("assign", help="Assign a batch of leads to reps.")(assign_command)
app.command("evaluate", help="Measure honestly, out of sample, what the model and its plans are worth.")(
    evaluate_command
)
app.command("monitor", help="See whether a model in use still holds what it promised; each alarm names what to do.")(
    monitor_command
)
app.command("whatif", help="Compare scenarios with the base: what differs, how sure that is, where it comes from.")(
    whatif_command
)
app.command(
    "run-due", help="Run what the schedule says is due now, for cron and the like; any number may run at once."
)(run_due_command)
app.command("serve", help="Serve the API over HTTP, and run what the schedule says.")(serve_command)
app.command("doctor", help="Look at all that the service stands on, change nothing, and say what to do.")(
    doctor_command
)
app.command("replay", help="Play past batches again, in time order, under a policy, with routers beside it.")(
    replay_command
)
app.command("simulate", help="Simulate weeks to come in a company whose truth is known, with routers beside it.")(
    simulate_command
)
app.command("verify", help="Check a written plan again from its inputs, without a solver.")(verify_command)
app.command("console", help="Show today's plan, its reasons and what-if on a page in the browser.")(console_command)
app.command("why", help="Say why a rep did not get a lead, from the service's store.")(why_command)
app.add_typer(policy_commands, name="policy")
app.add_typer(outbox_commands, name="outbox")
app.add_typer(experiment_commands, name="experiment")
app.add_typer(store_commands, name="store")
app.add_typer(keys_commands, name="keys")


def run(arguments: list[str] | None = None) -> int:
    """Run one command and give its exit code."""
    try:
        code = app(arguments, standalone_mode=False)
        return _interrupted() if code == INTERRUPTED else code if isinstance(code, int) else 0
    except typer.Exit as stop:
        return stop.exit_code
    except (typer.Abort, KeyboardInterrupt):
        return _interrupted()
    except (SystemExit, BrokenPipeError):
        return (
            DONE  # whoever read stdout went away, as `head` does: typer's way to say so is exit 1, which here is a bug
        )
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
        tell_error(str(error))
        return error.exit_code
    except MemoryError:
        tell_error("There is not enough memory for this problem. Split the batch, or use a machine with more.")
        return 5
    except Exception:
        traceback.print_exc()
        tell_error("This is a bug in Apportion. Please report it with the lines above.")
        return BUG


def _interrupted() -> int:
    """Some versions of typer raise at Ctrl-C, others give the exit code back."""
    tell_error("Interrupted. Nothing that was not whole was written.")
    return INTERRUPTED


def main() -> NoReturn:
    """Entry point of the `apportion` command."""
    sys.exit(run())
