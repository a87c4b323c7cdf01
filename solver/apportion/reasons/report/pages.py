"""The environment of our pages' templates: everything is escaped, and what is not there is a fault."""

from __future__ import annotations

import jinja2

SHARED = "apportion.reasons.report"  # whose templates have the pieces of every page


def page_template(name: str, package: str = SHARED) -> jinja2.Template:
    """The template of a page, from the package's own templates or from those that pages share."""
    environment = jinja2.Environment(
        loader=jinja2.ChoiceLoader(
            [jinja2.PackageLoader(one, "templates") for one in dict.fromkeys((package, SHARED))]
        ),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(name)
