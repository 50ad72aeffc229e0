"""Wheats and chaffs for which_prompting. Each replaces the solution cell; names say what the author believed."""

WHEATS = {
    "as_lists_in_another_order": """
def which_prompting():
    return {"foundry": ["linear probe", "many labels"], "zoo": ["learned context", "new names"],
            "web shop": ["ensemble", "no labels"], "hospital": ["searched words", "readable"]}
""",
    "built_up_with_capitals": """
def which_prompting():
    answers = dict.fromkeys(("hospital", "web shop", "zoo", "foundry"))
    answers["hospital"] = ("Searched words", "Readable")
    answers["web shop"] = ("Ensemble", "No labels")
    answers["zoo"] = ("Learned context", "New names ")
    answers["foundry"] = ("Linear probe", "Many labels")
    return answers
""",
    "choice_and_reason_by_name": """
def which_prompting():
    places = ["hospital", "web shop", "zoo", "foundry"]
    ways = ["searched words", "ensemble", "learned context", "linear probe"]
    reasons = ["readable", "no labels", "new names", "many labels"]
    return {place: {"choice": way, "reason": why} for place, way, why in zip(places, ways, reasons)}
""",
}

CHAFFS = {
    "the_largest_number_wins": dict(expects=("hospital", "nobody can read it"), source="""
def which_prompting():
    return {place: ("learned context", "best in the paper") for place in ("hospital", "web shop", "zoo", "foundry")}
"""),
    "doctors_write_prompts_themselves": dict(expects=("hospital", "are there labels to choose by"), source="""
def which_prompting():
    return {"hospital": ("hand", "readable"), "web shop": ("ensemble", "no labels"),
            "zoo": ("learned context", "new names"), "foundry": ("linear probe", "many labels")}
"""),
    "templates_can_be_signed": dict(expects=("hospital", "do the pictures look like those"), source="""
def which_prompting():
    return {"hospital": ("ensemble", "readable"), "web shop": ("ensemble", "no labels"),
            "zoo": ("learned context", "new names"), "foundry": ("linear probe", "many labels")}
"""),
    "six_findings_are_six_classes": dict(expects=("hospital", "is no text asked for"), source="""
def which_prompting():
    return {"hospital": ("linear probe", "many labels"), "web shop": ("ensemble", "no labels"),
            "zoo": ("learned context", "new names"), "foundry": ("linear probe", "many labels")}
"""),
    "nearest_words_can_be_signed": dict(expects=("hospital", "does anybody have to read it"), source="""
def which_prompting():
    return {"hospital": ("learned context", "readable"), "web shop": ("ensemble", "no labels"),
            "zoo": ("learned context", "new names"), "foundry": ("linear probe", "many labels")}
"""),
    "ordinary_pictures_need_an_ordinary_prompt": dict(expects=("web shop", "insures against a poor draw"), source="""
def which_prompting():
    return {"hospital": ("searched words", "readable"), "web shop": ("hand", "no labels"),
            "zoo": ("learned context", "new names"), "foundry": ("linear probe", "many labels")}
"""),
    "forty_new_names_need_a_context": dict(expects=("web shop", "it needs some labels"), source="""
def which_prompting():
    return {"hospital": ("searched words", "readable"), "web shop": ("learned context", "new names"),
            "zoo": ("learned context", "new names"), "foundry": ("linear probe", "many labels")}
"""),
    "sixty_species_have_labels": dict(expects=("zoo", "no row for a new class"), source="""
def which_prompting():
    return {"hospital": ("searched words", "readable"), "web shop": ("ensemble", "no labels"),
            "zoo": ("linear probe", "many labels"), "foundry": ("linear probe", "many labels")}
"""),
    "new_names_need_many_templates": dict(expects=("zoo", "do the pictures look like those"), source="""
def which_prompting():
    return {"hospital": ("searched words", "readable"), "web shop": ("ensemble", "no labels"),
            "zoo": ("ensemble", "new names"), "foundry": ("linear probe", "many labels")}
"""),
    "words_are_always_better_than_vectors": dict(expects=("zoo", "score a little less"), source="""
def which_prompting():
    return {"hospital": ("searched words", "readable"), "web shop": ("ensemble", "no labels"),
            "zoo": ("searched words", "new names"), "foundry": ("linear probe", "many labels")}
"""),
    "a_prompt_has_fewer_numbers_to_learn": dict(expects=("foundry", "Does the name say anything"), source="""
def which_prompting():
    return {"hospital": ("searched words", "readable"), "web shop": ("ensemble", "no labels"),
            "zoo": ("learned context", "new names"), "foundry": ("learned context", "fewest parameters")}
"""),
    "right_for_the_wrong_reason": dict(expects=("zoo", "A number from another task"), source="""
def which_prompting():
    return {"hospital": ("searched words", "readable"), "web shop": ("ensemble", "no labels"),
            "zoo": ("learned context", "best in the paper"), "foundry": ("linear probe", "many labels")}
"""),
    "ways_without_reasons": dict(expects=("a way and a reason", "without a reason"), source="""
def which_prompting():
    return {"hospital": "searched words", "web shop": "ensemble", "zoo": "learned context", "foundry": "linear probe"}
"""),
}
