"""Values for AutoGluon are of the kind of its own, and no model is kept that was never validated."""

import pytest
import yaml
from autogluon.multimodal.constants import BEST_K_MODELS_FILE

from polyfacet.facets.registry import FACETS
from polyfacet.runtime.errors import UserError
from polyfacet.training.engines.automm.autogluon_compat import FacetLearner
from polyfacet.training.engines.automm.hyperparameters import LOCAL_TRAINING, model_names
from polyfacet.training.engines.automm.overrides import default_settings, overrides_of
from polyfacet.training.engines.automm.settings import AutoMMSettings
from polyfacet.training.engines.base import EngineError

MODELS = model_names(tuple(FACETS.all().values()), AutoMMSettings())


@pytest.mark.parametrize(
    ("name", "value", "must_be"),
    [
        ("optim.max_epochs", 0, "a whole number of at least 1"),
        ("optim.max_epochs", 1.5, "a whole number of at least 1"),
        ("optim.max_epochs", "many", "a whole number of at least 1"),
        ("optim.max_epochs", True, "a whole number of at least 1"),
        ("optim.max_epochs", None, "a whole number of at least 1"),
        ("optim.top_k", 0, "a whole number of at least 1"),
        ("optim.check_val_every_n_epoch", 0, "a whole number of at least 1"),
        ("env.batch_size", 0, "a whole number of at least 1"),
        ("env.per_gpu_batch_size", -8, "a whole number of at least 1"),
        ("env.num_workers", -1, "a whole number of at least 0"),
        ("model.fusion_mlp.hidden_sizes", [128, 0], "a list, each a whole number of at least 1"),
        ("model.fusion_mlp.hidden_sizes", 128, "a list"),
        ("optim.max_steps", 0, "-1 for no limit, or a whole number of at least 1"),
        ("env.num_gpus", -2, "a whole number of at least -1"),
        ("optim.lr", "abc", "a number above 0"),
        ("optim.lr", 0, "a number above 0"),
        ("optim.lr", ".nan", "a number above 0"),
        ("optim.val_check_interval", 0.0, "a number above 0"),
        ("optim.weight_decay", -0.1, "a number of at least 0"),
        ("optim.label_smoothing", "0.1.2", "a number of at least 0"),
        ("data.text.normalize_text", "perhaps", "true or false"),
        ("data.text.normalize_text", 1, "true or false"),
        ("optim.lr_schedule", 3, "a string"),
        ("optim.lr_schedule", None, "a string"),
        ("model.timm_image_structure.train_transforms", "resize_to_square", "a list"),
        ("optim", 1, "a section of settings"),
        ("model.hf_text", None, "a section of settings"),
    ],
)
def test_a_value_of_another_kind_is_refused_with_one_that_works(name, value, must_be):
    with pytest.raises(UserError) as refused:
        overrides_of({name: value}, MODELS, MODELS)
    message = str(refused.value)
    assert f"settings.hyperparameters: {name} is {value!r}, not {must_be}" in message
    written = yaml.safe_load(message.partition("Write for example\n")[2])
    assert overrides_of(written, MODELS, MODELS) == written


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("optim.lr", "1e-4"),  # a text for YAML, a number for AutoGluon
        ("optim.lr", 1),
        ("optim.lr_mult", 0.5),
        ("optim.gradient_clip_val", 0.5),
        ("optim.gradient_clip_val", 0),
        ("optim.label_smoothing", 0.1),
        ("data.modality_dropout", 0.2),
        ("optim.warmup_steps", 10),
        ("optim.max_steps", 50),
        ("optim.max_steps", -1),
        ("env.num_workers", 0),
        ("env.num_gpus", -1),
        ("env.precision", 32),
        ("env.precision", "bf16"),
        ("model.hf_text.max_text_len", -1),
        ("model.hf_text.checkpoint_name", "2024"),
        ("model.timm_image_structure.image_size", 64),
        ("optim.peft", "lora"),
        ("optim.extra_trainable_params", ["head"]),
        ("model.timm_image_structure.train_transforms", ["resize_to_square"]),
    ],
)
def test_values_that_autogluon_takes_are_left_as_they_are(name, value):
    assert overrides_of({name: value}, MODELS, MODELS) == {name: value}


def test_the_defaults_and_our_own_values_are_taken():
    defaults = default_settings(tuple(MODELS)).items()
    plain = {name: value for name, value in defaults if not hasattr(value, "keys") and name != "model.names"}
    assert len(plain) > 80
    assert overrides_of(plain | LOCAL_TRAINING, MODELS, MODELS) == plain | LOCAL_TRAINING


@pytest.mark.parametrize("value", ["${optim.max_epochs}", "[1", "{a: 1", "a: b: c"])
def test_a_value_that_autogluon_cannot_read_is_refused(value):
    with pytest.raises(UserError, match="optim.lr_schedule"):
        overrides_of({"optim.lr_schedule": value}, MODELS, MODELS)


@pytest.mark.parametrize("record", [None, "{}\n", ""])
def test_a_training_without_any_validation_fails(tmp_path, record):
    if record is not None:
        (tmp_path / BEST_K_MODELS_FILE).write_text(record)
    # As AutoGluon leaves it: the state of the last step, whatever that is.
    (tmp_path / "last.ckpt").write_bytes(b"")
    with pytest.raises(EngineError, match="no epoch was validated"):
        FacetLearner.top_k_average(FacetLearner.__new__(FacetLearner), str(tmp_path), "best")
