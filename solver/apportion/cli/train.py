"""`apportion fit`."""

from __future__ import annotations

from apportion.app import Sources, train
from apportion.cli import options
from apportion.cli.screen import show_json, steps, tell
from apportion.connectors import check_folder
from apportion_models.errors import UsageError


def fit_command(
    history: options.History,
    reps: options.Reps,
    out: options.Out,
    mapping: options.MappingFile = None,
    policy: options.PolicyFile = None,
    until: options.Until = None,
    seed: options.Seed = 0,
    as_json: options.AsJson = False,
    quiet: options.Quiet = False,
) -> int:
    """Learn a fit model from a history, and save it.

    Its model card is saved with it. Of the policy only the section `protected` counts: what must not be a feature,
    and what may be all the same.

    Example:

    apportion fit --history history.csv --reps reps.csv --out model
    """
    if history is None:
        raise UsageError("--history is needed.")
    check_folder(out)
    with steps(quiet) as progress:
        progress.step("Learning from the history")
        report = train(
            Sources(history=history, reps=reps, mapping=mapping),
            out=out,
            until=until,
            seed=seed or 0,
            policy=policy,
        )
    sentences = list(report.model.evidence_.sentences)
    if as_json:
        show_json(
            {
                "model": str(report.folder),
                "level": report.model.level_,
                "evidence": sentences,
                "findings": [str(finding) for finding in report.findings],
            }
        )
        return 0
    for line in (*sentences, *(f"Note: {finding}" for finding in report.findings)):
        tell(line)
    tell(f"Saved: {report.folder}")
    return 0
