"""Real tables: wines, tumours and patients from scikit-learn, the warmth of an ocean from PyWavelets."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from jaxtyping import Float, Int64
from torch import Tensor

from mmdl_course.data.card import Shipped, ship, shipped_file

__all__ = [
    "Column",
    "Table",
    "load_breast_cancer",
    "load_diabetes",
    "load_sea_temperature",
    "load_wine",
]

REGIONS = ("Niño 1+2", "Niño 3", "Niño 4", "Niño 3.4")
"""Parts of the tropical Pacific, in the order of the file. Niño 3.4 overlaps with Niño 3 and Niño 4."""


@dataclass(frozen=True)
class Column:
    """What the numbers of a column mean.

    Attributes:
        name: what was measured.
        kind: real (distances mean something), nominal (codes of `levels`, in no order) or cyclic (real, but
            the value after the last is the first again).
        unit: None where the source does not say, and where there is none.
        levels: of a nominal column, in the order of their codes 0, 1, ...
        period: of a cyclic column: v and v + period mean the same.
    """

    name: str
    kind: Literal["real", "nominal", "cyclic"] = "real"
    unit: str | None = None
    levels: tuple[str, ...] = ()
    period: float | None = None


@dataclass(frozen=True, kw_only=True, repr=False)
class Table(Shipped):
    """Rows of x, and y to predict.

    Attributes:
        x: as measured, not scaled; codes where a column is nominal.
        y: a measurement, or the code of a class.
        columns: one per column of x.
        target: what y means.
    """

    x: Float[Tensor, "sample column"]
    y: Float[Tensor, " sample"] | Int64[Tensor, " sample"]
    columns: tuple[Column, ...]
    target: Column

    def __len__(self) -> int:
        return len(self.x)

    def column(self, name: str) -> Float[Tensor, " sample"]:
        """One column of x by its name.

        Raises:
            ValueError: there is no such column.
        """
        names = [column.name for column in self.columns]
        if name not in names:
            raise ValueError(f"no column {name!r}; there are {', '.join(names)}")
        return self.x[:, names.index(name)]


def load_wine() -> Table:
    """Chemical analyses of 178 wines by three growers: which grower's is it?

    Returns:
        13 real columns (their units are not documented); y: the grower.

    Raises:
        DataError: scikit-learn is not installed.
    """
    card = ship(
        "scikit-learn",
        title="Wines of three growers",
        source="S. Aeberhard and M. Forina, Wine, UCI Machine Learning Repository, 1992 "
        "(doi:10.24432/C5PC7J)",
        licence="CC BY 4.0 (the repository's)",
    )
    from sklearn.datasets import load_wine as load

    bunch = load()
    return Table(
        x=torch.tensor(bunch.data, dtype=torch.float32),
        y=torch.tensor(bunch.target, dtype=torch.int64),
        columns=tuple(Column(_plain(name)) for name in bunch.feature_names),
        target=_nominal("grower", [_plain(name) for name in bunch.target_names]),
        card=card,
    )


def load_breast_cancer() -> Table:
    """Cell nuclei in images of 569 breast tumours: malignant or benign?

    Returns:
        30 real columns: mean, standard error and worst of ten measurements per image (units not documented).

    Raises:
        DataError: scikit-learn is not installed.
    """
    card = ship(
        "scikit-learn",
        title="Breast tumours (Wisconsin, diagnostic)",
        source="W. Wolberg, O. Mangasarian, N. Street and W. Street, Breast Cancer Wisconsin "
        "(Diagnostic), UCI Machine Learning Repository, 1993 (doi:10.24432/C5DW2B)",
        licence="CC BY 4.0 (the repository's)",
    )
    from sklearn.datasets import load_breast_cancer as load

    bunch = load()
    return Table(
        x=torch.tensor(bunch.data, dtype=torch.float32),
        y=torch.tensor(bunch.target, dtype=torch.int64),
        columns=tuple(Column(str(name)) for name in bunch.feature_names),
        target=_nominal("tumour", [str(name) for name in bunch.target_names]),
        card=card,
    )


def load_diabetes() -> Table:
    """442 patients with diabetes: how far will the disease have gone in a year?

    Returns:
        10 columns, one of them nominal, in the units they were measured in; y: a score of progression.

    Raises:
        DataError: scikit-learn is not installed.

    Source:
        B. Efron, T. Hastie, I. Johnstone and R. Tibshirani 2004, "Least Angle Regression".
    """
    card = ship(
        "scikit-learn",
        title="Progression of diabetes",
        source="B. Efron, T. Hastie, I. Johnstone and R. Tibshirani, Least Angle Regression, Annals of "
        "Statistics 32, 2004 (doi:10.1214/009053604000000067), "
        "www4.stat.ncsu.edu/~boos/var.select/diabetes.html",
        licence="not stated by its authors; the copy: BSD-3-Clause (the package's)",
    )
    from sklearn.datasets import load_diabetes as load

    bunch = load(scaled=False)
    x = torch.tensor(bunch.data, dtype=torch.float32)
    x[:, 1] -= 1  # sex is coded 1 and 2
    columns = (
        Column("age", unit="years"),
        _nominal("sex", ("coded 1", "coded 2")),  # the source does not say which is which
        Column("body mass index", unit="kg/m²"),
        Column("average blood pressure"),
        Column("total serum cholesterol"),
        Column("low-density lipoproteins"),
        Column("high-density lipoproteins"),
        Column("total cholesterol / HDL"),
        Column("log of serum triglycerides (possibly)"),
        Column("blood sugar"),
    )
    y = torch.tensor(bunch.target, dtype=torch.float32)
    return Table(x=x, y=y, columns=columns, target=Column("disease progression after one year"), card=card)


def load_sea_temperature() -> Table:
    """How warm four parts of the tropical Pacific were in each month from January 1950 to August 2016.

    Months that follow each other are alike, and so are neighbouring regions: split by years, not by rows.

    Returns:
        3,200 rows of region (nominal), year (real) and month (cyclic); y: mean of the sea's surface, °C.

    Raises:
        DataError: PyWavelets is not installed.

    Source:
        B. Huang and others 2015, "Extended Reconstructed Sea Surface Temperature Version 4 (ERSST.v4)".
    """
    card = ship(
        "PyWavelets",
        title="Sea surface temperature in the regions of El Niño",
        source="NOAA Climate Prediction Center, ERSSTv4 monthly indices "
        "(www.cpc.ncep.noaa.gov/data/indices), made as in B. Huang and others, "
        "Journal of Climate 28, 2015 (doi:10.1175/JCLI-D-14-00006.1)",
        licence="public domain (work of the United States' government, as the package says)",
    )
    with np.load(shipped_file("PyWavelets", "pywt/data/sst_nino3.npz")) as archive:
        rows = torch.tensor(archive["data"], dtype=torch.float32)
    # columns of the file: year, month, then temperature and anomaly of each region
    years, months = rows[:, 0], rows[:, 1]
    regions = torch.arange(len(REGIONS)).float()
    count = len(REGIONS)
    x = torch.stack(
        [
            regions.repeat(len(rows)),
            years.repeat_interleave(count),
            months.repeat_interleave(count),
        ],
        -1,
    )
    columns = (_nominal("region", REGIONS), Column("year"), Column("month", "cyclic", period=12.0))
    y = rows[:, 2::2].flatten()  # sample
    return Table(x=x, y=y, columns=columns, target=Column("sea surface temperature", unit="°C"), card=card)


def _nominal(name: str, levels: Sequence[str]) -> Column:
    return Column(name, "nominal", levels=tuple(levels))


def _plain(name: str) -> str:
    return str(name).replace("_", " ")
