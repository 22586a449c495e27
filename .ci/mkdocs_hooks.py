"""A hook of mkdocs: cross-references of docstrings are shown as code.

The docstrings write ``:meth:`name``` as Sphinx does, which Markdown does not know.
"""

import re

ROLE = re.compile(r":(?:func|class|meth|mod|attr|data|exc):<code>~?(?:[\w.]+\.)?(\w+)</code>")


def on_page_content(html: str, **context: object) -> str:
    """Replace each cross-reference by its last name."""
    return ROLE.sub(r"<code>\1</code>", html)
