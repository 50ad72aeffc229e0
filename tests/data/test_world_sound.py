import dataclasses
import math

import numpy as np
import pytest
import torch
from scipy.linalg import solve_toeplitz
from scipy.signal import decimate, resample_poly

from mmdl_course.data.world import (
    LEXICON,
    SHIFTS,
    TEMPLATES,
    VOCABULARY,
    VOICES,
    UnknownWordError,
    Voice,
    ask,
    caption,
    refer,
    sample_scenes,
    speak,
)
from mmdl_course.data.world.lexicon import tokens
from mmdl_course.data.world.phonemes import PHONEMES
from mmdl_course.data.world.prosody import Score, Sound, score
from mmdl_course.data.world.synthesis import synthesise

RATE = 16_000
FLAT = Voice("flat", pitch=70.0, breath=0.0, intonation=0.0)
GIANT, MOUSE = Voice("giant", 50.0, 1.2, 0.5, 1.0, 12.0), Voice("mouse", 400.0, 0.6, 2.0, 0.0, 12.0)


def level(wave):
    """Loudness in dB."""
    return 10 * np.log10(np.mean(np.square(wave)) + 1e-20)


def share(wave, low, high):
    """Part of the energy between two frequencies."""
    power = np.abs(np.fft.rfft(wave * np.hanning(len(wave)))) ** 2
    frequency = np.fft.rfftfreq(len(wave), 1 / RATE)
    return power[(frequency >= low) & (frequency < high)].sum() / power.sum()


def pitches(wave):
    """Pitch of each 50 ms that repeats itself well, by autocorrelation."""
    found = []
    for start in range(0, len(wave) - 1600, 400):
        frame = wave[start : start + 800]
        if level(frame) < level(wave) - 12:
            continue
        later = np.array([wave[start + lag : start + lag + 800] for lag in range(40, 330)])
        score = later @ frame / np.sqrt((later**2).sum(1) * (frame @ frame))
        best = score.max()
        lag = np.flatnonzero(
            (score > 0.93 * best) & (score >= np.roll(score, 1)) & (score >= np.roll(score, -1))
        )
        if best > 0.8 and len(lag):
            found.append(RATE / (lag[0] + 40))
    return np.array(found)


def steady(name, voice):
    """A sound that is held for half a second."""
    sounds = (
        Sound("", 0.0, -1, 0.0, 0.05),
        Sound(name, 1.0, 0, 0.05, 0.55),
        Sound("", 0.0, -1, 0.55, 0.6),
    )
    pitch = np.array([0.0, 0.6]), np.array([voice.pitch, voice.pitch])
    return synthesise(Score(sounds, (name,), pitch), name, voice, RATE)


def resonances(wave, *, top):
    """Frequencies of the resonances below `top` Hz, by linear prediction at 10 kHz."""
    frame = resample_poly(wave[2400:5600].astype(float), 5, 8)
    frame = np.append(frame[0], frame[1:] - 0.9 * frame[:-1]) * np.hanning(len(frame))
    order = 12
    correlation = np.correlate(frame, frame, "full")[len(frame) - 1 : len(frame) + order]
    roots = np.roots(np.append(1, -solve_toeplitz(correlation[:-1], correlation[1:])))
    roots = roots[(roots.imag > 0) & (np.abs(roots) > 0.85)]
    frequency = np.sort(np.angle(roots) * 10_000 / (2 * np.pi))
    return frequency[(frequency > 150) & (frequency < top)]


def test_the_same_text_is_the_same_sound_whatever_it_is_spoken_beside():
    texts = ["a red sphere", "no", "two shiny cubes, and a torus"]
    together = speak(texts, voice=["man", "child", "breathy"])
    again = speak(texts, voice=["man", "child", "breathy"])
    assert torch.equal(together.waveform, again.waveform)
    for row, (text, voice) in enumerate(zip(texts, ("man", "child", "breathy"), strict=True)):
        alone = speak([text], voice=voice)
        assert alone.length[0] == together.length[row]
        assert torch.equal(alone.waveform[0], together.waveform[row, : alone.length[0]])
        words = len(alone.words[0])
        assert torch.equal(alone.start[0], together.start[row, :words])
        assert (together.start[row, words:] == -1).all()
        assert (together.waveform[row, alone.length[0] :] == 0).all()


def test_a_voice_may_be_given_by_name_or_made():
    named = speak(["a cone"], voice="low")
    made = speak(["a cone"], voice=dataclasses.replace(VOICES["low"], name="somebody else"))
    assert torch.equal(named.waveform, made.waveform)
    assert made.voices[0].name == "somebody else"


@pytest.mark.parametrize("name", list(VOICES))
def test_the_sound_has_the_pitch_of_the_voice(name):
    voice = dataclasses.replace(VOICES[name], intonation=0.0, breath=min(VOICES[name].breath, 0.3))
    found = pitches(speak(["a yellow ramp and a lemon barrel"], voice=voice).waveform[0].numpy())
    assert len(found) > 20
    assert np.median(found) == pytest.approx(voice.pitch, rel=0.02)
    assert np.mean(np.abs(found / voice.pitch - 1) < 0.04) > 0.8


