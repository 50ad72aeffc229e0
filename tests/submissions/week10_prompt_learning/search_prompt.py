"""Wheats and chaffs for search_prompt. Each replaces the solution cell; names say what the author believed."""

WHEATS = {
    "keywords_and_a_template_by_format": """
def search_prompt(score, words, *, start):
    def of(prompt):
        return score(template="{} {{}}".format(" ".join(prompt)), split="shots")

    prompt, best = tuple(start), None
    while prompt != best:
        best = prompt
        for place in range(len(prompt)):
            candidates = [prompt] + [prompt[:place] + (word,) + prompt[place + 1 :] for word in words]
            prompt = max(candidates, key=of)  # of equals, the first: what stands there
    return " ".join(prompt) + " {}"
""",
    "the_largest_gain_among_all_places": """
def search_prompt(score, words, *, start):
    prompt = [*start, "{}"]
    here = score(" ".join(prompt), split="shots")
    while True:
        options = {}
        for place in range(len(start)):
            for word in words:
                trial = " ".join(word if i == place else old for i, old in enumerate(prompt))
                options[trial] = score(trial, split="shots")
        winner = max(options, key=options.get)
        if options[winner] <= here:
            return " ".join(prompt)
        prompt, here = winner.split(" "), options[winner]
""",
    "by_recursion_from_the_last_place_on": """
def search_prompt(score, words, *, start):
    def value(prompt):
        return score(" ".join(prompt + ["{}"]), "shots")

    def climb(prompt):
        before = list(prompt)
        for place in reversed(range(len(prompt))):
            values = np.array([value(prompt[:place] + [word] + prompt[place + 1 :]) for word in words])
            if values.max() > value(prompt):
                prompt[place] = words[int(values.argmax())]
        return prompt if prompt == before else climb(prompt)

    return " ".join(climb(list(start)) + ["{}"])
""",
    "asked_once_and_kept": """
def search_prompt(score, words, *, start):
    seen = {}

    def ask(prompt):
        if prompt not in seen:
            seen[prompt] = score(f"{prompt} {{}}", "shots")
        return seen[prompt]

    now = " ".join(start)
    unchanged, place = 0, 0
    while unchanged < len(start):
        parts = now.split()
        old = now
        for word in words:
            parts[place] = word
            if ask(" ".join(parts)) > ask(now):
                now = " ".join(parts)
        unchanged = unchanged + 1 if now == old else 0
        place = (place + 1) % len(start)
    return f"{now} {{}}"
""",
    "the_first_better_word_and_round_again": """
def search_prompt(score, words, *, start):
    prompt = list(start)

    def better():
        now = score(" ".join(prompt) + " {}", "shots")
        for place, old in enumerate(prompt):
            for word in words:
                prompt[place] = word
                if score(" ".join(prompt) + " {}", "shots") > now:
                    return True
            prompt[place] = old
        return False

    while better():
        pass
    return " ".join(prompt) + " {}"
""",
}

RIGHT = """
def search_prompt(score, words, *, start):
    chosen = list(start)
    best = score(" ".join([*chosen, "{}"]), "shots")
    changed = True
    while changed:
        changed = False
        for place in range(len(chosen)):
            for word in words:
                trial = [*chosen[:place], word, *chosen[place + 1 :]]
                value = score(" ".join([*trial, "{}"]), "shots")
                if value > best:
                    best, chosen, changed = value, trial, True
    return " ".join([*chosen, "{}"])
"""


def but(old, new):
    """The right answer, but for one thing."""
    assert RIGHT.count(old) == 1, old
    return RIGHT.replace(old, new)


CHAFFS = {
    "the_test_is_what_counts": dict(
        expects=("without a look at the test", 'score(template, "shots") only'),
        source=RIGHT.replace('"shots"', '"test"'),
    ),
    "the_test_may_break_a_tie": dict(
        expects=("without a look at the test", "['shots', 'test']"),
        source=RIGHT.replace('score(" ".join([*chosen, "{}"]), "shots")', 'tuple(score(" ".join([*chosen, "{}"]), s) for s in ("shots", "test"))').replace(
            'score(" ".join([*trial, "{}"]), "shots")', 'tuple(score(" ".join([*trial, "{}"]), s) for s in ("shots", "test"))'
        ),
    ),
    "as_good_is_good_enough": dict(
        expects=("it stops", "strictly better"),
        source=but("value > best", "value >= best"),
    ),
    "another_word_as_good_is_progress": dict(
        expects=("it stops", "strictly better"),
        source=but("value > best", "word != chosen[place] and value >= best"),
    ),
    "once_changed_always_changed": dict(
        expects=("one best word for each place", "a change of an earlier round"),
        source=but("    while changed:\n        changed = False\n", "    while changed:\n"),
    ),
    "nothing_is_found_yet": dict(
        expects=("it stops", "cannot be improved"),
        source=but('best = score(" ".join([*chosen, "{}"]), "shots")', "best = 0.0"),
    ),
    "all_places_at_once": dict(expects=("places are tried in turn", "not with the old one"), source="""
def search_prompt(score, words, *, start):
    chosen = list(start)

    def value(prompt):
        return score(" ".join([*prompt, "{}"]), "shots")

    while True:
        trial = []
        for place in range(len(chosen)):
            trial.append(max([chosen[place], *words], key=lambda word: value([*chosen[:place], word, *chosen[place + 1 :]])))
        if value(trial) <= value(chosen):
            return " ".join([*chosen, "{}"])
        chosen = trial
"""),
    "one_round_is_enough": dict(
        expects=("it takes several rounds", "Go round again"),
        source=but("    while changed:\n        changed = False\n", "    if changed:\n"),
    ),
    "two_rounds_are_enough": dict(
        expects=("it takes several rounds", "Go round again"),
        source=but("    while changed:\n        changed = False\n", "    for _ in range(2):\n"),
    ),
    "a_place_that_stays_is_the_end": dict(
        expects=("it takes several rounds", "a whole round has changed nothing"),
        source=but("        for place in range(len(chosen)):\n", "        for place in range(len(chosen)):\n            before = best\n").replace(
            "changed = value, trial, True\n", "changed = value, trial, True\n            if best == before:\n                changed = False\n                break\n"
        ),
    ),
    "the_first_better_word_will_do": dict(
        expects=("it takes several rounds", "Go round again"),
        source=but("    while changed:\n        changed = False\n", "    if changed:\n").replace(
            "changed = value, trial, True\n", "changed = value, trial, True\n                    break\n"
        ),
    ),
    "a_random_start_is_fairer": dict(
        expects=("it stops", "A start that cannot be improved is the answer"),
        source=but("chosen = list(start)", "chosen = [words[int(i)] for i in torch.randint(len(words), (len(start),))]"),
    ),
    "the_slot_goes_without_saying": dict(
        expects=("one best word for each place", "ends with '{}'"),
        source=but('    return " ".join([*chosen, "{}"])', '    return " ".join(chosen)'),
    ),
    "the_class_comes_first": dict(
        expects=("one best word for each place", "ends with '{}'"),
        source=RIGHT.replace('[*chosen, "{}"]', '["{}", *chosen]').replace('[*trial, "{}"]', '["{}", *trial]'),
    ),
    "words_are_a_prompt": dict(
        expects=("one best word for each place", "separated by single spaces"),
        source=but('    return " ".join([*chosen, "{}"])', "    return chosen"),
    ),
    "less_is_better": dict(
        expects=("one best word for each place", "keep what is better"),
        source=but("value > best", "value < best"),
    ),
}
