"""When the adaptive schedule of AutoGluon's engine lets the learning rate fall."""

from types import SimpleNamespace

import pytest
import torch
from lightning.pytorch.callbacks import ModelCheckpoint

from polyfacet.training.engines.automm.schedule import WARMUP_EPOCHS, AdaptiveSchedule, Limits

STEPS = 10


def trainer_of(max_epochs: int) -> SimpleNamespace:
    """Return what the schedule reads of Lightning's trainer."""
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.1)
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda _: 1.0)
    return SimpleNamespace(
        sanity_checking=False,
        should_stop=False,
        global_step=0,
        num_training_batches=STEPS,
        accumulate_grad_batches=1,
        estimated_stepping_batches=max_epochs * STEPS,
        callback_metrics={},
        checkpoint_callbacks=[ModelCheckpoint(monitor="loss", save_top_k=3)],
        lr_scheduler_configs=[SimpleNamespace(scheduler=scheduler)],
    )


def first_epoch_of_fall(losses: list[float], patience: int) -> int:
    """Return the epoch after which the learning rate falls."""
    trainer = trainer_of(max_epochs=100)
    schedule = AdaptiveSchedule("loss", True, Limits(patience))
    schedule.on_train_start(trainer, None)
    for epoch, loss in enumerate(losses, start=1):
        trainer.global_step, trainer.callback_metrics = epoch * STEPS, {"loss": loss}
        schedule.on_validation_end(trainer, None)
        if schedule.share_of_peak(trainer.global_step + 1) < 1 and epoch > WARMUP_EPOCHS:
            return epoch
    raise AssertionError("the learning rate does not fall")


@pytest.mark.parametrize(
    ("losses", "epoch"),
    [
        ([5.0, 4.0, 3.0, 3.0, 3.0, 3.0], 5),
        # The second epoch is still of the warm-up: that it is not better says nothing.
        ([2.0, 3.0, 3.0, 3.0, 3.0, 3.0], 4),
    ],
)
def test_epochs_of_the_warm_up_do_not_count_for_patience(losses: list[float], epoch: int) -> None:
    assert first_epoch_of_fall(losses, patience=2) == epoch
