"""Wheats and chaffs for encode_columns. Each replaces the solution cell; names say what the author believed."""

WHEATS = {
    "numpy_and_nan": """
def encode_columns(rows, columns, *, train):
    parts = []
    for c in columns:
        cells = list(rows[c.name])
        seen = [v for v in train[c.name] if v is not None]
        gone = np.array([v is None for v in cells])
        if c.kind == "nominal":
            names = np.unique(seen)
            for name in names:
                parts.append(np.array([1.0 if v == name else 0.0 for v in cells]))
        elif c.kind == "cyclic":
            v = np.array(cells, dtype=float) % c.period
            parts.append(np.nan_to_num(np.sin(2 * np.pi * v / c.period)))
            parts.append(np.nan_to_num(np.cos(2 * np.pi * v / c.period)))
        else:
            if c.kind == "ordinal":
                place = {name: i for i, name in enumerate(c.levels)}
                cells = [place.get(v) for v in cells]
                seen = [place[v] for v in seen]
            v, known = np.array(cells, dtype=float), np.array(seen, dtype=float)
            parts.append(np.nan_to_num((v - known.mean()) / known.std(ddof=1)))
        parts.append(gone.astype(float))
    return np.stack(parts, axis=1)
""",
    "fit_and_transform_in_a_class": """
class _Encoder:
    def __init__(self, column):
        self.column = column

    def fit(self, cells):
        cells = [c for c in cells if c is not None]
        if self.column.kind == "nominal":
            self.names = sorted(dict.fromkeys(cells))
        elif self.column.kind != "cyclic":
            known = torch.tensor([self.number(c) for c in cells], dtype=torch.float64)
            self.mean, self.std = known.mean(), known.std()
        return self

    def number(self, cell):
        return float(self.column.levels.index(cell)) if self.column.kind == "ordinal" else float(cell)

    def one(self, cell):
        column = self.column
        if column.kind == "nominal":
            found = [0.0] * len(self.names)
            if cell in self.names:
                found[self.names.index(cell)] = 1.0
        elif column.kind == "cyclic":
            angle = None if cell is None else torch.tensor(2 * torch.pi * cell / column.period)
            found = [0.0, 0.0] if cell is None else [angle.sin().item(), angle.cos().item()]
        else:
            found = [0.0 if cell is None else ((self.number(cell) - self.mean) / self.std).item()]
        return found + [1.0 if cell is None else 0.0]

def encode_columns(rows, columns, *, train):
    made = [[_Encoder(c).fit(train[c.name]).one(cell) for cell in rows[c.name]] for c in columns]
    return torch.cat([torch.tensor(block) for block in made], dim=1)
""",
    "with_scikit_learn": """
def encode_columns(rows, columns, *, train):
    from sklearn.preprocessing import OneHotEncoder, StandardScaler
    out = []
    for column in columns:
        known = [v for v in train[column.name] if v is not None]
        values = rows[column.name]
        mask = torch.tensor([v is None for v in values])
        if column.kind == "nominal":
            tool = OneHotEncoder(handle_unknown="ignore", sparse_output=False).fit(np.array(known, dtype=object)[:, None])
            block = tool.transform(np.array(["no such name" if v is None else v for v in values], dtype=object)[:, None])
        elif column.kind == "cyclic":
            turn = torch.exp(2j * torch.pi * torch.tensor([v if v is not None else 0.0 for v in values]) / column.period)
            block = torch.where(mask[:, None], 0.0, torch.stack([turn.imag, turn.real], dim=1)).numpy()
        else:
            ranks = {name: rank for rank, name in enumerate(column.levels)}
            as_number = lambda v: float(ranks[v] if ranks else v)
            tool = StandardScaler().fit([[as_number(v)] for v in known])
            block = tool.transform([[np.nan if v is None else as_number(v)] for v in values])
            block = np.nan_to_num(block, nan=0.0)
        out.append(torch.as_tensor(block, dtype=torch.float32))
        out.append(mask.float()[:, None])
    return torch.hstack(out)
""",
}

