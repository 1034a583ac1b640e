"""When a training ends: the learning rate falls once validation stops improving, and training ends with it.

AutoGluon 1.6.3 plans the fall of the learning rate over all of ``optim.max_epochs``, and ends a training when
validation has not improved for ``optim.patience`` validations even if the learning rate is still high.  What
is learned only at low rates is then lost.  Here, the rate stays high while validation improves, and then
falls to 0.
"""

import math
import time
from dataclasses import dataclass
from typing import Any

import lightning.pytorch as pl
from lightning.pytorch.callbacks import Callback, EarlyStopping, ModelCheckpoint

from polyfacet.training.cards import Course, EndedBy

# The learning rate rises for this number of epochs, or for a tenth of all epochs if that is less.
WARMUP_EPOCHS = 2
# It falls during this share of the epochs (Haegele et al. 2024, arXiv:2405.18392).
COOLDOWN = 0.2
# From this share of its peak on, it counts as fallen.
FALLEN = 0.1


@dataclass(frozen=True)
class Limits:
    """Limits of a training besides its epochs.

    Attributes
    ----------
    patience
        Number of validations without improvement after which the learning rate falls, or the training ends.
    deadline
        Monotonic time, s, by which the model must be there; None for no limit.
    passes
        Number of passes over the validation rows that follow the training, to choose among checkpoints.
    """

    patience: int
    deadline: float | None = None
    passes: int = 0


@dataclass(frozen=True)
class Fall:
    """Fall of the learning rate: its first step, its number of steps, and the share of the peak at first."""

    first: int
    n_steps: int
    start: float = 1.0

    @property
    def end(self) -> int:
        """First step after the fall."""
        return self.first + self.n_steps

    def share_of_peak(self, step: int) -> float:
        """Return the learning rate of a step as a share of its peak."""
        return max(0.0, self.start * (self.end - step) / self.n_steps)


