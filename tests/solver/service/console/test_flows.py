"""Every flow of the console in a real browser: one test a flow; with the keyboard, narrow, dark, with wrong input."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.solver.service.console.browsing import NARROW, WAIT, WIDE, fits
from tests.solver.service.console.company import LEAD, Company, leads_of
from tests.solver.service.console.conftest import Served, serve

Open = Callable[..., Any]


@pytest.fixture
def open_page(browser: Any, served: Served) -> Iterator[Open]:
    """Open a page of the console; at the end nothing may have gone wrong in it that no test asked for."""
    contexts, wrong = [], []

    def opened(path: str = "/", at: str = served.address, **how: Any) -> Any:
        context = browser.new_context(viewport=how.pop("viewport", WIDE), locale=how.pop("locale", "en-GB"), **how)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(WAIT)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("request", lambda request: wrong.append(request.url) if not request.url.startswith(at) else None)
        page.goto(at + path)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert wrong == []


def answer(page: Any) -> str:
    """Wait for the answer, and give its text."""
    page.wait_for_selector("#answer .result")
    return str(page.inner_text("#answer"))


def test_the_plan_is_seen_and_each_view_is_a_step_away(open_page: Open, served: Served) -> None:
    """The first page tells the certificate and draws its charts; the navigation leads to every view."""
    page = open_page("/")
    page.wait_for_selector("#chart-routers .main-svg")
    assert served.console.today.report.explanations.certificate[-1] in page.inner_text("#proof")
    for name in ("Leads", "Reps", "What if", "Scenarios", "Frontier", "Policy", "Plan"):
        page.click(f"nav >> text={name}")
        assert page.inner_text("nav [aria-current=page]") == name
        assert page.locator("h1").count() == 1
        assert "broken in" not in page.title()


def test_a_lead_is_found_and_says_why(open_page: Open) -> None:
    """Search by id, open the lead, ask for another rep: the answer stands there, with its parts."""
    page = open_page("/leads")
    page.fill("input[name=text]", LEAD)
    page.keyboard.press("Enter")
    page.wait_for_selector("text=1 of 50 leads")
    page.click("#lead-table a >> nth=0")
    assert page.inner_text("h1") == f"Lead {LEAD}"
    page.select_option("select[name=rep]", index=2)
    page.click("button:has-text('Ask')")
    page.wait_for_selector("#why .lead")
    assert page.inner_text("#why .lead")


def test_a_rep_asks_why_not_that_one(open_page: Open) -> None:
    """From the reps to one of them; a wrong id is told beside the field, a right one is answered."""
    page = open_page("/reps")
    page.fill("input[data-table=rep-table]", "R03")
    assert page.inner_text("#rep-table-found") == "1 of 8 rows"
    page.click("#rep-table tbody tr:not([hidden]) a")
    page.fill("input[name=lead]", "nobody")
    page.click("button:has-text('Ask')")
    assert "no lead nobody" in page.inner_text("#fault")
    assert page.get_attribute("input[name=lead]", "aria-invalid") == "true"
    page.fill("input[name=lead]", LEAD)
    page.keyboard.press("Enter")
    page.wait_for_selector("#why .lead")


def test_what_if_with_the_mouse(open_page: Open) -> None:
    """Turn knobs, see them marked, get the answer with charts, moves and a CSV; reload: it is still there; reset."""
    page = open_page("/whatif?fresh=1")
    page.uncheck("input[name='rep.1.in']")
    page.fill("input[name='nurture.value']", "25")
    assert page.inner_text("#changes") == "2 changes"
    page.click("button.go")
    assert "R02 leaves" in answer(page)
    page.wait_for_selector("#chart-difference .main-svg")
    with page.expect_download() as download:
        page.click("#answer a.csv >> nth=0")
    assert download.value.suggested_filename == "moves.csv"
    page.reload()
    assert "R02 leaves" in answer(page)
    assert not page.is_checked("input[name='rep.1.in']")
    page.click("text=Reset")
    page.wait_for_selector("#answer .empty")
    assert page.inner_text("#changes") == "No changes"


def test_what_if_with_the_keyboard_alone(open_page: Open) -> None:
    """Skip link, fields, slider and answer without a mouse; focus is seen, and lands on the answer."""
    page = open_page("/whatif?fresh=1")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    page.focus("input[name='equity.0.low']")
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    for _ in range(10):
        page.keyboard.press("ArrowRight")
    assert page.input_value("input[name='equity.0.low']") == "60" and outline != "none"
    page.keyboard.press("Control+Enter")
    assert "What changes" in answer(page)
    assert page.evaluate("document.activeElement.className") == "result"
    assert page.locator("[tabindex]:not([tabindex='0']):not([tabindex='-1'])").count() == 0  # the order is the page's


def test_what_if_answers_as_one_changes(open_page: Open) -> None:
    """With the box ticked each change is asked by itself; the newest answer stays, and so does the focus."""
    page = open_page("/whatif?fresh=1")
    page.check("#live")
    page.fill("input[name='nurture.value']", "20")
    page.fill("input[name='nurture.value']", "21")
    page.wait_for_selector("#answer :text('nurture.value is 21')")
    assert "nurture.value is 20" not in page.inner_text("#answer")
    assert page.evaluate("document.activeElement.name") == "nurture.value"


def test_what_if_without_a_change_is_no_difference(open_page: Open) -> None:
    """Nothing turned: no difference, and no lead moves."""
    page = open_page("/whatif?fresh=1")
    page.click("button.go")
    text = answer(page)
    assert "no difference" in text and "No lead changes its owner." in text


def test_wrong_input_in_the_panel_is_told_and_mended(open_page: Open) -> None:
    """A wrong value and a wrong file text: a table of findings with what to do, and what was typed stays."""
    page = open_page("/whatif?fresh=1")
    page.click("summary:has-text('Further changes')")
    page.fill("#further", "reps: {leave: [R99]}\n")
    page.click("button.go")
    text = answer(page)
    assert "That cannot be answered" in text and "R99" in text and "There are 8 reps." in text
    page.fill("#further", "policy: {set: {nurture.valeu: 1}}")
    page.fill("input[name='rep.0.capacity']", "-4")
    page.click("button.go")
    page.wait_for_selector("#answer :text('-4'), #answer :text('nurture.valeu')")
    assert page.input_value("input[name='rep.0.capacity']") == "-4"
    page.fill("#further", "")
    page.fill("input[name='rep.0.capacity']", "5")
    page.click("button.go")
    page.wait_for_selector("#answer :text('What changes')")


def test_a_running_job_is_called_off(open_page: Open) -> None:
    """The cancel button, with the keyboard: it stops, says so, and another question can be asked."""
    page = open_page("/frontier")
    page.check("input[value=sensitivity]")
    page.click("button.go")
    page.wait_for_selector("#answer .working progress")
    page.focus("#answer .working button")
    page.keyboard.press("Enter")
    page.wait_for_selector("#answer :text('Called off')")
    page.check("input[value=capacity]")
    page.click("button.go")
    assert "Revenue against capacity" in answer(page)
    page.wait_for_selector("#chart-study .main-svg")


def test_a_scenario_is_saved_opened_compared_and_deleted(open_page: Open, served: Served) -> None:
    """From the panel to the shelf, back into the panel, side by side with a file that was taken in, and away."""
    page = open_page("/whatif?fresh=1")
    page.fill("input[name='nurture.value']", "44")
    page.click("summary:has-text('Save as a scenario')")
    page.fill("#panel input[name=name]", "Dearer nurture")
    page.click("text=Save >> nth=-1")
    page.click("#saved a")
    page.click("summary:has-text('Take in a scenario file')")
    page.set_input_files("input[type=file]", {"name": "x.yaml", "mimeType": "text/yaml",
                                              "buffer": b"name: Third gone\nreps: {leave: [R03]}\n"})  # fmt: skip
    page.wait_for_function("document.getElementById('text').value.includes('Third gone')")
    page.click("text=Take it in")
    page.wait_for_selector(".card:has-text('Third gone')")
    page.click(".card:has-text('Dearer nurture') >> text=Open in the panel")
    assert page.input_value("input[name='nurture.value']") == "44"
    page.go_back()
    for name in ("Dearer nurture", "Third gone"):
        page.check(f".card:has-text('{name}') input")
    page.check("input[name=together]")
    page.click("text=Compare >> nth=-1")
    page.wait_for_selector("#answer :text('Dearer nurture + Third gone') >> nth=0")
    for name in ("Dearer nurture", "Third gone"):
        page.once("dialog", lambda dialog: dialog.accept())
        page.click(f".card:has-text('{name}') >> text=Delete")
        page.wait_for_selector(f".card:has-text('{name}')", state="detached")
    assert not list(served.folder.glob("third*"))


def test_a_file_that_is_no_scenario_is_told(open_page: Open, served: Served) -> None:
    """A wrong text is refused with its place; a broken file on the shelf is shown with its fault."""
    broken = served.folder / "broken.yaml"
    broken.write_text("name: Broken\nnonsense: <i>1\n")
    try:
        page = open_page("/scenarios")
        assert "nonsense" in page.inner_text(".card.broken")
        if not page.is_visible("#text"):
            page.click("summary:has-text('Take in a scenario file')")
        page.fill("#text", "name: Wrong\nreps: {leav: [R01]}")
        page.click("text=Take it in")
        page.wait_for_selector("#taken .faults")
        assert "leave" in page.inner_text("#taken")
    finally:
        broken.unlink()


def test_the_policy_is_a_document(open_page: Open) -> None:
    """In a frame that may run nothing; its file is handed out."""
    page = open_page("/policy")
    frame = page.frame_locator("iframe.document")
    assert "small & <b>bold</b>" in frame.locator("h1").inner_text()
    with page.expect_download() as download:
        page.click("a.csv")
    assert download.value.suggested_filename == "policy.yaml"


VIEWS = ("/", "/leads", "/lead?id=L000002", "/reps", "/rep?id=R02", "/whatif", "/scenarios", "/frontier", "/policy")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_narrow_screen_shows_everything(open_page: Open, served: Served, scheme: str) -> None:
    """400 pixels: nothing hangs over the side, text is seen on its ground, also in the dark."""
    page = open_page("/", viewport=NARROW, color_scheme=scheme)
    style = "getComputedStyle(document.body)"
    for path in VIEWS:
        page.goto(served.address + path)
        assert fits(page), path
        ground, ink = page.evaluate(f"[{style}.backgroundColor, {style}.color]")
        dark = [sum(map(int, re.findall(r"\d+", colour)[:3])) < 380 for colour in (ground, ink)]
        assert dark == ([True, False] if scheme == "dark" else [False, True])


def test_an_answer_fits_a_narrow_screen(open_page: Open) -> None:
    """The answer's charts and tables too."""
    page = open_page("/whatif?fresh=1", viewport=NARROW)
    page.uncheck("input[name='rep.1.in']")
    page.click("button.go")
    answer(page)
    page.wait_for_selector("#chart-difference .main-svg")
    assert fits(page)


