"""The report: one file, offline, escaped, the same bytes each time, and telling what the plan tells."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from plotly.offline import get_plotlyjs

from apportion.problem import OpportunityShare, Prices, Status
from apportion.reasons.report import render_report
from apportion.whatif import run_baselines, score
from apportion_models.errors import Finding, UsageError
from tests.solver.reasons.cases import batch_of, plan_of

EVIL = "<script>alert('x')</script>"


def _batch(**changes: Any) -> Any:
    given = {
        "capacity": [2, 1],
        "names": ["Ada", "Bo"],
        "screened": [("X1", "reject", "competitor"), ("X2", "nurture", "student")],
        "nurture": 5.0,
        "equity": [OpportunityShare(0.2, 9.0)],
        **changes,
    }
    return batch_of([[0.5, 0.4], [0.2, 0.3], [0.3, 0.2], [0.01, 0.01]], [1000.0, 500.0, 200.0, 100.0], **given)


def _report(batch: Any, **given: Any) -> str:
    plan = plan_of(batch.problem)
    baselines = run_baselines(batch.problem)
    return render_report(batch, plan, baselines, own=score(batch.problem, plan.rep, title="This plan"), **given)


class _Reader(HTMLParser):
    """Collects elements, what they load, and the visible text."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.figures: list[str] = []
        self._inside: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._inside.append(tag)

    def handle_endtag(self, tag: str) -> None:
        while self._inside and self._inside.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        inside = self._inside[-1] if self._inside else ""
        if inside == "script" and dict(self.tags[-1][1]).get("type") == "application/json":
            self.figures.append(data)
        elif inside not in ("script", "style"):
            self.text.append(data)


def _read(page: str) -> _Reader:
    reader = _Reader()
    reader.feed(page.replace(get_plotlyjs(), ""))
    return reader


def test_nothing_is_loaded_from_elsewhere() -> None:
    """No element, style or script of the page fetches anything."""
    page = _report(_batch())
    for tag, attributes in _read(page).tags:
        for name in ("src", "srcset", "data", "poster", "action"):
            assert name not in attributes, (tag, name)
        assert tag not in ("link", "iframe", "object", "embed", "img", "base")
        assert (attributes.get("href") or "#").startswith("#")
    own = page.replace(get_plotlyjs(), "")
    assert not re.search(r"@import|url\(|https?://", own)


def test_data_is_never_markup() -> None:
    """A script stays text wherever data comes from: ids, names, reasons, rules, findings, run facts, evidence."""
    batch = _batch(
        lead_ids=[f"{EVIL}{i}" for i in range(4)],
        names=[f"Ada {EVIL}", f"Bo {EVIL}"],
        screened=[("X1", "reject", EVIL), ("X2", "nurture", "student")],
        blocked_by=[[-1, -1]] * 3 + [[0, 0]],
        rules=[EVIL],
        notes=[Finding(severity="notice", table="leads", message=EVIL)],
        equity=[OpportunityShare(0.2, 9.0, name=EVIL)],
    )
    batch.capacity["why"] = EVIL
    page = _report(batch, title=EVIL, run={EVIL: EVIL}, evidence={EVIL: [EVIL]}, findings=batch.notes)
    assert EVIL not in page
    reader = _read(page)
    scripts = [attributes for tag, attributes in reader.tags if tag == "script"]
    assert len(scripts) == len(reader.figures) + 2  # the figures, plotly, and the page's own
    assert EVIL in "".join(reader.text)
    for figure in reader.figures:
        assert "<script" not in json.dumps(json.loads(figure))  # labels are HTML to plotly: escaped once more
        if "Ada" in figure:
            assert html.escape(EVIL) in json.loads(figure)["data"][0]["y"][0] + json.loads(figure)["data"][0]["y"][-1]


def test_same_input_same_bytes() -> None:
    """No clock, no random id."""
    assert _report(_batch()) == _report(_batch())


def test_it_tells_what_the_plan_tells() -> None:
    """Every lead with its reason, the certificate, the routers, the label that predictions are not proof."""
    batch = _batch(notes=[Finding(severity="repair", table="leads", message="2 dates were mended.")])
    page = _report(
        batch,
        evidence={"Held out": "Rep effects held."},
        policy_html="<p id='mine'>70 % floor</p>",
        run={"Version": "0.1.0"},
    )
    reader = _read(page)
    text = " ".join(" ".join(reader.text).split())
    plan = plan_of(batch.problem)
    from apportion.reasons import assignments_frame, explain

    for row in assignments_frame(batch, plan).to_dict(orient="records"):
        assert row["lead_id"] in text
        assert row["reason"] in text
    for sentence in explain(batch, plan).certificate:
        assert sentence in text
    for words in (
        "they are not proof of more sales",
        "predicted by the same model, not proof",
        "Round robin",
        "Rep effects held.",
    ):
        assert words in text
    assert "2 dates were mended." in text
    assert ("p", {"id": "mine"}) in reader.tags
    assert "0.1.0" in text


