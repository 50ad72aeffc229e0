"""Wheats and chaffs for which_tuning. Each replaces the solution cell; names say what the author believed."""

RIGHT = {
    "translators": ("LoRA", "many small deltas"),
    "satellite": ("full, interpolated", "keep the old"),
    "microscope": ("full", "far and plenty"),
    "web form": ("linear probe", "no access"),
}

WHEATS = {
    "as_lists_in_another_order": """
def which_tuning():
    return {"web form": ["linear probe", "no access"], "microscope": ["full", "far and plenty"],
            "satellite": ["full, interpolated", "keep the old"], "translators": ["LoRA", "many small deltas"]}
""",
    "built_up_with_capitals": """
def which_tuning():
    answers = {}
    answers["translators"] = ("lora", "Many small deltas")
    answers["satellite"] = ("Full, interpolated", "Keep the old ")
    answers["microscope"] = ("Full", "Far and plenty")
    answers["web form"] = ("Linear probe", "No access")
    return answers
""",
}


def answer(**changed):
    """The right answers, but for some places."""
    given = RIGHT | {place.replace("_", " "): value for place, value in changed.items()}
    return f"\ndef which_tuning():\n    return {given!r}\n"


CHAFFS = {
    "efficient_is_always_better": dict(
        expects=("microscope", "one would have to save"),
        source=answer(satellite=("LoRA", "fewest parameters"), microscope=("LoRA", "fewest parameters")),
    ),
    "the_least_that_moves": dict(
        expects=("translators", "number of moving weights that hurts"),
        source=answer(translators=("BitFit", "fewest parameters")),
    ),
    "a_hundred_models": dict(
        expects=("translators", "a hundred versions"),
        source=answer(translators=("full", "far and plenty")),
    ),
    "small_updates_forget_nothing": dict(
        expects=("satellite", "Is that what is short here"), source=answer(satellite=("LoRA", "keep the old"))
    ),
    "the_highest_number": dict(
        expects=("satellite", "Does anybody mind here"), source=answer(satellite=("full", "highest in the table"))
    ),
    "millions_of_labels_must_not_forget": dict(
        expects=("microscope", "Does anybody need that"),
        source=answer(microscope=("full, interpolated", "keep the old")),
    ),
    "a_probe_is_enough_for_twelve": dict(
        expects=("microscope", "A linear probe moves nothing"), source=answer(microscope=("linear probe", "far and plenty"))
    ),
    "lora_on_vectors": dict(
        expects=("web form", "all that comes is vectors"),
        source=answer(web_form=("LoRA", "many small deltas")),
    ),
    "few_labels_few_parameters": dict(
        expects=("web form", "Few parameters are a means"),
        source=answer(web_form=("linear probe", "fewest parameters")),
    ),
}
