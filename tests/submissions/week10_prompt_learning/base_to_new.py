"""Wheats and chaffs for base_to_new. Each replaces the solution cell; names say what the author believed."""

WHEATS = {
    "picture_by_picture_with_a_dict": """
def base_to_new(learn, names, base, train, test):
    def among(pictures, classes):
        place = {number: i for i, number in enumerate(classes)}
        kept = [(z, place[int(c)]) for z, c in zip(*pictures) if int(c) in place]
        return torch.stack([z for z, _ in kept]), torch.tensor([c for _, c in kept])

    new = [number for number in range(len(names)) if number not in set(base)]
    classify = learn(*among(train, base), [names[number] for number in base])
    accuracies = []
    for classes in (base, new):
        z, truth = among(test, classes)
        guesses = classify(z, [names[number] for number in classes]).argmax(dim=1)
        accuracies.append(sum(int(a == b) for a, b in zip(guesses, truth)) / len(truth))
    b, n = accuracies
    return b, n, 0.0 if b + n == 0 else 2 * b * n / (b + n)
""",
    "base_classes_sorted_in_numpy": """
from statistics import harmonic_mean

def base_to_new(learn, names, base, train, test):
    base = np.sort(np.asarray(base))
    new = np.setdiff1d(np.arange(len(names)), base)

    def pick(z, truth, classes):
        truth = truth.numpy()
        mine = np.isin(truth, classes)
        return z[torch.from_numpy(mine)], torch.from_numpy(np.searchsorted(classes, truth[mine]))

    classify = learn(*pick(*train, base), tuple(names[i] for i in base))
    result = []
    for classes in (base, new):
        z, truth = pick(*test, classes)
        logits = classify(z, tuple(names[i] for i in classes))
        result.append(float((logits.argmax(1) == truth).double().mean()))
    return result[0], result[1], float(harmonic_mean(result))
""",
    "all_classes_the_other_way_round": """
def base_to_new(learn, names, base, train, test):
    mine = sorted(base, reverse=True)
    others = sorted(set(range(len(names))) - set(base), reverse=True)

    def select(pictures, classes):
        z, truth = pictures
        same = truth[:, None] == torch.tensor(classes)[None]  # (image, class)
        return z[same.any(dim=1)], same[same.any(dim=1)].int().argmax(dim=1)

    def name(classes):
        return [names[c] for c in classes]

    z, truth = select(train, mine)
    classifier = learn(z, truth, name(mine))

    def accuracy(classes):
        z, truth = select(test, classes)
        return torch.eq(classifier(z, name(classes)).max(dim=1).indices, truth).float().mean().item()

    b, n = accuracy(mine), accuracy(others)
    if min(b, n) == 0:
        return b, n, 0.0
    return b, n, 2 / (1 / b + 1 / n)
""",
    "a_few_pictures_at_a_time": """
def base_to_new(learn, names, base, train, test):
    is_base = torch.zeros(len(names), dtype=torch.bool)
    is_base[list(base)] = True
    place = torch.where(is_base, is_base.cumsum(0), (~is_base).cumsum(0)) - 1
    listed = {True: [n for n, b in zip(names, is_base) if b], False: [n for n, b in zip(names, is_base) if not b]}
    z, truth = train
    chosen = is_base[truth]
    classify = learn(z[chosen], place[truth[chosen]], listed[True])
    z, truth = test
    share = {}
    for kind in (False, True):  # the new ones first
        chosen = is_base[truth] == kind
        right = []
        for part, answer in zip(z[chosen].split(5), place[truth[chosen]].split(5)):
            right += (classify(part, listed[kind]).argmax(dim=1) == answer).tolist()
        share[kind] = sum(right) / len(right)
    both = share[True] + share[False]
    return share[True], share[False], 2 * share[True] * share[False] / max(both, 1e-12)
""",
}

RIGHT = """
def base_to_new(learn, names, base, train, test):
    def part(pictures, classes):
        z, truth = pictures
        place = torch.full((len(names),), -1)
        place[classes] = torch.arange(len(classes))
        chosen = place[truth] >= 0
        return z[chosen], place[truth[chosen]], [names[number] for number in classes]

    base = list(base)
    new = [number for number in range(len(names)) if number not in base]
    classify = learn(*part(train, base))
    found = []
    for classes in (base, new):
        z, truth, among = part(test, classes)
        found.append((classify(z, among).argmax(dim=1) == truth).float().mean().item())
    b, n = found
    return b, n, 2 * b * n / (b + n) if b + n else 0.0
"""


