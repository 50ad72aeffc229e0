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
    "put_together_from_a_table": """
from collections import OrderedDict


def which_pipeline():
    table = \"\"\"
    museum: alignment, then translation | few labels
    archive: alignment | ahead of time
    film: translation, sampled | many right answers
    clinic: fusion with modality dropout | may be missing
    solar park: translation, one answer | the mean is wanted
    warehouse: early fusion | places compared\"\"\"
    answers = OrderedDict()
    for line in table.strip().splitlines():
        place, rest = line.split(":")
        answers[place.strip()] = tuple(rest.split("|"))
    return answers
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
        expects=("warehouse", "with relations far behind"),
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
    "five_of_six": dict(
        expects=("clinic", "no answer"),
        source=answer().replace(", 'clinic': ('fusion with modality dropout', 'may be missing')", ""),
    ),
    "a_list_of_answers": dict(
        expects=("archive", "a dictionary"), source="\ndef which_pipeline():\n    return [" + repr(RIGHT)[1:-1].replace(": (", ", ").replace(")", "") + "]\n"
    ),
    "reason_first": dict(
        expects=("archive", "not a choice on the list"), source=answer(archive=("ahead of time", "alignment"))
    ),
    "no_reason": dict(expects=("film", "without a reason"), source=answer(film="translation, sampled")),
    "a_comma_is_lost": dict(
        expects=("museum", "not a choice on the list"), source=answer(museum=("alignment then translation", "few labels"))
    ),
    "not_decided_yet": dict(expects=("solar park", "still empty"), source=answer(solar_park=("", ""))),
    "nothing_yet": dict(expects=("every situation", "answer"), source=answer(warehouse=None)),
    "the_ghost_is_the_safe_answer": dict(
        expects=("film", "Is the mean something"), source=answer(film=("translation, one answer", "the mean is wanted"))
    ),
    "the_web_has_labels_enough": dict(
        expects=("museum", "would that save"), source=answer(museum=("alignment, then translation", "ahead of time"))
    ),
    "one_glimpse_for_the_night": dict(
        expects=("clinic", "One glimpse"), source=answer(clinic=("attention fusion", "may be missing"))
    ),
    "returned_nothing": dict(expects=("archive", "return"), source="\ndef which_pipeline():\n    " + repr(RIGHT) + "\n"),
}
