# %% [markdown]
"""
{{week}}

**Where we are.** x → encoder → z → decoder → y. Week 01 took x as it came: so many pixels, a point in a space. But
somebody had to decide what x *is* before any model saw it: in which order the numbers stand, whether Tuesday is a 2,
where a word ends, how long a frame of sound is. These decisions are called **encodings**. They are made in a few lines
that nobody reads again, and they can cost more than a bad model does. This week is about these lines.

Four words that are often mixed up. **Structure**: what may be changed in x without changing what is meant (section
3). **Features**: numbers that say something about x. **Encoding**: any rule that makes numbers of x; its few constants
(means, names, merges) may be counted from training data. **Embedding**: an encoding whose vectors are themselves
learned, so that near means alike in some respect (section 8).

Parts marked *optional* show more, take about an hour more, and may be left out: no exercise depends on them. (A25 is
slide 25 of the lecture's first deck, and so on.)

Work from top to bottom. An exercise cell holds `raise NotImplementedError`; replace that line, run the cell, then run
the check below it. A failed check tells you what it called, what came back and what it expected. Some points are
decided at grading, by checks that you do not see and that draw fresh data.
"""

# %%
import numpy as np
import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn
from torch.nn import functional as F

from mmdl_course import viz
from mmdl_course.checks import Exercise
from mmdl_course.data import world
from mmdl_course.training import budget, fit
from mmdl_course.viz import explorers

torch.set_num_threads(1)  # models this small gain nothing from more, and lose much on a busy machine


def seeded(seed: int) -> torch.Generator:
    """A source of randomness of its own: the same seed gives the same figure on every machine."""
    return torch.Generator().manual_seed(seed)


viz.show(
    viz.flow(highlight="x"),
    alt="The flow of a model: x, encoder f, z, decoder g, y. x is highlighted: what does the model get to see?",
)

# %% [markdown]
"""
## 1. Columns: what does a number in a table mean?

A table (A25) looks like the easiest modality of all: its cells are numbers already, or can be numbered. That is the
danger. A model does arithmetic with whatever it gets. Write the woods of a forest as 0 = alder, 1 = birch, 2 = cedar,
and you have told it that a birch wood is half-way between the other two. Write the hour as 0 … 23, and you have told
it that 23:00 and 00:00 are as far apart as two times can be. Nobody meant to say so.

So before a column becomes a feature, ask which arithmetic its values allow. Stevens (1946) called this the *scale of
measurement*. His are nominal, ordinal, interval and ratio; we call the last two *real*, and add *cyclic*, which he has
not.

| kind | what is true of its values | example | features |
|---|---|---|---|
| nominal | equal or not equal, nothing else | wood | one-hot: one feature for each name, 1 where it is that name, else 0 |
| ordinal | one is more than another | none, drizzle, shower, downpour | the rank 0, 1, 2, …, then as if it were real |
| cyclic | distances, around a circle | hour, month, compass | the point on the circle: sine and cosine |
| real | distances | pressure in hPa | standardised: minus the mean, divided by the standard deviation |

And then there are cells with nothing in them. A missing pressure is not a pressure of 0 hPa. Two features do it
justice: a *neutral* value, which pulls in no direction, and an *indicator*, 1 where the cell was empty. What is
neutral follows from the kind: the mean for ranks and reals (which is 0 once they are standardised), the middle of the
circle for hours (as far from noon as from midnight), no name at all for names. The same goes for a name that training never saw: it is none of the known ones.

Last, a question of honesty. Names, means and standard deviations have to come from somewhere, and they may come from
the **training** rows only. When the model is used, its inputs arrive one at a time: a single row has no standard
deviation, and no row may look different because of the rows that happen to come with it.
"""

# %%
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

Rows = Mapping[str, Sequence[float | str | None]]  # a table: name of the column → its cells, None where empty


@dataclass(frozen=True)
class Column:
    """What the cells of a column mean.

    Attributes:
        name: what was noted.
        kind: see the table above.
        levels: of an ordinal column: all its values, from the lowest to the highest.
        period: of a cyclic column: v and v + period mean the same.
    """

    name: str
    kind: Literal["nominal", "ordinal", "cyclic", "real"]
    levels: tuple[str, ...] = ()
    period: float | None = None


# %% [markdown]
r"""
{{exercise:encode_columns}}

Write `encode_columns`: it turns rows of a table into features. Everything that has to be *learned* from data (which
names there are, means, standard deviations) it takes from `train`, and never from `rows`. So `encode_columns(train,
columns, train=train)` gives the features to train on, and `encode_columns(test, columns, train=train)` those to test
on.

The features stand side by side, column after column in the order of `columns`. For each column:

1. its features. *Nominal*: one for each name in `train`, in alphabetical order. *Ordinal*: the rank among `levels`,
   standardised. *Cyclic*: sin and cos of 2πv / period, in this order. *Real*: the value, standardised;
2. then its indicator: 1 where the cell is None, else 0. It is there in any case, so that all tables have the same
   features.

Where a cell is None, the column's own features are 0. Mean and standard deviation are those of the cells that *are*
there in `train`. (Divide by n or by n − 1 for the standard deviation; both will do.)

**The traps**, five of them: an order imposed on names. A clock that is torn apart at
midnight. Statistics of the test set. None filled with 0 *before* standardising: then the mean is that of the zeros,
too. And a name at test time that was never seen in training. It is none of the known names, so all of them are 0, and
the cell is not empty, so the indicator is 0 as well.
"""


# %% nbgrader={"grade": false, "grade_id": "encode_columns", "locked": false, "schema_version": 3, "solution": true, "task": false}
def encode_columns(rows: Rows, columns: Sequence[Column], *, train: Rows) -> Float[Tensor, "sample feature"]:
    """Features of a table's rows, from columns of several kinds.

    Args:
        rows: what is encoded: name of a column → its cells. None where a cell is empty.
        columns: what the cells mean, in the order of the features.
        train: the rows that names, means and standard deviations are taken from.

    Returns:
        One row of features for each row. Of each column its features, then its indicator of empty cells.

    Source: Stevens 1946, "On the theory of scales of measurement"; deck A, slide 25.
    """
    ### BEGIN SOLUTION
    features = []
    for column in columns:
        values, known = rows[column.name], [v for v in train[column.name] if v is not None]
        empty = np.array([[v is None] for v in values])
        if column.kind == "nominal":
            block = np.array([[v == name for name in sorted(set(known))] for v in values])
        elif column.kind == "cyclic":
            angle = np.array([[2 * np.pi * (v or 0) / column.period] for v in values])
            block = np.where(empty, 0, np.concatenate([np.sin(angle), np.cos(angle)], axis=1))
        else:
            number = column.levels.index if column.kind == "ordinal" else float
            known = np.array([number(v) for v in known])
            block = [[0 if v is None else (number(v) - known.mean()) / known.std()] for v in values]
        features += [block, empty]
    return torch.tensor(np.concatenate(features, axis=1), dtype=torch.float32)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "encode_columns-check", "locked": true, "points": 5, "schema_version": 3, "solution": false, "task": false}
exercise = Exercise("encode_columns", points=5)
features_of = exercise.student()


def encoded_as(shape: tuple[int, int], rows: Rows, columns: Sequence[Column], train: Rows) -> Tensor:
    """What the student's function returns, once its shape is right."""
    got = features_of(rows, columns, train=train)
    exercise.shape(got, shape)
    return torch.as_tensor(got, dtype=torch.float64)


with exercise.check(
    "names get no order: one feature for each",
    points=1,
    hint="Three names make three features in alphabetical order, elm, fir, oak, and the indicator of empty cells is "
    "the fourth. A code 0, 1, 2 would put fir between the other two.",
):
    rows = {"wood": ["oak", "fir", "oak", "elm"]}
    got = encoded_as((4, 4), rows, [Column("wood", "nominal")], rows)
    exercise.close(got, [[0, 0, 1, 0], [0, 1, 0, 0], [0, 0, 1, 0], [1, 0, 0, 0]], atol=1e-6)

with exercise.check(
    "23:00 is as near to 00:00 as 00:00 is to 01:00",
    points=1,
    hint="Once around the circle is 2π, and takes one period. Sine first, then cosine; then the indicator.",
):
    rows = {"hour": [23.0, 0.0, 1.0, 6.0, 12.0]}
    got = encoded_as((5, 3), rows, [Column("hour", "cyclic", period=24.0)], rows)
    exercise.close((got[0] - got[1]).norm(), (got[1] - got[2]).norm(), atol=1e-5)
    exercise.close(got[[1, 3, 4]], [[0, 1, 0], [1, 0, 0], [0, -1, 0]], atol=1e-5)

with exercise.check(
    "mean and standard deviation are the training rows' own",
    points=1,
    hint="Whatever is learned comes from `train`. The rows to encode can be a single one, and it must look the same "
    "alone as in company.",
):
    train = {"pressure": exercise.rng.normal(1013, 9, size=80).tolist()}
    rows = {"pressure": exercise.rng.normal(990, 3, size=6).tolist()}  # a storm
    column = Column("pressure", "real")
    got = encoded_as((6, 2), rows, [column], train)
    expected = (np.array(rows["pressure"]) - np.mean(train["pressure"])) / np.std(train["pressure"])
    exercise.close(got[:, 0], expected, atol=1e-3, rtol=0.02, why="with n or n − 1 in the standard deviation")
    alone = encoded_as((1, 2), {"pressure": rows["pressure"][:1]}, [column], train)
    exercise.close(alone[0], got[0], atol=1e-5)

### BEGIN HIDDEN TESTS
with exercise.check(
    "ranks follow the levels, not the alphabet",
    points=0.5,
    hint="`levels` has the order, from the lowest to the highest. Ranks go up in equal steps, and are standardised "
    "with the ranks in `train`. Levels that do not occur there still have their rank, also in the middle.",
):
    levels = tuple(str(name) for name in exercise.rng.permutation(["mist", "rain", "flood", "hail"]))
    levels = ("wet", *levels)  # whatever was drawn, it is not the alphabet's order
    common = [*levels[:2], *levels[3:]]  # the middle one does not occur
    train = {"water": exercise.rng.choice(common, size=90).tolist() + common}
    got = encoded_as((5, 2), {"water": list(levels)}, [Column("water", "ordinal", levels)], train)
    ranks = np.array([levels.index(name) for name in train["water"]])
    exercise.close(
        got[:, 0],
        (np.arange(5) - ranks.mean()) / ranks.std(),
        atol=1e-3,
        rtol=0.02,
        why="with n or n − 1 in the standard deviation",
    )

with exercise.check(
    "a name that training never saw is no name, and not empty",
    points=0.5,
    hint="Names are collected from `train` alone. One that is not among them matches none: all zeros. It is neither an "
    "error, nor the first name, nor an empty cell.",
):
    train = {"wood": ["oak", "fir", "elm", "fir"]}
    got = encoded_as((3, 4), {"wood": ["yew", "elm", "ash"]}, [Column("wood", "nominal")], train)
    exercise.close(got, [[0, 0, 0, 0], [1, 0, 0, 0], [0, 0, 0, 0]], atol=1e-6)

with exercise.check(
    "empty cells: neutral, marked, and left out of the statistics",
    points=0.5,
    hint="Mean and standard deviation of the cells that are there. Only then put the neutral value, which is 0 after "
    "standardising and the middle of the circle for hours, and the 1 into the indicator. A 0 is a value and not an empty "
    "cell: ask `v is None`, not `not v`. And leave `rows` and `train` as they were: the caller still needs them.",
):
    known = exercise.rng.normal(15, 9, size=80)
    train = {
        "degrees": [*known.tolist(), *[None] * 20],
        "hour": [5.0, None] * 50,
        "wood": ["oak", None] * 50,
    }
    rows = {"degrees": [None, 0.0], "hour": [None, 18.0], "wood": [None, "oak"]}
    columns = [Column("wood", "nominal"), Column("hour", "cyclic", period=24.0), Column("degrees", "real")]
    before = [{name: list(cells) for name, cells in table.items()} for table in (rows, train)]
    got = encoded_as((2, 7), rows, columns, train)
    exercise.close(got[0], [0, 1, 0, 0, 1, 0, 1], atol=1e-5)
    exercise.close(
        got[1],
        [1, 0, -1, 0, 0, -known.mean() / known.std(), 0],
        atol=1e-3,
        rtol=0.02,
        why="with n or n − 1 in the standard deviation",
    )
    exercise.equal([rows, train], before)

with exercise.check(
    "a fresh table with columns of all kinds, in a fresh order",
    points=0.5,
    hint="Columns in the order that is asked for, each followed by its own indicator. The period is the column's, and a value "
    "may lie between two whole ones.",
):
    rng = exercise.rng
    period = float(rng.integers(5, 40))
    levels = ("low", "middle", "high")
    names = [f"n{number}" for number in rng.permutation(8)]

    def fresh(count: int, names: Sequence[str]) -> Rows:
        table = {
            "a": rng.choice(names, count).tolist(),
            "b": rng.choice(levels, count).tolist(),
            "c": (period * rng.random(count)).tolist(),
            "d": rng.normal(rng.integers(-50, 50), 5, count).tolist(),
        }
        empty = rng.random((4, count)) < 0.2
        return {
            name: [None if gone else v for v, gone in zip(values, row, strict=True)]
            for (name, values), row in zip(table.items(), empty, strict=True)
        }

    def reference(column: Column, rows: Rows, train: Rows) -> np.ndarray:
        values, known = rows[column.name], [v for v in train[column.name] if v is not None]
        if column.kind == "nominal":
            features = [[float(v == name) for v in values] for name in sorted(set(known))]
        elif column.kind == "cyclic":
            features = [
                [0.0 if v is None else wave(2 * np.pi * v / period) for v in values]
                for wave in (np.sin, np.cos)
            ]
        else:
            rank = levels.index if column.kind == "ordinal" else float
            known = [rank(v) for v in known]
            features = [[0.0 if v is None else (rank(v) - np.mean(known)) / np.std(known) for v in values]]
        return np.array([*features, [float(v is None) for v in values]]).T

    columns = [Column("a", "nominal"), Column("b", "ordinal", levels), Column("c", "cyclic", period=period)]
    columns = [(*columns, Column("d", "real"))[place] for place in rng.permutation(4)]
    train, rows = fresh(120, names[:6]), fresh(15, names)
    expected = np.concatenate([reference(column, rows, train) for column in columns], axis=1)
    got = encoded_as(expected.shape, rows, columns, train)
    exercise.close(got, expected, atol=1e-3, rtol=0.02, why="with n or n − 1 in the standard deviation")
### END HIDDEN TESTS
exercise.report()

# %% [markdown]
r"""
<details><summary>A nudge</summary>

Write it for one column of one kind, and let it return a small table with one row for each cell. Then the next kind.
At the end all small tables are put side by side.
</details>
<details><summary>Pseudo code</summary>

```text
for each column:
    known ← the cells of this column in train that are not None
    nominal: names ← the different ones of known, sorted; for each cell, 1 where it equals the name
    cyclic: angle ← 2π · cell / period; sin, cos
    ordinal: rank ← place in levels; then like real
    real: (cell − mean of known) / standard deviation of known
    where the cell is None: 0 in all of these
    append them, and then one feature that is 1 where the cell is None
put all of them side by side
```
</details>
<details><summary>Help: TypeError: '&lt;' not supported between instances of 'NoneType' and 'str'</summary>

You sort the names with the empty cells among them. Take those out first.
</details>
<details><summary>Help: ValueError, "yew" is not in list</summary>

You look up the *place* of a name, and this name has none. Ask of each known name whether the cell equals it.
</details>
"""

# %% [markdown]
"""
### Which model forgives which mistake?

Somebody says: "A good model finds out by itself." Let us see. We invent a table whose truth we know: how busy foxes
are at a camera in one of twelve woods. They are busiest at 1 o'clock at night, and the hump is narrower than a sine.
Each wood has a level of its own (drawn anew for each seed, so the alphabet says nothing about it). Rain holds them
back: by 0, 0.3, 0.8 or 1.5, so the steps are *not* equal, as our ranks will claim. High pressure draws them out. In
15 % of the rows the pressure is missing, where a fox has bitten through the cable; so an empty cell is a sign of busy
foxes. What is left is noise.

Nobody can predict the noise, nor the effect of a pressure that was not noted. The rest could be known. This gives the
*ceiling*: the error of somebody who knows the truth.
"""

# %%
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import Ridge

from mmdl_course.architectures import mlp

WOODS = ("alder", "birch", "cedar", "elm", "fir", "hazel", "larch", "maple", "oak", "pine", "rowan", "willow")
RAIN = {"none": 0.0, "drizzle": -0.3, "shower": -0.8, "downpour": -1.5}
WOOD, HOUR = Column("wood", "nominal"), Column("hour", "cyclic", period=24.0)
WET, PRESSURE = Column("rain", "ordinal", tuple(RAIN)), Column("pressure", "real")
Vector = Float[np.ndarray, " sample"]
Predictor = Callable[[Float[np.ndarray, "sample feature"]], Vector]


def rhythm(hour: Vector) -> Vector:
    """How the hour moves the foxes."""
    return 2.5 * np.exp(2 * (np.cos(2 * np.pi * (hour - 1) / 24) - 1))


def foxes(
    count: int, effects: Mapping[str, float], rng: np.random.Generator
) -> tuple[dict[str, list], Vector, Vector]:
    """Rows, how busy the foxes were, and the best that can be predicted from the rows."""
    wood, hour = rng.choice(WOODS, count), rng.integers(0, 24, count)
    rain = rng.choice(tuple(RAIN), count, p=(0.4, 0.25, 0.2, 0.15))
    pressure, bitten = rng.normal(1013, 9, count), rng.random(count) < 0.15
    best = rhythm(hour) + 0.8 * bitten
    best += np.array([effects[name] for name in wood]) + np.array([RAIN[name] for name in rain])
    hidden = 0.6 * (pressure - 1013) / 9  # hPa
    y = best + hidden + rng.normal(0, 0.3, count)
    cells = [None if gone else float(value) for value, gone in zip(pressure, bitten, strict=True)]
    rows = {"wood": wood.tolist(), "hour": hour.tolist(), "rain": rain.tolist(), "pressure": cells}
    return rows, y, best + np.where(bitten, 0, hidden)


def linear(x: np.ndarray, y: Vector, seed: int) -> Predictor:
    """A linear model with a little shrinkage."""
    return Ridge(alpha=1.0).fit(x, y).predict


def forest(x: np.ndarray, y: Vector, seed: int) -> Predictor:
    """A hundred trees."""
    trees = RandomForestRegressor(budget(100, grading=3), max_features=0.5, random_state=seed)
    return trees.fit(x, y).predict


def network(x: np.ndarray, y: Vector, seed: int) -> Predictor:
    """Two hidden layers of 64; it predicts standardised y."""
    torch.manual_seed(seed)
    model = mlp(x.shape[1], 64, 64, 1)
    middle, scale = y.mean(), y.std()
    inputs, targets = torch.tensor(x), torch.tensor((y - middle) / scale, dtype=torch.float32)
    fit(
        lambda i: F.mse_loss(model(inputs[i])[:, 0], targets[i]),
        model.parameters(),
        count=len(x),
        steps=budget(400, grading=5),
        batch_size=64,
        learning_rate=3e-3,
        generator=seeded(seed),
        label=f"network, seed {seed}",
    )
    return lambda x: model(torch.tensor(x)).detach().numpy()[:, 0] * scale + middle


MODELS = {"linear": linear, "network": network, "forest": forest}
SEEDS = range(budget(5, grading=1))


def rmse(y: Vector, predicted: Vector | float) -> float:
    """Root of the mean squared error, in the unit of y."""
    return float(np.sqrt(((y - predicted) ** 2).mean()))


def tell_errors(errors: Mapping[str, Mapping[str, Sequence[float]]], base: str) -> None:
    """Print test errors, and by how much and in how many repetitions each is worse than the base."""
    print(f"{'test error (RMSE)':32s}" + "".join(f"{name:27s}" for name in MODELS))
    for row, of_model in errors.items():
        line = f"{row:32s}"
        for name in MODELS:
            values, reference = np.array(of_model[name]), np.array(errors[base][name])
            worse = values - reference
            change = f"({worse.mean():+.2f}, {np.sum(worse > 0)} of {len(worse)})"
            line += f"{values.mean():.2f} " + f"{change if row != base else '':22s}"
        print(line.rstrip())