RIGHT = """
def encode_columns(rows, columns, *, train):
    features = []
    for column in columns:
        values, known = rows[column.name], [v for v in train[column.name] if v is not None]
        empty = np.array([[v is None] for v in values])
        if column.kind == "nominal":
            names = sorted(set(known))
            block = np.array([[v == name for name in names] for v in values])
        elif column.kind == "cyclic":
            angle = np.array([[2 * np.pi * (v or 0) / column.period] for v in values])
            block = np.where(empty, 0, np.concatenate([np.sin(angle), np.cos(angle)], axis=1))
        else:
            number = column.levels.index if column.kind == "ordinal" else float
            known = np.array([number(v) for v in known])
            block = [[0 if v is None else (number(v) - known.mean()) / known.std()] for v in values]
        features += [block, empty]
    return torch.tensor(np.concatenate(features, axis=1), dtype=torch.float32)
"""


def but(*changes):
    """The right answer, but for some things."""
    source = RIGHT
    for old, new in changes:
        assert source.count(old) == 1, old
        source = source.replace(old, new)
    return source


KNOWN = "[v for v in train[column.name] if v is not None]"
HOT = "block = np.array([[v == name for name in names] for v in values])"
CIRCLE = "block = np.where(empty, 0, np.concatenate([np.sin(angle), np.cos(angle)], axis=1))"
SCALED = "block = [[0 if v is None else (number(v) - known.mean()) / known.std()] for v in values]"

CHAFFS = {
    "names_have_numbers": dict(
        expects=("names get no order", "between the other two"),
        source=but((HOT, "block = [[names.index(v) if v in names else 0] for v in values]")),
    ),
    "one_name_less_is_enough": dict(
        expects=("names get no order", "Three names make three features"),
        source=but(("sorted(set(known))", "sorted(set(known))[1:]")),
    ),
    "names_in_order_of_appearance": dict(
        expects=("names get no order", "alphabetical"),
        source=but(("sorted(set(known))", "list(dict.fromkeys(known))")),
    ),
    "the_hour_is_a_number": dict(
        expects=("23:00 is as near to 00:00", "shape is (5, 2)"),
        source=but((CIRCLE, "block = np.where(empty, 0, angle / (2 * np.pi))")),
    ),
    "the_hour_is_a_number_twice": dict(
        expects=("23:00 is as near to 00:00", "circle"),
        source=but((CIRCLE, "block = np.where(empty, 0, np.concatenate([angle, angle], axis=1) / (2 * np.pi))")),
    ),
    "half_a_turn_a_day": dict(
        expects=("23:00 is as near to 00:00", "takes one period"),
        source=but(("2 * np.pi * (v or 0)", "np.pi * (v or 0)")),
    ),
    "cosine_first": dict(
        expects=("23:00 is as near to 00:00", "Sine first"),
        source=but(("[np.sin(angle), np.cos(angle)]", "[np.cos(angle), np.sin(angle)]")),
    ),
    "every_clock_has_24_hours": dict(
        expects=("a fresh table", "period is the column's"),
        source=but(("column.period", "24")),
    ),
    "a_table_standardises_itself": dict(
        expects=("mean and standard deviation are the training rows' own", "`train`"),
        source=but(
            (
                "known = np.array([number(v) for v in known])",
                "known = np.array([number(v) for v in values if v is not None] or [0.0])",
            )
        ),
    ),
    "statistics_of_all_there_is": dict(
        expects=("mean and standard deviation are the training rows' own", "alone"),
        source=but(
            (
                "known = np.array([number(v) for v in known])",
                "known = np.array([number(v) for v in [*known, *values] if v is not None])",
            )
        ),
    ),
    "variance_is_a_spread": dict(
        expects=("mean and standard deviation are the training rows' own", "are off"),
        source=but(("known.std()", "known.var()")),
    ),
    "centred_is_standardised": dict(
        expects=("mean and standard deviation are the training rows' own", "are off"),
        source=but((" / known.std()", "")),
    ),
    "levels_by_the_alphabet": dict(
        expects=("not the alphabet", "`levels` has the order"),
        source=but(("column.levels.index if", "sorted(column.levels).index if")),
    ),
    "ranks_need_no_scale": dict(
        expects=("ranks follow the levels", "standardised"),
        source=but(
            (SCALED, f"{SCALED}\n            if column.kind == 'ordinal':\n                block = [[0 if v is None else number(v)] for v in values]")
        ),
    ),
    "names_of_train_and_test": dict(
        expects=("a name that training never saw", "`train` alone"),
        source=but(("sorted(set(known))", "sorted(set(known) | {v for v in values if v is not None})")),
    ),
    "an_unseen_name_is_an_error": dict(
        expects=("a name that training never saw", "neither an error"),
        source=but((HOT, "block = [np.zeros(len(names)) if v is None else np.eye(len(names))[names.index(v)] for v in values]")),
    ),
    "an_unseen_name_is_the_first": dict(
        expects=("a name that training never saw", "the first name"),
        source=but(
            (HOT, "block = [np.zeros(len(names)) if v is None else np.eye(len(names))[names.index(v) if v in names else 0] for v in values]")
        ),
    ),
    "an_unseen_name_is_an_empty_cell": dict(
        expects=("a name that training never saw", "an empty cell"),
        source=but((HOT, f"{HOT}\n            empty = empty | ~block.any(axis=1, keepdims=True)")),
    ),
    "missing_is_zero_before_standardising": dict(
        expects=("empty cells", "cells that are there"),
        source=but(
            (KNOWN, "[0 if v is None and column.kind == 'real' else v for v in train[column.name] if v is not None or column.kind == 'real']"),
            ("0 if v is None else (number(v)", "(-known.mean() if v is None else number(v) - known.mean()) / known.std() if v is None or column.kind == 'real' else (number(v)"),
        ),
    ),
    "missing_counts_as_zero_in_the_mean": dict(
        expects=("empty cells", "cells that are there"),
        source=but(
            (KNOWN, "[0 if v is None and column.kind == 'real' else v for v in train[column.name] if v is not None or column.kind == 'real']"),
        ),
    ),
    "missing_is_midnight": dict(
        expects=("empty cells", "middle of the circle"),
        source=but((CIRCLE, "block = np.concatenate([np.sin(angle), np.cos(angle)], axis=1)")),
    ),
    "missing_is_one_more_name": dict(
        expects=("empty cells", "shape is (2, 8)"),
        source=but(
            ("names = sorted(set(known))", "names = sorted(set(known)) + [None] * (None in train[column.name])"),
        ),
    ),
    "no_indicator": dict(
        expects=("names get no order", "indicator"),
        source=but(("features += [block, empty]", "features += [block]")),
    ),
    "an_indicator_only_where_it_is_needed": dict(
        expects=("names get no order", "indicator"),
        source=but(("features += [block, empty]", "features += [block, empty] if empty.any() else [block]")),
    ),
    "indicators_at_the_end": dict(
        expects=("empty cells", "values are off"),
        source=but(
            ("    features = []\n", "    features, marks = [], []\n"),
            ("features += [block, empty]", "features += [block]\n        marks += [empty]"),
            ("np.concatenate(features, axis=1)", "np.concatenate(features + marks, axis=1)"),
        ),
    ),
    "indicators_are_one_where_there_is_something": dict(
        expects=("names get no order", "are off"),
        source=but(("features += [block, empty]", "features += [block, ~empty]")),
    ),
}

