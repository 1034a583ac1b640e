"""Batch normalisation whose statistics are those of all processes that train a network."""

import torch
from torch import nn

from polyfacet.networks.processes import own_share, summed


class BatchNorm(nn.BatchNorm1d):
    """Batch normalisation over the rows of all processes; with one process, PyTorch's own.

    PyTorch's `SyncBatchNorm` does the same, but only on GPUs.
    """

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        """Normalise shape ``(rows, features)``; each process may have another number of rows."""
        if not self.training or own_share().of == 1:
            return super().forward(values)
        wide = values if values.dtype == torch.float64 else values.float()
        sums = summed(torch.cat([wide.sum(dim=0), wide.new_tensor([len(wide)])]))
        n_rows, mean = sums[-1].detach(), sums[:-1] / sums[-1].detach()
        # Not the mean of the squares less the square of the mean, which loses digits.
        variance = summed(((wide - mean) ** 2).sum(dim=0)) / n_rows
        self._keep_running(mean.detach(), variance.detach() * n_rows / (n_rows - 1))
        scaled = (wide - mean) * torch.rsqrt(variance + self.eps)
        return (scaled * self.weight + self.bias).to(values.dtype)

    @torch.no_grad()
    def _keep_running(self, mean: torch.Tensor, variance: torch.Tensor) -> None:
        """Update the running statistics, as PyTorch does, with the unbiased variance."""
        if self.running_mean is None or self.running_var is None or self.num_batches_tracked is None:
            return
        momentum = 0.1 if self.momentum is None else self.momentum
        self.num_batches_tracked.add_(1)
        self.running_mean.lerp_(mean.to(self.running_mean.dtype), momentum)
        self.running_var.lerp_(variance.to(self.running_var.dtype), momentum)
