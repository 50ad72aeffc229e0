"""Features of emoji that ship with the course."""

import hashlib
import io
import re

import numpy as np
import pytest
import torch

from mmdl_course.cache import cache_folder
from mmdl_course.course import find_root
from mmdl_course.data import emoji_archive
from mmdl_course.data.card import DataError
from mmdl_course.data.emoji import emoji_characters, load_emoji
from mmdl_course.data.emoji_features import FILE, load_emoji_features, pack, unpack
from mmdl_course.pipelines import emoji_features as recipe


@pytest.fixture(scope="module")
def features():
    return load_emoji_features()


def test_there_is_a_row_for_each_emoji_and_each_query(features):
    count = len(emoji_characters())
    assert features.images.shape == features.outlines.shape == (count, 1280)
    assert features.texts.shape == (count, 384)
    assert features.query_texts.shape == (len(features.queries), 384)
    assert features.queries == recipe.QUERIES


def test_texts_are_unit_vectors_up_to_the_steps(features):
    for vectors in (features.texts, features.query_texts):
        torch.testing.assert_close(vectors.norm(dim=1), torch.ones(len(vectors)), atol=0.01, rtol=0)


def test_like_names_lie_close_and_like_drawings_too(features):
    names = load_emoji(size=8).names["en"]
    cat, tears, car = (names.index(name) for name in ("grinning cat", "cat with tears of joy", "automobile"))
    for rows in (features.texts, features.images, features.outlines):
        like, unlike = (torch.cosine_similarity(rows[cat], rows[other], dim=0) for other in (tears, car))
        assert like > unlike + 0.1


def test_a_query_finds_what_it_means_by_names_alone(features):
    names = load_emoji(size=8).names["en"]
    vector = features.query_texts[features.queries.index("a pet that purrs")]
    first = [names[place] for place in (features.texts @ vector).topk(5).indices]
    assert any("cat" in name for name in first)


def test_no_query_is_a_name_and_none_comes_twice(features):
    names = {name.lower() for name in load_emoji(size=8).names["en"]}
    assert not names & {query.lower() for query in features.queries}
    assert len(set(features.queries)) == len(features.queries)


def test_packing_is_exact_to_half_a_step():
    values = torch.randn(50, 7, generator=torch.Generator().manual_seed(0)) * torch.arange(7)
    steps, limits = pack(values)
    assert steps.dtype == np.uint8
    half = torch.from_numpy(limits[1]) / 2 + 1e-5
    assert ((unpack(steps, limits) - values).abs() <= half).all()


def array_file(values):
    file = io.BytesIO()
    np.save(file, values)
    return file.getvalue()


def archive_file(**arrays):
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: content[:1000],
        lambda content: content[:1_000_000] + bytes(100) + content[1_000_100:],
        lambda _: b"",
        lambda _: b"no archive at all",
        lambda _: array_file(np.zeros(3)),
        lambda _: archive_file(listed=np.frombuffer(b"null", dtype=np.uint8)),
    ],
    ids=["cut short", "overwritten", "empty", "no archive", "an array", "a null list"],
)
def test_a_damaged_file_is_named_with_the_remedy(tmp_path, damage):
    broken = tmp_path / "emoji.npz"
    broken.write_bytes(damage(FILE.read_bytes()))
    with pytest.raises(DataError, match=r"emoji\.npz is missing or damaged .*git checkout"):
        load_emoji_features(file=broken)


def test_a_missing_file_is_named_with_the_remedy(tmp_path):
    with pytest.raises(DataError, match=r"nowhere\.npz is missing .*mmdl fetch"):
        load_emoji_features(file=tmp_path / "nowhere.npz")


def test_other_emoji_than_those_listed_are_noticed(monkeypatch):
    monkeypatch.setattr(emoji_archive, "emoji_characters", lambda: ("x",))
    with pytest.raises(DataError, match=r"other emoji .*constraints\.txt"):
        load_emoji_features()


def test_the_file_is_small_and_the_documentation_has_its_hash():
    assert FILE.stat().st_size < 5e6
    text = (find_root() / "docs" / "data.md").read_text(encoding="utf-8")
    listed = re.search(r"`mmdl_course/data/features/emoji\.npz` \| `([0-9a-f]{64})`", text)
    assert listed.group(1) == hashlib.sha256(FILE.read_bytes()).hexdigest()


@pytest.mark.slow
def test_they_are_what_the_models_make_of_the_emoji(features):
    for name in ("efficientnet-lite0", "minilm"):
        if not cache_folder("models", name).exists():
            pytest.skip(f"not fetched: mmdl fetch {name}")
    emoji = load_emoji(size=recipe.SIZE)
    some = torch.tensor([0, 700, 1500])
    for shipped, images in ((features.images, emoji.images), (features.outlines, emoji.outlines)):
        computed = recipe.image_features(images[some])
        assert (torch.cosine_similarity(shipped[some], computed) > 0.99).all()
    names = [emoji.names["en"][place] for place in some]
    assert (torch.cosine_similarity(features.texts[some], recipe.text_features(names)) > 0.99).all()
    assert (
        torch.cosine_similarity(features.query_texts[:3], recipe.text_features(features.queries[:3])) > 0.99
    ).all()
