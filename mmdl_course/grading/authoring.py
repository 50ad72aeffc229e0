"""Find an author's mistakes before a student does, and report all of them at once."""

from mmdl_course.course import Course, Week
from mmdl_course.grading import rules_exercises, rules_prose, rules_solutions
from mmdl_course.grading.lesson import Lesson, Problem, lesson_path, read_lesson

__all__ = ["check_folders", "inspect_lesson"]


def inspect_lesson(course: Course, week: Week) -> tuple[Lesson, list[Problem]]:
    """Read a week's lesson and hold it against syllabus.toml and the rules in CONTRIBUTING.md.

    Args:
        course: the registry.
        week: a ready week of it.

    Returns:
        The lesson and every problem found, in the order of the lines.

    Raises:
        CourseError: the lesson's file is missing or not UTF-8.
    """
    lesson, problems = read_lesson(course, week)
    if lesson.cells:
        for rule in (*rules_exercises.RULES, *rules_solutions.RULES, *rules_prose.RULES):
            problems.extend(rule(lesson))
    return lesson, sorted(problems, key=lambda problem: problem.line)


def check_folders(course: Course) -> list[Problem]:
    """Compare the folders in solutions/ with the registry.

    Args:
        course: the registry.

    Returns:
        A problem for each folder that syllabus.toml does not know and each file that no build would read.
    """
    problems = []
    registry = course.root / "syllabus.toml"
    known = {week.folder for week in course.weeks}
    for week in course.ready:
        if not lesson_path(course, week).is_file():
            what = f'{week.id} is "ready" but solutions/{week.folder}/{week.folder}.py does not exist'
            problems.append(Problem(registry, 0, week.id, what, 'Write it, or set status = "planned".'))
    for folder in sorted((course.root / "solutions").glob("*/")):
        if folder.name.startswith((".", "_")):
            continue
        if folder.name not in known:
            remedy = f'Add a [[week]] with folder = "{folder.name}" to syllabus.toml, or rename the folder.'
            problems.append(Problem(folder, 0, "", "no week in syllabus.toml has this folder", remedy))
            continue
        for path in sorted(folder.glob("*")):
            if path.name != f"{folder.name}.py" and not path.name.startswith((".", "_")):
                remedy = f"A lesson is one file, {folder.name}.py: rename or remove this one."
                problems.append(Problem(path, 0, "", "the build does not read this file", remedy))
    return problems
