import torch

from mmdl_course.data.signals import load_ecg


def test_three_beats():
    ecg = load_ecg()
    assert ecg.signal.shape == (1024,)
    beats = (
        (ecg.signal[1:-1] > 150) & (ecg.signal[1:-1] > ecg.signal[:-2]) & (ecg.signal[1:-1] >= ecg.signal[2:])
    )
    seconds = ecg.seconds[1:-1][beats]
    assert len(seconds) == 3
    assert ((60 / seconds.diff() > 50) & (60 / seconds.diff() < 90)).all()  # beats per minute


def test_the_hum_from_which_the_rate_is_read():
    ecg = load_ecg()
    calm = ecg.signal[650:770] - ecg.signal[650:770].mean()  # between two beats
    strength = torch.fft.rfft(calm * torch.hann_window(120)).abs()
    frequency = torch.fft.rfftfreq(120, 1 / ecg.rate)
    assert frequency[strength[10:].argmax() + 10] == 60
