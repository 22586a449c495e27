import numpy as np

from sjepa_online.signal.packing import pack_signal, unpack_signal


def _rhythm() -> np.ndarray:
    """Four channels of 10 Hz in noise below 40 Hz, about 20 µV."""
    rng = np.random.default_rng(0)
    spectrum = np.fft.rfft(rng.normal(size=(4, 2560)))
    spectrum[:, 40 * 20 :] = 0
    wave = 20 * np.sin(2 * np.pi * 10 * np.arange(2560) / 128)
    return (wave + 5 * np.fft.irfft(spectrum, 2560)).astype(np.float32)


def test_unpacking_gives_the_signal_to_a_step() -> None:
    signal = _rhythm()
    signal[1, 100:120] = 1000.0
    back = unpack_signal(pack_signal(signal))
    np.testing.assert_array_equal(back, np.rint(signal))


def test_what_no_electrode_shows_is_cut_off() -> None:
    back = unpack_signal(pack_signal(np.array([[0.0, 1e6, -1e6]])))
    np.testing.assert_allclose(back, [[0.0, 30000.0, -30000.0]], rtol=1e-3)


def test_the_prediction_leaves_little() -> None:
    packed = pack_signal(_rhythm())
    assert packed["low"].mean() < np.abs(_rhythm()).mean() / 2
    assert not packed["high"].any()


def test_a_constant_signal_is_packed() -> None:
    assert not unpack_signal(pack_signal(np.zeros((2, 3)))).any()