# %% [markdown]
"""
Each row of the table below makes *one* mistake and does the rest right. Most mistakes are a wrong word in the
description of a column. All models keep their settings: 600 rows to train on, 2,000 to test on.

- **hour as a number**: 0 … 23, standardised. **Hour as 24 names**: one-hot, so 23 and 0 are as unlike as 23 and 12.
- **woods numbered**: by the alphabet. **Rain by the alphabet**: downpour, drizzle, none, shower. **Rain as names**:
  the order thrown away.
- **missing = 0 hPa**: filled in before standardising, no indicator. **Missing = the mean**: no indicator.
- **not standardised**: pressure in hPa, as it was noted.
- **test set's own statistics**: mean and standard deviation taken from the 2,000 test rows.

**Predict, then run.** For each mistake: does it hurt the linear model? The network? The forest of trees? Which of the
three is the most forgiving?
"""


# %% tags=["demo"]
def filled(rows: Rows, value: float) -> Rows:
    """The same rows, with a value where the pressure is missing."""
    return {**rows, "pressure": [value if v is None else v for v in rows["pressure"]]}


def as_noted(x: Tensor, train: Rows) -> Tensor:
    """Undo the standardisation of the pressure, the last column but one."""
    known = np.array([v for v in train["pressure"] if v is not None])
    return torch.cat([x[:, :-2], x[:, -2:-1] * known.std() + known.mean(), x[:, -1:]], dim=1)


RIGHT = [WOOD, HOUR, WET, PRESSURE]
SPECIFICATIONS = {
    "all right": RIGHT,
    "hour as a number": [WOOD, Column("hour", "real"), WET, PRESSURE],
    "hour as 24 names": [WOOD, Column("hour", "nominal"), WET, PRESSURE],
    "woods numbered": [Column("wood", "ordinal", WOODS), HOUR, WET, PRESSURE],
    "rain by the alphabet": [WOOD, HOUR, replace(WET, levels=tuple(sorted(RAIN))), PRESSURE],
    "rain as names": [WOOD, HOUR, Column("rain", "nominal"), PRESSURE],
}


def encodings(train: Rows, test: Rows) -> dict[str, tuple[Tensor, Tensor]]:
    """Training and test features under each encoding."""
    made = {
        name: (encode_columns(train, columns, train=train), encode_columns(test, columns, train=train))
        for name, columns in SPECIFICATIONS.items()
    }
    middle = float(np.mean([v for v in train["pressure"] if v is not None]))
    for name, value in {"missing = 0 hPa": 0.0, "missing = the mean": middle}.items():
        known = filled(train, value)
        made[name] = tuple(encode_columns(filled(rows, value), RIGHT, train=known) for rows in (train, test))
    made["not standardised"] = tuple(as_noted(x, train) for x in made["all right"])
    made["test set's own statistics"] = (made["all right"][0], encode_columns(test, RIGHT, train=test))
    return made


errors: dict[str, dict[str, list[float]]] = {}
ceiling, guess, at_sight = [], [], []
strangers: dict[str, dict[str, list[float]]] = {}
clocks: dict[str, Vector] = {}
for seed in SEEDS:
    rng = np.random.default_rng(seed)
    effects, others = ({name: float(rng.normal(0, 0.8)) for name in WOODS} for _ in range(2))
    train, y, _ = foxes(600, effects, rng)
    test, y_test, best = foxes(budget(2000, grading=200), effects, rng)
    ceiling.append(rmse(y_test, best))
    guess.append(rmse(y_test, y.mean()))
    predictors = {}
    made = encodings(train, test)
    for row, (x, x_test) in made.items():
        same_training = x is made["all right"][0] and row != "all right"
        for name, learn in MODELS.items():
            predictors[row, name] = (
                predictors["all right", name] if same_training else learn(x.numpy(), y, seed)
            )
            found = rmse(y_test, predictors[row, name](x_test.numpy()))
            errors.setdefault(row, {}).setdefault(name, []).append(found)

    # twelve woods that training never saw, with levels of their own
    abroad, y_abroad, best = foxes(budget(2000, grading=200), others, rng)
    at_sight.append(rmse(y_abroad, best - np.array([others[name] for name in abroad["wood"]])))
    unseen = encode_columns(
        {**abroad, "wood": [f"new {name}" for name in abroad["wood"]]}, RIGHT, train=train
    )
    first = unseen.clone()
    first[:, 0] = 1.0
    for row, x_test in {"all zeros": unseen, "the first name": first}.items():
        for name in MODELS:
            found = rmse(y_abroad, predictors["all right", name](x_test.numpy()))
            strangers.setdefault(row, {}).setdefault(name, []).append(found)

    if seed == 0:  # one night from noon to noon in the oak wood, as three models see it
        night = np.arange(12, 36) % 24
        same = {"wood": ["oak"] * 24, "rain": ["none"] * 24, "pressure": [1013.0] * 24}
        clocks["truth"] = rhythm(night) + effects["oak"]
        for row, name in (
            ("hour as a number", "linear"),
            ("all right", "linear"),
            ("hour as 24 names", "linear"),
            ("hour as a number", "forest"),
        ):
            x = encode_columns({**same, "hour": night.tolist()}, SPECIFICATIONS[row], train=train)
            label = {"all right": "hour on the circle"}.get(row, row)
            clocks[f"{name}, {label}"] = predictors[row, name](x.numpy())

all_but_woods = float(np.mean(at_sight))
print(f"{'predict the mean':32s}{np.mean(guess):.2f}")
tell_errors(errors, "all right")
print(f"{'ceiling: who knows the truth':32s}{np.mean(ceiling):.2f}")
print("\nIn brackets: how much worse than all right, on average over the seeds, and in how many of them.")

# %% tags=["demo"]
viz.show(
    viz.curves(
        clocks,
        x=[f"{hour}" if hour % 3 == 0 else "" for hour in night],
        x_label="time of day (hours), from noon to noon",
        y_label="how busy the foxes are (relative)",
        title="Which encoding of the hour follows the foxes? (oak wood, no rain, 1013 hPa, one seed)",
    ),
    alt="A line for the truth with a narrow hump at 1 o'clock, and four predictions. Linear with the hour as a number: a straight line "
    "that jumps at midnight. Linear with the hour on the circle: a sine, lower and wider than the hump. Linear with 24 "
    "names and the forest with the hour as a number follow the hump.",
)

# %% [markdown]
"""
Read the table by columns.

**The linear model** does what the encoding says and nothing else. The hour as a number costs it 0.34, numbered woods
0.42, a wrong order of the rain 0.18, a missing pressure of 0 hPa 0.25, each of them in five seeds of five. But the
circle was not its best clock: with 24 names it is better still, in all five seeds. The picture says why. The foxes'
hump is narrower than a sine, and 24 names can take any shape. (They need rows for each hour: here there are 25.) Rain
as names costs it nothing, either: the true steps are not equal, and ranks claim that they are. Whether the pressure is
standardised does not matter to it: its weight takes up the unit.

**The network** all but forgives the hour as a number (0.03, though in five seeds of five) and the wrong order of the
rain (0.01). Four or twenty-four places on a line are soon bent into shape. Twelve woods in no order (0.43) and 0 hPa among pressures near 1013 (0.30) cost it dearly, and a column that is not
standardised ruins it: that row (1.26) is not far from predicting the mean (1.46).

**The forest** is the most forgiving: no mistake costs it more than 0.13. It asks only whether a value lies above or
below a cut, so units do not exist for it, and 0 hPa is as good a place to cut as an indicator. For the same reason the
circle does nothing for it (the plain number is even 0.01 better, in four seeds of five), and 24 names do harm (0.10):
one cut can then part a single hour from all others, and not the night from the day. But forgiving is not the same as
good. Its best row is farther from the ceiling than the best rows of the other two.

Two rows are about honesty. Leaving out the indicator costs the linear model and the network 0.08 and 0.09, because in
this table an empty cell *means* something. And the test set's own statistics cost less than 0.005: with 2,000 test rows
of the same kind there is almost nothing to see. That is what is bad about this mistake. The score does not show it; it
shows when the rows come one by one, or from another season, as in the check above.

**Predict, then run.** Now twelve *new* woods, with levels of their own that no training row could tell. The models are
those of "all right". A new wood becomes all zeros, or, as some programs do, the first name in the list.
"""

# %% tags=["demo"]
print(f"{'who knows all but these woods':32s}{all_but_woods:.2f}")
tell_errors(strangers, "all zeros")

# %% [markdown]
"""
All three get worse in a wood they do not know, and some of that nobody can help: who knows everything but the levels of
the new woods has 0.74. With all zeros the network comes close to that. The first name is worse by 0.22 to 0.26, in
almost every seed: the model now believes that it stands in the alder wood. All zeros say nothing about the wood, so the
rest of the row has to do.

### Optional: the same on a real table

How warm is the sea? Four regions of the tropical Pacific, each month from 1950 to 2016 (NOAA). Region is nominal and
month cyclic. We hold out eleven or twelve *years in a row*, six times, as one would for a model that knows the date. (Ours sees only
region and month.) Nobody knows this table's truth. But there is an old and good baseline,
which climatologists call the *climatology*: the mean of each region in each month, 48 numbers.

The last row of the table makes *one* nominal column of the two, with 48 names such as "Niño 4 7.0".

**Predict, then run.** How near will the linear model on the right columns come to the climatology?
"""

# %% tags=["demo"]
from mmdl_course.data.tables import load_sea_temperature

sea = load_sea_temperature()
regions = sea.columns[0].levels
cells = {
    "region": [regions[int(code)] for code in sea.column("region")],
    "month": sea.column("month").tolist(),
}
cells["both"] = [f"{region} {month}" for region, month in zip(cells["region"], cells["month"], strict=True)]
year, warmth = sea.column("year").numpy(), sea.y.double().numpy()
REGION, MONTH = Column("region", "nominal"), Column("month", "cyclic", period=12.0)
NUMBERED = Column("region", "ordinal", regions)
SEA = {
    "all right": [REGION, MONTH],
    "month as a number": [REGION, Column("month", "real")],
    "month as 12 names": [REGION, Column("month", "nominal")],
    "regions numbered": [NUMBERED, MONTH],
    "both as numbers": [NUMBERED, Column("month", "real")],
    "both as 48 names": [Column("both", "nominal")],
}


def chosen(which: Vector) -> Rows:
    """Some of the rows."""
    return {
        name: [v for v, take in zip(values, which, strict=True) if take] for name, values in cells.items()
    }


sea_errors: dict[str, dict[str, list[float]]] = {}
sea_mean, climatology = [], []
for fold, years in enumerate(np.array_split(np.unique(year), 6)[: budget(6, grading=1)]):
    held_out = np.isin(year, years)
    train, test, y, y_test = chosen(~held_out), chosen(held_out), warmth[~held_out], warmth[held_out]
    sea_mean.append(rmse(y_test, y.mean()))
    of_cell: dict[str, list[float]] = {}
    for cell, value in zip(train["both"], y, strict=True):
        of_cell.setdefault(cell, []).append(value)
    climatology.append(rmse(y_test, np.array([np.mean(of_cell[cell]) for cell in test["both"]])))
    for row, columns in SEA.items():
        x, x_test = (encode_columns(rows, columns, train=train).numpy() for rows in (train, test))
        for name, learn in MODELS.items():
            found = rmse(y_test, learn(x, y, fold)(x_test))
            sea_errors.setdefault(row, {}).setdefault(name, []).append(found)

print(f"{'predict the mean':32s}{np.mean(sea_mean):.2f} °C")
tell_errors(sea_errors, "all right")
print(f"{'climatology, 48 means':32s}{np.mean(climatology):.2f} °C")

# %% [markdown]
"""
**The forest** reaches the climatology whatever the numbers are: it cuts the table into its 48 cells. **The network**
comes within 0.02 °C of it, and loses another 0.01 to 0.03 where an order was made up. It is a small loss, but it is
there in five or six of the six repetitions. **The linear model** pays in full: 0.09 for the month, 0.46 for the regions.

But its right encoding is not enough, either. It adds one number for the region and one wave for the month, so it has to
believe that all regions have the same seasons. They do not, and no feature says "July *and* Niño 4". The last row gives
it these features, 48 of them, and the linear model *is* the climatology. So the encoding decides not only what a model
sees of each column, but also which columns it sees together. A model that can combine by itself (the network, the
forest) needs less help, and 48 names for four regions and twelve months is as far as this help goes: for five such
columns there would be more combinations than rows.

**What to take along.** Say what the values of a column mean, and encode that. A strong model forgives a good deal, but
none of the three forgave everything, and which mistake was dear depended on the model.
"""

# %% [markdown]
r"""
## 2. Fourier features: a circle for every frequency

Sine and cosine turned the hour into something that a linear model can use, because the hour *is* a circle. What if x
lies on no circle, such as a position on a line or in a picture? One circle is too little then. But one may take many,
of many frequencies:

$$\gamma(x) = \big[\cos 2\pi b_1 x,\ \sin 2\pi b_1 x,\ \dots,\ \cos 2\pi b_k x,\ \sin 2\pi b_k x\big],
\qquad b_i \sim \mathcal{N}(0, \sigma^2).$$

For a position in a picture x and b have two coordinates each, and b · x takes the place of the product. Rahimi and
Recht (2007) draw the frequencies at random, and show that the inner product of two such encodings depends on the
difference of the two x alone, on average as a Gaussian bump (our code divides by √k, so that the product is 1 at no difference): σ, the *bandwidth*, decides how narrow it is. In words: the
encoding decides *how far an x speaks for its neighbours*, about 1 / (2πσ). Tancik et al. (2020) put the same features
before a network that paints a picture from pixel positions. Here it stays a linear model, with ridge.

Two tasks. A function of x in 0 … 1, known at 60 random places, with noise (0.15); the test is against the function
itself, between the places. And a photograph of 48 × 48 pixels, of which a random half is known: for each pixel, the
position is x and the colour is y; the test is on the other half. Beside it what a linear model can do on x itself, and
on polynomials (Legendre's, which are kinder to the arithmetic than powers), and two ways without any features: take
the colour of the nearest known pixel, or a mean of the nearest four, weighted by 1 / distance.

**Predict, then run.** Bandwidths from 0.25 to 32. Where will the error on *known* places be the lowest? And the error
on those held out?
"""

# %%
from numpy.polynomial import legendre
from sklearn.neighbors import KNeighborsRegressor

from mmdl_course.data.photos import load_photos

BANDWIDTHS = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0)
Positions = Float[Tensor, "sample dimension"]


def fourier(x: Positions, b: Float[Tensor, "feature dimension"]) -> Float[Tensor, "sample features"]:
    """Cosine and sine of 2π b · x, scaled so that every x has length 1."""
    angle = 2 * torch.pi * x @ b.T
    return torch.cat([angle.cos(), angle.sin()], dim=1) / len(b) ** 0.5


def polynomial(x: Positions, degree: int) -> Float[Tensor, "sample features"]:
    """Legendre's polynomials up to a degree in each coordinate, without the constant."""
    z = 2 * x.numpy() - 1
    if x.shape[1] == 1:
        return torch.tensor(legendre.legvander(z[:, 0], degree)[:, 1:])
    return torch.tensor(legendre.legvander2d(z[:, 0], z[:, 1], [degree, degree])[:, 1:])


def ridge(z: Tensor, y: Tensor, at: Tensor) -> Tensor:
    """Fit y from features z, and predict at others; by way of inner products, as there are more features than rows."""
    middle = y.mean(dim=0)
    weights = z.T @ torch.linalg.solve(z @ z.T + 0.01 * torch.eye(len(z), dtype=z.dtype), y - middle)
    return at @ weights + middle


def root(difference: Tensor) -> float:
    """Root of the mean square."""
    return difference.square().mean().sqrt().item()


def function(x: Tensor) -> Tensor:
    """A slow wave, a fast one, and steps."""
    waves = torch.sin(2 * torch.pi * x) + 0.5 * torch.sin(10 * torch.pi * x)
    return waves + 0.25 * torch.sign(torch.sin(4 * torch.pi * x))


def attempts(
    x: Positions,
    y: Tensor,
    at: Positions,
    *,
    features: int,
    degrees: Sequence[int],
    generator: torch.Generator,
) -> dict[str | float, tuple[Tensor, Tensor]]:
    """Predictions at x and at other places: of ridge on x, on polynomials, on Fourier features."""
    maps = {"x itself": lambda x: x}
    maps |= {f"polynomial, degree {n}": lambda x, n=n: polynomial(x, n) for n in degrees}
    for width in BANDWIDTHS:
        b = width * torch.randn(features, x.shape[1], generator=generator, dtype=torch.float64)
        maps[width] = lambda x, b=b: fourier(x, b)
    return {name: (ridge(z(x), y, z(x)), ridge(z(x), y, z(at))) for name, z in maps.items()}


line = torch.linspace(0, 1, 400, dtype=torch.float64)[:, None]
known_errors: dict[str | float, list[float]] = {}
curve_errors: dict[str | float, list[float]] = {}
for seed in SEEDS:
    generator = seeded(seed)
    x = torch.rand(60, 1, generator=generator, dtype=torch.float64)
    y = function(x) + 0.15 * torch.randn(60, 1, generator=generator, dtype=torch.float64)
    made = attempts(x, y, line, features=256, degrees=(3, 5, 9, 15, 20, 25, 30), generator=generator) | {
        "mean": (y.mean().expand(60, 1), y.mean().expand(len(line), 1))
    }
    for name, (at_known, at_line) in made.items():
        known_errors.setdefault(name, []).append(root(at_known - y))
        curve_errors.setdefault(name, []).append(root(at_line - function(line)))
    if seed == 0:
        curve_points = (x[:, 0], y[:, 0])
        curve_fits = {width: made[width][1][:, 0] for width in BANDWIDTHS}


def tell_fits(known: Mapping, held_out: Mapping) -> None:
    """Print errors at places that were known, and at others: mean ± standard deviation."""
    print(f"{'error (RMSE)':32s}{'known':16s}{'held out':18s}held out, median")
    for name, values in known.items():
        label = f"Fourier, bandwidth {name:g}" if isinstance(name, float) else name
        parts = [
            f"{np.mean(run):.3f}" + (f" ± {np.std(run, ddof=1):.3f}" if len(run) > 1 else "")
            for run in (values, held_out[name])
        ]
        print(f"{label:32s}{parts[0]:16s}{parts[1]:18s}{np.median(held_out[name]):.3f}")


tell_fits(known_errors, curve_errors)

# %%
explorers.fourier_features(
    function(line)[:, 0],
    fits=curve_fits,
    errors={
        name: {width: torch.tensor(found[width]) for width in BANDWIDTHS}
        for name, found in {"known": known_errors, "held out": curve_errors}.items()
    },
    x=line[:, 0],
    points=curve_points,
    references={"mean": float(np.mean(curve_errors["mean"]))},
    error_label="error (RMSE, in units of y)",
)

# %% [markdown]
"""
On x itself the linear model is little better than the mean. Fourier features of bandwidth 2 or 4 bring the held-out
error down to 0.14; the seeds do not tell these two apart. Below that, the fit is *blurred*: with 0.25 to 1 it follows
the slow wave, misses the fast one, and is no better than polynomials of low degree. Above, it *memorises*: the noise is
0.15, so an error of 0.03 on the known places means that the noise was learned by heart, and between the places the
error is fifteen times as large. Polynomials of low degree stay above 0.35 on the held-out places. Those of high
degree fit the known places well, and how they do in between changes a great deal from seed to seed (0.39 ± 0.26 at
degree 15). Bandwidth and degree are picked by eye on the held-out error here; in earnest that takes data of its own.
(All have the same ridge, 0.01; a penalty of its own for each might help them.)

Move the slider to 32, and look at what the line does between two dots.
"""

