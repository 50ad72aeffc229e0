"""Wheats and chaffs for zero_shot_classifier. Each replaces the solution cell; names say what the author believed."""

WHEATS = {
    "all_sentences_at_once": """
def zero_shot_classifier(encode_text, labels, templates):
    sentences = [world.prompt(template, label) for label in labels for template in templates]
    z = encode_text(sentences)
    z = z / z.norm(dim=-1, keepdim=True)
    centre = z.reshape(len(labels), len(templates), -1).mean(dim=1)
    return centre / centre.norm(dim=-1, keepdim=True)
""",
    "template_by_template_in_double": """
def zero_shot_classifier(encode_text, labels, templates):
    total = 0.0
    for template in templates:
        vectors = encode_text([world.prompt(template, name) for name in labels]).double()
        total = total + F.normalize(vectors, dim=-1)
    return F.normalize(total, dim=-1)  # a sum has the direction of the mean
""",
    "in_numpy_with_sklearn": """
from sklearn.preprocessing import normalize

def zero_shot_classifier(encode_text, labels, templates):
    rows = np.empty((0, 0))
    for label in labels:
        texts = [world.prompt(t, label) for t in templates]
        mean = normalize(encode_text(texts).detach().numpy()).mean(axis=0, keepdims=True)
        rows = mean if rows.size == 0 else np.vstack([rows, mean])
    return torch.from_numpy(normalize(rows))
""",
    "sentence_by_sentence": """
def zero_shot_classifier(encode_text, labels, templates):
    classes = []
    for label in labels:
        directions = []
        for template in templates:
            vector = encode_text([world.prompt(template, label)])[0]
            directions.append(vector / torch.linalg.vector_norm(vector))
        average = sum(directions) / len(directions)
        classes.append(average / torch.sqrt(average @ average))
    return torch.stack(classes)
""",
    "templates_first_by_einsum": """
def zero_shot_classifier(encode_text, labels, templates):
    z = torch.stack([encode_text([world.prompt(t, c) for c in labels]) for t in templates])  # (template, class, dim)
    weight = 1 / z.pow(2).sum(2).sqrt() / len(templates)
    w = torch.einsum("tcd,tc->cd", z, weight)
    return w.div(w.norm(dim=1).unsqueeze(1))
""",
}

CHAFFS = {
    "the_average_is_normalised_anyway": dict(expects=("same say", "before you average"), source="""
def zero_shot_classifier(encode_text, labels, templates):
    rows = [encode_text([world.prompt(t, label) for t in templates]).mean(dim=0) for label in labels]
    return F.normalize(torch.stack(rows), dim=1)
"""),
    "a_sum_is_as_good_as_a_mean": dict(expects=("same say", "before you average"), source="""
def zero_shot_classifier(encode_text, labels, templates):
    sentences = [world.prompt(t, label) for label in labels for t in templates]
    total = encode_text(sentences).view(len(labels), len(templates), -1).sum(1)
    return total / total.norm(dim=1, keepdim=True)
"""),
    "a_mean_of_unit_vectors_is_one": dict(expects=("length one again", "shorter than one"), source="""
def zero_shot_classifier(encode_text, labels, templates):
    rows = []
    for label in labels:
        rows.append(F.normalize(encode_text([world.prompt(t, label) for t in templates]), dim=1).mean(dim=0))
    return torch.stack(rows)
"""),
    "classes_share_the_length": dict(expects=("length one again", "not over classes"), source="""
def zero_shot_classifier(encode_text, labels, templates):
    rows = []
    for label in labels:
        rows.append(F.normalize(encode_text([world.prompt(t, label) for t in templates]), dim=1).mean(dim=0))
    return F.normalize(torch.stack(rows), dim=0)
"""),
    "sentences_share_the_length": dict(expects=("one template", "One unit vector for each label"), source="""
def zero_shot_classifier(encode_text, labels, templates):
    rows = []
    for label in labels:
        each = F.normalize(encode_text([world.prompt(t, label) for t in templates]), dim=0)
        rows.append(F.normalize(each.mean(dim=0), dim=0))
    return torch.stack(rows)
"""),
    "one_length_for_the_whole_matrix": dict(expects=("length one again", "each class's vector"), source="""
def zero_shot_classifier(encode_text, labels, templates):
    rows = []
    for label in labels:
        rows.append(F.normalize(encode_text([world.prompt(t, label) for t in templates]), dim=1).mean(dim=0))
    rows = torch.stack(rows)
    return rows / rows.norm()
"""),
    "format_knows_english": dict(expects=("one template", "'an orange cube'"), source="""
def zero_shot_classifier(encode_text, labels, templates):
    rows = []
    for label in labels:
        each = F.normalize(encode_text([template.format(label) for template in templates]), dim=1)
        rows.append(F.normalize(each.mean(dim=0), dim=0))
    return torch.stack(rows)
"""),
    "the_name_is_enough": dict(expects=("one template", "was not asked for"), source="""
def zero_shot_classifier(encode_text, labels, templates):
    return F.normalize(encode_text(list(labels)), dim=1)
"""),
    "one_wording_is_enough": dict(expects=("same say", "Fill every template"), source="""
def zero_shot_classifier(encode_text, labels, templates):
    return F.normalize(encode_text([world.prompt(templates[0], label) for label in labels]), dim=1)
"""),
    "reshape_sorts_the_axes": dict(expects=("slow, independent", "own sentences only"), source="""
def zero_shot_classifier(encode_text, labels, templates):
    sentences = [world.prompt(template, label) for label in labels for template in templates]
    z = F.normalize(encode_text(sentences), dim=1).reshape(len(templates), len(labels), -1)
    return F.normalize(z.mean(dim=0), dim=1)
"""),
    "the_order_of_the_loops_does_not_matter": dict(expects=("slow, independent", "own sentences only"), source="""
def zero_shot_classifier(encode_text, labels, templates):
    sentences = [world.prompt(template, label) for template in templates for label in labels]
    z = F.normalize(encode_text(sentences), dim=1).reshape(len(labels), len(templates), -1)
    return F.normalize(z.mean(dim=1), dim=1)
"""),
    "one_vector_for_each_template": dict(expects=("length one again", "shape"), source="""
def zero_shot_classifier(encode_text, labels, templates):
    sentences = [world.prompt(template, label) for label in labels for template in templates]
    z = F.normalize(encode_text(sentences), dim=1).reshape(len(labels), len(templates), -1)
    return F.normalize(z.mean(dim=0), dim=1)
"""),
    "labels_come_in_alphabetical_order": dict(expects=("slow, independent", "order of the labels"), source="""
def zero_shot_classifier(encode_text, labels, templates):
    rows = {}
    for label in sorted(set(labels)):
        each = F.normalize(encode_text([world.prompt(t, label) for t in templates]), dim=1)
        rows[label] = F.normalize(each.mean(dim=0), dim=0)
    return torch.stack(list(rows.values()))
"""),
    "the_encoder_takes_one_sentence": dict(expects=("one template", "list of sentences"), source="""
def zero_shot_classifier(encode_text, labels, templates):
    rows = []
    for label in labels:
        each = torch.stack([F.normalize(encode_text(world.prompt(t, label)).mean(0), dim=0) for t in templates])
        rows.append(F.normalize(each.mean(dim=0), dim=0))
    return torch.stack(rows)
"""),
}
