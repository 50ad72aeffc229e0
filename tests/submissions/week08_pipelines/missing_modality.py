"""Wheats and chaffs for missing_modality. Each replaces the solution cell; names say what the author believed."""

RIGHT = """
def missing_modality(question, patches, here, absent, *, rate, training, generator):
    here = here.clone()
    if training:
        lost = here.all(1) & (torch.rand(len(here), generator=generator) < rate)
        which = torch.randint(2, (len(here),), generator=generator)
        here[lost, which[lost]] = False
    question = torch.where(here[:, 0, None], question, absent["question"])
    patches = torch.where(here[:, 1, None, None], patches, absent["image"])
    return question, patches, here
"""


def but(old, new):
    """The right answer, but for one thing."""
    assert RIGHT.count(old) == 1, old
    return RIGHT.replace(old, new)


WHEATS = {
    "one_number_decides_both": """
def missing_modality(question, patches, here, absent, *, rate, training, generator):
    asks, shows = here[:, 0], here[:, 1]
    if training:
        u = torch.rand(here.shape[0], generator=generator)
        both = asks & shows
        asks = asks & ~(both & (u < rate / 2))
        shows = shows & ~(both & (u >= rate / 2) & (u < rate))
    q = torch.where(asks.unsqueeze(1), question, absent["question"].expand_as(question))
    v = torch.where(shows[:, None, None], patches, absent["image"].expand_as(patches))
    return q, v, torch.stack([asks, shows], 1)
""",
    "a_loop_and_index_assignment": """
def missing_modality(question, patches, here, absent, *, rate, training, generator):
    question, patches, kept = question.clone(), patches.clone(), here.clone()
    for i in range(len(kept)):
        if training and kept[i, 0] and kept[i, 1] and torch.rand((), generator=generator).item() < rate:
            kept[i, int(torch.rand((), generator=generator) < 0.5)] = False
    question[~kept[:, 0]] = absent["question"]
    patches[~kept[:, 1]] = absent["image"]
    return [question, patches, kept]
""",
    "three_cases_by_multinomial": """
def missing_modality(question, patches, here, absent, *, rate, training, generator):
    if training:
        cases = torch.tensor([[True, True], [False, True], [True, False]])
        chosen = torch.multinomial(
            torch.tensor([1 - rate, rate / 2, rate / 2]), len(here), replacement=True, generator=generator
        )
        here = torch.where(here.all(1, keepdim=True), cases[chosen], here)
    q = question.masked_fill(~here[:, :1], 0.0) + (~here[:, :1]) * absent["question"]
    v = patches.masked_fill(~here[:, 1:, None], 0.0) + (~here[:, 1:, None]) * absent["image"]
    return q, v, here
""",
    "rubbish_to_numbers_then_times": """
def missing_modality(question, patches, here, absent, rate, training, generator):
    now = here.float()
    if training:
        both = now.sum(1) == 2
        loses = torch.bernoulli(torch.full((len(now),), float(rate)), generator=generator).bool()
        side = torch.bernoulli(torch.full((len(now),), 0.5), generator=generator)
        gone = torch.stack([side, 1 - side], 1) * (both & loses)[:, None]
        now = now - gone
    asks, shows = now[:, :1], now[:, 1:, None]
    q = torch.nan_to_num(question, 0.0, 0.0, 0.0) * asks + absent["question"] * (1 - asks)
    v = torch.nan_to_num(patches, 0.0, 0.0, 0.0) * shows + absent["image"] * (1 - shows)
    return q, v, now.bool()
""",
    "numpy_decides": """
def missing_modality(question, patches, here, absent, *, rate, training, generator):
    kept = here.numpy().copy()
    if training:
        rng = np.random.default_rng(int(torch.randint(2**31, (1,), generator=generator)))
        both = np.flatnonzero(kept.all(axis=1))
        lost = both[rng.random(len(both)) < rate]
        kept[lost, rng.integers(0, 2, size=len(lost))] = False
    kept = torch.from_numpy(kept)
    q = torch.where(kept[:, 0].reshape(-1, 1), question, absent["question"].reshape(1, -1))
    v = torch.where(kept[:, 1].reshape(-1, 1, 1), patches, absent["image"].reshape(1, 1, -1))
    return q, v, kept
""",
    "row_by_row_and_stacked": """
def missing_modality(question, patches, here, absent, *, rate, training, generator):
    rows, images, now = [], [], []
    draws = torch.rand(len(question), 2, generator=generator).tolist()
    for q, v, (asks, shows), (u, side) in zip(question, patches, here.tolist(), draws):
        if training and asks and shows and u < rate:
            asks, shows = (False, True) if side < 0.5 else (True, False)
        rows.append(q if asks else absent["question"])
        images.append(v if shows else absent["image"].expand_as(v))
        now.append([asks, shows])
    return torch.stack(rows), torch.stack(images), torch.tensor(now)
""",
}

