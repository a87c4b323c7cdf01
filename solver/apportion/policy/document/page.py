"""The page."""

from __future__ import annotations

from importlib.resources import files

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from apportion.policy.document.diagram import draw
from apportion.policy.document.words import sections
from apportion.policy.schema import Policy


def document_policy(policy: Policy) -> str:
    """The policy as a self-contained HTML page: no script, nothing loaded from elsewhere; the same bytes each time."""
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    template = environment.from_string(files(__package__).joinpath("policy.html.j2").read_text(encoding="utf-8"))
    return template.render(policy=policy, chapters=sections(policy), diagram=Markup(draw(policy)))
