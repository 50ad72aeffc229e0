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
    "place_by_place_without_a_mask": """
def caption_step(block, words, image, *, visible=None, earlier=None):
    everyone = words.clone() if earlier is None else torch.concatenate((earlier, words), axis=1)
    first = everyone.size(1) - words.size(1)
    columns = []
    for place in range(first, everyone.size(1)):
        x = everyone[:, place : place + 1].clone()
        x = x + block.self_attention(block.self_norm(x), block.self_norm(everyone[:, : place + 1]))
        columns.append(x)
    x = torch.cat(columns, 1)
    seen = None
    if visible is not None:
        seen = torch.stack([visible] * x.size(1), dim=1)
    x = torch.add(x, block.cross_attention(block.cross_norm(x), image, seen))
    x = x + block.mlp(block.mlp_norm(x))
    return x

def teacher_forcing(tokens):
    inputs = tokens.narrow(1, 0, tokens.size(1) - 1)
    goals = torch.roll(tokens, -1, 1)[:, :-1]
    goals = goals * (goals != PAD) - 100 * (goals == PAD)
    return inputs, goals

def greedy_decode(next_word, count, *, length=12):
    def grow(tokens):
        ended = (tokens == END).sum(1) > 0
        if tokens.size(1) >= length or bool(ended.min()):
            return tokens
        word = next_word(tokens).detach().numpy().argmax(axis=1)
        word = torch.where(ended, PAD, torch.from_numpy(word))
        return grow(torch.cat([tokens, word.reshape(-1, 1)], -1))
    return grow(torch.tensor([[START]] * count))
""",
    "a_mask_of_minus_infinity": """
def caption_step(block, words, image, visible=None, earlier=None):
    before = 0 if earlier is None else earlier.shape[-2]
    many = words.shape[-2]
    answering = block.self_norm(words)
    if earlier is not None:
        answering = torch.cat([block.self_norm(earlier), answering], dim=-2)
    forbidden = torch.full((1, many, before + many), float("-inf")).triu(before + 1)
    stream = words + block.self_attention(block.self_norm(words), answering, forbidden)
    allowed = torch.from_numpy(np.asarray(visible)[:, np.newaxis]) if visible is not None else None
    stream = stream + block.cross_attention(block.cross_norm(stream), image, allowed)
    return stream + block.mlp(block.mlp_norm(stream))

def teacher_forcing(tokens):
    array = np.array(tokens)
    goals = np.where(array[:, 1:] == PAD, -100, array[:, 1:])
    return torch.tensor(array[:, :-1]), torch.tensor(goals)

def greedy_decode(next_word, count, *, length=12):
    running = np.ones(count, dtype=bool)
    places = [torch.full((count,), START)]
    while len(places) < length and running.any():
        best = next_word(torch.stack(places, dim=1)).sort(dim=-1, descending=True).indices[:, 0].clone()
        best[~torch.from_numpy(running)] = PAD
        running &= best.numpy() != END
        places += [best]
    return torch.stack(places, dim=1)
""",
    "one_text_at_a_time": """
def caption_step(block, words, image, *, visible=None, earlier=None):
    out = []
    for text in range(len(words)):
        old = words[text, :0] if earlier is None else earlier[text]
        patches = image[text] if visible is None else image[text][visible[text]]
        seen = torch.vstack([old, words[text]])[None]
        rows = torch.arange(seen.shape[1])
        allowed = (rows[:, None] >= rows)[None, len(old):]
        x = words[text][None]
        x = x + block.self_attention(block.self_norm(x), block.self_norm(seen), allowed)
        x = x + block.cross_attention(block.cross_norm(x), patches[None])
        out.append((x + block.mlp(block.mlp_norm(x)))[0])
    return torch.stack(out)

def teacher_forcing(tokens):
    inputs, goals = torch.empty_like(tokens[:, 1:]), torch.empty_like(tokens[:, 1:])
    for text in range(tokens.shape[0]):
        for place in range(tokens.shape[1] - 1):
            inputs[text, place] = tokens[text, place]
            goals[text, place] = tokens[text, place + 1] if tokens[text, place + 1] != PAD else -100
    return (inputs, goals)

def greedy_decode(next_word, count, *, length=12):
    tokens = torch.full((count, length), PAD)
    tokens[:, 0] = START
    n = 1
    while n < length and not (tokens[:, :n] == END).any(1).all():
        done = (tokens[:, :n] == END).any(1)
        scores = next_word(tokens[:, :n])
        tokens[~done, n] = scores[~done].argmax(1)
        n += 1
    return tokens[:, :n].clone()
""",
    "attention_written_out": """
def look(part, asking, answering, allowed):
    def heads(x):
        return x.unflatten(-1, (part.heads, -1)).transpose(1, 2)

    q, k, v = heads(part.query(asking)), heads(part.key(answering)), heads(part.value(answering))
    fit = torch.einsum("thad,thbd->thab", q, k) / q.shape[-1] ** 0.5
    if allowed is not None:
        fit = fit.masked_fill(~allowed[:, None], -torch.inf)
    return part.out((fit.softmax(-1) @ v).transpose(1, 2).flatten(2))

def caption_step(block, words, image, *, visible=None, earlier=None):
    seen = words if earlier is None else torch.cat([earlier, words], 1)
    places = torch.arange(seen.shape[1])
    causal = (places[None] <= places[-words.shape[1] :, None])[None]
    x = words + look(block.self_attention, block.self_norm(words), block.self_norm(seen), causal)
    x = x + look(block.cross_attention, block.cross_norm(x), image, None if visible is None else visible[:, None])
    return x + block.mlp(block.mlp_norm(x))

def teacher_forcing(tokens):
    inputs, goals = tokens.split([tokens.shape[1] - 1, 1], dim=1)[0], tokens.split([1, tokens.shape[1] - 1], dim=1)[1]
    return inputs, torch.where(goals.eq(PAD), -100, goals)

@torch.inference_mode()
def greedy_decode(next_word, count, *, length=12):
    tokens = START * torch.ones(count, 1, dtype=torch.int64)
    while True:
        if tokens.shape[1] == length or all(END in row for row in tokens.tolist()):
            return tokens
        scores = next_word(tokens)
        done = (tokens == END).any(-1, keepdim=True)
        word = scores.log_softmax(-1).argmax(-1, keepdim=True) * ~done + PAD * done
        tokens = torch.cat((tokens, word), -1)
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
    "the_mark_stands_among_the_inputs": dict(
        expects=("teacher forcing", "among the inputs"),
        source=but(
            "    goals = tokens[:, 1:]\n    return tokens[:, :-1], goals.masked_fill(goals == PAD, -100)",
            "    tokens = tokens.masked_fill(tokens == PAD, -100)\n    return tokens[:, :-1], tokens[:, 1:]",
        ),
    ),
    "goals_are_floats": dict(
        expects=("teacher forcing", "whole numbers"),
        source=but("goals.masked_fill(goals == PAD, -100)", "torch.where(goals == PAD, -100.0, goals)"),
    ),
    "texts_are_shifted": dict(
        expects=("teacher forcing", "shape"),
        source=but("goals = tokens[:, 1:]", "goals = tokens[1:]").replace("return tokens[:, :-1]", "return tokens[:-1]"),
    ),
    "the_start_is_a_goal": dict(
        expects=("teacher forcing", "shape"),
        source=but("goals = tokens[:, 1:]", "goals = tokens"),
    ),
    "rolled_round": dict(
        expects=("teacher forcing", "shape"),
        source=but("goals = tokens[:, 1:]", "goals = tokens.roll(-1, 1)").replace("return tokens[:, :-1]", "return tokens"),
    ),
    "goals_first": dict(
        expects=("teacher forcing", "inputs = all but the last"),
        source=but("return tokens[:, :-1], goals.masked_fill(goals == PAD, -100)", "return goals.masked_fill(goals == PAD, -100), tokens[:, :-1]"),
    ),
    "the_stream_is_changed_in_place": dict(
        expects=("no leak", "in place"),
        source=but("words = words + block.self_attention", "words += block.self_attention"),
    ),
    "a_copy_is_changed_in_place": dict(
        expects=("each word asks", "y = y + …"),
        source=but("    words = words + block.self_attention", "    words = words.clone()\n    words += block.self_attention"),
    ),
    "no_gradient_is_needed": dict(
        expects=("each word asks", "not connected"), source="\n@torch.no_grad()" + RIGHT
    ),
    "the_image_is_done_learning": dict(
        expects=("each word asks", "gradient"),
        source=but("words), image, patches", "words), image.detach(), patches"),
    ),
    "one_new_word_needs_no_mask": dict(
        expects=("with the cache", "moves right"),
        source=but(".tril(before)\n", ".tril()\n    causal = None if words.shape[1] == 1 else causal\n"),
    ),
    "the_cache_may_not_be_seen": dict(
        expects=("with the cache", "earlier and words together"),
        source=but(".tril(before)\n", ".tril(before)\n    causal[:, :, :before] = False\n"),
    ),
    "the_mask_is_a_number": dict(
        expects=("no leak", "lower triangle"),
        source=but("dtype=torch.bool).tril(before)", "dtype=torch.float32).tril(before)"),
    ),
    "visible_texts_for_patches": dict(
        expects=("filling", "(text, 1, patch)"), source=but("visible[:, None]", "visible[None]")
    ),
    "visible_only_without_a_cache": dict(
        expects=("with the cache", "visible"),
        source=but("None if visible is None else", "None if visible is None or earlier is not None else"),
    ),
    "filling_nowhere_if_anywhere": dict(
        expects=("filling", "visible is True"),
        source=but("visible[:, None]", "visible.all(0).expand_as(visible)[:, None]"),
    ),
    "filling_anywhere_is_real": dict(
        expects=("filling", "visible is True"),
        source=but("visible[:, None]", "visible[:1].expand_as(visible)[:, None]"),
    ),
    "one_norm_for_all": dict(
        expects=("each word asks", "part(norm(stream))"), source=but("block.cross_norm(words)", "block.self_norm(words)")
    ),
    "the_mlp_reads_the_stream": dict(
        expects=("each word asks", "part(norm(stream))"), source=but("block.mlp(block.mlp_norm(words))", "block.mlp(words)")
    ),
    "the_answering_words_as_they_are": dict(
        expects=("each word asks", "part(norm(stream))"),
        source=but("block.self_norm(words), block.self_norm(seen), causal", "block.self_norm(words), seen, causal"),
    ),
    "all_three_at_once": dict(
        expects=("each word asks", "stream"),
        source=but("    words = words + block.self_attention", "    taken = block.self_attention").replace(
            "    words = words + block.cross_attention", "    taken = taken + block.cross_attention"
        ).replace("return words + block.mlp", "return words + taken + block.mlp"),
    ),
    "only_those_who_have_not_ended_are_asked": dict(
        expects=("greedy decoding", "all captions"),
        source=but(
            "        word = next_word(tokens).argmax(dim=-1).masked_fill(ended, PAD)\n",
            "        word = torch.full((count,), PAD)\n        word[~ended] = next_word(tokens[~ended]).argmax(dim=-1)\n",
        ),
    ),
    "one_caption_after_the_other": dict(
        expects=("greedy decoding", "all captions"),
        source=but("def greedy_decode", "def one_by_one")
        + """

