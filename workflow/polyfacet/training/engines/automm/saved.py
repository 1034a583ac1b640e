"""Make saved predictors independent of the place where they were trained."""

import json
from pathlib import Path

from omegaconf import OmegaConf

CONFIG_FILE = "config.yaml"
ASSETS_FILE = "assets.json"


def make_relocatable(folder: Path) -> None:
    """Replace the absolute paths in a saved predictor by names that are valid everywhere.

    AutoGluon saves the text encoder's configuration with the predictor, but of an image encoder only the path
    of the initial checkpoint, without which the predictor cannot be loaded.  The trained weights
    are all in the predictor's own checkpoint, so the name of the architecture is enough.
    """
    config = OmegaConf.load(folder / CONFIG_FILE)
    for name in config.model.names:
        model = config.model[name]
        checkpoint = Path(model.get("checkpoint_name") or "")
        if name.startswith("timm_image") and checkpoint.is_dir():
            encoder = json.loads((checkpoint / "config.json").read_text(encoding="utf-8"))
            model.checkpoint_name = encoder["architecture"]
            model.image_size = encoder["pretrained_cfg"]["input_size"][-1]
    OmegaConf.save(config, folder / CONFIG_FILE)
    # The training log is named after this machine; its information about the result is on the card.
    for log in [*folder.glob("events.out.tfevents.*"), *folder.glob("hparams.yaml")]:
        log.unlink()
    assets = json.loads((folder / ASSETS_FILE).read_text(encoding="utf-8"))
    assets["save_path"] = None
    (folder / ASSETS_FILE).write_text(json.dumps(assets, indent=2) + "\n", encoding="utf-8")