def but(old, new):
    """The right answer, but for one thing."""
    assert RIGHT.count(old) == 1, old
    return RIGHT.replace(old, new)


CHAFFS = {
    "more_pictures_cannot_hurt": dict(
        expects=("what the learner saw", "whose class is in base"),
        source=but("classify = learn(*part(train, base))", "everything = base + new\n    classify = learn(*part(train, everything))"),
    ),
    "pictures_of_others_are_noise": dict(
        expects=("what the learner saw", "whose class is in base"),
        source=but(
            "classify = learn(*part(train, base))",
            "_, _, among = part(train, base)\n"
            "    place = {number: i for i, number in enumerate(base)}\n"
            "    classify = learn(train[0], torch.tensor([place.get(int(c), 0) for c in train[1]]), among)",
        ),
    ),
    "names_are_no_secret": dict(
        expects=("what the learner saw", "pass the base names only"),
        source=but(
            "classify = learn(*part(train, base))",
            "z, truth = train\n    chosen = torch.isin(truth, torch.tensor(base))\n    classify = learn(z[chosen], truth[chosen], names)",
        ),
    ),
    "a_number_is_a_number": dict(
        expects=("what the learner saw", "0, 1, 2"),
        source=but("place[truth[chosen]], [", "truth[chosen], ["),
    ),
    "only_the_test_must_be_renumbered": dict(
        expects=("what the learner saw", "not the place of its name"),
        source=but(
            "classify = learn(*part(train, base))",
            "z, _, among = part(train, base)\n    classify = learn(z, train[1][torch.isin(train[1], torch.tensor(base))], among)",
        ),
    ),
    "numbers_are_sorted_anyway": dict(
        expects=("fresh numbers", "the order in which you pass the names"),
        source=but("place[classes] = torch.arange", "place[sorted(classes)] = torch.arange"),
    ),
    "unique_renumbers_the_training": dict(
        expects=("what the learner saw", "not the place of its name"),
        source=but(
            "classify = learn(*part(train, base))",
            "z, truth, among = part((train[0], train[1]), base)\n"
            "    original = train[1][torch.isin(train[1], torch.tensor(base))]\n"
            "    classify = learn(z, original.unique(return_inverse=True)[1], among)",
        ),
    ),
    "base_classes_come_first": dict(
        expects=("what the classifier was asked", "new pictures among new names"),
        source=but("[number for number in range(len(names)) if number not in base]", "list(range(len(base), len(names)))"),
    ),
    "new_is_everything_together": dict(
        expects=("what the classifier was asked", "never among all"),
        source=but(
            "z, truth, among = part(test, classes)\n",
            "z, truth, among = part(test, classes)\n"
            "        if classes is new:\n"
            "            truth, among = torch.tensor(new)[truth], names\n",
        ),
    ),
    "a_classifier_knows_all_classes": dict(
        expects=("what the classifier was asked", "never among all"),
        source=but(
            "z, truth, among = part(test, classes)\n",
            "z, truth, among = part(test, classes)\n        truth, among = torch.tensor(classes)[truth], names\n",
        ),
    ),
    "base_is_what_was_trained_on": dict(
        expects=("what the classifier was asked", "never pictures from the training set"),
        source=but("part(test, classes)", "part(train if classes is base else test, classes)"),
    ),
    "the_mean_is_the_mean": dict(
        expects=("make a harmonic mean", "not (b + n) / 2"),
        source=but("2 * b * n / (b + n) if b + n else 0.0", "(b + n) / 2"),
    ),
    "the_geometric_mean_punishes_too": dict(
        expects=("make a harmonic mean", "2bn / (b + n)"),
        source=but("2 * b * n / (b + n) if b + n else 0.0", "(b * n) ** 0.5"),
    ),
    "something_is_always_right": dict(
        expects=("make a harmonic mean", "when both are 0"),
        source=but("2 * b * n / (b + n) if b + n else 0.0", "2 * b * n / (b + n)"),
    ),
    "each_half_has_its_own_training": dict(
        expects=("what the learner saw", "Learn once"),
        source=but("    classify = learn(*part(train, base))\n", "").replace(
            "        z, truth, among = part(test, classes)\n",
            "        classify = learn(*part(train, classes))\n        z, truth, among = part(test, classes)\n",
        ),
    ),
}
