"""The game: one step of the discriminator, one of the generator, on the same made rows."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import nn

from distillkit.nn import Augmentation, evaluating, make_generator, mixed_precision
from distillkit.synthesis._condition import place_weights
from distillkit.synthesis._ema import AveragedNetwork
from distillkit.synthesis._losses import discriminator_loss, generator_loss

__all__ = ["Adversaries", "Settings"]


@dataclass(frozen=True)
class Settings:
    """How the two are trained.

    Parameters
    ----------
    latent, n_conditions : int
    generator_lr, discriminator_lr : float
        Of Adam with betas (0, 0.9).
    precision : {"auto", "float32", "bfloat16"}
    translate : bool
        Whether the discriminator sees real and made images shifted at random.
    """

    latent: int
    n_conditions: int
    generator_lr: float = 1e-3
    discriminator_lr: float = 1e-3
    precision: str = "float32"
    translate: bool = False


class Adversaries:
    """A generator, its running average and a discriminator, with their optimizers.

    Parameters
    ----------
    generator, discriminator : Module
        On `device`.
    settings : Settings
    device : torch.device
    noise : torch.Generator
        On the CPU, so that the numbers are the same for every device.

    References
    ----------
    Zhao et al., "Differentiable augmentation for data-efficient GAN training", NeurIPS 2020 (`translate`).
    """

    def __init__(
        self,
        generator: nn.Module,
        discriminator: nn.Module,
        settings: Settings,
        device: torch.device,
        noise: torch.Generator,
    ) -> None:
        # convolutions of few channels take half to two thirds of the time in this layout, measured on two cores
        layout = torch.channels_last
        self.generator = generator.to(device).to(memory_format=layout)
        self.discriminator = discriminator.to(device).to(memory_format=layout)
        self.average = AveragedNetwork(self.generator)
        self.settings, self.device, self.noise = settings, device, noise
        self._generator_steps = _adam(self.generator, settings.generator_lr)
        self._discriminator_steps = _adam(self.discriminator, settings.discriminator_lr)
        self._shift = Augmentation(("crop",)) if settings.translate else None

    def step(self, real: torch.Tensor, places: torch.Tensor) -> tuple[float, float, float]:
        """Take one step of each on real rows and as many made ones of the same labels.

        The generator runs once: the discriminator learns on its rows, and the generator from what the discriminator then says
        about the very same rows.

        Returns
        -------
        generator_loss, discriminator_loss, discriminator_accuracy : float

        Raises
        ------
        FloatingPointError
            Before a step whose loss or gradient is not finite; the weights are as they were.
        """
        weights = place_weights(places, self.settings.n_conditions)
        noise = torch.randn(len(real), self.settings.latent, generator=self.noise).to(self.device)
        with mixed_precision(self.device, self.settings.precision):
            made = self.generator(noise, weights)
        loss, accuracy = self._discriminate(real, made.detach(), weights)
        self.discriminator.requires_grad_(requires_grad=False)
        try:
            scores = self._scores(made, weights)
        finally:
            self.discriminator.requires_grad_(requires_grad=True)
        value = _take_step(generator_loss(scores), self._generator_steps, self.generator, "generator")
        self.average.update(self.generator)
        return value, loss, accuracy

    @torch.inference_mode()
    def makes_finite_rows(self, network: nn.Module) -> bool:
        """Whether a generator makes finite rows for all labels, in evaluation mode."""
        width = self.settings.n_conditions
        noise = torch.randn(max(64, width), self.settings.latent, generator=make_generator(0)).to(self.device)
        places = torch.arange(len(noise), device=self.device, dtype=torch.float32) % width
        with evaluating(network):
            return bool(torch.isfinite(network(noise, place_weights(places, width))).all())

    def _discriminate(self, real: torch.Tensor, made: torch.Tensor, weights: torch.Tensor) -> tuple[float, float]:
        scores = self._scores(torch.cat([real, made]), torch.cat([weights, weights]))
        on_real, on_made = scores[: len(real)], scores[len(real) :]
        loss = discriminator_loss(on_real, on_made)
        value = _take_step(loss, self._discriminator_steps, self.discriminator, "discriminator")
        return value, float(((on_real > 0).float().mean() + (on_made < 0).float().mean()) / 2)

    def _scores(self, rows: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
        if self._shift is not None:
            # rows are in [-1, 1] and what a shift brings in is zero: moved up by one, that is the lowest value
            rows = self._shift(rows + 1, self._shift.draw(len(rows), self.noise)) - 1
        with mixed_precision(self.device, self.settings.precision):
            scores: torch.Tensor = self.discriminator(rows, weights).float()
        return scores


def _adam(network: nn.Module, lr: float) -> torch.optim.Adam:
    return torch.optim.Adam(network.parameters(), lr, betas=(0.0, 0.9))


def _take_step(loss: torch.Tensor, optimizer: torch.optim.Optimizer, network: nn.Module, name: str) -> float:
    value = loss.item()
    if not math.isfinite(value):
        raise FloatingPointError(f"the loss of the {name} is {value}")
    optimizer.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    norm = torch.nn.utils.get_total_norm([weight.grad for weight in network.parameters() if weight.grad is not None])
    if not torch.isfinite(norm):
        raise FloatingPointError(f"the gradient of the {name} is not finite")
    optimizer.step()
    return value
