"""Wheats and chaffs for which_supervision. Each replaces the solution cell; names say what the author believed."""

WHEATS = {
    "as_lists_in_another_order": """
def which_supervision():
    return {"herbarium": ["linear probe", "few labels"], "flea market": ["zero-shot", "text"],
            "ringing": ["attributes", "signature"], "bottling": ["supervised", "fixed and many"]}
""",
    "built_up_with_capitals": """
def which_supervision():
    answers = dict.fromkeys(("bottling", "ringing", "flea market", "herbarium"))
    answers["bottling"] = ("Supervised", "Fixed and many")
    answers["ringing"] = ("Attributes", "Signature")
    answers["flea market"] = ("Zero-shot", "Text")
    answers["herbarium"] = ("Linear probe", "Few labels ")
    return answers
""",
    "choice_and_reason_by_name": """
def which_supervision():
    situations = ["bottling", "ringing", "flea market", "herbarium"]
    ways = ["supervised", "attributes", "zero-shot", "linear probe"]
    reasons = ["fixed and many", "signature", "text", "few labels"]
    return {s: {"choice": w, "reason": r} for s, w, r in zip(situations, ways, reasons)}
""",
}

CHAFFS = {
    "the_newest_method_is_the_best": dict(expects=("bottling", "is there nothing better"), source="""
def which_supervision():
    return {s: ("zero-shot", "robust") for s in ("bottling", "ringing", "flea market", "herbarium")}
"""),
    "more_parameters_always_help": dict(expects=("bottling", "not a kind of supervision"), source="""
def which_supervision():
    return {s: ("larger model", "more parameters") for s in ("bottling", "ringing", "flea market", "herbarium")}
"""),
    "a_species_name_is_a_text_too": dict(expects=("ringing", "is there nothing better"), source="""
def which_supervision():
    return {"bottling": ("supervised", "fixed and many"), "ringing": ("zero-shot", "text"),
            "flea market": ("zero-shot", "text"), "herbarium": ("linear probe", "few labels")}
"""),
    "three_hundred_species_are_enough_labels": dict(expects=("ringing", "can say its labels and nothing else"), source="""
def which_supervision():
    return {"bottling": ("supervised", "fixed and many"), "ringing": ("supervised", "fixed and many"),
            "flea market": ("zero-shot", "text"), "herbarium": ("linear probe", "few labels")}
"""),
    "categories_are_classes": dict(expects=("flea market", "Are the classes fixed"), source="""
def which_supervision():
    return {"bottling": ("supervised", "fixed and many"), "ringing": ("attributes", "signature"),
            "flea market": ("supervised", "fixed and many"), "herbarium": ("linear probe", "few labels")}
"""),
    "somebody_will_write_signatures": dict(expects=("flea market", "who wrote the signatures down"), source="""
def which_supervision():
    return {"bottling": ("supervised", "fixed and many"), "ringing": ("attributes", "signature"),
            "flea market": ("attributes", "signature"), "herbarium": ("linear probe", "few labels")}
"""),
    "drawer_17_is_a_name": dict(expects=("herbarium", "needs texts that tell the classes apart"), source="""
def which_supervision():
    return {"bottling": ("supervised", "fixed and many"), "ringing": ("attributes", "signature"),
            "flea market": ("zero-shot", "text"), "herbarium": ("zero-shot", "text")}
"""),
    "twelve_labels_train_a_network": dict(expects=("herbarium", "are there enough examples"), source="""
def which_supervision():
    return {"bottling": ("supervised", "fixed and many"), "ringing": ("attributes", "signature"),
            "flea market": ("zero-shot", "text"), "herbarium": ("supervised", "few labels")}
"""),
    "a_probe_is_always_safe": dict(expects=("bottling", "good vectors and a few labels"), source="""
def which_supervision():
    return {"bottling": ("linear probe", "few labels"), "ringing": ("attributes", "signature"),
            "flea market": ("zero-shot", "text"), "herbarium": ("linear probe", "few labels")}
"""),
    "right_for_the_wrong_reason": dict(expects=("flea market", "pictures that look different"), source="""
def which_supervision():
    return {"bottling": ("supervised", "fixed and many"), "ringing": ("attributes", "signature"),
            "flea market": ("zero-shot", "robust"), "herbarium": ("linear probe", "few labels")}
"""),
    "ways_without_reasons": dict(expects=("a way and a reason", "without a reason"), source="""
def which_supervision():
    return {"bottling": "supervised", "ringing": "attributes", "flea market": "zero-shot", "herbarium": "linear probe"}
"""),
}
