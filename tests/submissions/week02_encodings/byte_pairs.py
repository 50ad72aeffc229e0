"""Wheats and chaffs for byte_pairs. Each replaces the solution cell; names say what the author believed."""

RIGHT = """
def join(tokens, pair):
    out, i = [], 0
    while i < len(tokens):
        if i + 1 < len(tokens) and (tokens[i], tokens[i + 1]) == pair:
            out.append(pair[0] + pair[1])
            i += 2
        else:
            out.append(tokens[i])
            i += 1
    return out


def start(word):
    return [bytes([b]) for b in word.encode()] + [b" "]


def learn_merges(counts, number):
    words = [(start(word), count) for word, count in counts.items()]
    merges = []
    for _ in range(number):
        pairs = {}
        for tokens, count in words:
            for a, b in zip(tokens, tokens[1:]):
                pairs[a, b] = pairs.get((a, b), 0) + count
        if not pairs or max(pairs.values()) < 2:
            break
        best = min(pairs, key=lambda pair: (-pairs[pair], pair))
        merges.append(best)
        words = [(join(tokens, best), count) for tokens, count in words]
    return merges


def encode(text, merges):
    out = []
    for word in text.split(" "):
        tokens = start(word)
        for pair in merges:
            tokens = join(tokens, tuple(pair))
        out.extend(tokens)
    return out


def decode(tokens):
    return b"".join(tokens)[:-1].decode()
"""


def but(old, new):
    """The right answer, but for one thing."""
    assert RIGHT.count(old) == 1, old
    return RIGHT.replace(old, new)


WHEATS = {
    "tuples_and_the_lowest_rank_first": """
import collections

def fuse(tokens, a, b):
    new = []
    for token in tokens:
        if new and new[-1] == a and token == b and not fused[-1]:
            new[-1] = a + b
            fused[-1] = True
        else:
            if not new:
                fused = []
            new.append(token)
            fused.append(False)
    return tuple(new)

def split(word):
    raw = (word + " ").encode("utf-8")
    return tuple(raw[i : i + 1] for i in range(len(raw)))

def learn_merges(counts, number):
    vocab = collections.Counter()
    for word, n in counts.items():
        vocab[split(word)] += n
    learned = []
    while len(learned) < number:
        seen = collections.defaultdict(int)
        for tokens, n in vocab.items():
            for i in range(len(tokens) - 1):
                seen[tokens[i], tokens[i + 1]] += n
        ranked = sorted(seen.items(), key=lambda item: (-item[1], item[0]))
        if not ranked or ranked[0][1] <= 1:
            return learned
        learned.append(ranked[0][0])
        fresh = collections.Counter()
        for tokens, n in vocab.items():
            fresh[fuse(tokens, *ranked[0][0])] += n
        vocab = fresh
    return learned

def encode(text, merges):
    rank = {tuple(pair): i for i, pair in reversed(list(enumerate(merges)))}
    result = []
    for word in text.split(" "):
        tokens = split(word)
        while True:
            found = [rank[pair] for pair in zip(tokens, tokens[1:]) if pair in rank]
            if not found:
                break
            tokens = fuse(tokens, *merges[min(found)])
        result.extend(tokens)
    return tuple(result)

def decode(tokens):
    whole = bytes()
    for token in tokens:
        whole += token
    text = whole.decode("utf-8")
    return text[: len(text) - 1]
""",
    "counts_kept_up_to_date": """
from collections import Counter, defaultdict

def _apply(tokens, pair):
    i = 0
    tokens = list(tokens)
    while i < len(tokens) - 1:
        if tokens[i] == pair[0] and tokens[i + 1] == pair[1]:
            tokens[i : i + 2] = [tokens[i] + tokens[i + 1]]
        i += 1
    return tokens

def _pairs(tokens):
    return Counter(zip(tokens[:-1], tokens[1:]))

def learn_merges(counts, number):
    split = {w: [bytes((x,)) for x in w.encode()] + [b" "] for w in counts}
    total, where = Counter(), defaultdict(set)
    for w, tokens in split.items():
        for pair, n in _pairs(tokens).items():
            total[pair] += n * counts[w]
            where[pair].add(w)
    merges = []
    for _ in range(number):
        top = max(total.values(), default=0)
        if top < 2:
            break
        best = min(pair for pair, n in total.items() if n == top)
        merges.append(list(best))
        for w in list(where[best]):
            for pair, n in _pairs(split[w]).items():
                total[pair] -= n * counts[w]
            split[w] = _apply(split[w], best)
            for pair, n in _pairs(split[w]).items():
                total[pair] += n * counts[w]
                where[pair].add(w)
    return merges

def encode(text, merges):
    def one(word):
        tokens = [bytes((x,)) for x in word.encode()] + [b" "]
        for pair in merges:
            if pair[0] in tokens:
                tokens = _apply(tokens, pair)
        return tokens
    return [token for word in text.split(" ") for token in one(word)]

def decode(tokens):
    return "".join(b"".join(tokens).decode()).removesuffix(" ")
""",
    "a_recursive_reader": RIGHT.replace(
        'b"".join(tokens)[:-1].decode()', "bytes(b for token in tokens for b in token).decode()[0:-1]"
    ),
}

