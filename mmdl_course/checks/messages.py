"""What a student reads about a check that did not pass, line by line: (label, text)."""

from collections.abc import Sequence

from mmdl_course.checks.blame import Place, explain
from mmdl_course.checks.describe import describe, error_text
from mmdl_course.checks.recorder import Call
from mmdl_course.checks.results import NOTHING, TimeUp, Wrong

__all__ = ["Line", "crashed_lines", "stopped_lines", "unwritten", "wrong_lines"]

Line = tuple[str, str]


def wrong_lines(wrong: Wrong, calls: Sequence[Call], hint: str) -> list[Line]:
    """Called, returned, expected, likely cause.

    The call shown is the one that returned the value in question, else the last one.
    """
    call = _returning(wrong.got, calls) or (calls[-1] if calls else None)
    got = wrong.shown or (describe(wrong.got) if wrong.got is not NOTHING else "")
    lines = _called(call, got if call and call.returned is wrong.got else "")
    if not call or call.returned is not wrong.got:
        lines.append(("Got" if call else "Returned", got))
    expected = wrong.expected
    other = _returning(wrong.reference, calls)
    if other and other is not call:
        expected += f", which is what `{other.name}` returned for the other input"
    lines += [("Expected", expected), ("Problem", _sentence(wrong.message))]
    return lines + _causes([_changed_in_place(calls), wrong.cause], hint)


def crashed_lines(
    error: BaseException, place: Place | None, calls: Sequence[Call], hint: str, first: str
) -> list[Line]:
    """Called, what was raised and where, likely cause. `first`: the check that has told it already."""
    if isinstance(error, SystemExit):
        what = "SystemExit: the code asked Python to quit (`exit()`, `quit()` or `sys.exit()`)"
    else:
        what = error_text(error)
    where = str(place) if place else ""
    if first:
        lines = [("Stopped with", f"{type(error).__name__}, as in “{first}”"), ("In", where)]
        return [*lines, ("Hint", hint)]
    call = calls[-1] if calls else None
    if not where:
        where = (
            "the check, where it calls your code" if call and call.returned is NOTHING else "the check itself"
        )
    lines = [*_called(call, ""), ("Stopped with", what), ("In", where)]
    causes = [cause for cause in (_changed_in_place(calls), explain(error)) if cause]
    return [*lines, *(("Likely cause", cause) for cause in causes), ("Hint", hint)]


def stopped_lines(error: KeyboardInterrupt, place: Place | None, calls: Sequence[Call]) -> list[Line]:
    """The same for a check that took too long or was interrupted."""
    what = f"it took too long: stopped {error}" if isinstance(error, TimeUp) else "it was interrupted"
    return [
        *_called(calls[-1] if calls else None, ""),
        ("Stopped", f"{what}."),
        ("In", str(place) if place else ""),
        ("Likely cause", "A loop that never ends, or far more work than the task needs."),
    ]


def unwritten(place: Place | None, calls: Sequence[Call], exercise: str) -> str:
    """Which function is still to be written."""
    name = place.function if place else exercise
    caller = calls[-1].name if calls else name
    if name.partition(".")[0] != caller.partition(".")[0]:
        return f"`{caller}` calls `{name}`, which is not written yet."
    return f"`{name}` is not written yet."


def _called(call: Call | None, shown: str) -> list[Line]:
    if call is None:
        return []
    returned = (shown or describe(call.returned)) if call.returned is not NOTHING else ""
    return [("Called", str(call)), ("Returned", returned)]


def _returning(value: object, calls: Sequence[Call]) -> Call | None:
    """The call that returned this very object."""
    return next((call for call in reversed(calls) if call.returned is value and value is not NOTHING), None)


def _changed_in_place(calls: Sequence[Call]) -> str:
    for call in calls:
        if call.modified:
            return (
                f"`{call.name}` changed its argument `{call.modified[0]}` in place (`+=`, `x[…] =`, "
                f"a method that ends in `_`). Work on a copy: the caller still needs the original."
            )
    return ""


def _causes(found: Sequence[str], hint: str) -> list[Line]:
    """What the values give away is the likely cause; the author's hint is, where they give away nothing."""
    causes = [cause for cause in found if cause]
    return [*(("Likely cause", cause) for cause in causes), ("Hint" if causes else "Likely cause", hint)]


def _sentence(text: str) -> str:
    text = text.strip()
    if text.partition(" ")[0].rstrip(":,").isalpha():  # and not a name of the code, as in parameters()
        text = text[:1].upper() + text[1:]
    return text if text.endswith((".", "!", "?")) else text + "."
