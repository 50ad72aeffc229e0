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

# --- new

WHEATS |= {
    "latin_letters_for_bytes": """
from collections import Counter

def _letters(word):
    return list(word.encode("utf-8").decode("latin-1")) + [" "]

def _merge(parts, a, b):
    if len(parts) < 2:
        return parts
    if parts[0] == a and parts[1] == b:
        return [a + b] + _merge(parts[2:], a, b)
    return parts[:1] + _merge(parts[1:], a, b)

def _raw(text):
    return text.encode("latin-1")

def learn_merges(counts, number):
    words = {word: _letters(word) for word in counts}
    merges = []
    while len(merges) < number:
        seen = Counter()
        for word, parts in words.items():
            seen.update({pair: n * counts[word] for pair, n in Counter(zip(parts, parts[1:])).items()})
        seen = [(-n, pair) for pair, n in seen.items() if n > 1]
        if len(seen) == 0:
            break
        a, b = min(seen)[1]
        merges.append((_raw(a), _raw(b)))
        words = {word: _merge(parts, a, b) for word, parts in words.items()}
    return merges

def encode(text, merges):
    tokens = []
    for word in text.split(" "):
        parts = _letters(word)
        for a, b in merges:
            parts = _merge(parts, a.decode("latin-1"), b.decode("latin-1"))
        tokens += [_raw(part) for part in parts]
    return tokens

def decode(tokens):
    return _raw("".join(token.decode("latin-1") for token in tokens))[:-1].decode("utf-8")
""",
    "a_heap": """
import heapq
from functools import lru_cache

def _start(word):
    return tuple(bytes([b]) for b in bytes(word, "utf8")) + (b" ",)

def _join(tokens, pair):
    i, out = 0, ()
    while i < len(tokens):
        if tokens[i : i + 2] == pair:
            out += (b"".join(pair),)
            i += 2
        else:
            out += (tokens[i],)
            i += 1
    return out

def learn_merges(counts, number):
    words = [_start(word) for word in counts]
    times = list(counts.values())
    merges = []
    for _ in range(number):
        total = {}
        for tokens, n in zip(words, times):
            for i in range(1, len(tokens)):
                total[tokens[i - 1], tokens[i]] = total.get((tokens[i - 1], tokens[i]), 0) + n
        heap = [(-n, pair) for pair, n in total.items()]
        heapq.heapify(heap)
        if not heap:
            return merges
        n, pair = heapq.heappop(heap)
        if -n < 2:
            return merges
        merges.append(pair)
        words = [_join(tokens, pair) for tokens in words]
    return merges

def encode(text, merges):
    @lru_cache(maxsize=None)
    def one(word):
        tokens = _start(word)
        for pair in merges:
            tokens = _join(tokens, (pair[0], pair[1]))
        return tokens
    return sum((one(word) for word in text.split(" ")), ())

def decode(tokens):
    return str(b"".join(tokens), "utf-8")[:-1]
""",
    "numbers_for_tokens": """
def _numbers(word):
    return list(word.encode()) + [32]

def _swap(ids, pair, new):
    out = []
    for x in ids:
        if out and (out[-1], x) == pair:
            out[-1] = new
        else:
            out.append(x)
    return out

def learn_merges(counts, number):
    vocabulary = {i: bytes([i]) for i in range(256)}
    words = [(_numbers(word), n) for word, n in counts.items()]
    merges = []
    for step in range(number):
        stats = {}
        for ids, n in words:
            for pair in zip(ids, ids[1:]):
                stats[pair] = stats.get(pair, 0) + n
        if not stats:
            break
        as_bytes = lambda pair: (vocabulary[pair[0]], vocabulary[pair[1]])
        pair = sorted(stats, key=lambda pair: (-stats[pair], as_bytes(pair)))[0]
        if stats[pair] == 1:
            break
        merges.append(as_bytes(pair))
        vocabulary[256 + step] = vocabulary[pair[0]] + vocabulary[pair[1]]
        words = [(_swap(ids, pair, 256 + step), n) for ids, n in words]
    return merges

def encode(text, merges):
    vocabulary = [bytes([i]) for i in range(256)]
    number = {token: i for i, token in enumerate(vocabulary)}
    pairs = []
    for a, b in merges:
        number.setdefault(a + b, len(vocabulary))
        if number[a + b] == len(vocabulary):
            vocabulary.append(a + b)
        pairs.append((number[a], number[b], number[a + b]))
    out = []
    for word in text.split(" "):
        ids = _numbers(word)
        for a, b, new in pairs:
            ids = _swap(ids, (a, b), new)
        out += [vocabulary[i] for i in ids]
    return out

def decode(tokens):
    return b"".join(list(tokens)).decode("utf-8").removesuffix(" ")
""",
    "a_generator_of_pairs": """
from collections import Counter
from itertools import chain, repeat

def _neighbours(tokens):
    yield from zip(tokens, tokens[1:])

def _glue(tokens, pair):
    tokens, i = tokens[:], len(tokens) * 0
    while i + 1 < len(tokens):
        if tokens[i] + tokens[i + 1] == pair[0] + pair[1] and len(tokens[i]) == len(pair[0]):
            tokens[i] += tokens.pop(i + 1)
        i += 1
    return tokens

def _word(word):
    return [(word + " ").encode()[i : i + 1] for i in range(len(word.encode()) + 1)]

def learn_merges(counts, number):
    words, merges = {w: _word(w) for w in counts}, []
    for _ in range(number):
        c = Counter(chain.from_iterable(chain.from_iterable(repeat(list(_neighbours(t)), counts[w])) for w, t in words.items()))
        if not c or c.most_common(1)[0][1] < 2:
            break
        best = sorted(c.most_common(), key=lambda item: item[0])
        best = sorted(best, key=lambda item: item[1], reverse=True)[0][0]
        merges += [best]
        words = {w: _glue(t, best) for w, t in words.items()}
    return tuple(merges)

def encode(text, merges):
    return [t for w in text.split(" ") for t in __import__("functools").reduce(_glue, merges, _word(w))]

def decode(tokens):
    out = bytearray()
    for token in tokens:
        out.extend(token)
    del out[-1]
    return out.decode()
""",
}