# %%
SIDE = budget(48, grading=16)
photo = load_photos(size=SIDE).images[1].double()  # 3 height width
colours = photo.flatten(1).T  # (height · width, 3)
steps = (torch.arange(SIDE, dtype=torch.float64) + 0.5) / SIDE
pixels = torch.cartesian_prod(steps, steps)  # (height · width, 2): rows one after the other
seen_errors: dict[str | float, list[float]] = {}
photo_errors: dict[str | float, list[float]] = {}
for seed in range(budget(3, grading=1)):
    generator = seeded(seed)
    order = torch.randperm(len(pixels), generator=generator)
    seen, others = order[: len(order) // 2], order[len(order) // 2 :]
    made = attempts(
        pixels[seen],
        colours[seen],
        pixels,
        features=budget(800, grading=200),
        degrees=(2, 4, 8, 12, 16),
        generator=generator,
    )
    made["mean colour"] = (None, colours[seen].mean(dim=0).expand(len(pixels), 3))
    for name, count in (("nearest known pixel", 1), ("four nearest, weighted", 4)):
        near = KNeighborsRegressor(count, weights="distance").fit(pixels[seen], colours[seen])
        made[name] = (None, torch.tensor(near.predict(pixels)))
    for name, (_, everywhere) in made.items():
        seen_errors.setdefault(name, []).append(root((everywhere - colours)[seen]))
        photo_errors.setdefault(name, []).append(root((everywhere - colours)[others]))
    if seed == 0:
        pictures = {name: everywhere.T.reshape(3, SIDE, SIDE) for name, (_, everywhere) in made.items()}
        half = torch.ones_like(colours).index_copy(0, seen, colours[seen]).T.reshape(3, SIDE, SIDE)

tell_fits(seen_errors, photo_errors)
row = {
    "the photo": photo,
    "what is known": half,
    "x itself": pictures["x itself"],
    "polynomial, degree 12": pictures["polynomial, degree 12"],
    "Fourier 0.5": pictures[0.5],
    "Fourier 4": pictures[4.0],
    "Fourier 32": pictures[32.0],
    "four nearest": pictures["four nearest, weighted"],
}
viz.show(
    viz.image_grid(
        torch.stack(list(row.values())).clamp(0, 1),
        titles=list(row),
        columns=4,
        title="Fourier features need the right bandwidth: 0.5 blurs, 32 makes noise",
    ),
    alt="A photo of an orange flower on dark green, 48 × 48 pixels, and seven more pictures of it. The known half of the pixels: a "
    "mosaic with white holes. A linear model on the position: one muddy ramp of colour. A polynomial: a soft flower with "
    "smears at the edge. Fourier features of bandwidth 0.5: a blurred disc; of 4: the flower, a little soft; of 32: the "
    "known pixels among coloured noise. Mean of the four nearest: the flower with a ragged edge.",
)

# %%
explorers.fourier_features(
    photo,
    fits={width: pictures[width] for width in BANDWIDTHS},
    errors={
        name: {width: torch.tensor(found[width]) for width in BANDWIDTHS}
        for name, found in {"known": seen_errors, "held out": photo_errors}.items()
    },
    references={
        "mean colour": float(np.mean(photo_errors["mean colour"])),
        "four nearest": float(np.mean(photo_errors["four nearest, weighted"])),
    },
    error_label="error (RMSE, in units of colour)",
)

# %% [markdown]
"""
The same story with pixels. On the position itself: 0.253, where the mean colour has 0.255. A linear model can only
make a ramp of colours. Of the polynomials, degree 12 is the best, with 0.080. With Fourier features the held-out error
falls to 0.059 at a bandwidth of 4, and rises to 0.509 at 32, twice that of the mean colour, while the known pixels are
nearly exact. The bandwidth says how far a pixel speaks for its neighbours: 1 / (2πσ) of the picture's side, so 15
pixels at 0.5, two at 4, a quarter of a pixel at 32. There, no pixel knows anything of the next.

And one line to keep us modest: the mean of the four nearest known pixels has 0.056, with nothing learned. Fourier
features are not the best way to fill holes. What they do is to let a model *use* a position, be it a linear one, the
network of Tancik et al., or the transformers of section 4, whose positions are features of the same family, with
frequencies that are chosen and not drawn.

So it is the encoding, and not the model, that has decided here between a blur, a flower and noise. The model was the
same line of code three times.
"""

# %% [markdown]
"""
## 3. Structure says what must not matter

Text, sound, pictures, point clouds, graphs, tables (deck A17–A28) all reach the model as arrays of numbers. An array
always has an order: a first row, a first pixel, a first node. Often that order means nothing. A cloud of points has
no first point; whoever stored it had to begin somewhere. The *structure* of x is the list of what may be changed
without changing what is meant. Such a change is called a **symmetry**:

| structure | must not matter | must matter |
|---|---|---|
| set (a point cloud) | the order of the points | how large the cloud is |
| sequence (a caption) | where in the window it begins | the order of the words |
| grid (a picture) | where in the frame things stand | which pixel is beside which |
| graph (a club) | how the members are numbered | who knows whom |
| scene graph | how the objects are numbered | which way an arrow points |
| table (attributes) | the order of the rows | which numbers share a row |

(Must not matter *for what*? A picture's shift must not matter for "is there a cube?", and it does for "where is
it?". A symmetry belongs to a question.)

An encoding e(x) can treat a symmetry in three ways. It can have it built in, so that e(x) does not change. It can
leave it to the model, which then has to learn from examples that two different arrays mean the same. Or it can throw
away too much, and be blind for what matters as well. We measure: the relative change |e(x′) − e(x)| / |e(x)|, once
for an x′ that means the same, and once for an x′ that does not. For each structure we try the numbers as they lie
there, something too coarse, and something that fits.

**Predict, then run.** How large will the first column be for the numbers as they lie there: nearly 0, or as large as
the second?
"""

# %%
from mmdl_course.data.graphs import load_karate_club

CLUB = (load_karate_club().adjacency > 0).double()
VOCABULARY = {word: number for number, word in enumerate(world.VOCABULARY)}
WINDOW = 48  # places for words


def cloud_of(seed: int) -> Float[Tensor, "point 3"]:
    """200 points on the objects of one scene."""
    scenes = world.sample_scenes(1, generator=seeded(seed))
    return world.point_cloud(scenes, points=200, generator=seeded(seed)).position[0].double()


def caption_of(seed: int) -> Float[Tensor, "position token"]:
    """One caption, each word a row with a single 1, at the start of an empty window."""
    scenes = world.sample_scenes(1, generator=seeded(seed))
    words = world.words_of(world.caption(scenes, generator=seeded(seed))[0])
    rows = torch.zeros(WINDOW, len(VOCABULARY), dtype=torch.float64)
    rows[torch.arange(len(words)), torch.tensor([VOCABULARY[word] for word in words])] = 1
    return rows


def picture_of(seed: int) -> Float[Tensor, "3 height width"]:
    """One picture."""
    return world.render(world.sample_scenes(1, generator=seeded(seed)), size=32).image[0].double()


def scene_graph_of(
    seed: int,
) -> tuple[Float[Tensor, "object feature"], Float[Tensor, "relation object object"]]:
    """Colours and shapes of three objects, and the arrows of the four relations."""
    config = world.SceneConfig(objects=(3, 3))
    scenes = world.sample_scenes(1, generator=seeded(seed), config=config)
    graph = world.scene_graph(scenes)
    present = scenes.present[0]
    colour = F.one_hot(scenes.colour[0, present], len(world.COLOURS))
    shape = F.one_hot(scenes.shape[0, present], len(world.SHAPES))
    return torch.cat([colour, shape], dim=1).double(), graph.edges[0][:, present][:, :, present].double()


def table_of(seed: int) -> Float[Tensor, "sample column"]:
    """x, y, radius, and whether large, of the objects of 60 scenes; each column with mean 0 and variance 1."""
    rows = world.attribute_table(world.sample_scenes(60, generator=seeded(seed)))
    numbers = [[row["x"], row["y"], row["scale"], float(row["size"] == "large")] for row in rows]
    columns = torch.tensor(numbers, dtype=torch.float64)
    return (columns - columns.mean(0)) / columns.std(0)


def shuffled(x: Tensor, generator: torch.Generator) -> Tensor:
    """The rows in another order."""
    return x[torch.randperm(len(x), generator=generator)]


def begins_later(rows: Tensor, generator: torch.Generator) -> Tensor:
    """The same words some places later in the window."""
    return rows.roll(int(torch.randint(1, 6, (1,), generator=generator)), dims=0)


def words_mixed(rows: Tensor, generator: torch.Generator) -> Tensor:
    """The same words in another order."""
    length = int(rows.sum())
    return torch.cat([shuffled(rows[:length], generator), rows[length:]])


def shifted_picture(image: Tensor, generator: torch.Generator) -> Tensor:
    """All moved by up to eight pixels; what leaves on one side comes in on the other."""
    down, right = torch.randint(1, 9, (2,), generator=generator).tolist()
    return image.roll((down, right), dims=(1, 2))


def pixels_mixed(image: Tensor, generator: torch.Generator) -> Tensor:
    """The same pixels at other places."""
    order = torch.randperm(image[0].numel(), generator=generator)
    return image.flatten(1)[:, order].reshape(image.shape)


def renumbered(adjacency: Tensor, generator: torch.Generator) -> Tensor:
    """The same graph with its nodes in another order."""
    order = torch.randperm(len(adjacency), generator=generator)
    return adjacency[order][:, order]


def partners_swapped(adjacency: Tensor, generator: torch.Generator) -> Tensor:
    """Ten times: a–b and c–d become a–d and c–b. All keep their number of friends."""
    graph = adjacency.clone()
    done = 0
    while done < 10:
        edges = graph.triu().nonzero()
        (a, b), (c, d) = edges[torch.randperm(len(edges), generator=generator)[:2]].tolist()
        if len({a, b, c, d}) == 4 and not graph[a, d] and not graph[c, b]:
            for first, second, value in ((a, b, 0), (c, d, 0), (a, d, 1), (c, b, 1)):
                graph[first, second] = graph[second, first] = value
            done += 1
    return graph


def objects_renumbered(graph: tuple[Tensor, Tensor], generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """The same scene graph with its objects in another order."""
    nodes, edges = graph
    order = torch.tensor([[1, 0, 2], [1, 2, 0], [2, 1, 0]])[torch.randint(3, (1,), generator=generator)[0]]
    return nodes[order], edges[:, order][:, :, order]


def arrows_turned(graph: tuple[Tensor, Tensor], generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Left of becomes right of, behind becomes in front of."""
    nodes, edges = graph
    return nodes, edges.transpose(1, 2)


def column_mixed(table: Tensor, generator: torch.Generator) -> Tensor:
    """The numbers of the third column in another order, all else as it was."""
    mixed = table.clone()
    mixed[:, 2] = shuffled(table[:, 2], generator)
    return mixed


def products(x: Tensor) -> Tensor:
    """How the columns go together: means of the products of all pairs of columns."""
    return x.T @ x / len(x)


def flat(graph: tuple[Tensor, Tensor]) -> Tensor:
    """Nodes and arrows as they lie there."""
    return torch.cat([part.flatten() for part in graph])


STRUCTURES = {  # x, what must not matter, what must matter, encodings
    "set": (cloud_of, shuffled, lambda x, _: x.mean(0) + 1.5 * (x - x.mean(0)), {
        "flattened": torch.flatten, "mean": lambda x: x.mean(0), "mean products": products}),
    "sequence": (caption_of, begins_later, words_mixed, {
        "flattened": torch.flatten, "bag of words": lambda x: x.sum(0), "bag of word pairs": lambda x: x[:-1].T @ x[1:]}),
    "grid": (picture_of, shifted_picture, pixels_mixed, {
        "flattened": torch.flatten, "mean colour": lambda x: x.mean((1, 2)), "|Fourier transform|": lambda x: torch.fft.fft2(x).abs()}),
    "graph": (lambda _: CLUB, renumbered, partners_swapped, {
        "flattened": torch.flatten, "sorted degrees": lambda x: x.sum(0).sort().values, "eigenvalues": torch.linalg.eigvalsh}),
    "scene graph": (scene_graph_of, objects_renumbered, arrows_turned, {
        "flattened": flat, "counts of names, arrows": lambda g: torch.cat([g[0].sum(0), g[1].sum((1, 2))]),
        "counts of triples": lambda g: g[0].T @ g[1] @ g[0]}),
    "table": (table_of, shuffled, column_mixed, {
        "flattened": torch.flatten, "deviations of columns": lambda x: x.std(0), "mean products": products}),
}  # fmt: skip

print(f"{'structure':13s}{'encoding':25s}{'must not matter':>18s}{'must matter':>16s}")
for structure, (draw_x, same, other, encodings) in STRUCTURES.items():
    for encoding, numbers_of in encodings.items():
        changes = []
        for seed in range(budget(20, grading=2)):
            x = draw_x(seed)
            changed = (x, same(x, seeded(seed)), other(x, seeded(seed)))
            before, *after = (numbers_of(each) for each in changed)
            changes.append([((y - before).norm() / before.norm()).item() for y in after])
        mean, deviation = np.mean(changes, axis=0), np.std(changes, axis=0)
        verdict = "has it built in" if mean[1] > 1e-6 else "blind for both"
        verdict = "leaves it to the model" if mean[0] > 1e-6 else verdict
        told = "".join(f"{m:9.3f} ± {d:.3f}" for m, d in zip(mean, deviation, strict=True))
        print(f"{structure:13s}{encoding:25s}{told}   {verdict}")

# %% [markdown]
"""
Read the first row of each structure. Stored as they lie there, the numbers change a great deal under what must not
matter. (How large the second column is depends on the change that we chose; the point is that the first is not small.)
Two clouds that differ in nothing but the order of their points are farther apart here than a cloud and another one
half as large again. A model on such numbers has to learn from examples that they mean the same: for a cloud of 200
points, in 200! orders.

The coarse encodings have the symmetry too, and are blind for the change that matters: zero in both columns. (For
*this* change: the mean of a cloud does see where it lies.) A symmetry is easily had by
throwing things away: a constant has all of them. What one wants is to lose *exactly* what must not matter, and the
third rows are only steps in that direction. (Different clouds can share their mean products, different graphs their
eigenvalues, different pictures the absolute values of their Fourier transform; and that one forgives shifts only if
what leaves on one side comes in on the other.) Weeks 03 to 05 are about models that have the symmetry and keep the
rest.

A sequence sits in between: the words as a bag are a set, and to make a sequence of it the order has to be put back.
That is what positions are for.
"""

# %% [markdown]
"""
## 4. Positions: putting the order back

Take the words of a caption as a bag, and for each word a vector. A model that treats all members of the bag alike
cannot tell "the cube left of the cone" from "the cone left of the cube". So each vector gets an encoding of its
position p as well. What should that encoding be like? Two wishes:

- The size of the numbers must not grow with p.
- "Three words to the left" should look the same everywhere in the text. What we say of an offset should not have to
  be said again for each p.

A hand of a clock does both. Its tip is at (sin ωp, cos ωp), a unit vector for all p, and going k further *turns* it
by ωk, wherever it stands. One hand comes round again after 2π/ω, so Vaswani et al. (2017) take d/2 of them, from fast
to slow. Hand i = 0, …, d/2 − 1 has the frequency

ω_i = 10000^(−2i/d) radians for each position.

{{exercise:positions}}

Write `positions`: for each number in `places` a row of d numbers, the sine and the cosine of hand 0, then the sine and
the cosine of hand 1, and so on: (sin ω₀p, cos ω₀p, sin ω₁p, cos ω₁p, …). The places are whole numbers in any order,
possibly negative, and d is even.

This **layout is a convention**. Other programs write all sines first and then all cosines; the numbers are the same,
and a linear layer would not care. But two programs that exchange weights have to agree, so here it is interleaved, as
in the paper.

**The trap:** the 2i in the exponent. In the paper 2i is the number of the *column* of the sine, so i counts hands and
goes to d/2 − 1. And both columns of a hand have the same frequency: a sine and a cosine that run at different speeds
are no clock, and nothing turns.
"""


# %% nbgrader={"grade": false, "grade_id": "positions", "locked": false, "schema_version": 3, "solution": true, "task": false}
def positions(places: Int64[Tensor, " position"], dim: int) -> Float[Tensor, "position dim"]:
    """Encode positions by the hands of d/2 clocks.

    Args:
        places: p, whole numbers in any order; may be negative.
        dim: d, even.

    Returns:
        One row for each place: sin ω₀p, cos ω₀p, sin ω₁p, cos ω₁p, …; all in -1..1.

    Source: Vaswani et al. 2017, "Attention is all you need", section 3.5.
    """
    ### BEGIN SOLUTION
    frequency = 10000.0 ** (-torch.arange(0, dim, 2) / dim)
    angle = places[:, None] * frequency  # (position, dim / 2)
    return torch.stack([angle.sin(), angle.cos()], dim=2).flatten(1)  # (position, dim)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "positions-check", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
exercise = Exercise("positions", points=4)
encode_positions = exercise.student()


def clocks(places, dim):
    """What the student's function says of these places, checked for its shape, in doubles."""
    got = encode_positions(torch.as_tensor(places), dim)
    exercise.shape(got, (len(places), dim))
    exercise.finite(got)
    return torch.as_tensor(got).detach().double()


with exercise.check(
    "one hand and two hands, by hand",
    points=1,
    hint="d = 2 has one hand with ω = 1: sin p, cos p. d = 4 has two, with ω = 1 and ω = 10000^(−2/4) = 0.01. Angles are radians, "
    "and p is what stands in places, not its number in the list.",
):
    places = torch.tensor([0, 2, 1])
    wanted = torch.stack([places.double().sin(), places.double().cos()], dim=1)
    exercise.close(clocks(places, 2), wanted, atol=1e-4)
    got = clocks(torch.tensor([3, 1]), 4)[1]
    numbers = torch.tensor([0.8414710, 0.5403023, 0.0099998, 0.9999500], dtype=torch.float64)
    exercise.true(
        not torch.allclose(got, numbers[[0, 2, 1, 3]], atol=1e-4),
        "the numbers are right and stand in another layout: all sines first. Here sine and cosine of a hand stand side by side",
    )
    exercise.true(
        not torch.allclose(got, numbers[[1, 0, 3, 2]], atol=1e-4),
        "the numbers are right and stand in another layout: of each hand the sine comes first",
    )
    exercise.true(
        not torch.allclose(got, numbers[[2, 3, 0, 1]], atol=1e-4),
        "the numbers are right and stand in another layout: the fastest hand, i = 0, comes first",
    )
    exercise.close(got, numbers, atol=1e-4)

with exercise.check(
    "an inner product depends on the offset alone",
    points=1,
    hint="sin a sin b + cos a cos b = cos(a − b): that needs the sine and the cosine of the *same* angle. A row's product with itself "
    "is the number of hands, d/2.",
):
    for dim in (6, 16):
        start = exercise.rng.choice(400, size=12, replace=False)
        offset = int(exercise.rng.integers(1, 30))
        here, there = clocks(start, dim), clocks(start + offset, dim)
        exercise.close((here * here).sum(1), torch.full((12,), dim / 2, dtype=torch.float64), atol=2e-3)
        product = (here * there).sum(1)
        exercise.close(product, product[:1].expand(12), atol=3e-3, why="the same offset for all twelve")

### BEGIN HIDDEN TESTS
with exercise.check(
    "a shift is one rotation, the same for all places",
    points=1,
    hint="Going k further turns hand i by ω_i·k. The matrix built from positions([k]) takes every row to the row k places later.",
):
    dim, offset = 2 * int(exercise.rng.integers(3, 12)), int(exercise.rng.integers(2, 40))
    turn = clocks(np.array([offset]), dim)[0]
    rotation = torch.zeros(dim, dim, dtype=torch.float64)
    for hand in range(0, dim, 2):
        sine, cosine = turn[hand], turn[hand + 1]
        rotation[hand : hand + 2, hand : hand + 2] = torch.stack([cosine, sine, -sine, cosine]).reshape(2, 2)
    exercise.close(rotation @ rotation.T, torch.eye(dim, dtype=torch.float64), atol=2e-3)
    start = exercise.rng.integers(-200, 500, size=15)
    exercise.close(clocks(start, dim) @ rotation.T, clocks(start + offset, dim), atol=4e-3)

with exercise.check(
    "fresh sizes, number by number",
    points=1,
    hint="Column 2i is sin(p / 10000^(2i/d)), column 2i + 1 the cosine of the same angle, i = 0 … d/2 − 1. A place may be "
    "negative, and what else is in the list does not matter to it.",
):
    dim = 2 * int(exercise.rng.integers(4, 20))
    places = exercise.rng.integers(-100, 900, size=9)
    places[exercise.rng.integers(9)] = -exercise.rng.integers(1, 100)
    angle = places[:, None] / 10000 ** (np.arange(0, dim, 2) / dim)
    wanted = np.stack([np.sin(angle), np.cos(angle)], axis=2).reshape(9, dim)
    exercise.close(clocks(places, dim), wanted, atol=3e-3, why="float32 rounds large angles")
### END HIDDEN TESTS
exercise.report()

# %% [markdown]
"""
<details><summary>A nudge</summary>

Make the d/2 frequencies first, as one vector. Then all angles are a table: places down, frequencies across.
</details>
<details><summary>Pseudo code</summary>

```text
frequency ← 10000^(−2i/d) for i = 0, 1, …, d/2 − 1
angle ← places as a column times frequency as a row
stack sin(angle) and cos(angle) on a new last axis, so that they stand beside each other, then flatten the last two axes
```
</details>
<details><summary>Help: I get "the numbers are right and stand in another layout"</summary>

`torch.cat([sin, cos], dim=1)` puts all sines first. `torch.stack([sin, cos], dim=2)` makes pairs; `.flatten(1)` then
lays the pairs one after the other. Or fill an empty tensor: `out[:, 0::2] = sin`, `out[:, 1::2] = cos`.
</details>
"""

# %% [markdown]
"""
**Predict, then run.** The inner product of the encodings of p and p + k, for k = 0, …, 100. With one hand it is cos k.
What does it become with many hands? And what is it for a one-hot position (a 1 in place p, else 0)?
"""

# %% tags=["demo"]
offsets = torch.arange(101)
falloff = {}
for dim in (4, 16, 64, 256):
    falloff[f"d = {dim}"] = positions(offsets, dim) @ positions(torch.tensor([0]), dim)[0] / (dim / 2)
falloff["one-hot"] = (offsets == 0).float()
viz.show(
    viz.curves(
        falloff,
        x=offsets,
        x_label="offset k (positions)",
        y_label="inner product, relative to k = 0",
        title="The longer the code, the more smoothly similarity falls with the offset",
    ),
    alt="Inner product against offset. With d = 4 it swings between about −0.2 and 1 all the way. With d = 16 and 64 it falls and "
    "swings less; with d = 256 it falls smoothly to about 0.45 at offset 100. For one-hot positions it is 1 at offset 0 and 0 elsewhere.",
)
print("inner product of p and p + 3, at p = 0, 10, 100, 1000:")
starts = torch.tensor([0, 10, 100, 1000])
for name, at in {
    "sinusoidal, d = 64": lambda p: positions(p, 64),
    "one-hot": lambda p: F.one_hot(p, 1004).float(),
    "the bare number": lambda p: p[:, None].float(),
}.items():
    print(
        f"  {name:20s}" + "".join(f"{value:14.2f}" for value in (at(starts) * at(starts + 3)).sum(1).tolist())
    )

# %% [markdown]
"""
One hand alone comes round again and again; with d = 4 the offset 6 looks nearly like 0. With many hands of different
speeds they never agree again by accident, and what remains at d = 256 falls smoothly: near is similar, far is less so.
It does not fall to zero. The slow hands have hardly moved after 100 steps, and they make up much of the sum.

One-hot positions know only "the same" and "not the same"; to them the next place is as far away as the last. And with
the bare number, the product says little about the offset: the same offset of 3 gives 0 in one place and a million in
another.

### Optional: fetch what stands three places to the left

Now the use. A model wants to fetch **the token three to the left**. (A *token* is one vector of the sequence, here: one place.) In attention (week 03) a token at p asks with the
score s(p, q) = e(p)ᵀ W e(q), and takes the token at the q with the highest score. W is learned. We learn it on the
places 0 to 63, and leave out one asker of every four, drawn by chance. There are three tests: the 46 askers of the
training; the 15 left out *between* them; and all askers in the places 64 to 127 and 128 to 191, *beyond* anything seen
(there the 64 places of the new window are on offer). Chance is 1 in 64.

As a yardstick: the W that the exercise promises, the rotation by −3, written down without any training.

**Predict, then run.** Which of the three encodings will find the right place beyond the training's end?
"""

# %% tags=["demo"]
BACK, SPAN, DIM = 3, 64, 64
ENCODERS = {
    "sinusoidal": lambda p: positions(p, DIM),
    "one-hot": lambda p: F.one_hot(p, 3 * SPAN).float(),
    "bare number": lambda p: torch.stack([p / SPAN, torch.ones(len(p))], dim=1),
}


def share_found(weight: Tensor, place, askers: Int64[Tensor, " query"], first: int) -> float:
    """Share of askers whose highest score is at the right place; ties are broken by chance."""
    keys = torch.arange(first, first + SPAN)
    scores = place(askers) @ weight @ place(keys).T
    best = (scores + 1e-6 * torch.rand(scores.shape, generator=seeded(0))).argmax(dim=1)
    return (keys[best] == askers - BACK).float().mean().item()


def found_everywhere(weight: Tensor, place, trained: Tensor, between: Tensor) -> list[float]:
    """The share found among trained, between and beyond."""
    beyond = [
        share_found(weight, place, first + torch.arange(BACK, SPAN), first) for first in (SPAN, 2 * SPAN)
    ]
    return [
        share_found(weight, place, trained, 0),
        share_found(weight, place, between, 0),
        float(np.mean(beyond)),
    ]


def learn_to_fetch(place, trained: Tensor, *, seed: int) -> Tensor:
    """W, by cross-entropy over the places of the first window."""
    questions, keys = place(trained), place(torch.arange(SPAN))
    width = keys.shape[1]
    weight = (torch.randn(width, width, generator=seeded(seed)) / width**0.5).requires_grad_()
    fit(
        lambda i: F.cross_entropy(questions[i] @ weight @ keys.T, trained[i] - BACK),
        [weight],
        count=len(trained),
        steps=budget(1000, grading=20),
        generator=seeded(seed),
        batch_size=len(trained),
        learning_rate=1e-2,
        label=f"fetching, seed {seed}",
    )
    return weight.detach()


fetched: dict[str, list[list[float]]] = {name: [] for name in (*ENCODERS, "rotation by −3")}
turn_back = positions(torch.tensor([-BACK]), DIM)[0]
blocks = [torch.tensor([[c, -s], [s, c]]) for s, c in turn_back.reshape(-1, 2).tolist()]
for seed in range(budget(5, grading=1)):
    between = torch.arange(BACK, SPAN - 1, 4) + torch.randint(4, (15,), generator=seeded(100 + seed))
    trained = torch.tensor([place for place in range(BACK, SPAN) if place not in between.tolist()])
    for name, place in ENCODERS.items():
        weight = learn_to_fetch(place, trained, seed=seed)
        fetched[name].append(found_everywhere(weight, place, trained, between))
    fetched["rotation by −3"].append(
        found_everywhere(torch.block_diag(*blocks), ENCODERS["sinusoidal"], trained, between)
    )

print(f"{'share found, %':20s}{'trained':>16s}{'between':>16s}{'beyond':>16s}")
for name, rows in fetched.items():
    rows = 100 * np.array(rows)
    deviation = rows.std(axis=0, ddof=1) if len(rows) > 1 else np.zeros(3)
    print(
        f"{name:20s}" + "".join(f"{m:9.1f} ± {d:4.1f}" for m, d in zip(rows.mean(0), deviation, strict=True))
    )
print(f"{'chance':20s}" + f"{100 / SPAN:9.1f}{'':7s}" * 3)

# %% [markdown]
"""
All askers that were trained find their place with the sinusoidal and with the one-hot positions. After that they
part. For one-hot positions each place is a stranger: what was learned of one says nothing of another, and both
columns on the right are at chance, give or take a few askers. The bare number fails even in training. Its score is a
straight line in q, and a straight line is highest at one of its ends. (Note that p − 3 is the easiest *sum* there is.
It is the asking by inner products that a bare number is no good for.)

The sinusoidal row is where it gets interesting. Between the trained places it finds nearly all. Beyond them it finds
about half: thirty times chance, and far from all. The encoding is not at fault, says the last row: *one* matrix is
right everywhere, and it is a rotation. But 46 examples from 64 places do not force the training to find it, and it
found another one that is as good on those. An encoding can make a rule easy to say. It cannot make a model say it.
(Week 03 meets positions that build the rotation into the model.)
"""

# %% [markdown]
"""
## 5. Patches: from a grid to a sequence

A transformer reads a sequence of vectors. To feed it a picture one cuts the picture into patches, and lays out each
patch as one vector (Dosovitskiy et al. 2021, "An image is worth 16x16 words"). Nothing is computed, nothing is lost,
it is a matter of axes. That is why it so easily goes wrong without anybody noticing.

{{exercise:patchify}}

Write `patchify` and its inverse `unpatchify`. `size` is (rows, columns) of a patch, in pixels; it divides the picture's
height and width.

- **Patches** in reading order: the top row of patches from left to right, then the next row.
- **Numbers inside a patch**: all of the first channel, then all of the second, …; within a channel in reading order.
  (So a linear layer on a patch sees its numbers in the order in which torch stores a convolution's weight.)

`unpatchify` gets the picture's (channel, height, width) as `shape`, since the patches alone do not say it.

**The trap:** an axis order that *round-trips* and is wrong. `images.reshape(image, patch, feature)` has the right
shape, and a reshape back restores every picture perfectly. And its "patches" are strips of rows, one colour at a
time. So the round trip proves nothing. What does: changing one pixel may change one patch only, the right one.
"""


# %% nbgrader={"grade": false, "grade_id": "patchify", "locked": false, "schema_version": 3, "solution": true, "task": false}
def patchify(
    images: Float[Tensor, "image channel height width"], size: tuple[int, int]
) -> Float[Tensor, "image patch feature"]:
    """Cut images into patches, one vector each.

    Args:
        images: any numbers.
        size: rows and columns of a patch, pixels; they divide height and width.

    Returns:
        Patches in reading order; inside a patch channel, row, column, the last one running fastest.

    Source: Dosovitskiy et al. 2021, "An image is worth 16x16 words", section 3.1 (the order is our convention).
    """
    ### BEGIN SOLUTION
    count, channels, height, width = images.shape
    rows, columns = size
    cut = images.reshape(count, channels, height // rows, rows, width // columns, columns)
    cut = cut.permute(0, 2, 4, 1, 3, 5)  # (image, patch row, patch column, channel, row, column)
    return cut.flatten(3).flatten(1, 2)  # (image, patch, feature)
    ### END SOLUTION


def unpatchify(
    patches: Float[Tensor, "image patch feature"], size: tuple[int, int], shape: tuple[int, int, int]
) -> Float[Tensor, "image channel height width"]:
    """Put patches together again: the inverse of patchify.

    Args:
        patches: as patchify returns them.
        size: rows and columns of a patch, pixels.
        shape: channel, height, width of an image.

    Returns:
        The images.
    """
    ### BEGIN SOLUTION
    channels, height, width = shape
    rows, columns = size
    cut = patches.reshape(-1, height // rows, width // columns, channels, rows, columns)
    return cut.permute(0, 3, 1, 4, 2, 5).reshape(-1, channels, height, width)
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "patchify-check", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
exercise = Exercise("patchify", points=4)
cut, join = exercise.student("patchify"), exercise.student("unpatchify")

with exercise.check(
    "a picture of 4 × 6 pixels in patches of 2 × 3, by hand",
    points=1,
    hint="The first patch holds the pixels 0 1 2 of the first row and 6 7 8 of the second. `size` is (rows, columns).",
):
    picture = torch.arange(24.0).reshape(1, 1, 4, 6)
    got = cut(picture, (2, 3))
    exercise.shape(got, (1, 4, 6))
    exercise.true(
        not torch.equal(torch.as_tensor(got).flatten(), picture.flatten()),
        "the patches are the picture's rows cut to length: a reshape alone moves no number. Split height and width into two axes "
        "each, then permute",
    )
    by_hand = [[0, 1, 2, 6, 7, 8], [3, 4, 5, 9, 10, 11], [12, 13, 14, 18, 19, 20], [15, 16, 17, 21, 22, 23]]
    exercise.close(got, torch.tensor([by_hand], dtype=torch.float32), atol=0.0)

with exercise.check(
    "changing one pixel changes one patch, the right one",
    points=1,
    hint="A pixel has three numbers, one for each channel, and all three belong to the same patch. Its patch is the one in row "
    "(pixel's row // patch's rows) and column (pixel's column // patch's columns), counted in reading order.",
):
    images = exercise.draw(2, 3, 8, 12)
    before = torch.as_tensor(cut(images.clone(), (4, 3)))
    exercise.shape(before, (2, 8, 36))
    for _ in range(5):
        image, row, column = (int(exercise.rng.integers(high)) for high in (2, 8, 12))
        changed = images.clone()
        changed[image, :, row, column] += 1
        different = (torch.as_tensor(cut(changed, (4, 3))) - before).abs().sum(dim=2).nonzero().tolist()
        right = [image, (row // 4) * 4 + column // 3]
        exercise.true(
            different == [right],
            f"the pixel in row {row}, column {column} of image {image} changed the patches {different} ([image, patch]); with "
            f"patches of 4 × 3 in a picture of 8 × 12 it belongs to {right} alone",
        )


### BEGIN HIDDEN TESTS
def uneven(rng):
    """Rows and columns of a patch, patches down and across: neither patch nor picture nor grid is a square."""
    while True:
        rows, columns, down, across = (int(rng.integers(2, 6)) for _ in range(4))
        if rows != columns and down != across and down * rows != across * columns:
            return rows, columns, down, across


with exercise.check(
    "fresh sizes, patch by patch, with channels",
    points=1,
    hint="Inside a patch: channel, then row, then column, the last running fastest. Patches need not be square, nor pictures, and a "
    "picture need not have three channels.",
):
    rows, columns, down, across = uneven(exercise.rng)
    channels = int(exercise.rng.choice([2, 4, 5]))
    images = exercise.draw(3, channels, down * rows, across * columns)
    got = torch.as_tensor(cut(images.clone(), (rows, columns)))
    exercise.shape(got, (3, down * across, channels * rows * columns))
    for number in range(down * across):
        top, left = number // across * rows, number % across * columns
        exercise.close(
            got[:, number], images[:, :, top : top + rows, left : left + columns].flatten(1), atol=0.0
        )

with exercise.check(
    "unpatchify puts each patch where it came from",
    points=1,
    hint="Go backwards: split the patches' axis into rows and columns of patches, the features' into channel, row, column; permute so "
    "that each row of patches stands beside the row inside it; then reshape. `shape` is (channel, height, width), and it alone says how "
    "many patches stand side by side.",
):
    rows, columns, *grid = uneven(exercise.rng)
    channels = int(exercise.rng.choice([2, 4, 5]))
    for down, across in (grid, grid[::-1]):  # the number of patches is the same and does not tell
        shape = (channels, down * rows, across * columns)
        patches = exercise.draw(2, down * across, channels * rows * columns)
        got = join(patches.clone(), (rows, columns), shape)
        exercise.shape(got, (2, *shape))
        got = torch.as_tensor(got)
        for number in range(down * across):
            top, left = number // across * rows, number % across * columns
            exercise.close(
                got[:, :, top : top + rows, left : left + columns].flatten(1), patches[:, number], atol=0.0
            )
        exercise.close(cut(got, (rows, columns)), patches, atol=0.0)
### END HIDDEN TESTS
exercise.report()

# %% [markdown]
"""
<details><summary>A nudge</summary>

Give every axis of the result a name before you write anything: image, patch row, patch column, channel, row in the
patch, column in the patch. Six axes. A reshape can only split or join *neighbouring* axes; all moving is done by
`permute`.
</details>
<details><summary>Pseudo code</summary>

```text
patchify: split height → (patch row, row), width → (patch column, column)
move the axes into the order image, patch row, patch column, channel, row, column
join the first pair after image into patch, the last three into feature

unpatchify: split what was joined, move the axes back to image, channel, patch row, row, patch column, column, join
```
</details>
<details><summary>Help: "view size is not compatible with input tensor's size and stride"</summary>

After `permute` the numbers lie in memory in the old order, and `view` would have to copy. `reshape` does.
</details>
"""

# %% [markdown]
"""
A picture of what a wrong axis order does. We replace each number by the mean of its patch, and put the patches
together again: once with your functions, once with two reshapes. Both pairs round-trip without a loss.
"""

# %% tags=["demo"]
PATCH = (8, 8)


def strips(images: Tensor, size: tuple[int, int]) -> Tensor:
    """The wrong patches: the numbers as they lie in memory, cut to length."""
    return images.reshape(len(images), -1, images.shape[1] * size[0] * size[1])


few = world.render(world.sample_scenes(6, generator=seeded(5)), size=64).image
mosaics = {"picture": few}
for name, cut_up, together in (
    ("right axis order", patchify, lambda parts: unpatchify(parts, PATCH, few.shape[1:])),
    ("wrong axis order", strips, lambda parts: parts.reshape(few.shape)),
):
    parts = cut_up(few, PATCH)
    print(f"{name:17s} round trip exact: {torch.equal(together(parts), few)}")
    mosaics[name] = together(parts.mean(dim=2, keepdim=True).expand_as(parts))
    moved = few.clone()
    moved[:, :, 20, 30] += 0.5
    touched = ((cut_up(moved, PATCH) - parts).abs().sum(dim=2) > 0).sum(dim=1)
    print(f"{'':17s} patches that one pixel touches: {touched.tolist()}")
viz.show(
    viz.strip(mosaics, title="With the axes in the wrong order, patches are stripes"),
    alt="Six pictures; below them, each number replaced by its patch's mean: a coarse mosaic in which the objects' places and "
    "dominant tones can be seen, though in grey, as a mean over three channels. With the wrong axis order: horizontal bands over the "
    "whole width in shifted colours, with no object left.",
)

# %% [markdown]
"""
Both round trips are exact. But a pixel belongs to one patch on the right side and to three on the wrong one, one for
each colour; and in the second mosaic nothing of the objects' places from left to right is left.

### Optional: does a model mind?

That depends on the model. We ask for the colour of the one object in a picture (eight colours, chance 12.5 %), with
1,500 pictures to learn from. First a **linear** classifier on all the numbers, flattened. Then a **shared** network: the
same two layers look at every patch and are not told which one it is, and the answers are averaged over the patches.
Beside the right patches and the wrong ones there are two more kinds of 192 numbers: 64 pixels in reading order with
all their three colours, and numbers from all over the picture, drawn by chance once for all. And once more the wrong
ones, with the strip's number told to the network.

**Predict, then run.** For which of the two models does the axis order matter?
"""


# %% tags=["demo"]
def single_objects(
    count: int, *, seed: int
) -> tuple[Float[Tensor, "image 3 height width"], Int64[Tensor, " image"]]:
    """Small pictures of one object, and its colour."""
    config = world.SceneConfig(objects=(1, 1), sizes=("large",))
    scenes = world.sample_scenes(count, generator=seeded(seed), config=config)
    return world.render(scenes, size=32).image - 0.5, scenes.colour[:, 0]


many, colour = single_objects(budget(1500, grading=100), seed=1)
new, new_colour = single_objects(budget(1000, grading=100), seed=2)
anywhere = torch.randperm(many[0].numel(), generator=seeded(3))
CUTS = {
    "patches": lambda images: patchify(images, PATCH),
    "wrong axis order": lambda images: strips(images, PATCH),
    "rows of pixels": lambda images: strips(images.movedim(1, 3).reshape(images.shape), PATCH),
    "numbers by chance": lambda images: strips(images.flatten(1)[:, anywhere].reshape(images.shape), PATCH),
    "wrong order, told which": lambda images: told_which(strips(images, PATCH)),
}


def told_which(parts: Tensor) -> Tensor:
    """Each patch with its own number behind it, one-hot."""
    number = torch.eye(parts.shape[1]).expand(len(parts), -1, -1)
    return torch.cat([parts, number], dim=2)


def colour_score(parts: Tensor, new_parts: Tensor, *, shared: bool, seed: int) -> float:
    """Test accuracy of a linear classifier on all numbers, or of one network for every patch, averaged."""
    torch.manual_seed(seed)
    width = parts.shape[2] if shared else parts[0].numel()
    reads = (
        nn.Sequential(nn.Linear(width, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU())
        if shared
        else nn.Flatten()
    )
    head = nn.Linear(64 if shared else width, len(world.COLOURS))

    def answer(x: Tensor) -> Tensor:
        return head(reads(x).mean(dim=1) if shared else reads(x))

    fit(
        lambda i: F.cross_entropy(answer(parts[i]), colour[i]),
        [*reads.parameters(), *head.parameters()],
        count=len(parts),
        steps=budget(600, grading=10),
        generator=seeded(seed),
        batch_size=64,
        learning_rate=3e-3,
        label=f"{'shared' if shared else 'linear'}, seed {seed}",
    )
    with torch.no_grad():
        return 100 * (answer(new_parts).argmax(dim=1) == new_colour).float().mean().item()


print(f"{'colour right, %':25s}{'linear, flattened':>20s}{'shared, averaged':>20s}")
for name, cut_up in CUTS.items():
    told = ""
    for shared in (False, True):
        score = [
            colour_score(cut_up(many), cut_up(new), shared=shared, seed=seed)
            for seed in range(budget(3, grading=1))
        ]
        told += f"{np.mean(score):13.1f} ± {np.std(score, ddof=1) if len(score) > 1 else 0:4.1f}"
    print(f"{name:25s}{told}")

# %% [markdown]
"""
The linear model on all numbers does not care at all: each number has a weight of its own, wherever it stands. So a
test of such a model, too, would never have found the mistake. The shared network does care, and the wrong order costs
it more than half of its accuracy. What is it that hurts? Not that squares became strips: rows of whole pixels do as
well as patches, within a quarter of a point. And not disorder as such: even numbers drawn by chance do far better
than the wrong order. It is that nearly every strip holds *one* colour channel, and the network does not know which. The
last row tells it the strip's number, and more than half of the loss is gone. (A transformer always does that: section 4.) What
remains is that red, green and blue of a pixel never meet. Patches decide what a model can put together cheaply.
"""

# %% [markdown]
"""
## 6. Sound: which frequencies, when

A waveform is a sequence of air pressures, 16,000 a second. Hardly anything that we hear is a property of one of these
numbers. A vowel is a set of frequencies that lasts for a tenth of a second; and if the recording starts a millisecond
later, the vowel is the same and all numbers are different. So sound is mostly given to models as a **spectrogram**:
which frequencies are there, as time goes by.

- **Frames.** Cut out N samples, beginning at sample 0, at H (the *hop*), at 2H, … Usually H < N, so that frames
  overlap. Frames that do not fit any more are left out; nothing is padded. That makes 1 + ⌊(T − N) / H⌋ frames of T
  samples.
- **Window.** A cut makes hard edges, and an edge contains all frequencies. So fade in and out: multiply sample n = 0,
  …, N − 1 of each frame by the Hann window w_n = ½ − ½ cos(2πn / N).
- **Fourier transform.** X_k = Σ_n w_n x_n e^(−2πikn/N). For real x, bin N − k is the mirror image of bin k, so keep k
  = 0, …, N/2: N/2 + 1 bins, for the frequencies k · rate / N.
- **Power and logarithm.** P_k = |X_k|², in decibels 10 · log₁₀ P_k. Ears judge by ratios, and so do decibels.
- **Floor.** The log of zero is minus infinity, and silence is common. Replace P by max(P, floor) before the
  logarithm.

A check that costs nothing is **Parseval's theorem**: energy in time is energy in frequency. In this convention (no
factor in the transform, one-sided, N even)

Σ_n (w_n x_n)² = (P_0 + 2 · (P_1 + … + P_{N/2−1}) + P_{N/2}) / N.

{{exercise:log_spectrogram}}

Write `log_spectrogram` as specified above: a tensor of shape (frames, N/2 + 1), in decibels.

**The trap:** hop and frame length are two different numbers. Power is the *square* of the magnitude. The window is
easily forgotten, and nothing crashes. (Its denominator here is N, as in `torch.hann_window(N)`; `np.hanning(N)`
divides by N − 1.) And `torch.stft` pads both ends unless told otherwise.
"""


# %% nbgrader={"grade": false, "grade_id": "log_spectrogram", "locked": false, "schema_version": 3, "solution": true, "task": false}
def log_spectrogram(
    waveform: Float[Tensor, " time"], *, size: int, hop: int, floor: float = 1e-10
) -> Float[Tensor, "frame bin"]:
    """The power of each frequency in each frame, in decibels.

    Args:
        waveform: at least `size` samples.
        size: N, samples of a frame; even.
        hop: H, samples from the start of one frame to the start of the next.
        floor: the least power, above 0; what is below counts as this.

    Returns:
        10 · log₁₀ max(P, floor): frames in time, bins k = 0 … N/2 from 0 to half the sample rate.

    Source: Oppenheim and Schafer, "Discrete-time signal processing", section 10.3; deck A19 for the signals.
    """
    ### BEGIN SOLUTION
    frames = waveform.unfold(0, size, hop)  # (frame, sample)
    power = torch.fft.rfft(frames * torch.hann_window(size)).abs().square()  # (frame, bin)
    return 10 * power.clamp(min=floor).log10()
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "log_spectrogram-check", "locked": true, "points": 5, "schema_version": 3, "solution": false, "task": false}
exercise = Exercise("log_spectrogram", points=5)
spectrum_of = exercise.student()


def levels(waveform, *, size, hop, **options):
    """What the student's function says of a waveform, checked for its shape, in doubles."""
    got = spectrum_of(waveform, size=size, hop=hop, **options)
    count, bins = 1 + (len(waveform) - size) // hop, size // 2 + 1
    found = tuple(getattr(got, "shape", ()))
    likely = {
        (
            count,
            size,
        ): "this is two-sided: for real signals the bins above N/2 are mirror images; keep N/2 + 1 of them",
        (bins, count): "this is transposed: frames come first, then bins",
        (count, bins - 1): "a bin is missing: k = 0, …, N/2 are N/2 + 1 bins, both ends included",
        (
            1 + (len(waveform) - size) // max(size - hop, 1),
            bins,
        ): "these frames overlap by the hop: the hop is the step from one frame's start to the next",
        (
            1 + (len(waveform) - hop) // size,
            hop // 2 + 1,
        ): "hop and frame length are swapped: frames are N long, and begin H apart",
        (
            1 + len(waveform) // hop,
            bins,
        ): "there are too many frames: nothing is padded (torch.stft needs center=False)",
        (count - 1, bins): "the last frame that fits is missing: there are 1 + (T − N) // H",
        (
            len(waveform) // size,
            bins,
        ): "these frames begin N apart: they overlap, as each begins H after the last",
        (count + 1, bins): "there is a frame too many: those that do not fit are left out, and not padded",
    }
    if found != (count, bins) and found in likely:
        exercise.true(False, f"the shape is {found}, expected {(count, bins)}: {likely[found]}")
    exercise.shape(got, (count, bins))
    return torch.as_tensor(got).detach().double()


with exercise.check(
    "a tone is in its bin",
    points=1,
    hint="Eight periods in N = 64 samples: bin 8. There |X| = N/4 = 16, since the window's mean is ½ and a cosine has two sides; the "
    "power is 256, which is 24.08 dB. The two neighbours have a quarter of the power.",
):
    tone = torch.cos(2 * torch.pi * 8 * torch.arange(320) / 64)
    got = levels(tone, size=64, hop=16)
    exercise.true(
        bool((got[:, 8] - got[0, 8]).abs().max() < 0.02),
        "a steady tone has another level in each frame: the window fades each frame in and out, not the whole recording",
    )
    got = got[3]
    peak = float(got[8])
    for level, mistake in {
        30.10: "30.1 dB is the tone without a window",
        12.04: "12.0 dB is ten times the log of the magnitude; the power is its square",
        48.16: "48.2 dB is twenty times the log of the power: 20 log₁₀ is for magnitudes, 10 log₁₀ for powers",
        5.545: "5.5 is the natural logarithm of the power",
        2.408: "2.4 is the log₁₀ of the power: decibels are ten of those",
        23.95: "23.9 dB is a symmetric window, divided by N − 1; here it is N",
        24.75: "24.7 dB is a Hamming window",
    }.items():
        exercise.true(abs(peak - level) > 0.04, f"{mistake}; expected are 24.08 dB at the tone's bin")
    exercise.close(got[7:10], [18.062, 24.082, 18.062], atol=0.02)
    exercise.true(
        bool((got < -1).any()),
        "nothing is below 0 dB: the floor is a power, so it comes before the logarithm",
    )
    exercise.true(
        bool((got[[0, 3, 5, 11, 20, 32]] < -40).all()),
        "the tone sounds in other bins as well; with the window it is in bins 7, 8 and 9 alone",
    )

with exercise.check(
    "a click is heard in the frames that hold it",
    points=1,
    hint="Frame j has the samples jH … jH + N − 1. A click of height 1 has the same power in all bins of a frame, w² of the place at "
    "which it stands there. All other frames are silent: at the floor that was passed.",
):
    click = torch.zeros(1000)
    click[100] = 1.0
    got = levels(click, size=64, hop=24, floor=1e-8)  # 40 frames, the last ends with the last sample
    wanted = torch.full((40, 33), -80.0, dtype=torch.float64)
    for frame in range(2, 5):
        place = 100 - 24 * frame
        wanted[frame] = 20 * np.log10(0.5 - 0.5 * np.cos(2 * np.pi * place / 64))
    exercise.close(got, wanted, atol=0.02)

### BEGIN HIDDEN TESTS
with exercise.check(
    "Parseval: the energy in frequency is the energy in time",
    points=1,
    hint="P is |X|² without any factor; the window multiplies the samples, before the transform.",
):
    size, hop = 2 * int(exercise.rng.integers(10, 40)), int(exercise.rng.integers(5, 30))
    steps, rest = int(exercise.rng.integers(8, 30)), int(exercise.rng.integers(1, hop))
    noise = exercise.draw(size + steps * hop + rest)  # the rest fills no frame
    power = 10 ** (levels(noise, size=size, hop=hop) / 10)
    window = 0.5 - 0.5 * torch.cos(2 * torch.pi * torch.arange(size, dtype=torch.float64) / size)
    energy = torch.stack(
        [(noise[j * hop : j * hop + size].double() * window).square().sum() for j in range(len(power))]
    )
    exercise.close((2 * power.sum(1) - power[:, 0] - power[:, -1]) / size, energy, atol=1e-4, rtol=2e-3)

with exercise.check(
    "a fresh recording, bin by bin",
    points=1,
    hint="Compare with the sum itself: X_k = Σ w_n x_n e^(−2πikn/N), n from the frame's own first sample.",
):
    size, hop = 2 * int(exercise.rng.integers(8, 30)), int(exercise.rng.integers(3, 40))
    noise = float(10 ** exercise.rng.uniform(-1, 1)) * exercise.draw(5 * size)
    power = 10 ** (levels(noise, size=size, hop=hop) / 10)
    n = np.arange(size)
    window = 0.5 - 0.5 * np.cos(2 * np.pi * n / size)
    waves = np.exp(-2j * np.pi * np.outer(np.arange(size // 2 + 1), n) / size)
    frames = [noise[j * hop : j * hop + size].double().numpy() for j in range(len(power))]
    wanted = np.abs(np.stack([waves @ (window * frame) for frame in frames])) ** 2
    exercise.close(power, wanted, atol=1e-4 * float(wanted.mean()), rtol=2e-3)

with exercise.check(
    "silence is at the floor, and all else as it was",
    points=1,
    hint="max(P, floor) before the logarithm: `clamp(min=floor)`. Adding the floor lifts what is a little above it, too, and a floor "
    "that goes by the loudest is another one for each recording.",
):
    floor = float(10 ** exercise.rng.uniform(-6, -2))
    quiet = torch.zeros(1024)
    quiet[512:] = 100 * exercise.draw(512)  # much louder, and none of the frames below has a part of it
    quiet[256:512] = (2 * floor) ** 0.5 / 16 * torch.cos(2 * torch.pi * 5 * torch.arange(256) / 64)
    got = levels(quiet, size=64, hop=32, floor=floor)
    exercise.finite(got)
    least = 10 * np.log10(floor)
    exercise.close(got[:7], torch.full((7, 33), least, dtype=torch.float64), atol=0.01)
    exercise.close(got[14, 4:7], [least, least + 3.0103, least], atol=0.02)
### END HIDDEN TESTS
exercise.report()

# %% [markdown]
"""
<details><summary>A nudge</summary>

`waveform.unfold(0, size, hop)` is the table of frames, one a row, without a loop. Of `torch.fft` you want the
transform for real input.
</details>
<details><summary>Pseudo code</summary>

```text
frames ← all slices of N samples that begin at 0, H, 2H, … and fit
window ← ½ − ½ cos(2πn/N), n = 0 … N − 1
X ← one-sided Fourier transform of each frame · window
power ← |X|²; return 10 · log₁₀(max(power, floor))
```
</details>
<details><summary>Help: my click is in the right frames, but at the wrong level</summary>

The level tells where in the frame the click stands. If all three frames have the same level, there is no window; if
they are off by a little, look at the window's denominator.
</details>
"""

# %% [markdown]
"""
### What the frame length trades

One spoken caption, two frame lengths, the same hop. A frame of N samples is N / rate seconds long, and its bins are
rate / N hertz apart: the product is 1. Whoever looks twice as closely at the frequencies looks half as closely at the
time.

**Predict, then run.** In which of the two pictures will you see the pitch of the voice (115 Hz, with its multiples)?
"""

# %% tags=["demo"]
from IPython.display import Audio, display

SENTENCE = "a small red cube left of a large green torus"
spoken = world.speak([SENTENCE])
RATE, HOP = spoken.sample_rate, 64
wave = spoken.waveform[0, : spoken.length[0]]
marks = list(zip(spoken.words[0], spoken.start[0].tolist(), spoken.end[0].tolist(), strict=False))


def panel_name(size: int, rate: float, unit: str = "ms") -> str:
    """How long a frame is, and how far apart its bins are."""
    return f"frames of {1000 * size / rate:.0f} {unit}, bins {rate / size:.3g} Hz apart"


viz.show(
    viz.spectrogram(
        {
            panel_name(size, RATE): log_spectrogram(wave, size=size, hop=HOP, floor=1e-8)
            for size in (128, 1024)
        },
        rate=RATE,
        hop=HOP,
        words=marks,
        reach=70,
        highest=5000,
        title="Short frames tell when, long frames tell which frequency",
    ),
    alt="Two spectrograms of the same spoken caption with its words above. With frames of 8 ms the beginnings of sounds and single "
    "pulses of the voice are sharp in time and the resonances are broad bands. With frames of 64 ms the bands dissolve into thin "
    "level lines, the multiples of the pitch, and the beginnings are smeared.",
)
display(Audio(wave.numpy(), rate=RATE))

# %% [markdown]
"""
Above, one sees *when*: the burst of air that opens "cube" or "torus" is a sharp upright line, and within the vowels
there is an upright line for each single vibration of the vocal folds. The resonances of the throat are broad bands that
glide from sound to sound: they are what tells the vowels apart. Below, the same bands have dissolved into level lines:
the pitch and its multiples, which rise and fall together as the sentence is intoned. In exchange the bursts are smeared
over the length of a frame. Neither is the right one. 20 to 30 ms, somewhere in between, is usual for speech.

The same tool on a signal of the body: three heartbeats, a real electrocardiogram (`load_ecg`). Its electric hum stands
at one sixth of the sample rate. The file does not say what that rate is; the course *inferred* 360 a second by reading
the hum as the 60 Hz of American mains. So the scale of the picture rests on that reading, and the line at 60 Hz is no
discovery.
"""

# %% tags=["demo"]
from mmdl_course.data.signals import load_ecg

ecg = load_ecg()
beats = (ecg.signal - ecg.signal.mean()) / ecg.signal.std()
viz.show(
    viz.spectrogram(
        {
            panel_name(size, ecg.rate): log_spectrogram(beats, size=size, hop=4, floor=1e-8)
            for size in (32, 256)
        },
        rate=ecg.rate,
        hop=4,
        reach=70,
        highest=120,
        title="Three heartbeats, and a line at 60 Hz that only long frames show",
    ),
    alt="Two spectrograms of three heartbeats. With frames of 89 ms three narrow upright stripes, one for each beat, reach from 0 to "
    "about 100 Hz, with weaker low waves before and after each. With frames of 711 ms the stripes are broad hills, and a thin level "
    "line stands at 60 Hz. Grey margins at both ends, half a frame wide.",
)
steady = log_spectrogram(beats, size=256, hop=4)
hertz = torch.arange(steady.shape[1]) * ecg.rate / 256
band = (hertz > 45) & (hertz < 75)
loudest = steady.mean(0)[band].argmax()
print(
    f"loudest between 45 and 75 Hz: bin at {hertz[band][loudest]:.1f} Hz, {steady.mean(0)[band].max() - steady.mean(0)[band].median():.0f} dB over the band's median"
)

# %% [markdown]
"""
The short frames tell the moment of each beat, and even the smaller waves before and after it; the hum is no more than
a pale band two bins high. The long frames find the hum as a thin line, and blur each beat into a hill that is as wide
as a frame. (The grey margins have no frame whose middle is there: nothing was padded.)

### Optional: what is it good for?

Fourteen words, each spoken alone by twelve voices; twelve *other* voices in the test. Pitch, length of the throat,
speed and breath are drawn at random for each voice. The classifier learns nothing: it takes the word of the nearest
training example (Euclidean distance). So all that differs is the encoding, from the raw samples step by step to the
log-spectrogram, averaged over time. Chance is 1 in 14, 7.1 %.

**Predict, then run.** Which step will gain most: to frequencies at all, the window, the square, or the logarithm?
"""

# %% tags=["demo"]
SPOKEN = ("red", "green", "blue", "yellow", "white", "cube", "cone", "sphere", "torus", "cylinder", "left", "right", "small", "large")  # fmt: skip


def random_voices(count: int, *, seed: int) -> list[world.Voice]:
    """Speakers that differ in everything; short throats tend to have high voices."""
    rng = np.random.default_rng(seed)
    voices = []
    for number in range(count):
        tract = rng.uniform(0.75, 1.1)
        pitch = np.clip(115 * tract**-3 * np.exp(0.12 * rng.normal()), 60, 350)
        rate, breath, intonation = rng.uniform((0.75, 0.1, 3.0), (1.3, 0.6, 9.0))
        voices.append(
            world.Voice(
                f"{number}", float(pitch), float(tract), float(rate), float(breath), float(intonation)
            )
        )
    return voices


def spectrum(frames: Tensor, *, window: bool) -> Tensor:
    """Magnitudes of frames, with the window or without."""
    return torch.fft.rfft(frames * torch.hann_window(frames.shape[1]) if window else frames).abs()


def averaged(wave: Tensor) -> dict[str, Tensor]:
    """Encodings of one word; all but the first two are averaged over time."""
    frames = wave.unfold(0, 256, 128)
    whole = F.pad(wave, (0, max(0, 16_000 - len(wave))))[:16_000]
    return {
        "raw samples": whole,
        "one transform of it all": torch.fft.rfft(whole).abs(),
        "magnitude, no window": spectrum(frames, window=False).mean(0),
        "magnitude, window": spectrum(frames, window=True).mean(0),
        "power, window": spectrum(frames, window=True).square().mean(0),
        "log-power, no window": 10 * spectrum(frames, window=False).square().clamp(min=1e-4).log10().mean(0),
        "log-spectrogram": log_spectrogram(wave, size=256, hop=128, floor=1e-4).mean(0),
        "same, floor 1e-10": log_spectrogram(wave, size=256, hop=128, floor=1e-10).mean(0),
    }


def encoded_words(voices: list[world.Voice]) -> dict[str, Tensor]:
    """All encodings of all words by all voices; the words run fastest."""
    speech = world.speak(list(SPOKEN) * len(voices), voice=[voice for voice in voices for _ in SPOKEN])
    rows = [averaged(wave[:length]) for wave, length in zip(speech.waveform, speech.length, strict=True)]
    return {name: torch.stack([row[name] for row in rows]) for name in rows[0]}


heard: dict[str, list[float]] = {}
for seed in range(budget(4, grading=1)):
    speakers = budget(12, grading=2)
    known = encoded_words(random_voices(speakers, seed=seed))
    others = encoded_words(random_voices(speakers, seed=1000 + seed))
    truth = torch.arange(len(SPOKEN)).repeat(speakers)
    for name in known:
        nearest = torch.cdist(others[name], known[name]).argmin(dim=1)
        heard.setdefault(name, []).append(100 * (truth[nearest] == truth).float().mean().item())
print(f"{'words right, %':24s}other voices")
for name, scores_of_word in heard.items():
    deviation = np.std(scores_of_word, ddof=1) if len(scores_of_word) > 1 else 0.0
    print(f"{name:24s}{np.mean(scores_of_word):6.1f} ± {deviation:.1f}")
print(f"{'chance':24s}{100 / len(SPOKEN):6.1f}")

# %% [markdown]
"""
The raw samples are near chance: the nearest waveform is hardly ever the same word, as two recordings of one word do
not line up sample by sample. Looking at frequencies is a large step, even by one transform of the whole recording; frames
that are averaged over time are another one, since a voice's pitch then counts less. The window adds four to eight points, the logarithm nine to fourteen. The square alone *hurts*: distances
between powers are decided by the few loudest bins, and only the logarithm brings the quiet ones back. So "power" in a
log-spectrogram is not there for its own sake: with a logarithm, it is a factor of two.

The row before chance is a warning. The same log-spectrogram with a lower floor loses eight points, since it then
takes seriously how silent the silence is. (The floor of 1e-4 was the first we tried. These are synthetic voices and
one simple classifier; the order of the steps may be another one elsewhere.) And all but the first forgot the order of
the sounds, as they are means over time. For fourteen words that is enough; but two words with the same sounds in
another order would look the same.
"""

# %% [markdown]
"""
## 7. Text in pieces

A model reads numbers. So a text has to be cut into pieces of which there is a fixed list, the *vocabulary*; a piece is
called a *token*, and its place in the list is the number that the model gets. Two obvious choices are both bad.
**Letters**: texts become long, a single letter means little, and there are some 150,000 characters in the world, most
of which no training text holds.
**Words**: short texts, but there is no end of words. Whatever was not in the training texts becomes *unknown*, and
what is unknown can neither be read nor written.

**Byte-pair encoding** (Sennrich, Haddow and Birch 2016) stands in between, and most language models use a form of
it. Begin with the smallest pieces. Find the two that stand side by side most often, and make them one piece. Do it
again, some hundred or some ten thousand times. Frequent words end up whole, and rare ones stay in parts.

Our smallest pieces are **bytes**. A computer stores a text as numbers 0 … 255 already: in the code UTF-8 a plain Latin
letter takes one byte, ü takes two, 猫 three, and 🐈 four. There are 256 bytes and no more, so nothing can be unknown,
in any language. In Python:

    "für".encode()                # b'f\xc3\xbcr', of type bytes: ü is the two bytes c3 and bc
    bytes([102])                  # b'f', the bytes that have these numbers
    b"f" + b"\xc3"                # bytes are joined like texts
    b"f\xc3\xbcr".decode()        # and back: 'für'
"""

# %%
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import pairwise, product

from scipy.stats import rankdata

from mmdl_course.architectures.pretrained import load_minilm
from mmdl_course.course import CourseError
from mmdl_course.data.emoji import load_emoji

# %% [markdown]
"""
{{exercise:byte_pairs}}

Write `learn_merges`, `encode` and `decode`. A token is a value of type `bytes`. The rules, exactly:

- **Word ends.** A word begins as a list of its single bytes, with one space, `b" "`, behind them as its last token. So
  "low" begins as `[b"l", b"o", b"w", b" "]`. The space marks the end of the word, and tells *-er* at the end from *er*
  in *error*. No pair reaches over it into the next word.
- **Learning.** Count how often each pair of tokens stands side by side within words; a word counts as often as its
  text says. Pairs may overlap: in *aaa*, the pair (a, a) stands twice. Join the most frequent pair everywhere, from
  left to right: *aaa* becomes *aa*, *a*. Then count afresh.
- **Ties.** Among equally frequent pairs take the one that comes first in dictionary order, which is how Python sorts
  pairs of bytes: `(b"a", b"z") < (b"b", b"a")`.
- **Stop** after `number` merges, or earlier when no pair occurs at least twice.
- **Encoding.** `text.split(" ")` are the words (some may be empty; they still have their space). Split each as above,
  then apply the merges *in the order in which they were learned*, each wherever it fits, from left to right.
- **Decoding** gives back the very same text, whatever it was: double spaces, letters that learning never saw, emoji,
  or nothing at all.

Leave `counts` as it was. Two helper stubs, `single_bytes` and `joined`, stand below: fill them, or delete them.

**The traps:** merging over the end of a word; ties; a way back that drops a double space. In encoding, not the longest
token wins, nor the pair that is most frequent in the text at hand, but the merge that
was learned first. And a token may hold half of a character: what cannot be decoded alone can be decoded together.
"""

# %% nbgrader={"grade": false, "grade_id": "byte_pairs", "locked": false, "schema_version": 3, "solution": true, "task": false}
Pair = tuple[bytes, bytes]


def learn_merges(counts: Mapping[str, int], number: int) -> list[Pair]:
    """Learn which tokens to join.

    Args:
        counts: each word (without spaces) and how often it occurs.
        number: of merges to learn, 0 or more; fewer when no pair occurs twice any more.

    Returns:
        The pairs that were joined, in the order of learning.

    Source: Sennrich, Haddow and Birch 2016, "Neural machine translation of rare words with subword units",
        algorithm 1; on bytes, as in Radford et al. 2019 (GPT-2).
    """
    ### BEGIN SOLUTION
    words = [(single_bytes(word), count) for word, count in counts.items()]
    merges: list[Pair] = []
    while len(merges) < number:
        pairs: Counter[Pair] = Counter()
        for tokens, count in words:
            for pair in pairwise(tokens):
                pairs[pair] += count
        best = min(pairs, key=lambda pair: (-pairs[pair], pair), default=None)
        if best is None or pairs[best] < 2:
            break
        merges.append(best)
        words = [(joined(tokens, best), count) for tokens, count in words]
    return merges
    ### END SOLUTION


def single_bytes(word: str) -> list[bytes]:
    """A word as single bytes, its end marked. A helper for both functions: yours to use or to replace."""
    ### BEGIN SOLUTION
    return [bytes([byte]) for byte in (word + " ").encode()]
    ### END SOLUTION


def joined(tokens: list[bytes], pair: Pair) -> list[bytes]:
    """The tokens with this pair made one wherever it stands, from left to right. Another helper."""
    ### BEGIN SOLUTION
    if pair[0] not in tokens:  # as with most pairs
        return tokens
    result: list[bytes] = []
    place = 0
    while place < len(tokens):
        fits = tuple(tokens[place : place + 2]) == pair
        result.append(tokens[place] + tokens[place + 1] if fits else tokens[place])
        place += 2 if fits else 1
    return result
    ### END SOLUTION


def encode(text: str, merges: Sequence[Pair]) -> list[bytes]:
    """Cut a text into tokens.

    Args:
        text: anything.
        merges: in the order of learning.

    Returns:
        The tokens of all its words, in order.
    """
    ### BEGIN SOLUTION
    result: list[bytes] = []
    for word in text.split(" "):
        tokens = single_bytes(word)
        for pair in merges:
            tokens = joined(tokens, pair)
        result += tokens
    return result
    ### END SOLUTION


def decode(tokens: Sequence[bytes]) -> str:
    """Put the text together again.

    Args:
        tokens: as `encode` gives them.

    Returns:
        The text that was encoded.
    """
    ### BEGIN SOLUTION
    return b"".join(tokens).decode().removesuffix(" ")
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "byte_pairs-check", "locked": true, "points": 6, "schema_version": 3, "solution": false, "task": false}
exercise = Exercise("byte_pairs", points=6)
learn, cut, back = (exercise.student(name) for name in ("learn_merges", "encode", "decode"))


def in_pairs(text):
    """Pairs as they are easily written: "e+s es+t" with _ for the space."""
    return [tuple(part.replace("_", " ").encode() for part in pair.split("+")) for pair in text.split()]


with exercise.check(
    "four words, by hand",
    points=1,
    hint="es, st and t_ (with _ for the word's end) all stand 6 + 3 = 9 times; in dictionary order es comes first. Then es+t, est+_, and "
    "l+o stands 5 + 2 = 7 times. The space "
    "stands behind each word, as a token of its own.",
):
    words = {"low": 5, "lower": 2, "newest": 6, "widest": 3}
    got = learn(words, 8)
    exercise.true(
        not any(isinstance(pair, bytes | str) for pair in got),
        'a merge is the pair of tokens that were joined, as (b"e", b"s"), not the token that they make',
    )
    exercise.equal([tuple(pair) for pair in got], in_pairs("e+s es+t est+_ l+o lo+w e+w ew+est_ n+ewest_"))
    exercise.true(
        words == {"low": 5, "lower": 2, "newest": 6, "widest": 3},
        "learn_merges has changed the counts that it was given",
    )

with exercise.check(
    "words count as often as they occur, overlaps count, ties go by the dictionary, and there is an end",
    points=1,
    hint="aaa, twice, holds the pair (a, a) four times, for overlapping pairs count. Of equally frequent pairs the first in dictionary order. "
    "It is pairs that are compared, so (a, z) comes before (ab, a), although aba comes before az. aaab becomes aa, a, b. Stop when the best "
    "pair occurs only once, or when there is no pair any more, and after `number` merges.",
):
    exercise.equal([tuple(pair) for pair in learn({"aaa": 2, "zy": 3}, 1)], in_pairs("a+a"))
    exercise.equal([tuple(pair) for pair in learn({"zy": 2, "ba": 2}, 3)], in_pairs("a+_ b+a_ y+_"))
    exercise.equal(
        [tuple(pair) for pair in learn({"ab": 3, "aba": 2, "az": 2}, 4)], in_pairs("a+b ab+_ a+_ a+z")
    )
    exercise.equal([tuple(pair) for pair in learn({"aaab": 2}, 2)], in_pairs("a+a a+b"))
    exercise.equal([tuple(pair) for pair in learn({"cab": 1, "dab": 1}, 9)], in_pairs("a+b ab+_"))
    exercise.equal([tuple(pair) for pair in learn({"ab": 2}, 9)], in_pairs("a+b ab+_"))
    exercise.equal(list(learn({"cab": 1, "dog": 1}, 9)), [])
    exercise.equal(list(learn({"aa": 7}, 0)), [])

with exercise.check(
    "encoding: in the order of learning, from left to right",
    points=1,
    hint="Apply the merges in the order in which they were learned. abc with b+c, a+b, ab+c: first b+c, then there is no a+b left. Neither "
    "the longest token nor the most frequent pair decides. aaa becomes aa, a. And each word is cut on its own, and keeps "
    "its space, the last one, too.",
):
    exercise.equal(list(cut("abc", in_pairs("b+c a+b ab+c"))), [b"a", b"bc", b" "])
    exercise.equal(list(cut("abc ab", in_pairs("a+b b+c ab+c abc+_"))), [b"abc ", b"ab", b" "])
    exercise.equal(list(cut("aaa", in_pairs("a+a"))), [b"aa", b"a", b" "])
    exercise.equal(list(cut("a a", in_pairs("_+a a+_"))), [b"a ", b"a "])

with exercise.check(
    "the way back loses nothing",
    points=1,
    hint="Join all bytes first and decode them together, for a token may end within a character. Then take off one space, that of the last "
    "word, and no more: text.split(' ') keeps empty words, text.split() does not. Capitals and accents stay as they are.",
):
    merges = [*in_pairs("a+t c+at cat+_"), (b"\xc3", b"\xbc"), (b"f", b"\xc3\xbc")]
    for text in (
        "cat",
        "the cat sat",
        "für",
        "a  cat ",
        " cat",
        "",
        " ",
        "猫 🐈 <\t>\n",
        "</w> cat_",
        "The CAT",
        "e\u0301 ﬁ",
    ):
        exercise.equal(back(cut(text, merges)), text)
    exercise.equal(back([b"f\xc3", b"\xbc", b"r "]), "für")


### BEGIN HIDDEN TESTS
def slowly_learned(counts, number):
    """A second opinion: texts in which every token stands between bars."""
    texts = {word: [bytes([byte]) for byte in word.encode()] + [b" "] for word in counts}
    merges = []
    for _ in range(number):
        seen = {}
        for word, tokens in texts.items():
            for place in range(len(tokens) - 1):
                pair = (tokens[place], tokens[place + 1])
                seen[pair] = seen.get(pair, 0) + counts[word]
        most = max(seen.values(), default=0)
        if most < 2:
            break
        merges.append(sorted(pair for pair, count in seen.items() if count == most)[0])
        texts = {word: slowly_joined(tokens, merges[-1]) for word, tokens in texts.items()}
    return merges


def slowly_joined(tokens, pair):
    tokens = list(tokens)
    place = 0
    while place < len(tokens) - 1:
        if (tokens[place], tokens[place + 1]) == pair:
            tokens[place : place + 2] = [pair[0] + pair[1]]
        place += 1
    return tokens


def slowly_encoded(text, merges):
    result = []
    for word in text.split(" "):
        tokens = [bytes([byte]) for byte in word.encode()] + [b" "]
        for pair in merges:
            tokens = slowly_joined(tokens, pair)
        result += tokens
    return result


def invented(rng, letters, count):
    """Invented words with their counts."""
    words = {"".join(rng.choice(letters, size=rng.integers(1, 9))) for _ in range(count)}
    return {word: int(rng.integers(1, 6)) for word in sorted(words)}


with exercise.check(
    "fresh words: learned as by hand, and nothing joins two words",
    points=1,
    hint="A space can only stand at a token's end, since it marks the end of a word: count pairs within each word on its own. After each "
    "merge count afresh.",
):
    counts = invented(exercise.rng, list("abcdeü"), 30)
    got = [tuple(pair) for pair in learn(counts, 25)]
    exercise.true(
        not any(b" " in pair[0] + pair[1][:-1] for pair in got),
        "a merge reaches over the end of a word: its token has a space before its last byte",
    )
    exercise.equal(got, slowly_learned(counts, 25))
    exercise.equal([tuple(pair) for pair in learn(Counter({"猫": 2}), 9)], slowly_learned({"猫": 2}, 9))

with exercise.check(
    "fresh text: by the merges alone, and back",
    points=1,
    hint="Each word starts as single bytes; each merge in turn, wherever it fits. Words that learning never saw are cut in the same way, and "
    "no word looks into the next.",
):
    merges = slowly_learned(invented(exercise.rng, list("abcé"), 40), 30)
    for letters in (list("abcé"), list("abcé xyß🐈")):
        text = " ".join(invented(exercise.rng, letters, 12))
        got = list(cut(text, merges))
        exercise.equal(got, slowly_encoded(text, merges))
        exercise.equal(back(got), text)
### END HIDDEN TESTS
exercise.report()

# %% [markdown]
"""
<details><summary>A nudge</summary>

Begin with `joined`: the tokens of *one word*, *one pair*. Learning and encoding both need hardly anything else: learning
calls it after each choice, encoding calls it for each merge.
</details>
<details><summary>Pseudo code</summary>

```text
learn: words ← each word as single bytes and a space
  repeat at most number times:
    count all neighbours (token, next token) within each word, times the word's count
    best ← the largest count; among those the smallest pair; stop if it occurs fewer than 2 times
    remember best; join it in all words
encode: for each word of text.split(" "): single bytes and a space; for each merge in order: join it
decode: join all tokens, decode the bytes once, drop the one last space
```
</details>
<details><summary>Help: b"low"[0] is 108 and not b"l"</summary>

A single place of `bytes` is a number. `bytes([108])` makes bytes of it again; `b"low"[0:1]` stays bytes.
</details>
<details><summary>Help: UnicodeDecodeError: unexpected end of data</summary>

You decode the tokens one by one, and one of them ends in the middle of a character. Join them first.
</details>
"""

# %% [markdown]
"""
### One language's pieces, another one's words

The names of real emoji, in English and in German (Unicode; flags are left out, as their names are those of countries
in any language). We take half of the emoji at random, learn merges from the words of their names, and cut the names
of the other half. That is done with merges learned on English, on German, and on both together, and with one crippled
baseline: English words **with the letters of all words shuffled** among them, which keeps how frequent each letter
is and destroys everything else. Three random halves.

**Predict, then run.** A German name, cut with pieces learned on English: will it need about as many tokens as with
pieces of its own, twice as many, or as many as it has letters? And will merges learned on both together be worse for
each language than its own?
"""

# %%
emoji = load_emoji(size=8)
named = (emoji.group != emoji.groups.index("Flags")).nonzero()[:, 0].tolist()
named = named[:: budget(1, grading=8)]
SIZES_TRIED = budget((0, 50, 100, 200, 400), grading=(0, 10, 20))


def name_words(language: str, which: Sequence[int]) -> list[str]:
    """All words of these emoji's names, in small letters, as they come."""
    return [word for i in which for word in re.findall(r"[^\W_]+", emoji.names[language][i].lower())]


def shuffled_letters(words: Sequence[str], rng: np.random.Generator) -> list[str]:
    """Words of the same lengths, from the same letters, in any order."""
    pool = iter(rng.permutation(list("".join(words))))
    return ["".join(next(pool) for _ in word) for word in words]


halves = []
for seed in range(budget(3, grading=1)):
    order = np.random.default_rng(seed).permutation(named)
    halves.append((order[: len(order) // 2], order[len(order) // 2 :]))
train, test = halves[0]
print(f"{len(named)} emoji: {len(train)} to learn from, {len(test)} to test on")
for language in ("en", "de"):
    words = name_words(language, train)
    print(
        f"{language}: {len(words)} words to learn from, {len(set(words))} different ones: {' '.join(words[:9])} …"
    )

# %% tags=["demo"]
LEARNED = {
    "English": lambda half, rng: name_words("en", half),
    "German": lambda half, rng: name_words("de", half),
    "both": lambda half, rng: name_words("en", half) + name_words("de", half),
    "shuffled English": lambda half, rng: shuffled_letters(name_words("en", half), rng),
}
Scores = dict[tuple[str, str], list]  # (language of the names, learned on) → one entry for each half


def measure(learned: Mapping[str, Sequence[Sequence[Pair]]]) -> tuple[Scores, Scores, Scores]:
    """Of the test halves' words: tokens per word for each size, % in one token, % of bytes left alone."""
    per_word: Scores = {}
    whole: Scores = {}
    alone: Scores = {}
    for language in SPOKEN:
        for name, of_halves in learned.items():
            key = (language, name)
            per_word[key], whole[key], alone[key] = [], [], []
            for (_, test), merges in zip(halves, of_halves, strict=True):
                asked = Counter(name_words(language, test))
                row = []
                for size in SIZES_TRIED:
                    cuts = {word: encode(word, merges[:size]) for word in asked}
                    row.append(sum(len(cuts[word]) * count for word, count in asked.items()) / asked.total())
                per_word[key].append(row)
                tokens = [token for word, count in asked.items() for token in [*cuts[word]] * count]
                size = sum(len(word.encode()) * count for word, count in asked.items())
                alone[key].append(100 * sum(len(token.strip(b" ")) == 1 for token in tokens) / size)
                ones = sum(count for word, count in asked.items() if len(cuts[word]) == 1)
                whole[key].append(100 * ones / asked.total())
    return per_word, whole, alone


SPOKEN = {"en": "English", "de": "German"}
learned = {
    name: [
        learn_merges(Counter(words_of_half(train, np.random.default_rng(seed))), SIZES_TRIED[-1])
        for seed, (train, _) in enumerate(halves)
    ]
    for name, words_of_half in LEARNED.items()
}
per_word, whole, alone = measure(learned)


def mean_and_spread(values: Sequence[float], form: str = "5.2f") -> str:
    """Mean ± standard deviation over the halves."""
    spread = f" ± {np.std(values, ddof=1):{form.split('.')[1].join(('.', ''))}}" if len(values) > 1 else ""
    return f"{np.mean(values):{form}}" + spread


columns = ("tokens per word", "words in one token, %", "bytes left alone, %")
print(f"{'names in':10s}{'merges learned on':20s}" + "".join(f"{column:>24s}" for column in columns))
for language, name in per_word:
    cells = (
        mean_and_spread([row[-1] for row in per_word[language, name]]),
        mean_and_spread(whole[language, name], "5.1f"),
        mean_and_spread(alone[language, name], "5.1f"),
    )
    print(f"{SPOKEN[language]:10s}{name:20s}" + "".join(f"{cell:>24s}" for cell in cells))
    if name == "shuffled English":
        characters = [row[0] for row in per_word[language, name]]
        print(f"{SPOKEN[language]:10s}{'nothing (bytes)':20s}{mean_and_spread(characters):>24s}")
print("\nbaseline, whole words: share of the test half's words that the training half never saw")
for read in ("en", "de"):
    for language in ("en", "de"):
        unknown = []
        for train, test in halves:
            known, asked = set(name_words(read, train)), name_words(language, test)
            unknown.append(100 * np.mean([word not in known for word in asked]))
        print(
            f"  {SPOKEN[language]} names, words of {SPOKEN[read]} names: {mean_and_spread(unknown, '5.1f')} %"
        )

# %% tags=["demo"]
viz.show(
    viz.curves(
        {
            f"{SPOKEN[language]}, by {name}": rows
            for (language, name), rows in per_word.items()
            if name != "shuffled English"
        },
        x=SIZES_TRIED,
        x_label="number of merges (the vocabulary has 256 more)",
        y_label="tokens per word, test half",
        references={"whole words": 1.0},
        title="Merges learned from one language save less in the other",
    ),
    alt="Tokens per word of unseen names against the number of merges. "
    + "; ".join(
        f"{SPOKEN[language]} names with merges of {name}: from {np.mean(rows, 0)[0]:.1f} to {np.mean(rows, 0)[-1]:.1f}"
        for (language, name), rows in per_word.items()
        if name != "shuffled English"
    ),
)
for name in ("English", "German", "both"):
    print(
        f"{name:8s} learned first: "
        + " ".join(repr((a + b).decode(errors="replace")) for a, b in learned[name][0][:14])
    )
for text in ("smiling cat with heart-shaped eyes", "lachende katze mit großen augen"):
    for name in ("English", "German"):
        pieces = encode(text, learned[name][0])
        print(f"{name:8s} {len(pieces):2d}: " + "|".join(piece.decode(errors="replace") for piece in pieces))

# %% [markdown]
"""
With all 400 merges, English names need 2.5 tokens a word, where they have 6.4 bytes (word ends counted). German names
with *English* pieces need 4.7, half as many again as the 3.1 with pieces of its own; the other way round it is 3.7
instead of 2.5. Only 6 words in 100 stay whole, where it would be 36, and more than a third of all bytes are left
alone. Look at *großen*: no English name has a ß, so it falls into its two bytes, and neither of them can be read by
itself (the marks � in the print). Nothing is unknown and nothing is lost; the text just becomes longer, and its
pieces mean less. A model trained on such pieces would have to learn German letter by letter.

Two more rows deserve a look. The shuffled words do better than you might think: with them an English name needs 3.7
tokens instead of 6.4, so a good part of the gain comes from frequent letters and from word ends, and not from
anything that is English. On English names, pieces of German words are no better than shuffled English letters. And
merges learned on **both** languages cost each of them about 0.2 tokens a word only. Compare the curves: each language
does better with the 400 shared merges than with 200 of its own. Pieces such as *er* and *n* at the end are among the
first that either learns.

The baseline of whole words has one token a word, and a third of the English and nearly half of the German words in new
names are not in its list.

### Optional: what does the same thing cost in other languages?
 All fourteen lists name *the same* emoji. So the number of tokens of
a name is what it costs to say the same thing to a model whose pieces were learned on English.
"""

# %% tags=["demo"]
train, test = halves[0]
some = test[: budget(100, grading=10)]
rows = [
    f"{'per name':10s}{'letters':>9s}{'bytes':>9s}{'tokens by English':>20s}{'by English and German':>24s}"
]
costs = {}
for language, names in emoji.names.items():
    texts = [names[i].lower() for i in some]
    tokens = [
        np.mean([len(encode(text, learned[name][0])) for text in texts]) for name in ("English", "both")
    ]
    costs[language] = tokens[0]
    letters, size = np.mean([len(text) for text in texts]), np.mean([len(text.encode()) for text in texts])
    rows.append(f"{language:10s}{letters:9.1f}{size:9.1f}{tokens[0]:20.1f}{tokens[1]:24.1f}")
print("\n".join(rows))
dearest = max(costs, key=costs.get)
print(f"dearest: {dearest}, {costs[dearest] / costs['en']:.1f} times as many tokens as English")

# %% [markdown]
"""
For Arabic, Persian, Russian, Japanese, Korean and Chinese the merges are of no use: a name has as many tokens as it
has bytes, and one more for the end of the last word. A Russian name, no longer than an English one in letters, costs
four times as many tokens. Japanese and Chinese names, which are the *shortest* of all in letters, cost about two to
three times as much as English. Whoever pays by the token, or has a model that reads a fixed number of tokens, will
notice; and nobody decided it on purpose. It was decided when somebody chose the texts to learn merges from (Petrov et
al. 2023, "Language model tokenizers introduce unfairness between languages"). Adding German helped German; what it
did for the others is within half a token, but for Turkish.

## 8. Words by their company

A token's number is a name and not a quantity: token 512 is not twice token 256. The honest encoding of a name is
**one-hot**, a vector with a single 1, and it says that any two words differ equally much. *Red* is as far from
*orange* as it is from *behind*. If a model is to know better, something has to tell it.

One idea is old: "You shall know a word by the company it keeps" (Firth 1957). Count for each word which words stand
near it. Words that can take each other's place have similar neighbours, so their rows of counts are similar. Two
repairs are needed. *The* is a neighbour of everything, so counts mostly say how frequent the neighbours are. Compare
them with what chance would give, if words and neighbours were drawn independently:

PMI(w, c) = log( p(w, c) / (p(w) p(c)) ) = log( N n(w, c) / (n(w) n(c)) )

with n(w, c) the counts, n(w) the sum of w's row, n(c) the sum of c's column, and N the sum of all: the *pointwise
mutual information*. It is 0 for pairs as frequent as by chance. Pairs never seen have −∞, and pairs seen more seldom
than by chance are badly estimated; so one keeps the positive part, **PPMI** = max(0, PMI) (Church and Hanks 1990;
Bullinaria and Levy 2007). The second repair: rows are as long as the vocabulary and mostly 0. The singular value
decomposition P = U Σ Vᵀ finds the `dim` directions that keep most of them.

{{exercise:embed_words}}

Write `count_neighbours` and `embed_words`.

- **Counting.** n(w, c) is the number of times that c stands at most `window` places before or after w, *in the same
  sentence*. Both directions count, so the matrix is symmetric. A word's own place is not its neighbour; but in "very
  very" each *very* has the other one as a neighbour, so n(very, very) = 2.
- **PPMI** with the natural logarithm. Any table of counts is allowed here, square or not: rows are words, columns are
  what they occur with. Where the count is 0, PPMI is 0, also in rows or columns without any count.
- **Vectors:** the first `dim` columns of U Σ, one row for each word. We take U Σ, although Levy, Goldberg and Dagan
  (2015) found U √Σ, or U alone, better in tests of word similarity, for a reason: with U Σ, inner products and distances
  between the words' vectors are those between their PPMI rows, as nearly as `dim` numbers allow.

**The traps:** log 0; a pair counted twice; a window that reaches into the next sentence. And the sum that stands in the denominator: the row's for the word, the column's for its neighbour.
"""


# %% nbgrader={"grade": false, "grade_id": "embed_words", "locked": false, "schema_version": 3, "solution": true, "task": false}
def count_neighbours(
    sentences: Sequence[Sequence[str]], words: Sequence[str], *, window: int
) -> Float[Tensor, "word word"]:
    """Count which words stand near which.

    Args:
        sentences: each a sequence of words.
        words: the vocabulary, in the order of rows and columns; it holds every word of the sentences.
        window: how many places to either side are near, at least 1.

    Returns:
        Symmetric counts, float.
    """
    ### BEGIN SOLUTION
    place = {word: number for number, word in enumerate(words)}
    counts = torch.zeros(len(words), len(words))
    for sentence in sentences:
        for i, word in enumerate(sentence):
            for other in (*sentence[max(0, i - window) : i], *sentence[i + 1 : i + 1 + window]):
                counts[place[word], place[other]] += 1
    return counts
    ### END SOLUTION


def embed_words(
    counts: Float[Tensor, "word context"], *, dim: int
) -> tuple[Float[Tensor, "word context"], Float[Tensor, "word dim"]]:
    """Weigh counts against chance, and shorten the rows.

    Args:
        counts: how often each word occurs with each context.
        dim: length of the vectors, at most the shorter side of the table.

    Returns:
        PPMI in nats, and the first `dim` columns of U Σ, the words' vectors.

    Source: Church and Hanks 1990; Bullinaria and Levy 2007; Levy, Goldberg and Dagan 2015, section 2.
    """
    ### BEGIN SOLUTION
    by_chance = counts.sum(1, keepdim=True) * counts.sum(0, keepdim=True) / counts.sum()
    ratio = torch.where(counts > 0, counts / by_chance, torch.ones_like(counts))  # log 1 = 0 where unseen
    ppmi = ratio.log().clamp(min=0)
    u, s, _ = torch.linalg.svd(ppmi, full_matrices=False)
    return ppmi, u[:, :dim] * s[:dim]
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "embed_words-check", "locked": true, "points": 5, "schema_version": 3, "solution": false, "task": false}
exercise = Exercise("embed_words", points=5)
neighbours_of, embedded = exercise.student("count_neighbours"), exercise.student()


def inner(vectors):
    """Inner products of all pairs of rows: the same for vectors that differ by a sign or a rotation."""
    vectors = torch.as_tensor(vectors).double()
    return vectors @ vectors.T


with exercise.check(
    "counts by hand: both sides, each ordered pair of places once, and never oneself",
    points=1,
    hint="In 'very very good' with window 1: each very sees the other (2), the second sees good (1), and good sees it (1). With window 2 the "
    "first very and good see each other too.",
):
    words = ["good", "very", "bad"]
    exercise.close(
        neighbours_of([["very", "very", "good"]], words, window=1), [[0, 1, 0], [1, 2, 0], [0, 0, 0]], atol=0
    )
    exercise.close(
        neighbours_of([["very", "very", "good"]], words, window=2), [[0, 2, 0], [2, 2, 0], [0, 0, 0]], atol=0
    )
    exercise.close(
        neighbours_of([["very", "bad"], ["good", "very"]], words, window=5),
        [[0, 1, 0], [1, 0, 1], [0, 1, 0]],
        atol=0,
    )

with exercise.check(
    "PPMI by hand, in a table of two words and three contexts",
    points=1,
    hint="N = 18, rows 8 and 10, columns 7, 7 and 4. First entry: ln(18 · 6 / (8 · 7)) = 0.657. ln(18 · 2 / (8 · 7)) is negative and becomes "
    "0; an unseen pair has 0, and neither -inf nor NaN. PPMI is returned first, then the vectors.",
):
    counts = torch.tensor([[6.0, 2.0, 0.0], [1.0, 5.0, 4.0]])
    got = embedded(counts, dim=1)
    exercise.true(
        isinstance(got, tuple | list) and len(got) == 2, "two things are returned: PPMI, then the vectors"
    )
    ppmi = got[0]
    exercise.finite(ppmi)
    exercise.close(
        ppmi,
        np.log([[18 * 6 / 56, 1, 1], [1, 18 * 5 / 70, 18 * 4 / 40]]),
        atol=1e-4,
    )

with exercise.check(
    "vectors: a row for each word, with the inner products of the PPMI rows",
    points=1,
    hint="torch.linalg.svd gives U, S and Vᵀ; the vectors are U[:, :dim] * S[:dim]. Rows of V (or columns of Vᵀ) would be vectors of the "
    "contexts; U alone or U √Σ have other lengths. Σ scales columns, not rows.",
):
    counts = torch.tensor([[6.0, 2.0, 0.0], [1.0, 5.0, 4.0]])
    vectors = embedded(counts, dim=2)[1]
    exercise.shape(vectors, (2, 2))
    exercise.close(inner(vectors), [[0.4313, 0.0], [0.0, 0.4086]], atol=1e-3)
    exercise.shape(embedded(counts, dim=1)[1], (2, 1))
    ppmi, vectors = embedded(torch.tensor([[5.0, 1, 0, 2], [4, 0, 1, 0], [0, 3, 4, 1]]), dim=3)
    exercise.close(inner(vectors), inner(ppmi), atol=1e-3, why="three numbers are enough for three rows")


### BEGIN HIDDEN TESTS
def slow_ppmi(counts):
    result = np.zeros(counts.shape)
    for i in range(len(counts)):
        for j in range(counts.shape[1]):
            if counts[i, j] > 0:
                value = np.log(counts[i, j] * counts.sum() / (counts[i].sum() * counts[:, j].sum()))
                result[i, j] = max(0.0, value)
    return result


def best_inner(matrix, dim):
    """Inner products of rows after the best approximation of this rank, from the symmetric eigenproblem."""
    values, vectors = np.linalg.eigh(matrix @ matrix.T)
    return (vectors[:, -dim:] * values[-dim:]) @ vectors[:, -dim:].T


with exercise.check(
    "fresh sentences: nobody looks over a full stop",
    points=1,
    hint="Go through each sentence on its own; at its ends there are fewer neighbours. Take care with places before the start: a negative index "
    "counts from the end in Python. A sentence that comes twice counts twice.",
):
    words = list("abcdefg")
    sentences = [
        [words[k] for k in exercise.rng.integers(0, 7, size=exercise.rng.integers(1, 9))] for _ in range(12)
    ]
    sentences += [["a", "b", "c"]] * 2
    for window in (1, 3):
        expected = np.zeros((7, 7))
        for sentence in sentences:
            for i, first in enumerate(sentence):
                for j, second in enumerate(sentence):
                    expected[words.index(first), words.index(second)] += 0 < abs(i - j) <= window
        exercise.close(neighbours_of(sentences, words, window=window), expected, atol=0)

with exercise.check(
    "fresh tables and fresh captions: colours lie near colours, shapes near shapes",
    points=1,
    hint="The word's sum is its row's, the neighbour's its column's. Keep the largest singular values. A row without counts has PPMI 0 and "
    "not NaN.",
):
    counts = exercise.rng.poisson(2.0, size=(7, 11)).astype(np.float32)
    counts[2] = 0
    counts[:, 3] = 0
    expected = slow_ppmi(counts.astype(np.float64))
    ppmi, vectors = embedded(torch.from_numpy(counts.copy()), dim=3)
    exercise.finite(ppmi)
    exercise.close(ppmi, expected, atol=1e-4)
    exercise.shape(vectors, (7, 3))
    exercise.close(inner(vectors), best_inner(expected, 3), atol=2e-3)
    scenes = world.sample_scenes(400, generator=exercise.generator, config=world.SceneConfig(objects=(1, 1)))
    sentences = [
        caption.split() for caption in world.caption(scenes, generator=exercise.generator, detail=0.9)
    ]
    words = sorted({word for sentence in sentences for word in sentence})
    counts = torch.as_tensor(neighbours_of(sentences, words, window=2)).float()
    vectors = torch.as_tensor(embedded(counts, dim=6)[1])
    unit = F.normalize(vectors.float(), dim=1)
    kinds = [[words.index(word) for word in kind if word in words] for kind in (world.COLOURS, world.SHAPES)]
    colours, shapes = unit[kinds[0]], unit[kinds[1]]
    exercise.true(
        (colours @ colours.T).mean() > (colours @ shapes.T).mean() + 0.1
        and (shapes @ shapes.T).mean() > (colours @ shapes.T).mean() + 0.1,
        "in 400 captions, colours should be more similar to colours than to shapes, and shapes to shapes",
    )
### END HIDDEN TESTS
exercise.report()

# %% [markdown]
"""
<details><summary>A nudge</summary>

For each place i of a sentence, which places j are its neighbours? Write that set down for i = 0 and for the last place,
before you think of words. For PPMI: all of p(w) p(c) is one outer product, of the row sums and the column sums.
</details>
<details><summary>Pseudo code</summary>

```text
for each sentence, each place i, each place j ≠ i with |i − j| ≤ window inside the sentence: counts[word i, word j] += 1
chance ← row sums (as a column) · column sums (as a row) / sum of all
PPMI ← log(counts / chance) where counts > 0, else 0; then what is below 0 becomes 0
U, Σ, Vᵀ ← svd(PPMI); vectors ← first dim columns of U, each times its singular value
```
</details>
<details><summary>Help: my vectors have the opposite sign of my neighbour's</summary>

Both are right. If u and v are a pair of singular vectors, −u and −v are one too. Inner products and distances do not
change, and the checks look at nothing else.
</details>
<details><summary>Help: the first word of a sentence sees no neighbours at all</summary>

`sentence[i - window : i]` with i < window starts at a negative place, which Python counts from the end. Use `max(0, i - window)`.
</details>
"""

# %% [markdown]
"""
### What does the distance know?

The world of this course has an advantage over the internet: we know what every caption is about. So we can ask
whether distances in an encoding agree with distances in the *factors*: colour, shape, size, material. Agreement is
measured by the **rank correlation** (Spearman): 1 if the farther pair is always farther in both, 0 if there is no
relation. Three questions:

1. **Words: same kind?** 18 words (two sizes, eight colours, two materials, six shapes). Two words of a kind are at
   factor distance 0, others at 1.
2. **Objects: how many factors differ?** 192 descriptions, such as "small red shiny cube"; the distance is the number
   of words in which they differ, 0 to 4. A description's vector is the sum of its words' vectors.
3. **Colours: which are alike?** The distance between two colours' red, green and blue.

Four encodings, with all word vectors scaled to length 1 (PPMI vectors of rare words are longer, and that is not
their meaning): **one-hot**; the 10 numbers of your **PPMI** vectors, from fresh captions of scenes; 10 **random**
numbers, as a baseline; and **MiniLM**, a language model that has read a large part of the internet (it reads the whole
description at once; 384 numbers). MiniLM runs if you have fetched it once with `mmdl fetch minilm`; without it, its
column stays empty, and nothing else is missing. Beside each number stands *chance*: how far from 0 the correlation
gets in 95 of 100 cases when the words (or objects) are dealt out at random.

**Predict, then run.** In which of the three will PPMI win? And will *orange* lie near *red*?
"""

# %%
KINDS = {
    "size": tuple(world.SIZES),
    "colour": tuple(world.COLOURS),
    "material": world.MATERIALS,
    "shape": world.SHAPES,
}
KIND_OF = {word: kind for kind, members in KINDS.items() for word in members}
OBJECTS = list(product(*KINDS.values()))[:: budget(1, grading=7)]


def between(vectors: Float[np.ndarray, "item dim"]) -> Float[np.ndarray, "item item"]:
    """Distances of all pairs, rounded, so that what is equal stays equal."""
    vectors = np.asarray(vectors, dtype=np.float64)
    return np.linalg.norm(vectors[:, None] - vectors[None], axis=2).round(6)


kinds = list(KIND_OF.values())
FACTORS = {
    "words: same kind?": np.array([[float(a != b) for b in kinds] for a in kinds]),
    "objects: factors that differ": np.array(
        [
            [float(sum(a != b for a, b in zip(one, other, strict=True))) for other in OBJECTS]
            for one in OBJECTS
        ]
    ),
    "colours: red, green, blue": between(np.array(list(world.COLOURS.values()))),
}


def rank_correlation(
    distances: Float[np.ndarray, "item item"], truth: Float[np.ndarray, "item item"]
) -> float:
    """Spearman's, over all pairs of different items; NaN where all distances are equal."""
    pairs = np.triu_indices(len(truth), 1)
    a, b = rankdata(distances[pairs]), rankdata(truth[pairs])
    return float(np.corrcoef(a, b)[0, 1]) if np.ptp(a) and np.ptp(b) else float("nan")


def by_chance(
    distances: Float[np.ndarray, "item item"], truth: Float[np.ndarray, "item item"], *, draws: int
) -> float:
    """What |correlation| stays below in 95 of 100 random permutations of the items."""
    rng = np.random.default_rng(0)
    pairs = np.triu_indices(len(truth), 1)
    ranks, found = np.zeros_like(truth), []
    ranks[pairs] = rankdata(truth[pairs])
    ranks, mine = ranks + ranks.T, rankdata(distances[pairs])
    for _ in range(draws):
        order = rng.permutation(len(truth))
        found.append(abs(np.corrcoef(mine, ranks[np.ix_(order, order)][pairs])[0, 1]))
    return float(np.quantile(found, 0.95))


def all_distances(vector_of: Mapping[str, Float[np.ndarray, " dim"]]) -> list[Float[np.ndarray, "item item"]]:
    """Distances of words, of objects, and of colours."""
    unit = {word: np.asarray(vector) / np.linalg.norm(vector) for word, vector in vector_of.items()}
    return [
        between(np.array([unit[word] for word in KIND_OF])),
        between(np.array([sum(unit[word] for word in words) for words in OBJECTS])),
        between(np.array([unit[word] for word in world.COLOURS])),
    ]


def told_scenes(
    seed: int, *, favourites: Mapping[str, str] | None = None, dealt_out: bool = False
) -> list[list[str]]:
    """Words of captions of fresh scenes; with favourites, shapes are seldom seen in colours far from theirs.

    With `dealt_out`, as many scenes are kept, whatever their colours.
    """
    generator = seeded(seed)
    objects = (1, 2) if favourites is None else (1, 1)
    scenes = world.sample_scenes(
        budget(3000 if favourites is None else 8000, grading=1500),
        generator=generator,
        config=world.SceneConfig(objects=objects),
    )
    if favourites is not None:
        rgb = torch.tensor(list(world.COLOURS.values()))
        liked = torch.stack([rgb[list(world.COLOURS).index(favourites[shape])] for shape in world.SHAPES])
        far = (rgb[scenes.colour[:, 0]] - liked[scenes.shape[:, 0]]).norm(dim=1)
        if dealt_out:
            far = far[torch.randperm(len(far), generator=generator)]
        scenes = scenes[(torch.rand(len(far), generator=generator) < torch.exp(-4 * far)).nonzero()[:, 0]]
    return [caption.split() for caption in world.caption(scenes, generator=generator, detail=0.7)]


# %% tags=["demo"]
RARE = budget(40, grading=5)  # words that occur less often are left out


def caption_vectors(
    sentences: Sequence[Sequence[str]], *, dim: int = 10
) -> dict[str, Float[np.ndarray, " dim"]]:
    """Your embeddings of every word of the captions that is not rare, and of the 18."""
    often = Counter(word for sentence in sentences for word in sentence)
    kept = [[word for word in sentence if often[word] >= RARE or word in KIND_OF] for sentence in sentences]
    words = sorted({word for sentence in kept for word in sentence})
    _, vectors = embed_words(torch.as_tensor(count_neighbours(kept, words, window=2)), dim=dim)
    return dict(zip(words, torch.as_tensor(vectors).double().numpy(), strict=True))


repeats = range(budget(5, grading=2))
FAVOURITES = dict(zip(world.SHAPES, ("red", "yellow", "green", "blue", "purple", "white"), strict=True))
told = [told_scenes(seed) for seed in repeats]
from_captions = [caption_vectors(sentences) for sentences in told]
encodings = {
    "one-hot": [dict(zip(KIND_OF, np.eye(len(KIND_OF)), strict=True))],
    "random": [
        dict(zip(KIND_OF, np.random.default_rng(seed).normal(size=(len(KIND_OF), 10)), strict=True))
        for seed in repeats
    ],
    "PPMI": from_captions,
    "PPMI, unbalanced": [caption_vectors(told_scenes(seed, favourites=FAVOURITES)) for seed in repeats],
    "PPMI, its control": [
        caption_vectors(told_scenes(seed, favourites=FAVOURITES, dealt_out=True)) for seed in repeats
    ],
}
distances = {name: [all_distances(vectors) for vectors in tries] for name, tries in encodings.items()}
if budget(1, grading=0):  # loading it takes seconds
    try:
        minilm = load_minilm()
        of_words = dict(zip(KIND_OF, minilm.encode(list(KIND_OF)).numpy(), strict=True))
        first, _, third = all_distances(of_words)
        whole_texts = minilm.encode([" ".join(words) for words in OBJECTS]).numpy()
        distances["MiniLM"] = [[first, between(whole_texts), third]]
    except CourseError as error:
        print(f"(without MiniLM: {error})")
agreement = {
    name: np.array(
        [[rank_correlation(d, t) for d, t in zip(each, FACTORS.values(), strict=True)] for each in tries]
    )
    for name, tries in distances.items()
}
print(f"{'':20s}" + "".join(f"{question:>36s}" for question in FACTORS))
for name, values in agreement.items():
    row = ""
    for number, truth in enumerate(FACTORS.values()):
        got = values[:, number]
        if np.isnan(got).all():
            row += f"{'all tie':>36s}"
            continue
        draws = budget(200, grading=5) if len(truth) < 50 else budget(60, grading=2)
        chance = by_chance(distances[name][0][number], truth, draws=draws)
        spread = f" ± {got.std(ddof=1):.2f}" if len(got) > 1 else ""
        cell = f"{got.mean():.2f}{spread} (chance ±{chance:.2f})"
        row += f"{cell:>36s}"
    print(f"{name:20s}{row}")
noise = [np.random.default_rng(0).uniform(0, 1e-3, size=truth.shape) for truth in FACTORS.values()]
best = [rank_correlation(t + n + n.T, t) for t, n in zip(FACTORS.values(), noise, strict=True)]
print(f"{'no ties, else right':20s}" + "".join(f"{value:>36.2f}" for value in best))
print("\nmean distance of each colour from the other seven, PPMI (unit vectors):")
apart = np.mean([each[2] for each in distances["PPMI"]], axis=0)
print("  " + ", ".join(f"{word} {row.sum() / 7:.2f}" for word, row in zip(world.COLOURS, apart, strict=True)))
colour_rows = np.array([kind == "colour" for kind in kinds])
for name in ("PPMI", "PPMI, unbalanced", "PPMI, its control"):
    apart = np.mean([each[0] for each in distances[name]], axis=0)
    inside = apart[np.ix_(colour_rows, colour_rows)].sum() / (colour_rows.sum() * (colour_rows.sum() - 1))
    print(
        f"  {name}: colours from colours {inside:.2f}, from other words {apart[np.ix_(colour_rows, ~colour_rows)].mean():.2f}"
    )
before = Counter(
    (word, sentence[i - 1])
    for sentences in told
    for sentence in sentences
    for i, word in enumerate(sentence)
    if i
)
for word in ("red", "orange"):
    print(
        f"  before '{word}': "
        + ", ".join(f"{other} {before[word, other]}" for other in ("a", "an", "small", "large"))
    )

# %% [markdown]
"""
Read it column by column.

**Same kind?** PPMI wins: 0.71, where 0.79 is the most that distances without ties can reach. Nobody told it what a
colour is. Colours stand before the same words and behind the same words, and that suffices. In one-hot vectors all
words tie, and random vectors stay within chance. MiniLM, which has read so much more, knows kinds less clearly than
captions that speak of nothing else.

**Which object?** Here PPMI is the *worst*, behind random numbers. One-hot is perfect, and it had to be: the sum of
one-hot vectors differs in two places for each word that differs. What made PPMI good at kinds makes it bad here: if
*red* and *blue* are nearly the same vector, then so are *red cube* and *blue cube*. An encoding is not good or bad;
it decides which differences are large. Random numbers keep words apart as one-hot vectors do, with some noise because
there are only ten.

**Which colours are alike?** −0.03, well within chance. Does co-occurrence know that orange is near red? It cannot:
in these captions every colour is said of every shape, size and material equally often, so colours differ in nothing but
their names. Orange does stand out, at a mean distance of 1.0 where the others have 0.2. But look what is behind it:
*an* orange cube, *a* red cube. All that the captions know of orange is its first letter!

The row **unbalanced** is the test of that explanation. In that world every shape has a favourite colour and is seldom
seen in colours far from it; counting and embedding are the same. (There are fewer captions, of one object each. The
row **its control** has as many of the same kind, from scenes that are kept by lot.) Now distances between colours
agree with red, green and blue, above chance, and in the control they do not. The words still know nothing of light.
They know which things come in which colours, and if that depends on the colour, then distance does too. And the kinds
suffer: colours are now nearly as far from each other as from other words. MiniLM's 0.28 does not exceed chance with eight colours: a test with
so few items is weak, and that is a reason to print chance.

One choice was made in silence: words that occur fewer than 40 times were left out. PMI exaggerates rare pairs. Set
`RARE = 1` and run it again: a plural such as *tori*, seen once and with one colour, is enough to carry that colour
away from the others.
"""

# %% tags=["demo"]
rows = {name: values[:, 1] for name, values in agreement.items()}
viz.show(
    viz.scoreboard(
        rows,
        unit="rank correlation with the number of factors that differ",
        methods="PPMI",
        chance=0.0,
        title="192 objects: which distances agree with the number of factors that differ?",
    ),
    alt="Bars of the rank correlation between distances of objects and the number of factors in which they differ: "
    + ", ".join(f"{name} {np.mean(scores):.2f}" for name, scores in rows.items()),
)

# %% [markdown]
"""
### Who are your neighbours?

Now ask yourself. The captions below are in two wordings, half of them *plain* ("a large red shiny torus") and half
*everyday* ("a big red glossy ring"): *torus* and *ring* are the same thing in the same world.

**Predict, then run.** Will *ring* be among the neighbours of *torus*?
"""

# %% tags=["demo"]
scenes = world.sample_scenes(
    budget(4000, grading=300), generator=seeded(2), config=world.SceneConfig(objects=(1, 2))
)
spoken = world.caption(scenes, generator=seeded(2), style=("plain", "everyday"), detail=0.7)
vector_of = caption_vectors([caption.split() for caption in spoken])
listed = list(vector_of)
unit_of = {word: vector / np.linalg.norm(vector) for word, vector in vector_of.items()}
for one, other in (
    ("torus", "cube"),
    ("torus", "ring"),
    ("ring", "box"),
    ("large", "big"),
    ("large", "small"),
    ("red", "blue"),
):
    print(f"cosine of {one} and {other}: {unit_of[one] @ unit_of[other]:.2f}")
explorers.neighbours(
    {
        "PPMI, 10 numbers": np.array(list(vector_of.values())),
        "random, 10 numbers": np.random.default_rng(0).normal(size=(len(listed), 10)),
        "one-hot": np.eye(len(listed)),
    },
    words=listed,
    queries=["torus", "ring", "red", "orange", "large", "behind"],
)

# %% [markdown]
"""
*Torus* and *ring* are no neighbours, though they name the same thing. They never share a caption. They share the colours,
but these go with every shape and so count as chance; their sizes and materials are all different words. So
*torus* lies with *cube*, another thing in the same wording, and *ring* with *box*. What co-occurrence puts together
is not what means the same, but what can stand in the same place. And opposites can: ask for *large*.

### Optional: real words

At last real words: the names of 1,644 emoji (no flags), each taken as one sentence in which every word sees every
other. Words that occur only once are left out, for one occurrence says nothing. Before you look: what are the
neighbours of *cat*, of *red*, of *heart*?
"""

# %% tags=["demo"]
listed_names = [re.findall(r"[^\W_]+", emoji.names["en"][i].lower()) for i in named]
often = Counter(word for name in listed_names for word in name)
names = [[word for word in name if often[word] > 1] for name in listed_names]
names = [name for name in names if len(name) > 1]
vocabulary = sorted({word for name in names for word in name})
emoji_ppmi, emoji_vectors = embed_words(
    torch.as_tensor(count_neighbours(names, vocabulary, window=20)), dim=min(50, len(vocabulary))
)
emoji_ppmi, emoji_vectors = (torch.as_tensor(table).double().numpy() for table in (emoji_ppmi, emoji_vectors))
met = np.linalg.norm(emoji_vectors, axis=1) > 1e-6
print(f"{len(names)} names, {met.sum()} words")
kept_words = [word for word, keep in zip(vocabulary, met, strict=True) if keep]
unit = emoji_vectors[met] / np.linalg.norm(emoji_vectors[met], axis=1, keepdims=True)
for asked in ("cat", "red", "heart", "three", "woman"):
    if asked in kept_words:
        cosines = unit @ unit[kept_words.index(asked)]
        nearest = cosines.argsort()[::-1][1:7]
        print(f"{asked:7s}" + ", ".join(f"{kept_words[i]} {cosines[i]:.2f}" for i in nearest))
explorers.neighbours(
    {
        "PPMI, 50 numbers": emoji_vectors[met],
        "PPMI, all columns": emoji_ppmi[met],
        "one-hot": np.eye(len(kept_words)),
    },
    words=kept_words,
    queries=[
        word
        for word in ("cat", "red", "heart", "three", "woman", "dog", "moon", "smiling")
        if word in kept_words
    ],
)

# %% [markdown]
"""
*Woman* has *man* for a neighbour at cosine 1.00, and *three* has the other numbers: words that can take each other's
place in a name. *Red* has colours among its neighbours, but also *exclamation*, because the question and exclamation marks of emoji are
red or white; and *three* meets the other numbers on clock faces. The heart lies near *circle* and *square*, for these come in all colours;
and near *mushroom*, for there is one brown mushroom, as there is a brown heart. And *cat*? Not dogs: cats among emoji
smile, grin and have tears of joy. A few hundred names are a small world, and these vectors know that world and no
other.

Now change the question. Which encoding would you give to a model that has to *find the red cube among blue ones*? And
which to one that has seen the word *purple* ten times only? The first needs words kept apart. The second gains from
knowing that purple behaves like its kind. Most models get a start like the second and then learn what to keep apart.
"""

# %% [markdown]
"""
## 9. Which encoding, and why?

{{exercise:which_encoding}}

For each of the four, choose an encoding and the reason that decides. Some encodings and reasons fit nobody, and
nothing says that each fits only once.

- **wind**: a linear model must predict a mill's power from the direction of the wind, in whole degrees, among other
  things. There are 300 measurements, so many directions were never measured.
- **shops**: 40 shops are numbered in the order in which they were opened, which has nothing to do with what they sell.
  A linear model must predict tomorrow's sales.
- **medicines**: a model reads what doctors type. New names of medicines appear every week, and half of a name often says
  what kind it is. Nothing that was typed may be lost.
- **whales**: one second of underwater sound; is a call in it, and of which kind? The kinds differ in the pitches that
  they go through. Recordings begin at any moment, also in the middle of a call.

Encodings: `"one-hot"`, `"rank"` (1st, 2nd, …), `"sine and cosine"`, `"standardised number"`, `"whole words"`, `"byte
pairs"`, `"raw samples"`, `"log-spectrogram"`.

Reasons: `"no order"`: no value is nearer to one value than to another. `"its ends meet"`: the largest value lies beside
the smallest. `"nothing is unknown"`: what was never seen before is put together of parts that were. `"what is meant
survives a later start"`: all raw numbers change, and what is meant does not. `"fewest numbers"`: it is the shortest.
`"the model will learn it"`: with enough layers the encoding is no matter.

**The trap:** do not ask what the numbers look like. Ask which values are neighbours, and what may change without
anything being meant by it.
"""


# %% nbgrader={"grade": false, "grade_id": "which_encoding", "locked": false, "schema_version": 3, "solution": true, "task": false}
def which_encoding() -> dict[str, tuple[str, str]]:
    """For each of the four an encoding and the reason: {"wind": (encoding, reason), …}."""
    ### BEGIN SOLUTION
    return {
        "wind": ("sine and cosine", "its ends meet"),
        "shops": ("one-hot", "no order"),
        "medicines": ("byte pairs", "nothing is unknown"),
        "whales": ("log-spectrogram", "what is meant survives a later start"),
    }
    ### END SOLUTION


# %% nbgrader={"grade": true, "grade_id": "which_encoding-check", "locked": true, "points": 4, "schema_version": 3, "solution": false, "task": false}
exercise = Exercise("which_encoding", points=4)
answers_of = exercise.student()

PLACES = ("wind", "shops", "medicines", "whales")
WAYS = {
    "one-hot": "One-hot makes all values equally far from each other. Is that so here, and does it cope with what was never seen?",
    "rank": "A rank says that the second lies between the first and the third. Does it, here?",
    "sine and cosine": "Sine and cosine put the values on a circle. Does the last one lie beside the first one here?",
    "standardised number": "A plain number has two ends, far apart, and an order. Has this one?",
    "whole words": "What becomes of a word that was not there when the vocabulary was made?",
    "byte pairs": "Byte pairs are made for text that was never seen. Is it text that is hard here?",
    "raw samples": "What happens to each single sample when the recording begins a millisecond later?",
    "log-spectrogram": "A spectrogram says which frequencies are there, as time goes by. Is that what tells the cases apart?",
}
WHY = {
    "no order": "Are there values that lie nearer to each other than others?",
    "its ends meet": "Do the largest and the smallest value lie beside each other?",
    "nothing is unknown": "Can there be values that have never been seen?",
    "what is meant survives a later start": "What may change here without changing what is meant?",
    "fewest numbers": "Is there anything here that few numbers are needed for?",
    "the model will learn it": "From how many examples, and with which model?",
}

with exercise.check(
    "every case has an encoding and a reason from the lists",
    points=0,
    hint='Return {"wind": ("encoding", "reason"), …} with all four cases. Which answers are right is decided at grading.',
):
    exercise.choices(answers_of(), PLACES, options=WAYS, reasons=WHY)

### BEGIN HIDDEN TESTS
with exercise.check(
    "wind: a direction, for a linear model",
    points=1,
    hint="What lies beside 359 degrees?",
):
    exercise.choice(
        answers_of()["wind"], options=WAYS, reasons=WHY, correct=("sine and cosine", "its ends meet")
    )

with exercise.check(
    "shops: numbers that are names",
    points=1,
    hint="What does it say of two shops that their numbers are neighbours?",
):
    exercise.choice(answers_of()["shops"], options=WAYS, reasons=WHY, correct=("one-hot", "no order"))

with exercise.check(
    "medicines: words that nobody has seen",
    points=1,
    hint="How does one write a word that is not in the vocabulary, without losing it?",
):
    exercise.choice(
        answers_of()["medicines"], options=WAYS, reasons=WHY, correct=("byte pairs", "nothing is unknown")
    )

with exercise.check(
    "whales: pitches, at any moment",
    points=1,
    hint="Compare the samples of a recording with those of the same recording, begun a millisecond later.",
):
    exercise.choice(
        answers_of()["whales"],
        options=WAYS,
        reasons=WHY,
        correct=("log-spectrogram", "what is meant survives a later start"),
    )
### END HIDDEN TESTS
exercise.report()

# %% [markdown]
"""
<details><summary>A nudge</summary>

For a column: take three of its values and say which two are nearest. For a text or a sound: change something that does not matter, and look which
encoding notices.
</details>
<details><summary>How to write it down</summary>

`return {"wind": ("encoding", "reason"), "shops": (…), "medicines": (…), "whales": (…)}`
</details>
<details><summary>Help: "is not a choice on the list"</summary>

Use the short names in quotation marks, as they are written in the lists above.
</details>
"""

# %% [markdown]
"""
## An exam question

*A team predicts how many bicycles are rented. They number the 300 stations in the order in which they were built, take
the weekday as 0 to 6, write 0 °C where the temperature is missing, standardise all columns, and then split the rows at
random into training and test. A random forest does well, a linear model badly. "So the problem is not linear", they
conclude. Say what the experiment shows and what it does not, and which changes you would make first.* Take five minutes
and write five sentences.

<details><summary>What we would answer</summary>

It shows that a linear model does badly *on this encoding*, and nothing about the problem. An order of the stations that means nothing, a week torn apart
between Sunday and Monday, and 0 °C, which is a possible temperature and cannot be told from a missing one, cost a linear model much and a forest little; so the
comparison is one of encodings as much as of models. First: stations and weekdays as names (seven weekdays need no circle if each has rows enough), a neutral value
and an indicator for what is missing. Second: statistics from the training rows alone, and whole weeks held out, since neighbouring hours are alike and a random split
lets the model look next door. Statistics of all rows need not show in the score; the random split makes it better than it is.
</details>

## What to take home

- An encoding decides which values are neighbours before any model sees them. The weaker the model, the more it depends
  on that; and none of ours forgave everything.
- Whatever is learned from data (names, means, merges) comes from the training rows alone. When it does not, the score
  need not show it.
- The structure of x is a list of what must not matter. To lose exactly that is hard; to lose more is easy.
- Sinusoidal positions make every shift one rotation. That a rule is easy to say does not mean that a model will learn
  it.
- A round trip proves nothing about an order of axes. Change one pixel.
- A frame of sound is sharp in time or in frequency. Choose it by what you want to see.
- Byte pairs lose nothing, and cost most where they were not learned.
- In an embedding that was made from company, near means "can stand in the same place". It does not mean "is the same",
  nor "looks alike".

## Further reading

- Stevens (1946): On the theory of scales of measurement. Science 103, 677–680.
- Rahimi, Recht (2007): Random features for large-scale kernel machines. NeurIPS.
- Tancik and others (2020): Fourier features let networks learn high frequency functions in low dimensional domains.
  arXiv 2006.10739.
- Vaswani and others (2017): Attention is all you need. arXiv 1706.03762.
- Dosovitskiy and others (2021): An image is worth 16x16 words. arXiv 2010.11929.
- Oppenheim, Schafer (2010): Discrete-time signal processing, chapter 10.
- Sennrich, Haddow, Birch (2016): Neural machine translation of rare words with subword units. arXiv 1508.07909.
- Petrov, La Malfa, Torr, Bibi (2023): Language model tokenizers introduce unfairness between languages. arXiv
  2305.15425.
- Levy, Goldberg, Dagan (2015): Improving distributional similarity with lessons learned from word embeddings. TACL 3,
  211–225.
"""
