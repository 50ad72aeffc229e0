"""Wheats and chaffs for which_pipeline. Each replaces the solution cell; names say what the author believed."""

RIGHT = {
    "archive": ("alignment", "ahead of time"),
    "museum": ("alignment, then translation", "few labels"),
    "film": ("translation, sampled", "many right answers"),
    "solar park": ("translation, one answer", "the mean is wanted"),
    "warehouse": ("early fusion", "places compared"),
    "clinic": ("fusion with modality dropout", "may be missing"),
}

WHEATS = {
    "as_lists_in_another_order": """
def which_pipeline():
    return {"clinic": ["fusion with modality dropout", "may be missing"],
            "warehouse": ["early fusion", "places compared"],
            "solar park": ["translation, one answer", "the mean is wanted"],
            "film": ["translation, sampled", "many right answers"],
            "museum": ["alignment, then translation", "few labels"],
            "archive": ["alignment", "ahead of time"]}
""",
    "built_up_with_capitals": """
def which_pipeline():
    answers = {}
    answers["archive"] = ("Alignment", "Ahead of time")
    answers["museum"] = ("Alignment, then translation", "Few labels ")
    answers["film"] = ("Translation, sampled", "Many right answers")
    answers["solar park"] = (" translation, one answer", "The mean is wanted")
    answers["warehouse"] = ("Early fusion", "Places compared")
    answers["clinic"] = ("Fusion with modality dropout", "May be missing")
    return answers
""",
    "choice_and_reason_by_name": """
def which_pipeline():
    pipelines = ["alignment", "alignment, then translation", "translation, sampled", "translation, one answer",
                 "early fusion", "fusion with modality dropout"]
    reasons = ["ahead of time", "few labels", "many right answers", "the mean is wanted", "places compared",
               "may be missing"]
    places = ["archive", "museum", "film", "solar park", "warehouse", "clinic"]
    return {place: {"choice": pipeline, "reason": reason}
            for place, pipeline, reason in zip(places, pipelines, reasons)}
""",
}


def answer(**changed):
    """The right answers, but for some situations."""
    given = RIGHT | {place.replace("_", " "): value for place, value in changed.items()}
    return f"\ndef which_pipeline():\n    return {given!r}\n"


CHAFFS = {
    "more_interaction_searches_better": dict(
        expects=("archive", "runs the network again for each pair"),
        source=answer(archive=("early fusion", "most interaction")),
    ),
    "caption_every_photo_first": dict(
        expects=("archive", "still has to be trained"),
        source=answer(archive=("alignment, then translation", "ahead of time")),
    ),
    "nobody_labelled_the_archive_so_few_labels": dict(
        expects=("archive", "How many answers for just this task"),
        source=answer(archive=("alignment", "few labels")),
    ),
    "alignment_describes": dict(
        expects=("museum", "It writes nothing new"), source=answer(museum=("alignment", "few labels"))
    ),
    "sixty_captions_are_enough_from_scratch": dict(
        expects=("museum", "are there pairs to learn from"),
        source=answer(museum=("translation, sampled", "many right answers")),
    ),
    "a_squared_error_and_more_data": dict(
        expects=("film", "lowest at the mean"), source=answer(film=("translation, one answer", "many right answers"))
    ),
    "brown_for_want_of_labels": dict(
        expects=("film", "What is short here"),
        source=answer(film=("alignment, then translation", "few labels")),
    ),
    "open_answers_must_be_drawn": dict(
        expects=("solar park", "misses by more than the mean"),
        source=answer(solar_park=("translation, sampled", "many right answers")),
    ),
    "right_pipeline_wrong_reason": dict(
        expects=("solar park", "How is the answer judged"),
        source=answer(solar_park=("translation, one answer", "many right answers")),
    ),
    "attention_is_all_you_need": dict(
        expects=("warehouse", "with relations it did not"),
        source=answer(warehouse=("attention fusion", "places compared")),
    ),
    "attention_had_the_highest_number": dict(
        expects=("warehouse", "What is asked here"),
        source=answer(warehouse=("attention fusion", "highest in the table")),
    ),
    "a_sentence_and_a_picture_are_compared": dict(
        expects=("warehouse", "no two places beside each other"),
        source=answer(warehouse=("alignment", "places compared")),
    ),
    "early_because_it_is_early": dict(
        expects=("warehouse", "Interaction is a means"),
        source=answer(warehouse=("early fusion", "most interaction")),
    ),
    "each_alone_copes_with_the_night": dict(
        expects=("clinic", "adds what each input says alone"),
        source=answer(clinic=("late fusion", "may be missing")),
    ),
    "zeros_are_missing": dict(
        expects=("clinic", "expects both of them"),
        source=answer(clinic=("early fusion", "may be missing")),
    ),
    "dropout_is_against_overfitting": dict(
        expects=("clinic", "How many answers for just this task"),
        source=answer(clinic=("fusion with modality dropout", "few labels")),
    ),
}
