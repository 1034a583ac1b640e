"""Training of the network: a fixed number of epochs, at the end of which the learning rate is 0."""

from collections.abc import Callable

import torch
from torch import nn

from polyfacet.training.engines.attention.network import AttentionNetwork
from polyfacet.training.engines.attention.settings import AttentionSettings
from polyfacet.training.engines.formulas import Formulas

# Share of the steps in which the learning rate rises.
WARM_UP = 0.1
LARGEST_GRADIENT = 1.0
# Relative noise on fractions, so that the network does not learn single ones by heart.
JITTER = 0.02

Loss = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


def train(
    formulas: Formulas, answers: torch.Tensor, n_classes: int, settings: AttentionSettings, seed: int
) -> AttentionNetwork:
    """Train a network.

    Parameters
    ----------
    formulas
        What is trained on.
    answers
        Scaled numbers, shape ``(formulas,)``, or indices of classes.
    n_classes
        0 for numbers.
    settings
        Of the engine.
    seed
        Seed of weights, dropout, batches and noise.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = AttentionNetwork(settings, n_classes or 1)
        network.start_from(settings.element_vectors)
        loss: Loss = nn.CrossEntropyLoss() if n_classes else _absolute_error
        optimizer = torch.optim.AdamW(
            network.parameters(), settings.learning_rate, weight_decay=settings.weight_decay
        )
        batches = -(-len(formulas) // settings.batch_size)
        rate = torch.optim.lr_scheduler.OneCycleLR(
            optimizer, settings.learning_rate, total_steps=settings.epochs * batches + 1, pct_start=WARM_UP
        )
        network.train()
        for _ in range(settings.epochs):
            for rows in torch.randperm(len(formulas)).split(settings.batch_size):
                optimizer.zero_grad()
                loss(network(formulas[rows].jittered(JITTER)), answers[rows]).backward()
                nn.utils.clip_grad_norm_(network.parameters(), LARGEST_GRADIENT)
                optimizer.step()
                rate.step()
    return network.eval()


def _absolute_error(outputs: torch.Tensor, answers: torch.Tensor) -> torch.Tensor:
    return (outputs[:, 0] - answers).abs().mean()
