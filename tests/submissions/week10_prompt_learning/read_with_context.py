"""Wheats and chaffs for read_with_context. Each replaces the solution cell; names say what the author believed."""

WHEATS = {
    "text_by_text": """
def read_with_context(model, contexts, labels):
    found = []
    for context, label in zip(contexts, labels):
        start, *words, end = model.text.words(model.tokenizer.encode([label])[0])
        row = torch.stack([start, *context, *words, end])
        found.append(model.encode_words(row[None], torch.tensor([len(row) - 1])))
    return torch.cat(found)
""",
    "room_is_made_and_filled_in_place": """
def read_with_context(model, contexts, labels):
    tokens = model.tokenizer.encode(labels)
    count, places = tokens.shape
    m = contexts.shape[1]
    rows = torch.zeros(count, m + places, contexts.shape[2])
    rows[:, 0] = model.text.words(tokens[:, 0])
    rows[:, 1 : 1 + m] = contexts
    rows[:, 1 + m :] = model.text.words(tokens[:, 1:])
    last = torch.tensor([row.index(END) for row in tokens.tolist()])
    return model.encode_words(rows, last + m)
""",
    "placeholders_are_read_and_replaced": """
def read_with_context(model, contexts, labels):
    m = contexts.size(1)
    tokens = model.tokenizer.encode(["x " * m + label for label in labels])  # the end moves by itself
    words = model.text.words(tokens).clone()
    words[:, 1 : m + 1] = contexts
    return model.encode_words(words, (tokens == END).nonzero()[:, 1])
""",
    "padded_at_the_end_by_pad_sequence": """
from torch.nn.utils.rnn import pad_sequence

def read_with_context(model, contexts, labels):
    table = model.text.words.weight
    rows = []
    for i, label in enumerate(labels):
        numbers = model.tokenizer.encode([label]).squeeze(0)
        rows.append(torch.cat((table[numbers[:1]], contexts[i], table[numbers[1:]])))
    end = torch.tensor([len(row) for row in rows]) - 1
    return model.encode_words(pad_sequence(rows, batch_first=True), end)
""",
    "split_and_projected_by_hand": """
def read_with_context(model, contexts, labels):
    tokens = model.tokenizer.encode(labels)
    first, rest = model.text.words(tokens).split([1, tokens.size(1) - 1], dim=1)
    end = tokens.ne(0).sum(dim=1) - 1 + contexts.size(1)  # all that is not filling, counted
    return model.text(torch.hstack([first, contexts, rest]), end) @ model.text_projection.weight.T
""",
}

START = """
def read_with_context(model, contexts, labels):
    tokens = model.tokenizer.encode(labels)
    words = model.text.words(tokens)
    end = (tokens == END).int().argmax(dim=1)
    m = contexts.shape[1]
"""

CHAFFS = {
    "the_context_takes_the_first_words_place": dict(expects=("with the vectors of", "no word is lost"), source=START + """
    words = torch.cat([words[:, :1], contexts, words[:, 2:]], dim=1)
    return model.encode_words(words, end + m - 1)
"""),
    "the_context_comes_first": dict(expects=("with the vectors of", "after the start token"), source=START + """
    return model.encode_words(torch.cat([contexts, words], dim=1), end + m)
"""),
    "the_context_comes_last": dict(expects=("with the vectors of", "before the label"), source=START + """
    rows = [torch.cat([row[:at], context, row[at:]]) for row, context, at in zip(words, contexts, end)]
    return model.encode_words(torch.stack(rows), end + m)
"""),
    "the_end_stays_where_it_is": dict(expects=("with the vectors of", "The end token has moved"), source=START + """
    words = torch.cat([words[:, :1], contexts, words[:, 1:]], dim=1)
    return model.encode_words(words, end)
"""),
    "all_texts_end_like_the_first": dict(expects=("labels of one, two and three words", "each text's own end"), source=START + """
    words = torch.cat([words[:, :1], contexts, words[:, 1:]], dim=1)
    return model.encode_words(words, end[:1].expand(len(end)) + m)
"""),
    "the_last_place_is_the_end": dict(expects=("labels of one, two and three words", "filled up after their end"), source=START + """
    words = torch.cat([words[:, :1], contexts, words[:, 1:]], dim=1)
    return model.encode_words(words, torch.full((len(words),), words.shape[1] - 1))
"""),
    "the_largest_number_is_the_end": dict(expects=("labels of one, two and three words", "(tokens == END)"), source=START + """
    words = torch.cat([words[:, :1], contexts, words[:, 1:]], dim=1)
    return model.encode_words(words, tokens.argmax(dim=1) + m)
"""),
    "positions_are_still_missing": dict(expects=("with the vectors of", "adds the positions itself"), source=START + """
    words = torch.cat([words[:, :1], contexts, words[:, 1:]], dim=1)
    return model.encode_words(words + model.text.position[: words.shape[1]], end + m)
"""),
    "frozen_means_no_grad": dict(expects=("gradients reach all of it", "no_grad"), source="""
@torch.no_grad()
""" + START.strip("\n") + """
    words = torch.cat([words[:, :1], contexts, words[:, 1:]], dim=1)
    return model.encode_words(words, end + m)
"""),
    "only_a_value_is_needed": dict(expects=("gradients reach all of it", "Do not detach"), source=START + """
    words = torch.cat([words[:, :1], contexts.detach(), words[:, 1:]], dim=1)
    return model.encode_words(words, end + m)
"""),
    "one_context_serves_all_texts": dict(expects=("every text has its own context", "belongs to label i"), source=START + """
    words = torch.cat([words[:, :1], contexts[:1].expand(len(words), -1, -1), words[:, 1:]], dim=1)
    return model.encode_words(words, end + m)
"""),
    "vectors_in_the_shared_space_have_length_one": dict(expects=("with the vectors of", "not normalised"), source=START + """
    words = torch.cat([words[:, :1], contexts, words[:, 1:]], dim=1)
    return F.normalize(model.encode_words(words, end + m), dim=1)
"""),
    "a_text_keeps_its_length": dict(expects=("with the vectors of", "M places longer"), source=START + """
    longer = torch.cat([words[:, :1], contexts, words[:, 1:]], dim=1)[:, : words.shape[1]]
    return model.encode_words(longer, (end + m).clamp(max=words.shape[1] - 1))
"""),
}
