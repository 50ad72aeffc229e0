"""Formulas in feedback and in formgrader as MathML, which browsers show without help from any server."""

import html
import re
from collections.abc import Mapping
from typing import Any
from xml.etree import ElementTree as ET

from jinja2 import pass_context
from jinja2.runtime import Context
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

__all__ = ["markdown_to_html", "mathml"]

_NAMESPACE = "{http://www.w3.org/1998/Math/MathML}m"


@pass_context
def markdown_to_html(context: "Context | Mapping[str, Any]", source: str) -> str:
    """Markdown as HTML, in the place of nbconvert's filter `markdown2html`: jupyter_config.py puts it there.

    Args:
        context: nbconvert's, which knows the cell and its attachments.
        source: Markdown with formulas between dollars.
    """
    attachments = context.get("cell", {}).get("attachments", {})
    renderer = _Renderer(escape=False, attachments=attachments, exclude_anchor_links=True)
    return MarkdownWithMath(renderer=renderer).render(source)


class _Renderer(IPythonRenderer):
    def inline_math(self, body: str) -> str:
        return mathml(body, display="inline")

    def block_math(self, body: str) -> str:
        return mathml(body, display="block")

    def latex_environment(self, name: str, body: str) -> str:
        return mathml(f"\\begin{{{name}}}{body}\\end{{{name}}}", display="block")


def mathml(formula: str, *, display: str) -> str:
    """A formula as MathML, or as the text that it was where it cannot be one.

    Args:
        formula: LaTeX without the dollars; it may be a student's.
        display: "inline" or "block".
    """
    from latex2mathml.converter import convert

    # Without braces the converter asks for a style of E that browsers do not know; with them it writes 𝔼.
    braced = re.sub(r"\\mathbb (\w)", r"\\mathbb{\1}", formula)
    try:
        converted = convert(braced, display=display)
    except Exception:  # noqa: BLE001  (its parser raises whatever it trips over; a student may write anything)
        converted = ""
    return converted if _is_plain(converted) else f"<code>{html.escape(formula)}</code>"


def _is_plain(converted: str) -> bool:
    """Whether there is nothing in it but mathematics: the converter passes on addresses, styles and tags."""
    try:
        elements = list(ET.fromstring(converted).iter())
    except ET.ParseError:
        return False
    names = {name for element in elements for name in element.attrib}
    return all(element.tag.startswith(_NAMESPACE) for element in elements) and not any(
        name in ("href", "src", "style") or name.startswith(("on", "{")) for name in names
    )
