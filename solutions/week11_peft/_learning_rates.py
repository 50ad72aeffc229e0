"""Choose the learning rates of the lesson: `python solutions/week11_peft/_learning_rates.py`.

Takes twelve minutes on one core. Each way is trained with learning rates a factor of about three apart and tested on 800
labelled pictures which the lesson neither trains nor tests on. The functions are those of the solved lesson itself.
"""

import contextlib
import io
from pathlib import Path

import jupytext
import numpy as np
import torch
from torch.nn import functional

from mmdl_course.training import fit

SEEDS = (100, 101)  # the lesson's are 0, 1, 2
RATES = (1e-3, 3e-3, 1e-2, 3e-2, 1e-1, 3e-1)


def lesson() -> dict:
    """What the solved lesson defines, without its demonstrations and checks."""
    names: dict = {}
    for cell in jupytext.read(Path(__file__).with_name("week11_peft.py")).cells:
        checked = cell.metadata.get("nbgrader", {}).get("grade", False)
        if cell.cell_type == "code" and "demo" not in cell.metadata.get("tags", []) and not checked:
            with contextlib.redirect_stdout(io.StringIO()):  # pictures and tables of the lesson
                exec(cell.source, names)
        if "def with_free_words" in cell.source:
            return names
    raise SystemExit("The lesson no longer defines with_free_words: mend this script.")


def main() -> None:
    """Print each way's accuracy on the 800 pictures."""
    it = lesson()
    images, scenes = it["draw"](800, seed=90_000, look=it["from_above"], size="small")
    truth = it["pair_of"](scenes)
    it["tests"]["from above"] = (images, truth)
    vectors = [it["encoded"](it["base"], each) for each in (it["pools"]["from above"][0], images)]

    def prompted(seed: int, rate: float) -> float:
        """A learned prompt: only the text tower is run."""
        model = it["with_free_words"](seed=seed)
        prompt, classes = " ".join(it["FREE"]) + " {}", it["pools"]["from above"][1]
        chosen = it["few_shots"](classes, 16, seed=seed)
        z, wanted, scale = vectors[0][chosen], classes[chosen], model.log_scale.exp()
        fit(
            lambda i: functional.cross_entropy(
                scale * z[i] @ it["texts"](model, prompt, it["PAIRS"]).T, wanted[i]
            ),
            [model.text.words.weight],
            count=len(z),
            steps=150,
            generator=it["seeded"](seed),
            learning_rate=rate,
            warm_up=10,
        )
        with torch.no_grad():
            guess = (vectors[1] @ it["texts"](model, prompt, it["PAIRS"]).T).argmax(dim=1)
        return (guess == truth).float().mean().item()

    def tuned(make, seed: int, rate: float) -> float:
        """A way of the lesson that trains with pictures."""
        return it["ability"](it["fine_tune"](make(seed), seed=seed, learning_rate=rate), "from above")

    rates = it["RATES"]
    makers = {
        "full": lambda _: it["everything"](it["load_checkpoint"]("miniclip")),
        "BitFit": lambda seed: it["with_biases"](seed=seed),
        "adapter": lambda seed: it["with_adapters"](8, seed=seed),
        "adapters, w = 2": lambda seed: it["with_adapters"](2, seed=seed),
        "LoRA": lambda seed: it["with_lora"](4, seed=seed),
        "LoRA, r = 1": lambda seed: it["with_lora"](1, seed=seed),
        "LoRA, r = 16": lambda seed: it["with_lora"](16, seed=seed),
    }
    print("The smallest rate that is within one standard error (over the pictures) of the best is taken.")
    for name in (*makers, "prompt"):
        for rate in RATES:
            if not 1 / 4 < rate / rates.get(name, rates["LoRA"]) < 4:
                continue
            found = [prompted(s, rate) if name == "prompt" else tuned(makers[name], s, rate) for s in SEEDS]
            right = np.mean(found)
            error = (right * (1 - right) / len(truth)) ** 0.5
            print(
                f"{name:16s}{rate:<7g}{100 * right:.1f} ± {100 * error:.1f}  {np.round(found, 3)}", flush=True
            )


if __name__ == "__main__":
    main()
