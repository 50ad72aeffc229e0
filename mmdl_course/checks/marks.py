"""Claims with part marks: a score between chance and ceiling, a choice with its reason."""

from collections.abc import Collection, Mapping
from typing import Any

from mmdl_course.checks.compare import to_array
from mmdl_course.checks.describe import describe, number
from mmdl_course.checks.properties import Properties
from mmdl_course.checks.results import NOTHING, ChecksError, Wrong

__all__ = ["Marks"]


class Marks(Properties):
    """The claims that can be partly true."""

    __slots__ = ()

    def _grant(self, fraction: float, wrong: Wrong) -> None:
        """The check earns at most this fraction of its points, for this reason."""
        raise NotImplementedError

    def between(
        self,
        score: Any,
        *,
        chance: int | float,
        ceiling: int | float,
        full: int | float = 0.9,
        none: int | float = 0.0,
    ) -> None:
        """Give the check's points in proportion to how far the score is on the way from chance to ceiling.

        The way is (score - chance)/(ceiling - chance), so smaller may be better. It earns nothing up to
        `none`, everything from `full` on, and in between in proportion, rounded to hundredths of a point.

        Args:
            score: one number.
            chance: what guessing gets.
            ceiling: the best that can be reached.
            full: fraction of the way that earns all points.
            none: fraction of the way up to which nothing is earned.
        """
        self._claim()
        if ceiling == chance or not none < full:
            raise ChecksError(
                f"between(): chance={chance} and ceiling={ceiling} must differ; none={none} < full={full}."
            )
        expected = (
            f"full points from {number(chance + full * (ceiling - chance), 3)} on "
            f"(chance is {number(chance, 3)}, the ceiling is {number(ceiling, 3)})"
        )
        try:
            values = to_array(score, "the score")
        except Wrong as wrong:
            wrong.expected = expected
            raise
        if values.size != 1 or values.dtype.kind != "f" or values != values:
            raise Wrong("the score is not one number", got=score, expected=expected)
        way = (values.item() - chance) / (ceiling - chance)
        fraction = min(max((way - none) / (full - none), 0.0), 1.0)
        if fraction < 1:
            if way <= none:
                place = "no better than chance" if none == 0 else "too close to chance"
            else:
                place = f"{way:.0%} of the way from chance to the ceiling"
            wrong = Wrong(
                f"a score of {number(values.item(), 4)} is {place}",
                got=score,
                shown=number(values.item(), 4),
                expected=expected,
            )
            self._grant(fraction, wrong)

    def choice(
        self,
        answer: Any,
        *,
        options: Collection[str],
        reasons: Collection[str],
        correct: tuple[str, str | Collection[str]] | None = None,
    ) -> None:
        """Claim that a question was answered rightly, for the right reason.

        The right choice with a wrong reason earns half. Without `correct` only the form is checked: what a
        visible check does, since students can read it. No message names the right option.

        Args:
            answer: (choice, reason) or {"choice": …, "reason": …}; case and outer spaces do not matter.
            options: the choices; a dict also says of each what a student who chose it should think about.
            reasons: the reasons, likewise.
            correct: the right choice and its reason, or its acceptable reasons.
        """
        self._claim()
        form = f'a pair ("choice", "reason") with a choice from {_quoted(options)}'
        choice, reason = _pair(answer, form)
        choice = _member(choice, options, "choice", form)
        reason = _member(reason, reasons, "reason", f"a reason from {_quoted(reasons)}")
        if correct is None:
            return
        right, accepted = correct
        accepted = [accepted] if isinstance(accepted, str) else list(accepted)
        if right not in options or not accepted or any(item not in reasons for item in accepted):
            raise ChecksError(f"choice(): correct={correct!r} is not among the options and reasons.")
        if choice != right:
            raise Wrong(
                f"'{choice}' is not the best choice here",
                expected="another choice",
                cause=_remark(options, choice),
            )
        if reason not in accepted:
            wrong = Wrong(
                "the choice is right, the reason is not: half the points",
                expected="the reason that makes this choice the right one",
                cause=_remark(reasons, reason),
            )
            self._grant(0.5, wrong)

    def choices(
        self,
        answers: Any,
        situations: Collection[str],
        *,
        options: Collection[str],
        reasons: Collection[str],
    ) -> None:
        """Claim that each situation has an answer of the right form, whatever it says.

        Args:
            answers: situation → answer, as `choice` takes it.
            situations: the keys that there must be, and no others.
            options: see `choice`.
            reasons: see `choice`.
        """
        self.true(
            isinstance(answers, dict) and set(answers) == set(situations),
            f"the dictionary must have exactly the keys {', '.join(situations)}",
        )
        for situation in situations:
            self.choice(answers[situation], options=options, reasons=reasons)


def _pair(answer: Any, form: str) -> tuple[Any, Any]:
    if isinstance(answer, Mapping):
        for part in ("choice", "reason"):
            if part not in answer:
                raise _misshapen(f"the answer has no '{part}'", form, answer)
        return answer["choice"], answer["reason"]
    if isinstance(answer, str):
        raise _misshapen("the answer is a choice without a reason", form, answer)
    if not isinstance(answer, list | tuple):
        raise _misshapen(f"the answer is {describe(answer)}", form, answer)
    if len(answer) != 2:
        raise _misshapen(f"the answer has {len(answer)} parts instead of 2", form, answer)
    return answer[0], answer[1]


def _member(given: Any, allowed: Collection[str], what: str, form: str) -> str:
    if given is None or given is ... or given == "":
        raise _misshapen(f"the {what} is still empty", form)
    for item in allowed:
        if isinstance(given, str) and given.strip().casefold() == item.casefold():
            return item
    raise _misshapen(f"{describe(given)} is not a {what} on the list", form)


def _misshapen(message: str, form: str, answer: Any = NOTHING) -> Wrong:
    cause = "The answer has another form than the task asks for; what it says was not judged."
    return Wrong(message, got=answer, expected=form, cause=cause)


def _quoted(items: Collection[str]) -> str:
    return ", ".join(f'"{item}"' for item in items)


def _remark(items: Collection[str], item: str) -> str:
    return items[item] if isinstance(items, Mapping) else ""
