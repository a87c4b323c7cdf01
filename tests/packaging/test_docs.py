from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.packaging.project import ROOT, pages

DOCS = ROOT / "docs"
RECORDS = sorted((DOCS / "decisions").glob("*.md"))


def links(page: Path) -> list[str]:
    """Targets of a page's links and pictures, those inside code aside."""
    text = re.sub(r"```.*?```|`[^`\n]*`", "", page.read_text(encoding="utf-8"), flags=re.S)
    return re.findall(r"\]\(([^)\s]+)\)", text) + re.findall(r'(?:src|href|srcset)="([^"]+)"', text)


def anchors(page: Path) -> set[str]:
    """The anchors that a page's headings make: lower case, spaces to hyphens, other signs dropped."""
    headings = re.findall(r"^#+ +(.+?) *$", page.read_text(encoding="utf-8"), flags=re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    """Each link within the project names a file that is there, inside the project, and a heading that is in it."""
    for link in links(page):
        if re.match(r"[a-z]+:", link):
            continue
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        assert target.is_relative_to(ROOT) and target.exists(), f"{page.name}: {link}"
        if anchor and target.suffix == ".md":
            assert anchor in anchors(target), f"{page.name}: {link}"


def test_the_map_is_whole() -> None:
    """docs/README.md leads to every page and every decision record."""
    reached = {(DOCS / link.split("#")[0]).resolve() for link in links(DOCS / "README.md")}
    missing = [page for page in DOCS.rglob("*.md") if page.resolve() not in reached and page != DOCS / "README.md"]
    assert not missing, f"docs/README.md must link {[str(page.relative_to(DOCS)) for page in missing]}"


def test_decision_records_are_numbered() -> None:
    """Each record has a number of its own in its name, and its title begins with it."""
    numbers = [record.name[:3] for record in RECORDS]
    assert len(set(numbers)) == len(numbers)
    for record in RECORDS:
        assert re.fullmatch(r"\d{3}-[a-z0-9-]+\.md", record.name), record.name
        assert re.match(rf"# {record.name[:3]}:? ", record.read_text(encoding="utf-8")), record.name


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_exist(page: Path) -> None:
    """Each `make …` that a page names is a target of the Makefile."""
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.M))
    text = page.read_text(encoding="utf-8")
    named = set(re.findall(r"`make ([a-z]+)", text)) | set(re.findall(r"^\s*(?:\$ )?make ([a-z]+)", text, flags=re.M))
    assert named <= targets, f"{page.name} names {sorted(named - targets)}"
