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
## Text in pieces

A model reads numbers. So a text has to be cut into pieces of which there is a fixed list, the *vocabulary*; a piece is
called a *token*, and its place in the list is the number that the model gets. Two obvious choices are both bad.
**Characters**: few of them, and nothing is ever unknown, but texts become long, and a single letter means little.
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

**The trap:** not the longest token wins, nor the pair that is most frequent in the text at hand, but the merge that
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
    "l+o stands 5 + 2 = 7 times.",
):
    words = {"low": 5, "lower": 2, "newest": 6, "widest": 3}
    got = learn(words, 8)
    exercise.equal([tuple(pair) for pair in got], in_pairs("e+s es+t est+_ l+o lo+w e+w ew+est_ n+ewest_"))
    exercise.equal(words, {"low": 5, "lower": 2, "newest": 6, "widest": 3})

with exercise.check(
    "words count as often as they occur, overlaps count, ties go by the dictionary, and there is an end",
    points=1,
    hint="aaa, twice, holds the pair (a, a) four times, for overlapping pairs count. Of equally frequent pairs the first in dictionary order: "
    "min(…, key=lambda pair: (-count, pair)). Stop when the best pair occurs only once.",
):
    exercise.equal([tuple(pair) for pair in learn({"aaa": 2, "zy": 3}, 1)], in_pairs("a+a"))
    exercise.equal([tuple(pair) for pair in learn({"zy": 2, "ba": 2}, 3)], in_pairs("a+_ b+a_ y+_"))
    exercise.equal([tuple(pair) for pair in learn({"cab": 1, "dab": 1}, 9)], in_pairs("a+b ab+_"))
    exercise.equal(list(learn({"cab": 1, "dog": 1}, 9)), [])
    exercise.equal(list(learn({"aa": 7}, 0)), [])

with exercise.check(
    "encoding: in the order of learning, from left to right",
    points=1,
    hint="Apply the merges in the order in which they were learned. abc with b+c, a+b, ab+c: first b+c, then there is no a+b left. Neither "
    "the longest token nor the most frequent pair decides. aaa becomes aa, a. And each word is cut on its own.",
):
    exercise.equal(list(cut("abc", in_pairs("b+c a+b ab+c"))), [b"a", b"bc", b" "])
    exercise.equal(list(cut("abc ab", in_pairs("a+b b+c ab+c abc+_"))), [b"abc ", b"ab", b" "])
    exercise.equal(list(cut("aaa", in_pairs("a+a"))), [b"aa", b"a", b" "])
    exercise.equal(list(cut("a a", in_pairs("_+a a+_"))), [b"a ", b"a "])

with exercise.check(
    "the way back loses nothing",
    points=1,
    hint="Join all bytes first and decode them together, for a token may end within a character. Then take off one space, that of the last "
    "word, and no more: text.split(' ') keeps empty words, text.split() does not.",
):
    merges = [*in_pairs("a+t c+at cat+_"), (b"\xc3", b"\xbc"), (b"f", b"\xc3\xbc")]
    for text in ("cat", "the cat sat", "für", "a  cat ", " cat", "", " ", "猫 🐈 <\t>\n", "</w> cat_"):
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

Write a helper that takes the tokens of *one word* and *one pair* and joins the pair wherever it stands. Learning and encoding
both need nothing else: learning calls it after each choice, encoding calls it for each merge.
</details>
<details><summary>Pseudo code</summary>

learn: words ← each word as single bytes and a space
&nbsp;&nbsp;repeat at most `number` times:
&nbsp;&nbsp;&nbsp;&nbsp;count all neighbours (token, next token) within each word, times the word's count
&nbsp;&nbsp;&nbsp;&nbsp;best ← the largest count; among those the smallest pair; stop if it occurs fewer than 2 times
&nbsp;&nbsp;&nbsp;&nbsp;remember best; join it in all words
encode: for each word of text.split(" "): single bytes and a space; for each merge in order: join it
decode: join all tokens, decode the bytes once, drop the one last space
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
        x_label="merges (the vocabulary has 256 more)",
        y_label="tokens per word, test half",
        references={"whole words": 1.0},
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
pieces mean less. A model trained on such pieces would have to learn German spelling by spelling.

Two more rows deserve a look. The shuffled words do better than you might think: with them an English name needs 3.7
tokens instead of 6.4, so a good part of the gain comes from frequent letters and from word ends, and not from
anything that is English. On English names, pieces of German words are no better than shuffled English letters. And
merges learned on **both** languages cost each of them about 0.2 tokens a word only. Compare the curves: each language
does better with the 400 shared merges than with 200 of its own. Pieces such as *er* and *n* at the end are among the
first that either learns.