def test_figures_hold_the_numbers() -> None:
    """Load, room, share, floor and price of the charts are those of the table of reps."""
    batch = _batch()
    plan = plan_of(batch.problem)
    from apportion.reasons import reps_frame

    reps = reps_frame(batch, plan)
    figures = {
        attributes["data-chart"]: None for tag, attributes in _read(_report(batch)).tags if "data-chart" in attributes
    }
    values = dict(zip(figures, map(json.loads, _read(_report(batch)).figures), strict=True))
    assert list(values) == ["chart-baselines", "chart-load", "chart-share", "chart-price"]
    assert values["chart-load"]["data"][0]["x"] == pytest.approx(reps["load"].tolist())
    shown = sorted(reps["opportunity_share"] * 100)
    assert values["chart-share"]["data"][0]["x"] == pytest.approx(shown)
    assert values["chart-share"]["data"][1]["x"] == pytest.approx([20.0, 20.0])
    assert values["chart-price"]["data"][0]["x"] == pytest.approx(
        sorted(reps["slot_price"][reps["slot_price"] > 0], reverse=True)
    )
    assert values["chart-baselines"]["data"][0]["x"][0] == pytest.approx(reps["expected_revenue"].sum())


def test_ids_are_unique_and_named_by_the_links() -> None:
    """Each link of the page leads somewhere, and no id stands twice."""
    tags = _read(_report(_batch(), run={"a": 1}, policy_html="<p>x</p>", evidence={"h": "s"})).tags
    ids = [attributes["id"] for _, attributes in tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert {(attributes["href"] or "")[1:] for tag, attributes in tags if tag == "a"} <= set(ids)


def test_little_to_tell() -> None:
    """No routers, no prices, no leads at all: the page still stands, without empty charts."""
    batch = batch_of(np.zeros((0, 2)), [], capacity=[0, 0], screened=[("X1", "reject", "competitor")])
    page = render_report(batch, plan_of(batch.problem, prices=Prices.none(2), rep=np.zeros(0)))
    reader = _read(page)
    assert [attributes["data-chart"] for _, attributes in reader.tags if "data-chart" in attributes] == ["chart-load"]
    assert "one more slot would gain nothing" in " ".join(reader.text)


def test_no_plan_no_report() -> None:
    """An infeasible batch is told by diagnose."""
    batch = _batch()
    with pytest.raises(UsageError, match="diagnose"):
        render_report(batch, plan_of(batch.problem).replace(status=Status.INFEASIBLE))


@pytest.mark.skipif(shutil.which("chromium") is None, reason="needs the chromium browser")
def test_it_works_in_a_browser(tmp_path: Path) -> None:
    """Charts are drawn, a click on a heading sorts, a search hides rows, and the console stays silent."""
    probe = """<script>addEventListener("load", function () { setTimeout(function () {
      var table = document.getElementById("lead-table"), out = {};
      out.charts = document.querySelectorAll(".chart .main-svg").length > 0;
      out.bars = document.querySelectorAll("#chart-load .bars .point").length;
      var cells = function (n) { return Array.from(table.tBodies[0].rows).filter(function (r) { return !r.hidden; })
        .map(function (r) { return r.cells[n].textContent; }); };
      table.tHead.rows[0].cells[4].querySelector("button").click(); out.up = cells(4);
      table.tHead.rows[0].cells[4].querySelector("button").click(); out.down = cells(4);
      var box = document.querySelector("input[data-table=lead-table]");
      box.value = "student X2"; box.dispatchEvent(new Event("input")); out.found = cells(0);
      out.status = document.getElementById("lead-table-found").textContent;
      document.body.innerHTML = ""; document.body.textContent = "PRO" + "BE" + JSON.stringify(out) + "END";
    }, 500); });
    addEventListener("error", function (e) { document.title = "ERROR " + e.message; });</script>"""
    page = tmp_path / "report.html"
    page.write_text(_report(_batch()).replace("</head>", probe + "</head>"), encoding="utf-8")
    flags = [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-background-networking",
        "--virtual-time-budget=4000",
    ]
    command = ["chromium", *flags, f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom", page.as_uri()]
    shown = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout
    assert not re.search(r"<title>ERROR[^<]*", shown)
    found = re.search(r"PROBE(.*)END", shown)
    assert found is not None
    out = json.loads(html.unescape(found.group(1)))
    assert out["charts"]
    assert out["bars"] == 4  # load and room of two reps
    amounts = [float(cell.split()[0].replace(",", "")) for cell in out["down"] if cell != "–"]
    assert amounts == sorted(amounts, reverse=True)
    assert len(amounts) == 3
    assert out["up"][-1] == out["down"][0]
    assert out["found"] == ["X2"]
    assert out["status"] == "1 of 6 rows"