# --- new

WHEATS |= {
    "lists_transposed_at_the_end": """
from math import sin, cos, pi, sqrt

def encode_columns(rows, columns, *, train):
    lines = []  # one list for each feature
    for column in columns:
        cells = rows[column.name]
        there = list(filter(lambda cell: cell is not None, train[column.name]))
        if column.kind == "nominal":
            there = list(set(there))
            there.sort()
            for name in there:
                lines.append([int(cell == name) for cell in cells])
        if column.kind == "cyclic":
            for wave in (sin, cos):
                line = []
                for cell in cells:
                    if cell is None:
                        line.append(0)
                    else:
                        line.append(wave(2 * pi * cell / column.period))
                lines.append(line)
        if column.kind in ("ordinal", "real"):
            if column.kind == "ordinal":
                cells_ = [None if cell is None else list(column.levels).index(cell) for cell in cells]
                there = [list(column.levels).index(cell) for cell in there]
            else:
                cells_ = cells
            m = sum(there) / len(there)
            s = sqrt(sum((x - m) ** 2 for x in there) / (len(there) - 1))
            lines.append([0.0 if cell is None else (cell - m) / s for cell in cells_])
        lines.append([1 if cell is None else 0 for cell in cells])
    return torch.tensor(lines, dtype=torch.float).T
""",
    "masked_arrays": """
def encode_columns(rows, columns, *, train):
    def masked(cells, number):
        gone = np.array([c is None for c in cells])
        return np.ma.array([0.0 if c is None else number(c) for c in cells], mask=gone)

    blocks = []
    for c in columns:
        gone = np.array([v is None for v in rows[c.name]], dtype=float)
        match c.kind:
            case "nominal":
                names = np.array(sorted({v for v in train[c.name] if v is not None}), dtype=object)
                block = np.array(rows[c.name], dtype=object)[:, None] == names[None, :]
            case "cyclic":
                angle = masked(rows[c.name], float) * (2 * np.pi / c.period)
                block = np.ma.stack([np.ma.sin(angle), np.ma.cos(angle)], axis=1).filled(0)
            case _:
                number = dict(zip(c.levels, range(len(c.levels)))).__getitem__ if c.kind == "ordinal" else float
                known = masked(train[c.name], number)
                block = ((masked(rows[c.name], number) - known.mean()) / known.std()).filled(0)[:, None]
        blocks.append(np.column_stack([block.astype(float), gone]))
    return np.hstack(blocks)
""",
    "row_by_row_with_nan": """
def encode_columns(rows, columns, *, train):
    known = {}
    for column in columns:
        cells = [cell for cell in train[column.name] if cell is not None]
        if column.kind == "nominal":
            known[column.name] = {name: place for place, name in enumerate(sorted(set(cells)))}
        elif column.kind == "ordinal":
            cells = torch.tensor([column.levels.index(cell) for cell in cells]).double()
            known[column.name] = cells.mean(), cells.std(correction=0)
        elif column.kind == "real":
            known[column.name] = np.nanmean(np.array(train[column.name], dtype=float)), np.nanstd(np.array(train[column.name], dtype=float))
    out = []
    for i in range(len(rows[columns[0].name])):
        line = []
        for column in columns:
            cell = rows[column.name][i]
            if column.kind == "nominal":
                hot = torch.zeros(len(known[column.name]))
                place = known[column.name].get(cell)
                if place is not None:
                    hot[place] = 1
                line += hot.tolist()
            elif column.kind == "cyclic":
                line += [0, 0] if cell is None else [np.sin(cell / column.period * 2 * np.pi), np.cos(cell / column.period * 2 * np.pi)]
            elif cell is None:
                line.append(0)
            else:
                mean, std = known[column.name]
                line.append((float(column.levels.index(cell) if column.kind == "ordinal" else cell) - float(mean)) / float(std))
            line.append(cell is None)
        out.append(line)
    return torch.tensor(out).float()
""",
    "ordinal_encoder_and_pipeline": """
def encode_columns(rows, columns, *, train):
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import LabelBinarizer, OrdinalEncoder, StandardScaler
    result = []
    for c in columns:
        new, old = (np.array(t[c.name], dtype=object).reshape(-1, 1) for t in (rows, train))
        mark = np.equal(new, None).astype(float)
        if c.kind == "nominal":
            names = np.unique(old[~np.equal(old, None)].astype(str))
            block = np.zeros((len(new), len(names)))
            for row, cell in enumerate(new[:, 0]):
                where = np.searchsorted(names, str(cell))
                if cell is not None and where < len(names) and names[where] == cell:
                    block[row, where] = 1
        elif c.kind == "cyclic":
            angle = 2 * np.pi * new.astype(float) / c.period
            block = np.nan_to_num(np.hstack([np.sin(angle), np.cos(angle)]))
        else:
            steps = [SimpleImputer(strategy="mean"), StandardScaler(with_mean=True)]
            if c.kind == "ordinal":
                tool = OrdinalEncoder(categories=[list(c.levels)], handle_unknown="use_encoded_value", unknown_value=np.nan)
                tool.fit(old)
                new, old = tool.transform(new), tool.transform(old)
            new, old = new.astype(float), old.astype(float)
            scaler = StandardScaler().fit(old)
            block = make_pipeline(scaler, SimpleImputer(strategy="constant", fill_value=0.0)).fit(old).transform(new)
        result += [block, mark]
    return torch.from_numpy(np.hstack(result))
""",
}

