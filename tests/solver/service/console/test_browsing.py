"""The judge of pages finds what is wrong: else that it finds nothing would say nothing."""

from __future__ import annotations

from typing import Any

from tests.solver.service.console.browsing import faults, fits

WRONG = """<!doctype html><body style="background:#fff;color:#000"><h1>One</h1><h1>Two</h1>
<input id=a><button id=a></button>
<div role=region>x</div><table id=t><tr><td>1</td></tr></table><p style="color:#999">too pale</p>
<div style="background:#000"><p style="color:#222">too dark</p></div><div style="width:9000px">far</div></body>"""
RIGHT = """<!doctype html><body style="background:#fff;color:#000"><h1>One</h1>
<label>Name <input id=a></label><button>Go</button>
<table><caption>T</caption><tr><td>1</td></tr></table><p style="color:#767676">just dark enough</p></body>"""


def test_what_is_wrong_is_found(browser: Any) -> None:
    """Names, words, ids, captions, headings, contrast on any ground, width; and nothing where nothing is wrong."""
    page = browser.new_page()
    page.set_content(WRONG)
    found = " | ".join(faults(page))
    for fault in ("no name: <input", "no name: <button", "no words", "twice: #a", "no caption", "not one h1",
                  "too pale", "too dark"):  # fmt: skip
        assert fault in found, found
    assert not fits(page)
    page.set_content(RIGHT)
    assert faults(page) == [] and fits(page)
    page.close()
