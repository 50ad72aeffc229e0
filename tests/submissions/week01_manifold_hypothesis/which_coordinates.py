"""Wheats and chaffs for which_coordinates. Each replaces the solution cell; names say what the author believed."""

WHEATS = {
    "as_lists_in_another_order": """
def which_coordinates():
    return {"overview": ["umap", "neighbours"], "film": ["isomap", "geodesic"],
            "morph": ["autoencoder", "way back"], "robot": ["pca", "flat"]}
""",
    "built_up_with_capitals": """
def which_coordinates():
    answers = dict.fromkeys(("robot", "morph", "film", "overview"))
    answers["robot"] = ("PCA", "flat")
    answers["morph"] = ("Autoencoder", "Way back")
    answers["film"] = ("Isomap", "geodesic")
    answers["overview"] = ("UMAP", "neighbours")
    return answers
""",
}

CHAFFS = {
    "the_deepest_method_is_the_best": dict(expects=("robot", "something simpler"), source="""
def which_coordinates():
    return {s: ("autoencoder", "most parameters") for s in ("robot", "morph", "film", "overview")}
"""),
    "umap_shows_distances": dict(expects=("film", "measure on it"), source="""
def which_coordinates():
    return {"robot": ("pca", "flat"), "morph": ("autoencoder", "way back"),
            "film": ("umap", "geodesic"), "overview": ("umap", "neighbours")}
"""),
    "umap_can_generate": dict(expects=("morph", "generate from it"), source="""
def which_coordinates():
    return {"robot": ("pca", "flat"), "morph": ("umap", "way back"),
            "film": ("isomap", "geodesic"), "overview": ("umap", "neighbours")}
"""),
    "right_for_the_wrong_reason": dict(expects=("robot", "reason is not"), source="""
def which_coordinates():
    return {"robot": ("pca", "fastest"), "morph": ("autoencoder", "way back"),
            "film": ("isomap", "geodesic"), "overview": ("umap", "neighbours")}
"""),
    "mixing_pixels_morphs": dict(expects=("morph", "Data space"), source="""
def which_coordinates():
    return {"robot": ("pca", "flat"), "morph": ("raw pixels", "fastest"),
            "film": ("isomap", "geodesic"), "overview": ("umap", "neighbours")}
"""),
    "a_picture_must_keep_geodesics": dict(expects=("overview", "Isomap keeps distances"), source="""
def which_coordinates():
    return {"robot": ("pca", "flat"), "morph": ("autoencoder", "way back"),
            "film": ("isomap", "geodesic"), "overview": ("isomap", "geodesic")}
"""),
    "methods_without_reasons": dict(expects=("method and a reason", "without a reason"), source="""
def which_coordinates():
    return {"robot": "pca", "morph": "autoencoder", "film": "isomap", "overview": "umap"}
"""),
}
