"""A training takes the encoders of the hub from their cache."""

import os
import subprocess
import sys

from hub_server import REVISION, add_snapshot
from project import PROJECT

from polyfacet.training.encoders.hub_cache import HubEncoder, HubEncoders, write_record

TRAINING_LOADS = """
import sys
from pathlib import Path
import train_cells
from polyfacet.training.encoders.hub_cache import read_record, work_offline
work_offline(read_record(Path(sys.argv[1])))
from timm import create_model
from transformers import AutoConfig, AutoModel, AutoTokenizer
name = "google/electra-small-discriminator"
AutoConfig.from_pretrained(name)
weights = AutoModel.from_pretrained(name).get_input_embeddings().weight
print(AutoTokenizer.from_pretrained(name).tokenize("Ac Hg 2"), len(weights))
print(create_model("lcnet_050", pretrained=True, num_classes=0).num_features)
"""


def test_training_loads_encoders_from_the_cache_with_no_hub_to_ask(tmp_path):
    import timm
    import torch
    from safetensors.torch import load_file, save_file

    from polyfacet.config.encoders import TextEncoderSettings
    from polyfacet.training.encoders.local import save_text_encoder

    save_text_encoder(tmp_path / "text", TextEncoderSettings(hidden_size=8, n_layers=1, n_heads=2), seed=0)
    files = {path.name: path.read_bytes() for path in (tmp_path / "text").iterdir()}
    # As in the repositories of the presets: weights in PyTorch's own form only.
    torch.save(load_file(tmp_path / "text" / "model.safetensors"), tmp_path / "pytorch_model.bin")
    del files["model.safetensors"]
    files["pytorch_model.bin"] = (tmp_path / "pytorch_model.bin").read_bytes()
    add_snapshot(tmp_path / "hub", "google/electra-small-discriminator", files)
    model = timm.create_model("lcnet_050", pretrained=False)
    save_file(model.state_dict(), tmp_path / "model.safetensors")
    weights = {"model.safetensors": (tmp_path / "model.safetensors").read_bytes()}
    add_snapshot(tmp_path / "hub", "timm/lcnet_050.ra2_in1k", {**weights, "config.json": b"{}"})
    encoder = {"facet": "text", "revision": REVISION, "checkpoint": "google/electra-small-discriminator"}
    encoders = (HubEncoder(**encoder, repository=encoder["checkpoint"]),)
    write_record(tmp_path / "record.json", HubEncoders(cache=tmp_path / "hub", encoders=encoders))
    done = subprocess.run(
        [sys.executable, "-c", TRAINING_LOADS, tmp_path / "record.json"],
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join(str(PROJECT / part) for part in ("workflow", "workflow/scripts")),
            "HF_ENDPOINT": "http://127.0.0.1:9",
            "HF_HUB_OFFLINE": "0",
            "HOME": str(tmp_path),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.split("\n")[0].startswith("['Ac', 'Hg', '2']")
    assert int(done.stdout.split("\n")[1]) == model.num_features