CHAFFS |= {
    "zero_is_nothing": dict(
        expects=("empty cells", "A 0 is a value"),
        source=but((SCALED, "block = [[(number(v) - known.mean()) / known.std() if v else 0] for v in values]")),
    ),
    "midnight_is_nothing": dict(
        expects=("23:00 is as near to 00:00", "are off"),
        source=but((CIRCLE, f"{CIRCLE}\n            block = block * np.array([[bool(v)] for v in values])")),
    ),
    "filled_in_place": dict(
        expects=("empty cells", "as they were"),
        source=but(
            (
                "            angle = np",
                "            for i, v in enumerate(values):\n                if v is None:\n                    values[i] = 0.0\n            angle = np",
            )
        ),
    ),
    "ranks_of_the_levels_that_occur": dict(
        expects=("ranks follow the levels", "still have their rank"),
        source=but(
            (
                'number = column.levels.index if column.kind == "ordinal" else float',
                'ranks = {name: rank for rank, name in enumerate(n for n in column.levels if n in known)}\n'
                "            number = (lambda v: ranks.get(v, len(ranks))) if column.levels else float",
            )
        ),
    ),
    "ranks_by_first_seen": dict(
        expects=("ranks follow the levels", "`levels` has the order"),
        source=but(("column.levels.index if", "list(dict.fromkeys([*known, *column.levels])).index if")),
    ),
    "ranks_standardised_by_all_levels": dict(
        expects=("ranks follow the levels", "ranks in `train`"),
        source=but(
            (
                "known = np.array([number(v) for v in known])",
                "known = np.array([number(v) for v in known]) if column.kind == 'real' else np.arange(len(column.levels))",
            )
        ),
    ),
    "ranks_between_0_and_1": dict(
        expects=("ranks follow the levels", "standardised"),
        source=but(
            (
                SCALED,
                f"{SCALED}\n            if column.kind == 'ordinal':\n                block = [[0 if v is None else number(v) / (len(column.levels) - 1)] for v in values]",
            )
        ),
    ),
    "between_0_and_1": dict(
        expects=("mean and standard deviation are the training rows' own", "are off"),
        source=but(("(number(v) - known.mean()) / known.std()", "(number(v) - known.min()) / np.ptp(known)")),
    ),
    "whole_hours": dict(
        expects=("a fresh table", "between two whole ones"),
        source=but(("2 * np.pi * (v or 0)", "2 * np.pi * int(v or 0)")),
    ),
    "period_from_the_largest": dict(
        expects=("23:00 is as near to 00:00", "takes one period"),
        source=but(("(v or 0) / column.period", "(v or 0) / max(v for v in train[column.name] if v is not None)")),
    ),
    "one_hot_is_standardised_too": dict(
        expects=("names get no order", "are off"),
        source=but((HOT, f"{HOT}\n            block = (block - block.mean(0)) / block.std(0)")),
    ),
    "the_commonest_name_for_empty": dict(
        expects=("empty cells", "neutral"),
        source=but((HOT, "block = np.array([[(max(names, key=known.count) if v is None else v) == name for name in names] for v in values])")),
    ),
    "the_mean_hour_for_empty": dict(
        expects=("empty cells", "middle of the circle"),
        source=but(
            ("(v or 0)", "(np.mean(known) if v is None else v)"),
            (CIRCLE, "block = np.concatenate([np.sin(angle), np.cos(angle)], axis=1)"),
        ),
    ),
    "minus_one_for_empty": dict(
        expects=("empty cells", "neutral"),
        source=but(("[0 if v is None else (number", "[-1 if v is None else (number")),
    ),
    "all_features_first_kind_by_kind": dict(
        expects=("a fresh table", "order that is asked for"),
        source=but(("for column in columns:", "for column in sorted(columns, key=lambda c: ['nominal', 'cyclic', 'ordinal', 'real'].index(c.kind)):")),
    ),
    "a_feature_for_other_names": dict(
        expects=("names get no order", "shape is (4, 5)"),
        source=but((HOT, "block = np.array([[v == name for name in names] + [v is not None and v not in names] for v in values])")),
    ),
    "a_list_of_lists": dict(
        expects=("names get no order", "not a tensor"),
        source=but(("torch.tensor(np.concatenate(features, axis=1), dtype=torch.float32)", "np.concatenate(features, axis=1).tolist()")),
    ),
    "nan_stays": dict(
        expects=("empty cells", "NaN"),
        source=but(("[0 if v is None else (number", "[np.nan if v is None else (number")),
    ),
    "not_a_name_is_empty": dict(
        expects=("names get no order", "indicator"),
        source=but(("empty = np.array([[v is None] for v in values])", "empty = np.array([[not isinstance(v, float)] for v in values])")),
    ),
}