def greedy_decode(next_word, count, *, length=12):
    rows = [one_by_one(next_word, 1, length=length)[0] for _ in range(count)]
    return nn.utils.rnn.pad_sequence(rows, batch_first=True, padding_value=PAD)
""",
    ),
    "the_newest_word_alone_goes_in": dict(
        expects=("greedy decoding", "tokens so far"), source=but("next_word(tokens)", "next_word(tokens[:, -1:])")
    ),
    "ended_in_this_step": dict(
        expects=("greedy decoding", "has it ended"), source=but("ended = ended | (word == END)", "ended = word == END")
    ),
    "start_does_not_count": dict(
        expects=("greedy decoding", "START included"), source=but("tokens.shape[1] < length", "tokens.shape[1] - 1 < length")
    ),
    "without_the_start": dict(
        expects=("greedy decoding", "shape"), source=but("    return tokens\n", "    return tokens[:, 1:]\n")
    ),
    "the_last_word_is_the_end": dict(
        expects=("greedy decoding", "length"),
        source=but("    return tokens\n", "    tokens[~ended, -1] = END\n    return tokens\n"),
    ),
    "the_end_is_not_written": dict(
        expects=("greedy decoding", "After"),
        source=but("    return tokens\n", "    return tokens.masked_fill(tokens == END, PAD)\n"),
    ),
    "filling_is_the_end_again": dict(
        expects=("greedy decoding", "get PAD"), source=but(".masked_fill(ended, PAD)", ".masked_fill(ended, END)")
    ),
    "likeliest_caption_of_the_batch": dict(
        expects=("greedy decoding", "each caption"), source=but("argmax(dim=-1)", "argmax(dim=0)")
    ),
}
