"""Honest notebooks, in all the styles that students write them in: no flag, whatever they import or set."""

from pathlib import Path

import pytest
from bench import run

HONEST = {
    "numpy and pictures": """
import matplotlib.pyplot as plt, numpy as np, warnings, logging
warnings.filterwarnings("ignore")
logging.basicConfig(level=logging.INFO)
np.set_printoptions(precision=3)
np.random.seed(0)
plt.plot(np.arange(3)); plt.show()
def double(x):
    return np.float64(x) * 2
""",
    "magics": """
%matplotlib inline
%config InlineBackend.figure_format = "retina"
import matplotlib.pyplot as plt
plt.hist([1, 2, 2])
%timeit -n 1 -r 1 sum(range(10))
double = lambda x: x + x
""",
    "torch": """
import torch, torch.nn.functional as F
torch.set_num_threads(1)
torch.set_flush_denormal(True)
torch.manual_seed(0)
torch.set_printoptions(sci_mode=False)
model = torch.nn.Linear(2, 2)
optimizer = torch.optim.Adam(model.parameters())
model(torch.ones(1, 2)).sum().backward()
optimizer.step()
@torch.no_grad()
def double(x):
    return 2 * torch.as_tensor(x)
""",
    "bars and widgets": """
import ipywidgets, tqdm, time
from tqdm.auto import tqdm as bar
for _ in bar(range(3)): time.sleep(0.01)
ipywidgets.IntSlider()
def double(x):
    for _ in tqdm.tqdm(range(2)):
        pass
    return x * 2
""",
    "threads that come to rest": """
from concurrent.futures import ThreadPoolExecutor
pool = ThreadPoolExecutor(2)
print(list(pool.map(abs, [-1, 2])))
import threading
worker = threading.Thread(target=print); worker.start(); worker.join()
def double(x):
    return 2 * x
""",
    "names of Python's own for numbers": """
sum, max, list = 0, 3, [1, 2]
def double(x):
    total = x + x
    return total
""",
    "classes, caches, global counters": """
import dataclasses, functools, collections, abc, atexit, random
calls = 0
Pair = collections.namedtuple("Pair", "a b")
@dataclasses.dataclass(frozen=True)
class Factor:
    value: float = 2.0
random.seed(3)
@functools.lru_cache
def double(x):
    global calls
    calls += 1
    return x * Factor().value
""",
    "debugging": """
import traceback, inspect, sys, pdb, copy, time
print(sys.version, inspect.signature(print), time.time())
try:
    1 / 0
except ZeroDivisionError:
    print(traceback.format_exc())
def double(x):
    start = time.perf_counter()
    try:
        raise ValueError("to be caught")
    except ValueError:
        logged = traceback.format_exc()
    return x * 2
""",
    "rich": """
from rich import pretty, traceback
pretty.install(); traceback.install()
def double(x):
    return 2.0 * x
""",
}

SLOW = {
    "umap and sklearn": """
import sklearn.datasets, sklearn.decomposition, umap
sklearn.decomposition.PCA(2).fit_transform(sklearn.datasets.load_iris().data)
def double(x):
    return x * 2
""",
    "transformers and data loaders": """
import torch, torch._dynamo, transformers, einops
from torch.utils.data import DataLoader, TensorDataset
for batch in DataLoader(TensorDataset(torch.ones(8, 2)), batch_size=4, num_workers=2): pass
def double(x):
    return einops.rearrange(torch.tensor([x]), "a -> a 1").sum() * 2
""",
}


@pytest.mark.parametrize("style", HONEST)
def test_an_honest_notebook_has_no_flag(style: str, tmp_path: Path) -> None:
    done = run(HONEST[style], folder=tmp_path, checks=2)
    assert (done.marks, done.flags) == ((3.0, 3.0), ())


@pytest.mark.slow
@pytest.mark.parametrize("style", SLOW)
def test_neither_has_one_with_heavy_libraries(style: str, tmp_path: Path) -> None:
    done = run(SLOW[style], folder=tmp_path, checks=2)
    assert (done.marks, done.flags) == ((3.0, 3.0), ())


@pytest.mark.parametrize("answer", ["x * x + 1", "undefined", "1 / 0", "int('a')", "[x]", "None", "'six'"])
def test_an_honest_mistake_is_no_suspicion(answer: str, tmp_path: Path) -> None:
    done = run(f"def double(x):\n    return {answer}\n", folder=tmp_path)
    assert done.flags == ()
    assert done.marks[0] < 3.0
