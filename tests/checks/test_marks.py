import pytest

from mmdl_course.checks import ChecksError


@pytest.mark.parametrize(
    ("score", "earned", "state"),
    [
        ("0.2", 0.0, "wrong"),
        ("0.25", 0.0, "wrong"),
        ("0.55", 1.0, "wrong"),
        ("np.float32(0.85)", 2.0, "passed"),
        ("torch.tensor(0.95)", 2.0, "passed"),
        ("7", 2.0, "passed"),
    ],
)
def test_between_chance_and_ceiling(one, score, earned, state):
    result = one(
        "exercise.between(call(), chance=0.25, ceiling=1.0, full=0.8)", f"def task():\n    return {score}"
    )
    assert (result.earned, result.state) == (earned, state)


def test_between_names_chance_ceiling_and_score(one):
    student = "def task():\n    return 0.4"
    message = one("exercise.between(call(), chance=0.25, ceiling=1.0)", student).message
    assert "A score of 0.4 is 20% of the way from chance to the ceiling." in message
    assert "full points from 0.925 on (chance is 0.25, the ceiling is 1.0)" in message


def test_between_where_less_is_better(one):
    body = "exercise.between(call(), chance=1.0, ceiling=0.2, full=1.0, none=0.5)"
    assert one(body, "def task():\n    return 0.4").earned == 1.0
    assert "too close to chance" in one(body, "def task():\n    return 0.9").message


@pytest.mark.parametrize("score", ["math.nan", "None", "True", "[0.9, 0.9]", "'0.9'"])
def test_between_wants_one_number(one, score):
    result = one("exercise.between(call(), chance=0, ceiling=1)", f"def task():\n    return {score}")
    assert (result.earned, result.state) == (0.0, "wrong")
    assert "full points from" in result.message


def test_a_claim_that_fails_after_part_marks_takes_all(one):
    result = one("exercise.between(0.5, chance=0, ceiling=1)\nexercise.equal(1, 2)")
    assert (result.earned, result.state) == (0.0, "wrong")


def test_the_lowest_part_mark_counts(one):
    result = one("for score in (0.5, 0.2, 0.9):\n    exercise.between(score, chance=0, ceiling=1, full=1)")
    assert result.earned == 0.4


QUESTION = """
exercise.choice(
    call(),
    options={{"pca": "Is the roll flat?", "isomap": "", "umap": "Does it keep distances, or neighbours?"}},
    reasons={{"distances along the manifold": "", "speed": "Speed is not what the question asks."}},
    correct={correct},
)
"""
CORRECT = QUESTION.format(correct='("isomap", "distances along the manifold")')


@pytest.mark.parametrize(
    ("answer", "earned", "words"),
    [
        ("('isomap', 'distances along the manifold')", 2.0, ""),
        ("{'choice': ' Isomap', 'reason': 'Distances along the manifold'}", 2.0, ""),
        ("['isomap', 'speed']", 1.0, "Speed is not what the question asks."),
        ("('umap', 'speed')", 0.0, "Does it keep distances, or neighbours?"),
        ("('umap', 'distances along the manifold')", 0.0, "'umap' is not the best choice here"),
        ("('tsne', 'speed')", 0.0, "'tsne' is not a choice on the list"),
        ("('isomap', 'beauty')", 0.0, "'beauty' is not a reason on the list"),
        ("'isomap'", 0.0, "The answer is a choice without a reason"),
        ("{'choice': 'isomap'}", 0.0, "The answer has no 'reason'"),
        ("{'reason': 'speed'}", 0.0, "The answer has no 'choice'"),
        ("('isomap', '')", 0.0, "The reason is still empty"),
        ("('isomap', 'speed', 'beauty')", 0.0, "The answer has 3 parts instead of 2"),
        ("None", 0.0, "The answer is None"),
        ("(1, 2)", 0.0, "1 is not a choice on the list"),
    ],
)
def test_choice(one, answer, earned, words):
    result = one(CORRECT, f"def task():\n    return {answer}")
    assert result.earned == earned
    assert words in result.message


def test_a_wrong_choice_does_not_learn_the_right_one(one):
    for answer in ("('umap', 'speed')", "('pca', 'distances along the manifold')"):
        assert "isomap" not in one(CORRECT, f"def task():\n    return {answer}").message


def test_a_visible_check_sees_the_form_alone(one):
    form = QUESTION.format(correct=None)
    assert one(form, "def task():\n    return 'umap', 'speed'").state == "passed"
    assert one(form, "def task():\n    return 'umap'").state == "wrong"


def test_several_reasons_may_be_right(one):
    body = QUESTION.format(correct='("isomap", ["speed", "distances along the manifold"])')
    assert one(body, "def task():\n    return 'isomap', 'speed'").earned == 2.0


FORM = 'exercise.choices(call(), ("mill", "robot"), options=["pca", "isomap"], reasons=["speed"])'


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        ("{'robot': ('PCA', 'speed'), 'mill': ['isomap', 'speed']}", ""),
        ("{'mill': ('pca', 'speed')}", "exactly the keys mill, robot"),
        (
            "{'mill': ('pca', 'speed'), 'robot': ('pca', 'speed'), 'shop': ('pca', 'speed')}",
            "exactly the keys",
        ),
        ("[('pca', 'speed'), ('pca', 'speed')]", "exactly the keys mill, robot"),
        ("{'mill': ('pca', 'speed'), 'robot': ('tsne', 'speed')}", "'tsne' is not a choice on the list"),
        ("{'mill': 'pca', 'robot': ('pca', 'speed')}", "is a choice without a reason"),
    ],
)
def test_choices_sees_the_form_of_every_answer(one, answers, words):
    result = one(FORM, f"def task():\n    return {answers}")
    assert result.state == ("wrong" if words else "passed")
    assert words in result.message


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("exercise.between(0.5, chance=1, ceiling=1)", "must differ"),
        ("exercise.between(0.5, chance=0, ceiling=1, full=0.2, none=0.3)", "must differ"),
        (QUESTION.format(correct='("tsne", "speed")'), "not among the options"),
    ],
)
def test_an_authors_mistake_stops_the_cell(one, body, words):
    with pytest.raises(ChecksError, match=words):
        one(body, "def task():\n    return 'umap', 'speed'")