The baseline of whole words has one token a word, and a third of the English and nearly half of the German words in new
names are not in its list.

What is the same thing worth in other languages? All fourteen lists name *the same* emoji. So the number of tokens of
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

## Words by their company

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
- **Vectors:** the first `dim` columns of U Σ, one row for each word. We take U Σ (and not U √Σ, which is often used
  too and works well in some tests; Levy, Goldberg and Dagan 2015) for a reason: with U Σ, inner products and distances
  between the words' vectors are those between their PPMI rows, as nearly as `dim` numbers allow.

**The trap:** log 0. And the sum that stands in the denominator: the row's for the word, the column's for its neighbour.
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
    "counts by hand: both sides, each pair of places once, and never oneself",
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
    "0; an unseen pair has 0, and neither -inf nor NaN.",
):
    counts = torch.tensor([[6.0, 2.0, 0.0], [1.0, 5.0, 4.0]])
    ppmi = embedded(counts, dim=1)[0]
    exercise.finite(ppmi)
    exercise.close(
        ppmi,
        [[np.log(18 * 6 / 56), 0.0, 0.0], [0.0, np.log(18 * 5 / 70), np.log(18 * 4 / 40)]],
        atol=1e-4,
    )

with exercise.check(
    "vectors: a row for each word, with the inner products of the PPMI rows",
    points=1,
    hint="torch.linalg.svd gives U, S and Vᵀ; the vectors are U[:, :dim] * S[:dim]. Rows of V (or columns of Vᵀ) would be vectors of the "
    "contexts; U alone or U √Σ have other lengths.",
):
    counts = torch.tensor([[6.0, 2.0, 0.0], [1.0, 5.0, 4.0]])
    vectors = embedded(counts, dim=2)[1]
    exercise.shape(vectors, (2, 2))
    exercise.close(inner(vectors), [[0.4313, 0.0], [0.0, 0.4086]], atol=1e-3)
    exercise.shape(embedded(counts, dim=1)[1], (2, 1))


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
    "counts from the end in Python.",
):
    words = list("abcdefg")
    sentences = [
        [words[k] for k in exercise.rng.integers(0, 7, size=exercise.rng.integers(1, 9))] for _ in range(12)
    ]
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
    vectors = torch.as_tensor(embedded(neighbours_of(sentences, words, window=2), dim=6)[1])
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

for each sentence, each place i, each place j ≠ i with |i − j| ≤ window inside the sentence: counts[word i, word j] += 1
chance ← row sums (as a column) · column sums (as a row) / sum of all
PPMI ← log(counts / chance) where counts > 0, else 0; then what is below 0 becomes 0
U, Σ, Vᵀ ← svd(PPMI); vectors ← first dim columns of U, each times its singular value
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


def told_scenes(seed: int, *, favourites: Mapping[str, str] | None = None) -> list[list[str]]:
    """Words of captions of fresh scenes; with favourites, shapes are seldom seen in colours far from theirs."""
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
    _, vectors = embed_words(count_neighbours(kept, words, window=2), dim=dim)
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
seen in colours far from it; the captions, the counting and the embedding are the same. Now distances between colours
agree with red, green and blue at 0.57, above chance. The words still know nothing of light. They know which things
come in which colours, and if that depends on the colour, then distance does too. (And the kinds suffer: colours are
now as far from each other as from other words.) MiniLM's 0.28 does not exceed chance with eight colours: a test with
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
        title="192 objects",
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
*Torus* and *ring* are no neighbours, though they name the same thing. They never share a caption, and hardly a
neighbour: whoever says *ring* also says *big* and *glossy*, and whoever says *torus* says *large* and *shiny*. So
*torus* lies with *cube*, another thing in the same wording, and *ring* with *box*. What co-occurrence puts together
is not what means the same, but what can stand in the same place. And opposites can: ask for *large*.

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
    count_neighbours(names, vocabulary, window=20), dim=min(50, len(vocabulary))
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
place in a name. *Red* has colours among its neighbours, and so does *exclamation*, because the question and
exclamation marks of emoji are red or white. The heart lies near *circle* and *square*, for these come in all colours;
and near *mushroom*, for there is one brown mushroom, as there is a brown heart. And *cat*? Not dogs: cats among emoji
smile, grin and have tears of joy. A few hundred names are a small world, and these vectors know that world and no
other.

Now change the question. Which encoding would you give to a model that has to *find the red cube among blue ones*? And
which to one that has seen the word *purple* ten times only? The first needs words kept apart. The second gains from
knowing that purple behaves like its kind. Most models get a start like the second and then learn what to keep apart.
"""