CHAFFS |= {
    "ties_by_the_joined_token": dict(
        expects=("words count", "dictionary order"),
        source=but("(-pairs[pair], pair))", "(-pairs[pair], pair[0] + pair[1]))"),
    ),
    "ties_by_the_longest": dict(
        expects=("four words", "dictionary order"),
        source=but("(-pairs[pair], pair))", "(-pairs[pair], -len(pair[0] + pair[1]), pair))"),
    ),
    "ties_by_the_shortest": dict(
        expects=("words count", "dictionary order"),
        source=but("(-pairs[pair], pair))", "(-pairs[pair], len(pair[0] + pair[1]), pair))"),
    ),
    "ties_by_the_end_of_the_pair": dict(
        expects=("words count", "dictionary order"),
        source=but("(-pairs[pair], pair))", "(-pairs[pair], pair[::-1]))"),
    ),
    "case_is_no_matter": dict(
        expects=("loses nothing", "is not the same"),
        source=but("for word in text.split(", "for word in text.lower().split("),
    ),
    "normalised_first": dict(
        expects=("loses nothing", "is not the same"),
        source="import unicodedata\n" + but("for word in text.split(", 'for word in unicodedata.normalize("NFC", text).split('),
    ),
    "learned_from_the_right": dict(
        expects=("words count", "aaab becomes aa, a, b"),
        source=but(
            "words = [(join(tokens, best), count)",
            "words = [([t[::-1] for t in join([t[::-1] for t in tokens[::-1]], (best[1][::-1], best[0][::-1]))[::-1]], count)",
        ),
    ),
    "a_pair_once_a_word": dict(
        expects=("words count", "aaa, twice"),
        source=but("for a, b in zip(tokens, tokens[1:]):", "for a, b in set(zip(tokens, tokens[1:])):"),
    ),
    "one_more_than_asked": dict(
        expects=("words count", "after `number` merges"), source=but("range(number)", "range(number + 1)")
    ),
    "at_least_three_times": dict(
        expects=("words count", "Stop"), source=but("max(pairs.values()) < 2", "max(pairs.values()) <= 2")
    ),
    "crashes_when_nothing_is_left": dict(
        expects=("words count", "Stop"), source=but("not pairs or max(pairs.values()) < 2", "max(pairs.values()) < 2")
    ),
    "joined_tokens_for_pairs": dict(
        expects=("four words", "a merge is the pair"), source=but("merges.append(best)", "merges.append(best[0] + best[1])")
    ),
    "space_before_the_word": dict(
        expects=("four words", "behind each word"),
        source=but('[bytes([b]) for b in word.encode()] + [b" "]', '[b" "] + [bytes([b]) for b in word.encode()]').replace('b"".join(tokens)[:-1]', 'b"".join(tokens)[1:]'),
    ),
    "the_space_hangs_on_the_last_letter": dict(
        expects=("four words", "a token of its own"),
        source=but(
            'return [bytes([b]) for b in word.encode()] + [b" "]',
            'raw = [bytes([b]) for b in word.encode()]\n    return raw[:-1] + [raw[-1] + b" "] if raw else [b" "]',
        ),
    ),
    "one_merge_until_it_fits_no_more": dict(
        expects=("encoding", "in the order"),
        source=but(
            "        for pair in merges:\n            tokens = join(tokens, tuple(pair))\n",
            "        while True:\n            fits = [p for p in zip(tokens, tokens[1:]) if p in set(map(tuple, merges))]\n            if not fits:\n                break\n            tokens = join(tokens, fits[0])\n",
        ),
    ),
    "unknown_bytes_are_dropped": dict(
        expects=("loses nothing", "is not the same"),
        source=but("        out.extend(tokens)", "        known = {part for pair in merges for part in (*pair, pair[0] + pair[1])} | {b' '}\n        out.extend(t for t in tokens if t in known)"),
    ),
    "tokens_of_each_word_in_a_list": dict(
        expects=("encoding", "has 1 entry"), source=but("out.extend(tokens)", "out.append(tokens)")
    ),
    "no_space_after_the_last_word": dict(
        expects=("encoding", "keeps its space"),
        source=but("    return out\n\n\ndef decode", '    return out[:-1] if out[-1] == b" " else out\n\n\ndef decode').replace("[:-1].decode()", ".decode()"),
    ),
    "counts_are_used_up": dict(
        expects=("four words", "in place"),
        source=but(
            "    words = [(start(word), count) for word, count in counts.items()]\n",
            "    words = [(start(word), counts.pop(word)) for word in list(counts)]\n",
        ),
    ),
    "whitespace_is_whitespace": dict(
        expects=("loses nothing", "is not the same"),
        source="import re\n" + but('text.split(" ")', 're.split(r"\\s", text)'),
    ),
    "empty_words_have_no_space": dict(
        expects=("loses nothing", "empty words"), source=but('text.split(" "):', 'text.split(" "):\n        if not word:\n            continue')
    ),
}