class Watch(Callback):
    """Record the course of a training with AutoGluon's own schedule, and end it in time.

    Parameters
    ----------
    monitor, lower_is_better
        Name of the validation score, and whether lower is better.
    limits
        Limits of the training; AutoGluon itself ends it by ``patience``.
    """

    # Whether the fall of the learning rate is planned over all epochs.
    is_planned = True

    def __init__(self, monitor: str, lower_is_better: bool, limits: Limits) -> None:
        self._monitor, self._sign, self._limits = monitor, 1 if lower_is_better else -1, limits
        # Of each validation.
        self.scores: list[float] = []
        # Position of the first validation whose epoch can become the model.
        self._first_candidate = 0
        self._epochs: list[int] = []
        self._peak = self._rate = 0.0
        self._start = self._validation_start = time.monotonic()
        self._ended_by: EndedBy = "epochs"

    @property
    def course(self) -> Course:
        """The course until now; a score that is not finite is never the best."""
        ranked = [self._sign * score if math.isfinite(score) else math.inf for score in self.scores]
        epochs = self._epochs[-1] if ranked else 0
        candidates = ranked[self._first_candidate :]
        best = self._epochs[ranked.index(min(candidates), self._first_candidate)] if candidates else 0
        share = self._rate / self._peak if self._peak else 0.0
        return Course(
            epochs=epochs,
            best_epoch=best,
            learning_rate_end=share,
            ended_by=self._ended_by,
            cut_off=self._cut_off(epochs, best, share),
        )

    def _cut_off(self, epochs: int, best: int, share_of_peak: float) -> str | None:
        """Say why a longer training might have been better; None if nothing suggests that."""
        if self._ended_by == "patience" and share_of_peak > FALLEN:
            return f"training ended with the learning rate at {share_of_peak:.0%} of its peak"
        if self._ended_by in ("plateau", "patience"):
            return None
        limit = "the time limit" if self._ended_by == "time limit" else "the limit of epochs"
        rate = f" with the learning rate at {share_of_peak:.0%} of its peak" if share_of_peak > FALLEN else ""
        reached = f"training reached {limit} after {epochs} epochs{rate}"
        if self._ended_by == "epochs" and self.is_planned and share_of_peak <= FALLEN:
            return f"{reached}, and the last one was the best" if best == epochs else None
        return f"{reached}, before {self._limits.patience} validations without improvement ended it"

    def on_train_start(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        """Start the clock."""
        self._start = time.monotonic()

    def on_train_batch_start(self, trainer: pl.Trainer, *args: Any) -> None:
        """Note the learning rate of the step."""
        self._rate = max(group["lr"] for group in trainer.optimizers[0].param_groups)
        self._peak = max(self._peak, self._rate)

    def on_validation_start(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        """Start the clock of a validation."""
        self._validation_start = time.monotonic()

    def on_validation_end(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        """Note the score, and end the training if there is no time for another validation."""
        if trainer.sanity_checking:
            return
        self.scores.append(float(trainer.callback_metrics[self._monitor]))
        self._epochs.append(math.ceil(trainer.global_step / steps_per_epoch(trainer)))
        if self._steps_in_time(trainer) < self._steps_to_validation(trainer):
            self._ended_by, trainer.should_stop = "time limit", True

    def on_train_end(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        """Note what else has ended the training."""
        stops = (each for each in trainer.callbacks if isinstance(each, EarlyStopping))
        if any(each.wait_count >= each.patience for each in stops):
            self._ended_by = "patience"
        elif trainer.global_step < trainer.estimated_stepping_batches:
            self._ended_by = "time limit"

    def _steps_to_validation(self, trainer: pl.Trainer) -> float:
        return float(trainer.global_step / len(self.scores))

    def _steps_in_time(self, trainer: pl.Trainer) -> float:
        """Estimate the number of steps that can still be made in time."""
        if self._limits.deadline is None:
            return math.inf
        now = time.monotonic()
        after = self._limits.passes * (now - self._validation_start)
        return float(trainer.global_step * (self._limits.deadline - after - now) / (now - self._start))


class AdaptiveSchedule(Watch):
    """Keep the learning rate high while validation improves; then let it fall to 0, and end the training.

    It also falls if the limit of epochs or the deadline is near, so that it reaches 0, unless the deadline
    leaves only a few epochs, whose time cannot be estimated.  Only epochs of
    the fall can become the model: at a high rate, a low validation error is mostly chance.  Parameters are
    those of `Watch`.
    """

    is_planned = False

    def __init__(self, monitor: str, lower_is_better: bool, limits: Limits) -> None:
        super().__init__(monitor, lower_is_better, limits)
        self._best, self._n_worse = math.inf, 0
        self._warmup = 1
        self._n_candidates = 1
        self._fall: Fall | None = None

    def on_train_start(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        """Replace AutoGluon's schedule."""
        super().on_train_start(trainer, module)
        self._n_candidates = _checkpoints(trainer).save_top_k
        _checkpoints(trainer).save_top_k = 0
        in_all = int(trainer.estimated_stepping_batches)
        self._warmup = max(1, min(WARMUP_EPOCHS * steps_per_epoch(trainer), in_all // 10))
        scheduler: Any = trainer.lr_scheduler_configs[0].scheduler
        scheduler.lr_lambdas = [self.share_of_peak] * len(scheduler.base_lrs)
        for group, peak in zip(scheduler.optimizer.param_groups, scheduler.base_lrs, strict=True):
            group["lr"] = peak * self.share_of_peak(0)

    def share_of_peak(self, step: int) -> float:
        """Return the learning rate of a step, counted from 0, as a share of its peak."""
        return self._fall.share_of_peak(step) if self._fall else min(1.0, (step + 1) / self._warmup)

    def on_validation_end(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        """Decide whether the learning rate falls from here on, or the training ends."""
        # Checkpoints are saved after this.
        super().on_validation_end(trainer, module)
        if trainer.sanity_checking:
            return
        if self._fall is not None or trainer.should_stop or self._is_last(trainer):
            _checkpoints(trainer).save_top_k = self._n_candidates
        else:
            self._first_candidate = len(self.scores)
        if trainer.should_stop:
            return
        if self._fall is None:
            self._start_to_fall(trainer)
        elif trainer.global_step >= self._fall.end:
            trainer.should_stop = True
        elif (steps := self._whole_epochs_in_time(trainer)) < self._fall.end - trainer.global_step:
            share = self._fall.share_of_peak(trainer.global_step)
            self._ended_by, self._fall = "time limit", Fall(trainer.global_step, int(steps), share)

    def on_train_end(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        """Note whether the clock has ended the training before the learning rate had fallen."""
        if self._fall is None or trainer.global_step < self._fall.end:
            super().on_train_end(trainer, module)

    def _is_last(self, trainer: pl.Trainer) -> bool:
        """Return whether no other validation follows."""
        left = trainer.estimated_stepping_batches - trainer.global_step
        return bool(left < self._steps_to_validation(trainer))

    def _start_to_fall(self, trainer: pl.Trainer) -> None:
        """Let the learning rate fall if validation has stopped improving, or a limit is near."""
        score = self._sign * self.scores[-1]
        step, epoch = trainer.global_step, steps_per_epoch(trainer)
        # At the low rates of the warm-up, validation says nothing about a plateau.
        self._n_worse = 0 if score < self._best or step <= self._warmup else self._n_worse + 1
        self._best = min(score, self._best)
        possible = int(trainer.estimated_stepping_batches) - step
        if self._is_last(trainer):
            return
        wanted = epoch * math.ceil(COOLDOWN / (1 - COOLDOWN) * step / epoch)
        needed = wanted + self._steps_to_validation(trainer)
        if self._n_worse >= self._limits.patience:
            self._ended_by, self._fall = "plateau", Fall(step, min(wanted, possible))
        elif needed > possible:
            self._ended_by, self._fall = "epochs", Fall(step, possible)
        elif needed > self._steps_in_time(trainer):
            in_time = int(self._whole_epochs_in_time(trainer))
            self._ended_by, self._fall = "time limit", Fall(step, min(in_time, possible))

    def _whole_epochs_in_time(self, trainer: pl.Trainer) -> float:
        """Return the number of steps of those epochs, at least one, for which there is time."""
        in_time, epoch = self._steps_in_time(trainer), steps_per_epoch(trainer)
        return in_time if math.isinf(in_time) else epoch * max(1, int(in_time / epoch))


def _checkpoints(trainer: pl.Trainer) -> ModelCheckpoint:
    """Return the callback that saves the candidates for the model."""
    return next(each for each in trainer.checkpoint_callbacks if isinstance(each, ModelCheckpoint))


def steps_per_epoch(trainer: pl.Trainer) -> int:
    """Return the number of optimizer steps of an epoch."""
    return math.ceil(trainer.num_training_batches / trainer.accumulate_grad_batches)
