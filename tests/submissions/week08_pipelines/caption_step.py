"""Wheats and chaffs for caption_step. Each replaces the solution cell; names say what the author believed."""

RIGHT = """
def caption_step(block, words, image, *, visible=None, earlier=None):
    seen = words if earlier is None else torch.cat([earlier, words], dim=1)
    before = seen.shape[1] - words.shape[1]
    causal = torch.ones(1, words.shape[1], seen.shape[1], dtype=torch.bool).tril(before)
    patches = None if visible is None else visible[:, None]
    words = words + block.self_attention(block.self_norm(words), block.self_norm(seen), causal)
    words = words + block.cross_attention(block.cross_norm(words), image, patches)
    return words + block.mlp(block.mlp_norm(words))

def teacher_forcing(tokens):
    goals = tokens[:, 1:]
    return tokens[:, :-1], goals.masked_fill(goals == PAD, -100)

@torch.no_grad()
def greedy_decode(next_word, count, *, length=12):
    tokens = torch.full((count, 1), START)
    ended = torch.zeros(count, dtype=torch.bool)
    while tokens.shape[1] < length and not ended.all():
        word = next_word(tokens).argmax(dim=-1).masked_fill(ended, PAD)
        tokens = torch.cat([tokens, word[:, None]], dim=1)
        ended = ended | (word == END)
    return tokens
"""


def but(old, new):
    """The right answer, but for one thing."""
    assert RIGHT.count(old) == 1, old
    return RIGHT.replace(old, new)


WHEATS = {
    "positions_are_compared": """
def caption_step(block, words, image, visible=None, earlier=None):
    if earlier is None:
        earlier = words.new_zeros(words.shape[0], 0, words.shape[2])
    n, m = earlier.shape[1], words.shape[1]
    everyone = torch.cat((earlier, words), 1)
    asker = torch.arange(n, n + m)[:, None]
    answerer = torch.arange(n + m)[None]
    allowed = (answerer <= asker).expand(len(words), m, n + m)
    x = words
    x = x + block.self_attention(block.self_norm(x), block.self_norm(everyone), allowed=allowed)
    if visible is None:
        visible = torch.ones(image.shape[:2], dtype=torch.bool)
    mask = visible.unsqueeze(1).repeat(1, m, 1)
    x = x + block.cross_attention(asking=block.cross_norm(x), answering=image, allowed=mask)
    x = x + block.mlp(block.mlp_norm(x))
    return x

def teacher_forcing(tokens):
    inputs, goals = tokens[:, :-1].clone(), tokens[:, 1:].clone()
    goals[goals == PAD] = -100
    return [inputs, goals]

def greedy_decode(next_word, count, length=12):
    tokens = torch.full((count, length), PAD, dtype=torch.long)
    tokens[:, 0] = START
    done = torch.zeros(count, dtype=torch.bool)
    for place in range(1, length):
        word = torch.max(next_word(tokens[:, :place]), dim=1).indices
        tokens[:, place] = torch.where(done, torch.tensor(PAD), word)
        done |= word == END
        if bool(done.all()):
            return tokens[:, : place + 1]
    return tokens
""",
    "the_whole_triangle_and_its_last_rows": """
def caption_step(block, words, image, *, visible=None, earlier=None):
    every = words if earlier is None else torch.hstack([earlier, words])
    new = words.shape[1]
    allowed = ~torch.triu(torch.ones(every.shape[1], every.shape[1]), diagonal=1).bool()
    normed = block.self_norm(every)
    x = words + block.self_attention(normed[:, -new:], normed, allowed[None, -new:])
    x = x + block.cross_attention(block.cross_norm(x), image, None if visible is None else visible[:, None, :])
    return x + block.mlp(block.mlp_norm(x))

def teacher_forcing(tokens):
    goals = torch.where(tokens == PAD, torch.full_like(tokens, -100), tokens)[:, 1:]
    inputs = torch.where(tokens == END, torch.full_like(tokens, PAD), tokens)[:, :-1]  # nothing follows END
    return inputs, goals

def greedy_decode(next_word, count, *, length=12):
    rows = [[START] for _ in range(count)]
    with torch.no_grad():
        for _ in range(length - 1):
            if all(END in row for row in rows):
                break
            scores = next_word(torch.tensor(rows))
            for row, score in zip(rows, scores):
                row.append(PAD if END in row else int(score.argmax()))
    return torch.tensor(rows)
""",
    "all_words_again_with_the_cache": """
def caption_step(block, words, image, *, visible=None, earlier=None):
    if earlier is not None:
        return caption_step(block, torch.cat([earlier, words], 1), image, visible=visible)[:, earlier.shape[1] :]
    n = words.shape[1]
    words = words + block.self_attention(block.self_norm(words), block.self_norm(words), torch.tril(torch.ones(1, n, n)) > 0)
    words = words + block.cross_attention(block.cross_norm(words), image, None if visible is None else visible[:, None].expand(-1, n, -1))
    return words + block.mlp(block.mlp_norm(words))

def teacher_forcing(tokens):
    inputs = tokens[:, :-1]
    goals = torch.tensor([[-100 if token == PAD else token for token in row] for row in tokens[:, 1:].tolist()])
    return inputs, goals

def greedy_decode(next_word, count, *, length=12):
    tokens = torch.full((count, 1), START)
    for _ in range(1, length):
        over = (tokens == END).any(dim=1)
        if over.all():
            break
        word = next_word(tokens).softmax(-1).topk(1).indices.squeeze(-1)
        word[over] = PAD
        tokens = torch.column_stack([tokens, word])
    return tokens
""",
}

