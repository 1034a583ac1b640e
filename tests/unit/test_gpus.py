"""Whether this machine has a GPU, from its device files and the user's environment."""

import pytest

from polyfacet.runtime import gpus


@pytest.mark.parametrize(
    ("files", "hidden", "found"),
    [
        (["nvidia0", "nvidiactl"], {}, True),
        (["kfd"], {}, True),
        (["nvidiactl", "nvidia-uvm", "null"], {}, False),
        ([], {}, False),
        (["nvidia0"], {"CUDA_VISIBLE_DEVICES": ""}, False),
        (["nvidia0"], {"CUDA_VISIBLE_DEVICES": "-1"}, False),
        (["nvidia0"], {"CUDA_VISIBLE_DEVICES": "0"}, True),
    ],
)
def test_a_gpu_has_a_device_file_and_is_not_hidden(tmp_path, monkeypatch, files, hidden, found):
    for name in gpus.VISIBLE_DEVICES:
        monkeypatch.delenv(name, raising=False)
    for name, value in hidden.items():
        monkeypatch.setenv(name, value)
    for name in files:
        (tmp_path / name).touch()
    assert gpus.has_gpu(tmp_path) is found
