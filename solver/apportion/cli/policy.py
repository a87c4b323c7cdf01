"""`apportion policy check | document | schema`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from apportion.app import lint
from apportion.cli import options
from apportion.cli.groups import spelled_out
from apportion.cli.screen import show_json, tell, tell_error
from apportion.connectors import write_files
from apportion.policy import document_policy, load_policy, policy_json_schema
from apportion_models.errors import PolicyError, UsageError

policy_commands = typer.Typer(
    help="Check a policy against data, or write it as a page for people.", no_args_is_help=True
)

PolicyArgument = Annotated[Path, typer.Argument(help="The policy file.")]


@policy_commands.command("check")
@spelled_out
def check_command(policy: PolicyArgument, batch: options.Batch, as_json: options.AsJson = False) -> int:
    """Find rules that cannot work on these tables.

    Or that are likely not meant.

    Example:

    apportion policy check policy.yaml --leads leads.csv --reps reps.csv
    """
    findings = lint(policy, batch.sources(), at=batch.at)
    errors = [finding for finding in findings if finding.severity == "error"]
    if as_json:
        show_json({"ok": not errors, "findings": [{"severity": f.severity, "text": str(f)} for f in findings]})
    elif not errors:
        for finding in findings:
            typer.echo(f"{finding.severity}: {finding}")
        typer.echo(
            f"The policy can be used: no error, {len(findings)} {'notice' if len(findings) == 1 else 'notices'}."
        )
    else:
        for finding in findings:
            if finding.severity != "error":
                tell_error(f"{finding.severity}: {finding}")
    if errors:
        raise PolicyError(errors)
    return 0


@policy_commands.command("document")
def document_command(
    policy: PolicyArgument,
    out: Annotated[Path, options.out_option(help="The HTML file to write.")] = Path("policy.html"),
    as_json: options.AsJson = False,
) -> int:
    """Write the policy as a page for people.

    With a diagram of a lead's way.

    Example:

    apportion policy document policy.yaml --out policy.html
    """
    if out.is_dir():
        raise UsageError(f"--out must name the HTML file to write; {out} is a folder.")
    page = document_policy(load_policy(policy)).encode()
    write_files(out.parent, {out.name: page})
    if as_json:
        show_json({"written": str(out)})
    else:
        tell(f"Written: {out}")
    return 0


@policy_commands.command("schema")
def schema_command(_: options.Schema = True) -> int:
    """Print the JSON Schema of policy files.

    Example:

    apportion policy schema > policy.schema.json
    """
    show_json(policy_json_schema())
    return 0
