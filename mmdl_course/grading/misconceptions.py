"""Which mistake in thinking stands behind failed checks, in the words of the checks' own messages.

A failed check names a likely cause: one that its values give away, else the author's hint. The audit proves
of every known mistake (the chaffs in tests/submissions/) that a check names it. One mistake fails several
checks, so each student counts once, with the first failed check that has a cause to tell. Checks go from the
simple to the general: in weeks 01 and 09, the check that names a chaff's mistake is the first to fail for
151 of the 174 chaffs.

The chaffs' names are not given to students' answers. That would be guessing: 34 of the 174 are the only
chaff of their exercise that expects what their first failed check says, and 57 the only one that fails
exactly the checks that they fail.
"""

from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["misconception"]

_CAUSE = "Likely cause: "
_STOPPED = "Stopped with: "


def misconception(results: Sequence[Mapping[str, Any]]) -> str:
    """What the checks say is behind a student's answer to one exercise.

    Args:
        results: of its checks, in order, as their report has them.

    Returns:
        The first likely cause; where no message names one, how the code stopped; empty when all passed.
    """
    failed = [result for result in results if result.get("state") in ("wrong", "crashed")]
    lines = [line for result in failed for line in str(result.get("message", "")).split("\n")]
    causes = (line.removeprefix(_CAUSE).strip() for line in lines if line.startswith(_CAUSE))
    stops = (line.removeprefix(_STOPPED) for line in lines if line.startswith(_STOPPED))
    if cause := next(causes, ""):
        return cause
    stop = next(stops, "")  # "TypeError: …", or "TypeError, as in …"
    return f"the code stops with {stop.replace(',', ':').partition(':')[0]}" if stop else ""
