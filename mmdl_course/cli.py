"""The `mmdl` command. Each verb loads what it needs when it runs, so that `mmdl --help` is quick."""

import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from mmdl_course.course import CourseError, load_course

__all__ = ["app", "main"]

app = typer.Typer(
    help="Build, check and grade the course. Run it from the course's folder.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

Weeks = Annotated[
    list[str] | None, typer.Argument(help="weeks, for example week01; all ready weeks when omitted")
]
Json = Annotated[Path | None, typer.Option("--json", help="also write the result to this file")]

Sandbox = Annotated[
    bool | None, typer.Option("--sandbox/--no-sandbox", help="keep student code in, or let it do as it likes")
]
WeakSandbox = Annotated[bool, typer.Option("--weak-sandbox", help="a weaker one, where the full one fails")]
Scheduler = Annotated[
    str | None, typer.Option(metavar="ADDRESS", help="Dask scheduler whose workers run the notebooks")
]


@app.command()
def doctor() -> None:
    """Say what is missing or mismatched on this machine, and the remedy."""
    from mmdl_course.doctor import examine

    raise typer.Exit(0 if examine(load_course()) else 1)


@app.command()
def pretrain(
    name: Annotated[str, typer.Argument(help="the model to make, for example miniclip")],
    output: Annotated[Path, typer.Option(help="where to write it")] = Path("build/checkpoints"),
    seed: Annotated[int, typer.Option(min=0, help="decides weights and scenes")] = 0,
    repeats: Annotated[int, typer.Option(min=0, help="further seeds, to measure the scores' noise")] = 0,
    steps: Annotated[int | None, typer.Option(min=1, help="fewer steps, for a try")] = None,
) -> None:
    """Make one of the course's own small models from nothing, and compare it with the one that ships."""
    from mmdl_course.pipelines.pretraining.command import run_pretraining

    raise typer.Exit(run_pretraining(name, folder=output, seed=seed, repeats=repeats, steps=steps))


@app.command()
def fetch(
    names: Annotated[
        list[str] | None, typer.Argument(help="models, for example minilm; all when omitted")
    ] = None,
    show: Annotated[bool, typer.Option("--list", help="fetch nothing; say what there is")] = False,
) -> None:
    """Put the real pretrained models into the cache; the internet is needed once."""
    from mmdl_course.fetch import fetch as fetch_models
    from mmdl_course.fetch import list_models

    raise typer.Exit(list_models() if show else fetch_models(names or []))


@app.command()
def build(
    weeks: Weeks = None,
    check: Annotated[
        bool, typer.Option("--check", help="change nothing; fail when notebooks/ is not up to date")
    ] = False,
) -> None:
    """Make the released notebooks from solutions/."""
    from mmdl_course.grading.build import build_weeks

    raise typer.Exit(build_weeks(load_course(), weeks or [], check=check))


@app.command()
def audit(
    weeks: Weeks = None,
    seeds: Annotated[int, typer.Option(min=1, help="grading seeds per wheat")] = 2,
    json: Json = None,
) -> None:
    """Test the tests: every wheat must get full marks, every chaff must lose some."""
    from mmdl_course.grading.audit import audit_weeks

    raise typer.Exit(audit_weeks(load_course(), weeks or [], seeds=seeds, json_file=json))


@app.command()
def grade(
    week: Annotated[str, typer.Argument(help="the week to grade, for example week01")],
    jobs: Annotated[
        int | None,
        typer.Option(
            min=1, help="notebooks to run at once; default: one per core, or per thread of the workers"
        ),
    ] = None,
    json: Json = None,
    force: Annotated[bool, typer.Option("--force", help="grade again what is already graded")] = False,
    sandbox: Sandbox = None,
    weak_sandbox: WeakSandbox = False,
    scheduler: Scheduler = None,
) -> None:
    """Grade submitted/<student>/<week>/ into the gradebook, write feedback, show the report.

    Exit status: 0 when every submission has its mark, 3 when a person has to look at one (flagged, failed,
    or to be marked by hand), 2 when grading could not run.
    """
    from mmdl_course.grading.grade import grade_week

    kept_in = _sandbox(sandbox, weak=weak_sandbox)
    options = {"json_file": json, "force": force, "jobs": jobs, "sandbox": kept_in, "scheduler": scheduler}
    raise typer.Exit(grade_week(load_course(), week, **options))


@app.command()
def regrade(
    student: Annotated[str, typer.Argument(help="the student's folder in submitted/")],
    week: Annotated[str, typer.Argument(help="the week, for example week01")],
    sandbox: Sandbox = None,
    weak_sandbox: WeakSandbox = False,
    scheduler: Scheduler = None,
) -> None:
    """Run a graded submission again, as it was graded, and compare; the gradebook is not touched.

    Exit status: 0 when the mark came out again, 3 when it did not, 2 when it could not run.
    """
    from mmdl_course.grading.regrade import regrade_submission

    kept_in = _sandbox(sandbox, weak=weak_sandbox)
    status = regrade_submission(load_course(), student, week, sandbox=kept_in, scheduler=scheduler)
    raise typer.Exit(status)


@app.command()
def report(
    week: Annotated[str, typer.Argument(help="the week to report on, for example week01")],
    roster: Annotated[
        Path | None,
        typer.Option(help="the class as Moodle or Canvas exports it: makes a CSV to import there"),
    ] = None,
    column: Annotated[
        str | None, typer.Option(help="the grade column in that CSV, where it is not named after the week")
    ] = None,
) -> None:
    """Show the marks of a graded week: table, CSV and per-exercise statistics."""
    from mmdl_course.grading.report import report_week

    raise typer.Exit(report_week(load_course(), week, roster=roster, column=column))


@app.command()
def site(
    weeks: Weeks = None,
    full: Annotated[
        bool, typer.Option("--full", help="train in full for the figures: slow; the grading budget otherwise")
    ] = False,
) -> None:
    """Make build/site: every student notebook as a web page, with figures and without solutions."""
    from mmdl_course.grading.site import build_site

    raise typer.Exit(build_site(load_course(), weeks or [], full=full))


@app.command()
def demo(
    folder: Annotated[Path, typer.Option(help="where to make the class")] = Path("build/demo"),
    students: Annotated[int, typer.Option(min=1, max=24, help="how many of the 24 submissions")] = 24,
    json: Json = None,
) -> None:
    """Make a class of submissions, good and bad and broken, grade it and show the report."""
    from mmdl_course.grading.demo import run_demo

    raise typer.Exit(run_demo(load_course(), folder, students=students, json_file=json))


def _sandbox(chosen: bool | None, *, weak: bool) -> Literal["full", "weak", "none"] | None:
    if weak and chosen is False:
        raise CourseError("--weak-sandbox and --no-sandbox exclude each other. Give one of them.")
    if weak:
        return "weak"
    return None if chosen is None else "full" if chosen else "none"


def main() -> None:
    """Entry point: a user's mistake ends in one clear line, never in a traceback."""
    try:
        app()
    except CourseError as error:
        typer.secho(f"mmdl: {error}", err=True, fg="red")
        sys.exit(2)


if __name__ == "__main__":  # python -m mmdl_course.cli, where no `mmdl` is on the path
    main()