CHAFFS = {
    "a_zero_is_missing": dict(
        expects=("at test nothing is dropped", "Zeros are not the token"),
        source=but('question, absent["question"])', "question, torch.zeros(()))").replace(
            'patches, absent["image"])', "patches, torch.zeros(()))"
        ),
    ),
    "times_the_mask": dict(
        expects=("at test nothing is dropped", "NaN times 0"),
        source=but(
            'torch.where(here[:, 1, None, None], patches, absent["image"])',
            'here[:, 1, None, None] * patches + ~here[:, 1, None, None] * absent["image"]',
        ),
    ),
    "dropout_at_test_too": dict(
        expects=("at test nothing is dropped", "training=False"), source=but("if training:", "if True:")
    ),
    "tokens_in_training_only": dict(
        expects=("at test nothing is dropped", "the token"),
        source=but(
            "    here = here.clone()\n",
            "    here = here.clone()\n    if not training:\n        return question, patches, here\n",
        ),
    ),
    "the_same_token_for_both": dict(
        expects=("at test nothing is dropped", "the token"),
        source=but('absent["image"]', 'absent["question"]'),
    ),
    "one_draw_for_the_batch": dict(
        expects=("in training, at rate 1", "each decide for itself"),
        source=but(
            "torch.randint(2, (len(here),), generator=generator)",
            "torch.randint(2, (1,), generator=generator).expand(len(here))",
        ),
    ),
    "the_whole_batch_or_nobody": dict(
        expects=("the rate, half and half", "rate / 2"),
        source=but("torch.rand(len(here), generator=generator)", "torch.rand(1, generator=generator)"),
    ),
    "two_independent_draws": dict(
        expects=("in training, at rate 1", "loses one"),
        source=but(
            "        lost = here.all(1) & (torch.rand(len(here), generator=generator) < rate)\n"
            "        which = torch.randint(2, (len(here),), generator=generator)\n"
            "        here[lost, which[lost]] = False\n",
            "        here &= torch.rand(len(here), 2, generator=generator) >= rate\n",
        ),
    ),
    "two_halves_of_the_rate": dict(
        expects=("in training, at rate 1", "first whether"),
        source=but(
            "        lost = here.all(1) & (torch.rand(len(here), generator=generator) < rate)\n"
            "        which = torch.randint(2, (len(here),), generator=generator)\n"
            "        here[lost, which[lost]] = False\n",
            "        here &= torch.rand(len(here), 2, generator=generator) >= rate / 2\n",
        ),
    ),
    "numbers_are_dropped": dict(
        expects=("in training, at rate 1", "A whole modality"),
        source=but(
            "    question = torch.where",
            "    if training:\n        question, patches = F.dropout(question, 0.5), F.dropout(patches, 0.5)\n    question = torch.where",
        ),
    ),
    "patches_one_by_one": dict(
        expects=("in training, at rate 1", "all its patches"),
        source=but(
            "    return question, patches, here\n",
            "    if training:\n        gone = torch.rand(patches.shape[:2], generator=generator) < 0.3\n"
            '        patches = torch.where(gone[..., None], absent["image"], patches)\n'
            "    return question, patches, here\n",
        ),
    ),
    "the_rest_is_scaled": dict(
        expects=("in training, at rate 1", "not scaled"),
        source=but(
            "    return question, patches, here\n",
            "    return (2 * question if training else question), patches, here\n",
        ),
    ),
    "here_is_changed_in_place": dict(
        expects=("in training, at rate 1", "clone"), source=but("here = here.clone()", "pass")
    ),
    "the_mask_before": dict(
        expects=("in training, at rate 1", "Decide for each sample"),
        source=but("    here = here.clone()\n", "    given, here = here, here.clone()\n").replace(
            "return question, patches, here", "return question, patches, given"
        ),
    ),
    "who_has_one_may_lose_it": dict(
        expects=("the rate, half and half", "neither"),
        source=but(
            "here.all(1) & (torch.rand(len(here), generator=generator) < rate)",
            "torch.rand(len(here), generator=generator) < rate",
        ),
    ),
    "pictures_only": dict(
        expects=("in training, at rate 1", "same modality"),
        source=but(
            "torch.randint(2, (len(here),), generator=generator)", "torch.ones(len(here), dtype=torch.int64)"
        ),
    ),
    "each_at_the_full_rate": dict(
        expects=("the rate, half and half", "rate / 2"), source=but("< rate)", "< 2 * rate)")
    ),
    "global_randomness": dict(
        expects=("the rate, half and half", "draw with `generator`"),
        source=RIGHT.replace("generator=generator)", "generator=None)"),
    ),
    "a_seed_of_its_own": dict(
        expects=("the rate, half and half", "draw with `generator`"),
        source=but(
            "    here = here.clone()\n",
            "    here, generator = here.clone(), torch.Generator().manual_seed(0)\n",
        ),
    ),
    "the_tokens_are_constants": dict(
        expects=("a tiny model", "reach the tokens"),
        source=RIGHT.replace('absent["question"]', 'absent["question"].detach()').replace(
            'absent["image"]', 'absent["image"].detach()'
        ),
    ),
    "one_question_then_one_picture": dict(
        expects=("sample by sample", "by itself"),
        source=but("torch.randint(2, (len(here),), generator=generator)", "torch.arange(len(here)) % 2"),
    ),
    "a_fixed_share_is_drawn": dict(
        expects=("sample by sample", "by itself"),
        source=but(
            "(torch.rand(len(here), generator=generator) < rate)",
            "(torch.randperm(len(here), generator=generator) < int(rate * len(here)))",
        ),
    ),
    "half_of_the_batch_each": dict(
        expects=("sample by sample", "by itself"),
        source=but(
            "torch.randint(2, (len(here),), generator=generator)",
            "(torch.randperm(len(here), generator=generator) < len(here) // 2).long()",
        ),
    ),
    "the_same_number_decides_twice": dict(
        expects=("sample by sample", "rate / 2"),
        source=but(
            "        lost = here.all(1) & (torch.rand(len(here), generator=generator) < rate)\n"
            "        which = torch.randint(2, (len(here),), generator=generator)\n",
            "        u = torch.rand(len(here), generator=generator)\n"
            "        lost, which = here.all(1) & (u < rate), (u < 0.5).long()\n",
        ),
    ),
    "kept_at_the_rate": dict(
        expects=("in training, at rate 1", "loses one"), source=but("< rate)", "> rate)")
    ),
    "tokens_for_what_was_dropped_only": dict(
        expects=("sample by sample", "missing from the start"),
        source=but(
            "        here[lost, which[lost]] = False\n",
            "        here[lost, which[lost]] = False\n"
            "        gone = F.one_hot(which, 2).bool() & lost[:, None]\n"
            '        question = torch.where(gone[:, 0, None], absent["question"], question)\n'
            '        patches = torch.where(gone[:, 1, None, None], absent["image"], patches)\n'
            "        return question, patches, here\n",
        ),
    ),
    "the_inputs_are_constants": dict(
        expects=("a tiny model", "no gradient reaches the question"),
        source=but(
            "    here = here.clone()\n",
            "    here, question, patches = here.clone(), question.clone().detach(), patches.clone().detach()\n",
        ),
    ),
    "nothing_learns_here": dict(
        expects=("a tiny model", "not connected"), source="\n@torch.no_grad()" + RIGHT
    ),
    "tokens_written_into_the_inputs": dict(
        expects=("in training, at rate 1", "question itself was changed"),
        source=but(
            '    question = torch.where(here[:, 0, None], question, absent["question"])\n'
            '    patches = torch.where(here[:, 1, None, None], patches, absent["image"])\n',
            '    question[~here[:, 0]] = absent["question"]\n    patches[~here[:, 1]] = absent["image"]\n',
        ),
    ),
    "columns_swapped": dict(
        expects=("at test nothing is dropped", "Returned"),
        source=RIGHT.replace("here[:, 0, None]", "here[:, -1, None]").replace("here[:, 1, None, None]", "here[:, 0, None, None]"),
    ),
    "tokens_where_it_is_here": dict(
        expects=("at test nothing is dropped", "is it here"),
        source=RIGHT.replace("torch.where(here", "torch.where(~here"),
    ),
    "one_axis_too_few": dict(
        expects=("at test nothing is dropped", "[:, None]"), source=but("here[:, 1, None, None]", "here[:, 1, None]")
    ),
    "the_first_patch_only": dict(
        expects=("at test nothing is dropped", "all its patches"),
        source=but(
            '    patches = torch.where(here[:, 1, None, None], patches, absent["image"])\n',
            '    patches = patches.clone()\n    patches[~here[:, 1], 0] = absent["image"]\n',
        ),
    ),
    "in_training_always": dict(
        expects=("the rate, half and half", "rate / 2"),
        source=but("(torch.rand(len(here), generator=generator) < rate)", "(torch.rand(len(here), generator=generator) < 1)"),
    ),
    "one_generator_and_one_not": dict(
        expects=("the rate, half and half", "draw with `generator`"),
        source=but("torch.randint(2, (len(here),), generator=generator)", "torch.randint(2, (len(here),))"),
    ),
    "here_is_forgotten": dict(
        expects=("at test nothing is dropped", "return three things"),
        source=but("return question, patches, here", "return question, patches"),
    ),
    "zeros_in_training": dict(
        expects=("in training, at rate 1", "token"),
        source=but("    question = torch.where", "    if training:\n        return question * here[:, :1], patches * here[:, 1:, None], here\n    question = torch.where"),
    ),
    "a_missing_sample_is_left_out": dict(
        expects=("at test nothing is dropped", "shape"),
        source=but("    return question, patches, here\n", "    whole = here.all(1)\n    return question[whole], patches[whole], here\n"),
    ),
    "both_gone_is_taken_back": dict(
        expects=("in training, at rate 1", "first whether"),
        source=but(
            "        lost = here.all(1) & (torch.rand(len(here), generator=generator) < rate)\n"
            "        which = torch.randint(2, (len(here),), generator=generator)\n"
            "        here[lost, which[lost]] = False\n",
            "        kept = here & (torch.rand(len(here), 2, generator=generator) >= rate)\n"
            "        here = torch.where(kept.any(1, keepdim=True), kept, here)\n",
        ),
    ),
}
