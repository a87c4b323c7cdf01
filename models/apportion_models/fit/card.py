"""The model card: what the model is, what it was trained on, how well it did on later leads, and its limits."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from apportion_models.features.reps import RAMP_DAYS
from apportion_models.fit.history import Cases
from apportion_models.fit.labels import Delay

if TYPE_CHECKING:
    from apportion_models.fit.model import FitModel

LIMITS = (
    "It learns from who was given which lead in the past. Where managers gave their best reps the best leads for "
    "reasons that are not in the data, it takes part of that for skill.",
    "It says how likely a lead is to convert, not whether reassigning it pays: a gain is only known from a holdout.",
    "How much managers see of a lead beyond the table is assumed, not measured; only a randomised slice tells.",
    "A rep without history gets the peers' estimate: team, level, tenure and declared skills.",
    "Uncertainty of a rep's own effects is in the chance (posterior mean); that of the lead part is not.",
    "A lead's own deal_value is taken as given; nothing in the history can test it.",
)


def build_card(
    model: FitModel, cases: Cases, measures: Mapping[str, object], protected: Mapping[str, Any]
) -> dict[str, Any]:
    """The card as plain JSON values."""
    delay = Delay.of_wins(cases)
    scorer, evidence = model.scorer_, model.evidence_
    return {
        "purpose": "Estimates the chance that a rep converts a lead, and what it is worth, to assign leads in batches.",
        "level": model.level_,
        "level_chosen_by": "the gate" if model.level == "auto" else "the user",
        "sentences": list(evidence.sentences),
        "training": {
            "first_assigned": _date(cases, "first"),
            "last_assigned": _date(cases, "last"),
            "leads": len(cases),
            "won": cases.wins,
            "lost": int((cases.outcome == 0).sum()),
            "open": int((cases.outcome < 0).sum()),
            "reps": len(scorer.rep_ids),
            "median_days_to_win": delay.quantile(0.5) if cases.dated else None,
            "fingerprint": fingerprint(cases),
        },
        "features": {
            "lead": list(scorer.leads.columns),
            "segments": [c.name for c in scorer.leads.segment_coders()] if model.level_ == "rep x segment" else [],
            "rep": [c.name for c in scorer.reps.coders] + (["tenure"] if scorer.reps.tenure else []),
            "matches": [match.column for match in scorer.reps.matches],
            "ramp_days": RAMP_DAYS,
        },
        "protected": dict(protected),
        "standard_deviations": {name: float(np.sqrt(v)) for name, v in sorted(scorer.variances.items())},
        "boosted_lead_part": scorer.boosted is not None,
        "unseen": scorer.unseen,
        "waiting": None if scorer.waiting is None else scorer.waiting.state(),
        "out_of_time": dict(measures),
        "deal_value": {
            "source": model.deal_value_.source,
            "sentence": model.deal_value_.sentence,
            "measures": dict(model.deal_value_.measures),
        },
        "findings": [str(finding) for finding in model.findings_],
        "limits": list(LIMITS),
    }


def fingerprint(cases: Cases) -> str:
    """sha256 of what was learned from: ids, reps, times, outcomes and values, whatever the order of the rows was."""
    digest = hashlib.sha256()
    for column in ("lead_id",):
        digest.update("\0".join(cases.frame[column].astype(str)).encode())
    digest.update("\0".join(cases.rep_id.astype(str)).encode())
    for numbers in (cases.assigned, cases.closed, cases.value):
        digest.update(np.ascontiguousarray(np.nan_to_num(numbers, nan=-1.0)).tobytes())
    digest.update(cases.outcome.tobytes())
    return digest.hexdigest()


def card_markdown(card: Mapping[str, Any]) -> str:
    """The card as a page for people."""
    training, features = card["training"], card["features"]
    lines = [
        "# Model card",
        "",
        card["purpose"],
        "",
        f"Model in use: **{card['level']}** (chosen by {card['level_chosen_by']}).",
        "",
    ]
    lines += ["## What there is evidence for", "", *(f"- {sentence}" for sentence in card["sentences"]), ""]
    lines += ["## Learned from", ""]
    lines.append(
        f"{training['leads']:,} leads ({training['won']:,} won, {training['lost']:,} lost, {training['open']:,} open) "
        f"of {training['reps']} reps, assigned {training['first_assigned'] or 'at unknown dates'}"
        f"{' to ' + training['last_assigned'] if training['last_assigned'] else ''}."
    )
    lines += ["", "## Features", ""]
    for name in ("lead", "segments", "rep", "matches"):
        lines.append(f"- {name}: {', '.join(features[name]) or 'none'}")
    if card["boosted_lead_part"]:
        lines.append("- boosted trees of the lead's columns, for they paid on later leads")
    lines.append(
        "- how good the leads were that a rep was given; managers are taken to see "
        f"{card['unseen']:.0%} more of a lead than the table shows, and that is not taken for skill"
    )
    lines += ["", "## Protected attributes", "", *_protected_lines(card["protected"])]
    if card["waiting"] is not None:
        lines += ["", "## Waiting", "", card["waiting"]["sentence"]]
    lines += ["", "## On later leads", ""]
    lines += _measures_table(card["out_of_time"]) or ["Nothing could be tested out of time."]
    lines += _reliability_table(card["out_of_time"].get(card["level"]))
    lines += ["", "## Deal value", "", card["deal_value"]["sentence"], ""]
    lines += ["## Limits", "", *(f"- {limit}" for limit in card["limits"]), ""]
    if card["findings"]:
        lines += ["## Seen in the tables", "", *(f"- {finding}" for finding in card["findings"]), ""]
    return "\n".join(lines)


def _protected_lines(protected: Mapping[str, Any]) -> list[str]:
    """What was refused, what was tested, what was allowed and by whom, and the deny-list itself."""
    lines = [f"- refused by name or declaration: {', '.join(protected['refused']) or 'no such column in the tables'}"]
    for proxy in protected["proxies"]:
        verdict = "refused as its proxy" if proxy["strong"] else "kept"
        lines.append(
            f"- {proxy['column']} against {proxy['attribute']}: Cramér's V {proxy['v']:.2f}, p {proxy['p']:.2g}, "
            f"{proxy['reps']} reps: {verdict}"
        )
    for column, record in protected["overrides"].items():
        lines.append(f"- allowed on record: {column} ({record['who']}, {record['when']}: {record['why']})")
    lines.append("- deny-list, by words of a column's name, in any spelling:")
    lines += [f"  - {attribute}: {', '.join(words)}" for attribute, words in protected["deny_list"].items()]
    lines.append(f"  - declared: {', '.join(protected['declared']) or 'none'}")
    return lines


def _measures_table(measures: Mapping[str, Any]) -> list[str]:
    if not measures:
        return []
    lines = [
        "| model | leads | log loss | Brier | area under the curve | calibration error |",
        "|---|---|---|---|---|---|",
    ]
    for level, m in measures.items():
        area = "–" if m["auc"] is None else f"{m['auc']:.3f}"
        lines.append(
            f"| {level} | {m['rows']:,} | {m['log_loss']:.4f} | {m['brier']:.4f} | {area} "
            f"| {m['calibration_error']:.4f} |"
        )
    return lines


def _reliability_table(measures: Mapping[str, Any] | None) -> list[str]:
    if not measures:
        return []
    lines = ["", "| leads | expected | observed | standard error |", "|---|---|---|---|"]
    return lines + [
        f"| {r['rows']:,} | {r['expected']:.3f} | {r['observed']:.3f} | {r['standard_error']:.3f} |"
        for r in measures["reliability"]
    ]


def _date(cases: Cases, which: str) -> str | None:
    if not cases.dated:
        return None
    days = cases.assigned[0] if which == "first" else cases.assigned[-1]
    return str(pd.Timestamp(days * 86_400.0, unit="s", tz="UTC").date())