def test_money_and_dates_are_the_readers_own(open_page: Open) -> None:
    """A German browser reads 1.234 € and 02.03.2026; a British one €1,234; the data itself is not touched."""
    german, british = open_page("/", locale="de-DE"), open_page("/", locale="en-GB")
    assert re.search(r"\d\.\d{3}\s€", german.inner_text(".tiles"))
    assert re.search(r"€\d+,\d{3}", british.inner_text(".tiles"))
    assert re.search(r"\d{2}\.\d{2}\.\d{4}", german.inner_text(".meta time"))
    assert german.evaluate("apportionLocale.figure('1,234.50 EUR or 12 %')") == "1.234,50\xa0€ or 12\xa0%"


def test_tables_sort_by_their_heads(open_page: Open) -> None:
    """By number where there are numbers; the head says which way."""
    page = open_page("/reps")
    page.click("#rep-table th >> nth=2 >> button")
    cells = [float(text) for text in page.locator("#rep-table tbody td:nth-child(3)").all_inner_texts()]
    assert cells == sorted(cells)
    assert page.get_attribute("#rep-table th >> nth=2", "aria-sort") == "ascending"


def test_waiting_and_wrong_inputs_have_their_pages(open_page: Open, company: Company, tmp_path: Path) -> None:
    """While the inputs are read the page says what is done; wrong ones are a table; mended, they are read again."""
    table = leads_of(company)
    table.loc[3, "created_at"] = "last week"
    table.to_csv(tmp_path / "leads.csv", index=False)
    for broken in serve(company.request(leads=tmp_path / "leads.csv"), tmp_path / "scenarios"):
        page = open_page("/", at=broken.address)
        page.wait_for_selector("#finding-table")
        assert "last week" in page.inner_text("#finding-table") and "There is no plan" in page.inner_text("h1")
        leads_of(company).to_csv(tmp_path / "leads.csv", index=False)
        page.click("button.go")
        page.wait_for_selector("h1:has-text('plan') >> nth=0")
        page.wait_for_selector("#proof")


def test_an_empty_day_is_told(open_page: Open, company: Company, tmp_path: Path) -> None:
    """A batch without leads: every view has something to say."""
    leads_of(company).head(0).to_csv(tmp_path / "leads.csv", index=False)
    for quiet in serve(company.request(leads=tmp_path / "leads.csv"), tmp_path / "scenarios"):
        quiet.ready()
        page = open_page("/leads", at=quiet.address)
        assert "nothing to assign" in page.inner_text("main")
        for path in ("/", "/reps", "/rep?id=R02", "/whatif", "/frontier"):
            page.goto(quiet.address + path)
            assert page.locator("h1").count() == 1 and "bug" not in page.inner_text("main")


def test_a_console_that_has_ended_is_told(open_page: Open, company: Company, tmp_path: Path) -> None:
    """When nobody answers any more, the page says so instead of waiting for ever."""
    serving = serve(company.request(), tmp_path / "scenarios")
    one = next(serving).ready()
    page = open_page("/whatif?fresh=1", at=one.address)
    serving.close()  # type: ignore[attr-defined]
    page.click("button.go")
    page.wait_for_selector("#answer :text('does not answer')")
