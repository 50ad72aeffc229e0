import pytest

from mmdl_course.training import budget


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch):
    monkeypatch.delenv("MMDL_BUDGET", raising=False)
    monkeypatch.delenv("NBGRADER_EXECUTION", raising=False)


def test_a_learner_gets_the_full_budget():
    assert budget(10, grading=1) == 10


def test_nbgrader_gets_the_grading_budget(monkeypatch):
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")
    assert budget(10, grading=1) == 1


def test_the_explicit_choice_wins(monkeypatch):
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")
    monkeypatch.setenv("MMDL_BUDGET", "full")
    assert budget(10, grading=1) == 10


def test_a_misspelt_budget_is_refused(monkeypatch):
    monkeypatch.setenv("MMDL_BUDGET", "ful")
    with pytest.raises(ValueError, match=r"MMDL_BUDGET is 'ful'.*unset"):
        budget(10, grading=1)