CHAFFS = {
    "the_target_is_the_input": dict(
        expects=("teacher forcing", "goals = all but the first"),
        source=but("goals = tokens[:, 1:]", "goals = tokens[:, :-1]"),
    ),
    "shifted_the_other_way": dict(
        expects=("teacher forcing", "inputs = all but the last"),
        source=but("goals = tokens[:, 1:]", "goals = tokens[:, :-1]").replace(
            "return tokens[:, :-1], ", "return tokens[:, 1:], "
        ),
    ),
    "filling_counts": dict(
        expects=("filling does not count", "-100"),
        source=but("goals.masked_fill(goals == PAD, -100)", "goals"),
    ),
    "filling_is_zero": dict(
        expects=("filling does not count", "-100"), source=but("goals == PAD, -100", "goals == PAD, 0")
    ),
    "the_end_is_no_word": dict(
        expects=("teacher forcing", "learns to stop"),
        source=but("goals == PAD, -100", "(goals == PAD) | (goals == END), -100"),
    ),
    "written_into_the_captions": dict(
        expects=("teacher forcing", "view of tokens"),
        source=but(
            "return tokens[:, :-1], goals.masked_fill(goals == PAD, -100)",
            "goals[goals == PAD] = -100\n    return tokens[:, :-1].clone(), goals",
        ),
    ),
    "no_mask": dict(
        expects=("no leak", "lower triangle"),
        source=but("block.self_norm(seen), causal)", "block.self_norm(seen))"),
    ),
    "true_means_forbidden": dict(
        expects=("no leak", "lower triangle"),
        source=but("block.self_norm(seen), causal)", "block.self_norm(seen), ~causal)"),
    ),
    "upper_triangle": dict(
        expects=("no leak", "lower triangle"), source=but(".tril(before)", ".triu(before)")
    ),
    "a_word_does_not_see_itself": dict(
        expects=("no leak", "itself"), source=but(".tril(before)", ".tril(before - 1)")
    ),
    "one_more_may_be_seen": dict(
        expects=("no leak", "lower triangle"), source=but(".tril(before)", ".tril(before + 1)")
    ),
    "each_word_for_itself": dict(
        expects=("no leak", "did not notice"),
        source=but(".tril(before)", ".tril(before).triu(before)"),
    ),
    "the_triangle_stays_on_the_left": dict(
        expects=("with the cache", "moves right"), source=but(".tril(before)", ".tril()")
    ),
    "the_cache_is_forgotten": dict(
        expects=("with the cache", "earlier and words together"),
        source=but("words if earlier is None else torch.cat([earlier, words], dim=1)", "words"),
    ),
    "the_cache_comes_after": dict(
        expects=("with the cache", "earlier and words together"),
        source=but("[earlier, words]", "[words, earlier]"),
    ),
    "the_cache_is_not_normalised": dict(
        expects=("with the cache", "normalised"),
        source=but(
            "block.self_norm(seen), causal",
            "block.self_norm(words) if earlier is None else torch.cat([earlier, block.self_norm(words)], 1), causal",
        ),
    ),
    "returns_the_earlier_words_too": dict(
        expects=("with the cache", "shape"),
        source=but("    seen = words", "    words = seen = words").replace(
            "before = seen.shape[1] - words.shape[1]", "before = 0"
        ),
    ),
    "the_image_asks": dict(
        expects=("no leak", "size"),
        source=but(
            "block.cross_attention(block.cross_norm(words), image, patches)",
            "block.cross_attention(image, block.cross_norm(words), patches)",
        ),
    ),
    "the_words_answer_again": dict(
        expects=("each word asks", "patches answer"),
        source=but(
            "block.cross_norm(words), image, patches",
            "block.cross_norm(words), block.cross_norm(words), causal",
        ),
    ),
    "the_mask_is_laid_on_the_image": dict(
        expects=("each word asks", "without the mask"),
        source=but(
            "image, patches)",
            "image, torch.ones(1, words.shape[1], image.shape[1], dtype=torch.bool).tril())",
        ),
    ),
    "images_are_normalised": dict(
        expects=("each word asks", "as they come"),
        source=but("words), image, patches", "words), block.cross_norm(image), patches"),
    ),
    "one_image_for_all": dict(
        expects=("each word asks", "patches"),
        source=but("words), image, patches", "words), image[:1].expand_as(image), patches"),
    ),
    "no_residual_at_the_image": dict(
        expects=("each word asks", "stream"),
        source=but("words = words + block.cross_attention", "words = block.cross_attention"),
    ),
    "norm_last": dict(
        expects=("each word asks", "part(norm(stream))"),
        source=but("words + block.mlp(block.mlp_norm(words))", "block.mlp_norm(words + block.mlp(words))"),
    ),
    "the_image_comes_first": dict(
        expects=("each word asks", "stream"),
        source="""
def caption_step(block, words, image, *, visible=None, earlier=None):
    patches = None if visible is None else visible[:, None]
    words = words + block.cross_attention(block.cross_norm(words), image, patches)
    n = words.shape[1]
    words = words + block.self_attention(block.self_norm(words), block.self_norm(words), torch.ones(1, n, n).tril().bool())
    return words + block.mlp(block.mlp_norm(words))
"""
        + RIGHT[RIGHT.index("def teacher_forcing") :],
    ),
    "filling_is_looked_at": dict(
        expects=("filling", "visible is True"),
        source=but("None if visible is None else visible[:, None]", "None"),
    ),
    "visible_the_wrong_way_round": dict(
        expects=("filling", "visible is True"), source=but("visible[:, None]", "~visible[:, None]")
    ),
    "filling_becomes_zero": dict(
        expects=("filling", "visible is True"),
        source=but(
            "words), image, patches)",
            "words), image if visible is None else image * visible[..., None], None)",
        ),
    ),
    "the_end_is_ignored": dict(
        expects=("greedy decoding", "get PAD"), source=but("ended | (word == END)", "ended")
    ),
    "the_first_end_ends_all": dict(
        expects=("greedy decoding", "when the first has"), source=but("not ended.all()", "not ended.any()")
    ),
    "words_after_the_end": dict(
        expects=("greedy decoding", "get PAD"), source=but(".masked_fill(ended, PAD)", "")
    ),
    "on_to_the_last_place": dict(
        expects=("greedy decoding", "Stop when all have"),
        source=but(" and not ended.all()", ""),
    ),
    "no_end_among_the_tokens": dict(
        expects=("greedy decoding", "get PAD"),
        source=but(
            "word = next_word(tokens).argmax(dim=-1).masked_fill(ended, PAD)",
            "word = next_word(tokens).argmax(dim=-1)\n        ended = ended | (word == END)\n        word = word.masked_fill(ended, PAD)",
        ),
    ),
    "one_too_many": dict(
        expects=("greedy decoding", "Stop when"),
        source=but("tokens.shape[1] < length", "tokens.shape[1] <= length"),
    ),
    "drawn_instead_of_likeliest": dict(
        expects=("greedy decoding", "Stop when"),
        source=but(
            "next_word(tokens).argmax(dim=-1)", "torch.multinomial(next_word(tokens).softmax(-1), 1)[:, 0]"
        ),
    ),
}
