# %% [markdown]
"""
## 9. Which encoding, and why?

{{exercise:which_encoding}}

For each of the four, choose an encoding and the reason that decides. Some encodings and reasons fit nobody, and
nothing says that each fits only once.

- **wind**: a linear model shall tell a mill's power from the direction of the wind, 0 to 359 degrees, among other
  things. There are 300 measurements.
- **shops**: 40 shops are numbered in the order in which they were opened, which has nothing to do with what they sell.
  A linear model shall tell tomorrow's sales.
- **medicines**: a model reads what doctors type. New names of medicines appear every week, and half of a name often says
  what kind it is. Nothing that was typed may be lost.
- **whales**: one second of underwater sound; is a call in it, and of which kind? The kinds differ in the pitches that
  they go through. Recordings begin at any moment, also in the middle of a call.

Encodings: `"one-hot"`, `"rank"` (1st, 2nd, …), `"sine and cosine"`, `"standardised number"`, `"whole words"`, `"byte
pairs"`, `"raw samples"`, `"log-spectrogram"`.

Reasons: `"no order"`: no value is nearer to one value than to another. `"its ends meet"`: the largest value lies beside
the smallest. `"nothing is unknown"`: what was never seen before is put together of parts that were. `"what is meant
survives a shift"`: all raw numbers change, and what is meant does not. `"fewest numbers"`: it is the shortest.
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
        "whales": ("log-spectrogram", "what is meant survives a shift"),
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
    "what is meant survives a shift": "What may change here without changing what is meant?",
    "fewest numbers": "Is there anything here that few numbers are needed for?",
    "the model will learn it": "From how many examples, and with which model?",
}

with exercise.check(
    "every case has an encoding and a reason from the lists",
    points=0,
    hint='Return {"wind": ("encoding", "reason"), …} with all four cases. Which answers are right is decided at grading.',
):
    given = answers_of()
    exercise.true(
        isinstance(given, dict) and set(given) == set(PLACES),
        f"the dictionary must have exactly the keys {', '.join(PLACES)}",
    )
    for situation in PLACES:
        exercise.choice(given[situation], options=WAYS, reasons=WHY)

### BEGIN HIDDEN TESTS
with exercise.check(
    "wind: a direction, for a linear model",
    points=1,
    hint="What lies beside 359 degrees?",
):
    exercise.choice(answers_of()["wind"], options=WAYS, reasons=WHY, correct=("sine and cosine", "its ends meet"))

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
    exercise.choice(answers_of()["medicines"], options=WAYS, reasons=WHY, correct=("byte pairs", "nothing is unknown"))

with exercise.check(
    "whales: pitches, at any moment",
    points=1,
    hint="Compare the samples of a recording with those of the same recording, begun a millisecond later.",
):
    exercise.choice(
        answers_of()["whales"],
        options=WAYS,
        reasons=WHY,
        correct=("log-spectrogram", "what is meant survives a shift"),
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
