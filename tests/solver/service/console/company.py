"""A small company whose names are as hostile as names can be, on disk and assigned."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from apportion.app import AssignRequest, Sources
from apportion_models.synthetic import World
from apportion_models.synthetic.files import write_tables

SCRIPT = "<script>document.title = 'broken in'</script>"
FORMULA = "=HYPERLINK(1)"
LEAD = "L\"'><i>&?#/.. 1"  # an id that is markup, an attribute's end, and a path
POLICY = """
version: 1
name: small & <b>bold</b>
capacity:
  caps: [{name: at most nine, per: week, at_most: 9}]
ramp:
  - {name: new rep, shape: linear, points: [{day: 0, share: 0.4}, {day: 90, share: 1}]}
territories:
  cover:
    - {name: north, when: "country in ['SE', 'NO', 'FI', 'DK']", primary: "level != 'junior'"}
    - {name: middle, when: "country in ['DE', 'CH']", primary: true, overflow_price: 5}
    - {name: isles, when: "country in ['GB', 'IE']", primary: true}
    - {name: rest, when: true, primary: true}
equity:
  - {name: fair offer, measure: opportunity, low: 0.5, price: 2}
  - {name: a share of leads, measure: leads, high: 4}
nurture: {value: 15}
solve: {gap: 0.2, time_limit: 3}
"""


@dataclass(frozen=True)
class Company:
    """The folder with the tables and the policy."""

    folder: Path

    def request(self, **other: Path) -> AssignRequest:
        """The batch; `other` are tables in place of its own."""
        named = {name: self.folder / f"{name}.csv" for name in ("leads", "reps", "history")} | other
        return AssignRequest(sources=Sources(**named), policy=self.folder / "policy.yaml")


def write_company(folder: Path) -> Company:
    """Eight reps, 400 past leads, a batch of 50."""
    world = World(seed=3, n_reps=8, n_new=1, n_unseen=0, days=300, exploration=1.0, strength=4.0)
    leads, reps = world.leads(50), world.reps()
    leads["note"] = [SCRIPT, FORMULA, *["plain"] * (len(leads) - 2)]
    leads["lead_id"] = [*leads["lead_id"][:-1], LEAD]
    reps["name"] = [SCRIPT, *reps["name"][1:]]
    write_tables({"leads": leads, "reps": reps, "history": world.history(400)}, folder)
    (folder / "policy.yaml").write_text(POLICY, encoding="utf-8")
    return Company(folder)


def leads_of(company: Company) -> pd.DataFrame:
    """The batch as text."""
    return pd.read_csv(company.folder / "leads.csv", dtype=str, keep_default_na=False)
