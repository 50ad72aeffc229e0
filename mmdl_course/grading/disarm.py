"""Take what can act out of what a notebook shows, before a person opens it.

Feedback pages and formgrader show HTML as a student's code has made it, and in formgrader a script would act
for the instructor: it could start a terminal through the same Jupyter server. What can act is left
out or shown as text. nbconvert's own sanitiser is no help here: it takes paragraphs and headings for harmful.
"""

import html
import re
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nbformat import NotebookNode

__all__ = ["disarm"]

# Elements that act, load something, or are read in other ways than the rest. What is no element at all
# (`x<y and z>0` in an answer) is harmless.
_HARMFUL = frozenset(
    {
        *("animate", "applet", "area", "base", "basefont", "body", "canvas", "dialog", "embed"),
        *("fencedframe", "foreignobject", "form", "frame", "frameset", "head", "html", "iframe", "image"),
        *("isindex", "keygen", "link", "listing", "map", "marquee", "math", "menuitem", "meta", "noembed"),
        *("noframes", "noscript", "object", "option", "param", "plaintext", "portal", "script", "select"),
        *("set", "slot", "svg", "template", "textarea", "title", "track", "use", "video", "xmp"),
    }
)
_ADDRESSES = frozenset(
    ("href", "src", "action", "formaction", "background", "poster", "cite", "longdesc", "xlink:href")
)
_SCHEMES = (
    "http:",
    "https:",
    "mailto:",
    "data:image/png",
    "data:image/jpeg",
    "data:image/gif",
    "data:audio/",
    "#",
)
_FORMS = ("text/html", "text/markdown", "image/svg+xml")
_NEVER = ("application/javascript", "text/javascript")
_PICTURE = frozenset(("svg", "use"))  # harmful within HTML, where other rules hold in them
_TAG = re.compile(r"<[a-zA-Z!/?]")  # where a browser sees one


def disarm(notebook: "NotebookNode") -> list[str]:
    """Make a notebook safe to look at.

    Args:
        notebook: an executed notebook; outputs and texts are changed in place.

    Returns:
        Flags, one for each cell that had something in it.
    """
    flags = []
    for number, cell in enumerate(notebook.cells, 1):
        name = cell.metadata.get("nbgrader", {}).get("grade_id") or f"cell {number}"
        if cell.cell_type != "code" and _acts(cell.source):
            cell.source = cell.source.replace("<", "&lt;")
            flags.append(f"HTML that can act is shown as text: {name}")
        left_out = [_disarm_output(output) for output in cell.get("outputs", [])]  # each of them
        if any(left_out):
            flags.append(f"output that can act was left out: {name}")
    return flags


def _disarm_output(output: "NotebookNode") -> bool:
    data = output.get("data", {})
    acting = [form for form in data if form in _NEVER]
    for form in _FORMS:
        harmful = _HARMFUL - _PICTURE if form == "image/svg+xml" else _HARMFUL
        if form in data and _acts(_joined(data[form]), harmful):
            acting.append(form)
    for form in acting:
        del data[form]
    if acting and not data.keys() - {"text/plain"}:
        plain = _joined(data.get("text/plain", ""))
        data["text/plain"] = f"{plain}\n[left out: {', '.join(acting)} that can act]".lstrip()
    return bool(acting)


def _joined(text: Any) -> str:
    return text if isinstance(text, str) else "".join(text)


def _acts(text: str, harmful: frozenset[str] = _HARMFUL) -> bool:
    """Whether HTML, or markdown with HTML in it, holds anything that acts."""
    reader = _Reader(harmful)
    try:
        reader.feed(text)
        # An unfinished tag takes what comes next in the page for its own.
        unfinished = reader.rawdata if _TAG.search(reader.rawdata) else ""
        reader.close()
    except Exception:  # noqa: BLE001 -- a browser may make something of what this parser cannot read
        return True
    return reader.acts or "=" in unfinished or unfinished.startswith("<!")


class _Reader(HTMLParser):
    """Looks at tags, attributes and style sheets, and at whatever browsers may read in another way."""

    def __init__(self, harmful: frozenset[str]) -> None:
        super().__init__(convert_charrefs=False)
        self.harmful = harmful
        self.acts = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Look at a tag."""
        self.acts |= tag in self.harmful
        for name, value in attrs:
            self.acts |= name.startswith("on") or name in ("srcdoc", "srcset")
            if name in _ADDRESSES:
                self.acts |= not _is_harmless_address(value or "")
            if name == "style":
                self.acts |= _is_harmful_style(value or "")

    def handle_data(self, data: str) -> None:
        """Look at a style sheet, and at what was no tag for this parser and may be one for others."""
        if self.cdata_elem == "style":
            self.acts |= _is_harmful_style(data)
        else:
            self.acts |= any(">" in part for part in _TAG.split(data)[1:])

    def handle_comment(self, data: str) -> None:
        """`<!-->` ends a comment for a browser, not for this parser."""
        self.acts |= "<" in data or ">" in data

    def unknown_decl(self, data: str) -> None:
        """`<![CDATA[`, which browsers read in another way."""
        self.acts |= bool(data)


def _is_harmless_address(address: str) -> bool:
    # Browsers leave out white space and control characters.
    bare = "".join(letter for letter in html.unescape(address) if letter > " ").lower()
    return bare.startswith(_SCHEMES) or ":" not in bare.partition("/")[0].partition("?")[0]


def _is_harmful_style(text: str) -> bool:
    plain = html.unescape(text).lower()
    return any(
        sign in plain for sign in ("\\", "@import", "url(", "expression(", "behavior", "<", "-moz-binding")
    )
