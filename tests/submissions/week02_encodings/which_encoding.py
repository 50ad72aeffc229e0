"""Wheats and chaffs for which_encoding. Each replaces the solution cell; names say what the author believed."""

WHEATS = {
    "lists_and_capitals": """
def which_encoding():
    return {
        "wind": ["Sine and cosine", "its ends meet"],
        "shops": ["one-hot", "No order"],
        "medicines": ["byte pairs", "nothing is unknown "],
        "whales": ["log-spectrogram", "what is meant survives a later start"],
    }
""",
    "choice_and_reason_by_name": """
def which_encoding():
    answers = dict(wind=("sine and cosine", "its ends meet"), shops=("one-hot", "no order"))
    answers["medicines"] = ("byte pairs", "nothing is unknown")
    answers["whales"] = ("log-spectrogram", "what is meant survives a later start")
    return {place: {"choice": way, "reason": why} for place, (way, why) in answers.items()}
""",
}

RIGHT = """
def which_encoding():
    return {
        "wind": ("sine and cosine", "its ends meet"),
        "shops": ("one-hot", "no order"),
        "medicines": ("byte pairs", "nothing is unknown"),
        "whales": ("log-spectrogram", "what is meant survives a later start"),
    }
"""


def but(old, new):
    """The right answer, but for one thing."""
    assert RIGHT.count(old) == 1, old
    return RIGHT.replace(old, new)


CHAFFS = {
    "degrees_are_numbers": dict(
        expects=("wind", "two ends, far apart"),
        source=but('("sine and cosine", "its ends meet")', '("standardised number", "fewest numbers")'),
    ),
    "directions_are_names": dict(
        expects=("wind", "equally far from each other"),
        source=but('("sine and cosine", "its ends meet")', '("one-hot", "no order")'),
    ),
    "a_circle_because_it_is_short": dict(
        expects=("wind", "the reason is not"), source=but('"its ends meet"', '"fewest numbers"')
    ),
    "numbers_are_numbers": dict(
        expects=("shops", "Has this one"),
        source=but('("one-hot", "no order")', '("standardised number", "fewest numbers")'),
    ),
    "the_order_of_opening": dict(
        expects=("shops", "the second lies between"),
        source=but('("one-hot", "no order")', '("rank", "no order")'),
    ),
    "layers_will_do": dict(
        expects=("shops", "From how many examples"),
        source=but('"no order"', '"the model will learn it"'),
    ),
    "a_vocabulary_of_words": dict(
        expects=("medicines", "when the vocabulary was made"),
        source=but('("byte pairs", "nothing is unknown")', '("whole words", "no order")'),
    ),
    "one_column_for_each_medicine": dict(
        expects=("medicines", "cope with what was never seen"),
        source=but('("byte pairs", "nothing is unknown")', '("one-hot", "no order")'),
    ),
    "nothing_may_be_lost": dict(
        expects=("whales", "a millisecond later"),
        source=but('("log-spectrogram", "what is meant survives a later start")', '("raw samples", "nothing is unknown")'),
    ),
    "a_spectrogram_is_shorter": dict(
        expects=("whales", "few numbers are needed"),
        source=but('"what is meant survives a later start"', '"fewest numbers"'),
    ),
    "only_three_cases": dict(
        expects=("every case", "exactly the keys"),
        source=RIGHT.replace('        "whales": ("log-spectrogram", "what is meant survives a later start"),\n', ""),
    ),
}

# --- new

WHEATS |= {
    "capitals_and_tuples_from_lists": """
WAYS_I_CHOSE = ["SINE AND COSINE", "One-Hot", "Byte Pairs", "Log-Spectrogram"]
REASONS_I_GAVE = ["Its ends meet", "no order", "Nothing is unknown", "What is meant survives a later start"]

def which_encoding():
    return dict(zip(["wind", "shops", "medicines", "whales"], zip(WAYS_I_CHOSE, REASONS_I_GAVE)))
""",
}

CHAFFS |= {
    "hyphens_and_spaces": dict(
        expects=("every case", "not a choice on the list"),
        source=RIGHT.replace('"log-spectrogram"', '"log spectrogram"'),
    ),
    "reason_first": dict(
        expects=("every case", "not a choice on the list"),
        source=but('("one-hot", "no order")', '("no order", "one-hot")'),
    ),
    "without_reasons": dict(
        expects=("every case", "a choice without a reason"),
        source=but('("sine and cosine", "its ends meet")', '"sine and cosine"'),
    ),
    "with_a_full_stop": dict(
        expects=("every case", "not a reason on the list"), source=but('"no order"', '"no order."')
    ),
    "a_list_in_the_order_of_the_text": dict(
        expects=("every case", "exactly the keys"),
        source="""
def which_encoding():
    return [
        ("sine and cosine", "its ends meet"),
        ("one-hot", "no order"),
        ("byte pairs", "nothing is unknown"),
        ("log-spectrogram", "what is meant survives a later start"),
    ]
""",
    ),
    "shops_all_the_same": dict(
        expects=("shops", "reason is not"), source=but('"no order"', '"what is meant survives a later start"')
    ),
    "the_shift_of_a_wind": dict(
        expects=("wind", "reason is not"), source=but('"its ends meet"', '"what is meant survives a later start"')
    ),
    "a_name_is_a_name": dict(
        expects=("medicines", "reason is not"), source=but('"nothing is unknown"', '"no order"')
    ),
    "sound_is_a_wave": dict(
        expects=("whales", "on a circle"),
        source=but('("log-spectrogram", "what is meant survives a later start")', '("sine and cosine", "what is meant survives a later start")'),
    ),
}