CHAFFS = {
    # learning
    "joins_words": dict(
        expects=("fresh words", "over the end of a word"),
        source=but(
            "words = [(start(word), count) for word, count in counts.items()]",
            "words = [([t for word, count in counts.items() for _ in range(count) for t in start(word)], 1)]",
        ),
    ),
    "ties_by_first_seen": dict(
        expects=("words count", "dictionary order"),
        source=but("min(pairs, key=lambda pair: (-pairs[pair], pair))", "max(pairs, key=pairs.get)"),
    ),
    "ties_by_the_last": dict(
        expects=("four words", "in dictionary order es"),
        source=but(
            "min(pairs, key=lambda pair: (-pairs[pair], pair))",
            "max(pairs, key=lambda pair: (pairs[pair], pair))",
        ),
    ),
    "every_word_once": dict(
        expects=("four words", "times"),
        source=but("pairs.get((a, b), 0) + count", "pairs.get((a, b), 0) + 1"),
    ),
    "no_word_ends": dict(
        expects=("four words", "is not the same"), source=but('word.encode()] + [b" "]', "word.encode()]")
    ),
    "pairs_do_not_overlap": dict(
        expects=("words count", "overlap"),
        source=but(
            "for a, b in zip(tokens, tokens[1:]):\n",
            "last = -1\n            for i, (a, b) in enumerate(zip(tokens, tokens[1:])):\n                if a == b and last == i - 1 and tokens[i - 1] == a:\n                    continue\n                last = i\n",
        ),
    ),
    "merges_what_occurs_once": dict(
        expects=("words count", "only once"), source=but("max(pairs.values()) < 2", "max(pairs.values()) < 1")
    ),
    "never_counts_afresh": dict(
        expects=("four words", "is not the same"),
        source=but(
            "        words = [(join(tokens, best), count) for tokens, count in words]\n",
            "        words = [(join(tokens, best), count) for tokens, count in words[:1]] + words[1:]\n",
        ),
    ),
    "all_merges_from_one_count": dict(
        expects=("four words", "is not the same"),
        source="\n".join(
            (
                but("    for _ in range(number):\n", "    for _ in range(1):\n").replace(
                    "        merges.append(best)",
                    "        merges = sorted(pairs, key=lambda pair: (-pairs[pair], pair))[:number]",
                ),
            )
        ),
    ),
    "always_as_many_as_asked": dict(
        expects=("words count", "Stop"),
        source=but("not pairs or max(pairs.values()) < 2", "not pairs"),
    ),
    # encoding
    "most_frequent_pair_of_the_text": dict(
        expects=("encoding", "order in which they were learned"),
        source=but(
            "        for pair in merges:\n            tokens = join(tokens, tuple(pair))\n",
            "        for a, b in sorted(map(tuple, merges), key=lambda m: (-text.encode().count(m[0] + m[1]), m)):\n            tokens = join(tokens, (a, b))\n",
        ),
    ),
    "longest_match": dict(
        expects=("encoding", "longest token"),
        source=but(
            "        for pair in merges:\n            tokens = join(tokens, tuple(pair))\n",
            '        raw, known, tokens = b"".join(tokens), {a + b for a, b in merges}, []\n'
            "        while raw:\n"
            "            size = max([n for n in range(1, len(raw) + 1) if raw[:n] in known], default=1)\n"
            "            tokens.append(raw[:size])\n"
            "            raw = raw[size:]\n",
        ),
    ),
    "merges_in_any_order": dict(
        expects=("encoding", "order in which they were learned"),
        source=but(
            "for pair in merges:\n            tokens", "for pair in sorted(merges):\n            tokens"
        ),
    ),
    "newest_merge_first": dict(
        expects=("encoding", "order in which they were learned"),
        source=but(
            "for pair in merges:\n            tokens", "for pair in reversed(merges):\n            tokens"
        ),
    ),
    "each_merge_once_in_a_word": dict(
        expects=("fresh text", "wherever it fits"),
        source=but(
            "            tokens = join(tokens, tuple(pair))\n",
            "            for i in range(len(tokens) - 1):\n"
            "                if (tokens[i], tokens[i + 1]) == tuple(pair):\n"
            "                    tokens = tokens[:i] + [tokens[i] + tokens[i + 1]] + tokens[i + 2 :]\n"
            "                    break\n",
        ),
    ),
    "from_the_right": dict(
        expects=("encoding", "aaa becomes aa, a"),
        source=but(
            "            tokens = join(tokens, tuple(pair))\n",
            "            tokens = [t[::-1] for t in join([t[::-1] for t in tokens[::-1]], (pair[1][::-1], pair[0][::-1]))[::-1]]\n",
        ),
    ),
    "one_long_word": dict(
        expects=("encoding", "cut on its own"),
        source=but('for word in text.split(" "):', "for word in [text]:"),
    ),
    # there and back
    "split_drops_spaces": dict(
        expects=("loses nothing", "keeps empty words"), source=but('text.split(" ")', "text.split()")
    ),
    "strips_the_text": dict(
        expects=("loses nothing", "no more"), source=but("[:-1].decode()", ".decode().strip()")
    ),
    "one_space_too_many": dict(
        expects=("loses nothing", "Then take off one space"), source=but("[:-1].decode()", ".decode()")
    ),
    "decodes_one_by_one": dict(
        expects=("loses nothing", "decode them together"),
        source=but('b"".join(tokens)[:-1].decode()', '"".join(token.decode() for token in tokens)[:-1]'),
    ),
    "replaces_what_is_cut": dict(
        expects=("loses nothing", "decode them together"),
        source=but(
            'b"".join(tokens)[:-1].decode()',
            '"".join(token.decode(errors="replace") for token in tokens)[:-1]',
        ),
    ),
    "ascii_is_enough": dict(
        expects=("loses nothing", "is not the same"),
        source=but("word.encode()] +", 'word.encode("ascii", errors="replace")] +'),
    ),
    "words_with_spaces_between": dict(
        expects=("loses nothing", "is not the same"),
        source=but('b"".join(tokens)[:-1].decode()', 'b" ".join(tokens).decode()'),
    ),
    "characters_and_not_bytes": dict(
        expects=("four words", "is a str"),
        source=RIGHT.replace('[bytes([b]) for b in word.encode()] + [b" "]', 'list(word) + [" "]').replace(
            'b"".join(tokens)[:-1].decode()', '"".join(tokens)[:-1]'
        ),
    ),
}
