"""Sphinx extension: formulas as MathML, which browsers draw and screen readers read without any script."""

from typing import Any

from mmdl_course.grading.formulas import mathml

__all__ = ["setup"]


def setup(app: Any) -> dict[str, bool]:
    """Register the renderer "mathml"; Sphinx calls this."""
    app.add_html_math_renderer("mathml", inline_renderers=(_inline, None), block_renderers=(_block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _inline(writer: Any, node: Any) -> None:
    _write(writer, node, "{math}", display="inline")


def _block(writer: Any, node: Any) -> None:
    # Reachable by keyboard, as it may have to be scrolled.
    _write(writer, node, '<div class="math-block" tabindex="0">{math}</div>', display="block")


def _write(writer: Any, node: Any, frame: str, *, display: str) -> None:
    from docutils.nodes import SkipNode

    writer.body.append(frame.format(math=mathml(node.astext(), display=display)))
    raise SkipNode