def test_intonation_moves_the_pitch_about_the_same_mean():
    text = "a yellow ramp and a lemon barrel"
    wide = dataclasses.replace(VOICES["man"], intonation=8.0)
    found = pitches(speak([text], voice=wide).waveform[0].numpy())
    assert math.exp(np.log(found).mean()) == pytest.approx(wide.pitch, rel=0.08)
    assert 12 * math.log2(found.max() / found.min()) == pytest.approx(8, abs=1)
    third = len(found) // 3
    assert found[:third].mean() > 1.1 * found[-third:].mean()


def test_a_question_rises_where_yes_or_no_is_the_answer():
    def end(text):
        time, pitch = score(text, VOICES["woman"]).pitch
        return pitch[time > time[-1] - 0.1].mean() / VOICES["woman"].pitch

    assert end("is there a red cube?") > 1.1
    assert end("there is a red cube") < 0.85
    assert end("what colour is the cube?") < 0.85


@pytest.mark.parametrize("name", ["IY", "IH", "EH", "AE", "AA", "AO", "UH", "AH"])
def test_vowels_have_the_resonances_of_the_table(name):
    found = resonances(steady(name, FLAT), top=4500)
    first, second, _ = PHONEMES[name].formants
    assert found[0] == pytest.approx(first, rel=0.1)
    assert found[1] == pytest.approx(second, rel=0.06)


@pytest.mark.parametrize(
    ("name", "first", "second"),
    [("IY", 270, 2290), ("EH", 530, 1840), ("AE", 660, 1720), ("AA", 730, 1090), ("UH", 440, 1020)],
)
def test_the_table_is_near_the_men_of_peterson_and_barney(name, first, second):
    assert PHONEMES[name].formants[0] == pytest.approx(first, rel=0.12)
    assert PHONEMES[name].formants[1] == pytest.approx(second, rel=0.12)


@pytest.mark.parametrize("tract", [0.8, 1.15])
def test_a_shorter_tract_has_higher_resonances(tract):
    short = dataclasses.replace(FLAT, tract=tract)
    for name in ("EH", "AE", "AH"):
        ratio = resonances(steady(name, short), top=4800)[:2] / resonances(steady(name, FLAT), top=4800)[:2]
        np.testing.assert_allclose(ratio, 1 / tract, rtol=0.08)


def test_durations_go_with_the_rate():
    texts = ["a small cyan cube, and a torus"]
    slow, fast = (speak(texts, voice=Voice("x", rate=rate)) for rate in (0.8, 1.6))
    assert (slow.end - slow.start).sum().item() == pytest.approx(
        2 * (fast.end - fast.start).sum().item(), rel=1e-3
    )


def test_the_last_syllable_of_a_phrase_is_long():
    last, inner = speak(["a red cone"]), speak(["a cone left of a cube"])
    assert (last.end - last.start)[0, 2] > 1.1 * (inner.end - inner.start)[0, 1]


def test_words_cover_the_sound_in_order_and_silence_is_silent():
    speech = speak(["a red cone, left of a small cube", "no"], voice="woman")
    start, end = speech.start[0], speech.end[0]
    assert speech.words[0] == ("a", "red", "cone", "left", "of", "a", "small", "cube")
    assert (start < end).all()
    gaps = start[1:] - end[:-1]
    assert (gaps[[0, 1, 3, 4, 5, 6]] == 0).all()
    assert gaps[2] > 0.1 * RATE
    wave = speech.waveform[0].numpy()
    loud = level(wave[start[0] : end[2]])
    for low, high in ((0, int(start[0]) - 320), (int(end[2]) + 800, int(start[3]) - 320)):
        assert high > low
        assert level(wave[low:high]) < loud - 45
    for first, last in zip(start.tolist(), end.tolist(), strict=True):
        assert level(wave[first:last]) > loud - 25
    assert int(end[-1]) < int(speech.length[0])
    assert speech.length[0] - end[-1] == pytest.approx(0.05 * RATE, abs=2)


def test_hisses_are_high_and_vowels_low():
    speech = speak(["sphere", "shape", "far"])
    wave = speech.waveform.numpy()
    assert share(wave[0, 1100:2000], 4000, 8000) > 0.7
    assert share(wave[1, 1100:2000], 2000, 6000) > 0.7
    middle = int(speech.length[2]) // 2
    assert share(wave[2, middle : middle + 1600], 0, 1300) > 0.8


def test_stops_are_a_closure_and_a_burst():
    sounds = score("a cone", VOICES["man"]).sounds
    stop = next(sound for sound in sounds if sound.name == "K")
    wave = speak(["a cone"]).waveform[0].numpy()
    release = stop.end - stop.release
    closure = wave[int((stop.start + 0.03) * RATE) : int((release - 0.01) * RATE)]
    burst = wave[int(release * RATE) : int((release + 0.012) * RATE)]
    assert level(burst) > level(closure) + 25
    assert level(burst) > level(wave) - 15


