import pytest
import torch

from mmdl_course.data.tables import (
    REGIONS,
    load_breast_cancer,
    load_diabetes,
    load_sea_temperature,
    load_wine,
)

ALL = [load_wine, load_breast_cancer, load_diabetes, load_sea_temperature]


@pytest.mark.parametrize(
    ("load", "rows", "columns"),
    [
        (load_wine, 178, 13),
        (load_breast_cancer, 569, 30),
        (load_diabetes, 442, 10),
        (load_sea_temperature, 3200, 3),
    ],
)
def test_rows_and_columns(load, rows, columns):
    table = load()
    assert table.x.shape == (rows, columns)
    assert len(table) == len(table.y) == rows
    assert len({column.name for column in table.columns}) == columns
    assert table.x.isfinite().all()
    assert table.y.isfinite().all()


@pytest.mark.parametrize("load", ALL)
def test_a_column_is_what_it_says(load):
    table = load()
    for column in (*table.columns, table.target):
        values = table.y if column == table.target else table.column(column.name)
        assert (column.kind == "nominal") == bool(column.levels)
        assert (column.kind == "cyclic") == (column.period is not None)
        if column.kind == "nominal":
            assert sorted(values.unique().tolist()) == list(range(len(column.levels)))
        elif column.kind == "cyclic":
            assert values.max() - values.min() < column.period
        else:
            assert len(values.unique()) > 5


def test_the_seas_first_month():
    table = load_sea_temperature()
    assert table.x[:4].tolist() == [[region, 1950, 1] for region in range(4)]
    torch.testing.assert_close(table.y[:4], torch.tensor([23.30, 23.84, 27.18, 24.91]))
    assert table.x[-1].tolist() == [3, 2016, 8]


def test_the_warmest_month_is_next_to_the_first_one_on_the_other_side():
    """Why the month is cyclic: December and January are alike, though 12 and 1 are far apart."""
    table = load_sea_temperature()
    here = table.column("region") == REGIONS.index("Niño 1+2")
    month = table.column("month")
    mean = torch.stack([table.y[here & (month == number)].mean() for number in range(1, 13)])
    assert mean.max() - mean.min() > 5
    assert (mean[0] - mean[-1]).abs() < (mean.max() - mean.min()) / 3


def test_a_column_that_is_not_there():
    with pytest.raises(ValueError, match="no column 'hour'; there are region, year, month"):
        load_sea_temperature().column("hour")


def test_a_nearest_neighbour_tells_the_growers_apart():
    table = load_wine()
    x = (table.x - table.x.mean(0)) / table.x.std(0)
    nearest = torch.cdist(x, x).fill_diagonal_(torch.inf).argmin(1)
    assert (table.y[nearest] == table.y).float().mean() > 0.9