@pytest.mark.parametrize("voice", [*VOICES.values(), GIANT, MOUSE], ids=lambda voice: voice.name)
@pytest.mark.parametrize("sample_rate", [16_000, 8_000])
def test_nothing_clips_or_clicks(voice, sample_rate):
    speech = speak(["is the shiny doughnut behind the huge sketch?"], voice=voice, sample_rate=sample_rate)
    wave = speech.waveform[0]
    assert wave.isfinite().all()
    assert wave.abs().max().item() == pytest.approx(0.8, abs=1e-3)
    assert wave.mean().abs() < 0.01
    quiet = wave[: round(0.04 * sample_rate)]
    assert quiet.abs().max() < 0.01


def test_the_telephone_lets_the_low_half_through():
    texts = ["a large green wedge"]
    wide, narrow = speak(texts, voice="man"), speak(texts, voice="man", sample_rate=8000)
    assert narrow.length[0] == pytest.approx(wide.length[0].item() / 2, abs=1)
    assert torch.equal(narrow.start, (wide.start / 2).round().long()) or (
        (narrow.start - wide.start / 2).abs().max() <= 0.5
    )
    other = decimate(wide.waveform[0].double().numpy(), 2, ftype="fir")
    count = min(len(other), int(narrow.length[0]))
    assert np.corrcoef(other[:count], narrow.waveform[0, :count].numpy())[0, 1] > 0.98


def test_voices_are_clearly_different():
    assert len(VOICES) >= 6
    texts = ["a purple cylinder"]
    shapes = []
    for name in VOICES:
        wave = speak(texts, voice=name).waveform[0].double()
        power = torch.stft(wave, 512, window=torch.hann_window(512).double(), return_complex=True).abs() ** 2
        shapes.append(torch.cat([power.mean(1).log10(), torch.tensor([len(wave) / RATE]).double()]))
    shapes = torch.stack(shapes)
    distance = torch.cdist(shapes, shapes) + 99 * torch.eye(len(shapes))
    assert distance.min() > 2


def test_every_word_of_the_world_can_be_said():
    generator = torch.Generator().manual_seed(0)
    scenes = sample_scenes(60, generator=generator)
    said = " ".join(
        [*VOCABULARY, *SHIFTS, *TEMPLATES]
        + caption(scenes, generator=generator)
        + [f"{question.text} {question.answer}" for question in ask(scenes, generator=generator)]
        + list(refer(scenes, generator=generator).text)
    ).replace("{}", "")
    assert {token for token in tokens(said) if token.isalnum()} <= set(LEXICON)
    for word in (
        "toruses",
        "tori",
        "doughnut",
        "turquoise",
        "crimson",
        "ten",
        "zero",
        "yes",
        "under",
        "photo",
    ):
        assert word in LEXICON


def test_pronunciations_are_made_of_sounds_there_are():
    for word, sounds in LEXICON.items():
        assert {sound.rstrip("012") for sound in sounds} <= set(PHONEMES), word
        assert all(
            sound[-1].isdigit() == (PHONEMES[sound.rstrip("012")].kind == "vowel") for sound in sounds
        ), word
        assert sum(sound.endswith("1") for sound in sounds) <= 1, word


def test_spelling_capitals_and_marks():
    assert score("A gray CUBE!", FLAT).words == ("a", "gray", "cube")
    assert score("snow-white", FLAT).words == ("snow", "white")
    assert torch.equal(speak(["2"]).length, speak(["two"]).length)
    pause = speak(["a cube, a cone"]).length - speak(["a cube a cone"]).length
    assert pause.item() > 0.1 * RATE


def test_no_texts_make_no_sound():
    speech = speak([])
    assert len(speech) == 0
    assert speech.waveform.shape == (0, 0)


def test_wrong_requests_are_named():
    with pytest.raises(
        UnknownWordError, match=r"'spere' \(word 3 of 'a red spere'\) \(did you mean 'sphere'"
    ):
        speak(["a cube", "a red spere"])
    with pytest.raises(UnknownWordError, match=r"add 'xyz' with its ARPAbet sounds to LEXICON"):
        speak(["xyz"])
    with pytest.raises(ValueError, match="has no word to speak"):
        speak([" , "])
    with pytest.raises(ValueError, match="sequence of texts"):
        speak("a cube")
    with pytest.raises(ValueError, match="no voice is called 'robot'"):
        speak(["a cube"], voice="robot")
    with pytest.raises(ValueError, match="2 voices for 1 texts"):
        speak(["a cube"], voice=["man", "low"])
    with pytest.raises(ValueError, match="sample_rate must be one of 16000, 8000, not 44100"):
        speak(["a cube"], sample_rate=44_100)
    for field, value in (
        ("pitch", 20.0),
        ("tract", 2.0),
        ("rate", 0.0),
        ("breath", -0.1),
        ("intonation", math.nan),
    ):
        with pytest.raises(ValueError, match=rf"{field} of voice 'x' must lie in"):
            Voice("x", **{field: value})
