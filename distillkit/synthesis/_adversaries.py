"""The adversarial game: training steps of a generator and a discriminator."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import nn

from distillkit.nn import Augmentation, evaluating, make_generator, mixed_precision
from distillkit.synthesis._ema import AveragedNetwork
from distillkit.synthesis._embeddings import embedding_weights
from distillkit.synthesis._losses import discriminator_loss, generator_loss

__all__ = ["Adversaries", "Settings"]


@dataclass(frozen=True)
class Settings:
    """Training settings of the generator and the discriminator.

    Parameters
    ----------
    latent : int
        Size of the noise vector.
    n_conditions : int
        Number of embeddings of the condition.
    generator_lr, discriminator_lr : float
        Learning rates of Adam with betas (0, 0.9).
    precision : {"auto", "float32", "bfloat16"}
    translate : bool
        Whether the discriminator sees real and generated images shifted at random.
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
        Moved to `device`.
    settings : Settings
    device : torch.device
    noise : torch.Generator
        Source of the noise, on the CPU, so that the numbers are the same for every device.

    References
    ----------
    Zhao et al., "Differentiable augmentation for data-efficient GAN training", NeurIPS 2020
    (`translate`).
    """

    def __init__(
        self,
        generator: nn.Module,
        discriminator: nn.Module,
        settings: Settings,
        device: torch.device,
        noise: torch.Generator,
    ) -> None:
        # Convolutions of few channels are considerably faster in this memory layout.
        layout = torch.channels_last
        self.generator = generator.to(device).to(memory_format=layout)
        self.discriminator = discriminator.to(device).to(memory_format=layout)
        self.average = AveragedNetwork(self.generator)
        self.settings, self.device, self.noise = settings, device, noise
        self._generator_optimizer = _adam(self.generator, settings.generator_lr)
        self._discriminator_optimizer = _adam(self.discriminator, settings.discriminator_lr)
        self._shift = Augmentation(("crop",)) if settings.translate else None

    def step(self, real: torch.Tensor, positions: torch.Tensor) -> tuple[float, float, float]:
        """Take one step of each network on real rows and as many generated rows of the same labels.

        The generator runs once: the discriminator learns from its rows first, and the generator
        then learns from the updated discriminator's scores of the same rows.

        Parameters
        ----------
        real : tensor of shape (b, ...)
        positions : tensor of shape (b,)
            Conditions of the rows; see `Condition.positions`.

        Returns
        -------
        generator_loss, discriminator_loss, discriminator_accuracy : float

        Raises
        ------
        FloatingPointError
            If a loss or gradient is not finite, before the step that would use it: the weights of
            that network are unchanged.
        """
        # 1. Generate rows for the labels of the real ones.
        weights = embedding_weights(positions, self.settings.n_conditions)
        noise = torch.randn(len(real), self.settings.latent, generator=self.noise).to(self.device)
        with mixed_precision(self.device, self.settings.precision):
            generated = self.generator(noise, weights)
        # 2. Update the discriminator; its loss must not reach the generator.
        loss, accuracy = self._discriminate(real, generated.detach(), weights)
        # 3. Update the generator; its loss needs no gradients of the discriminator's weights.
        self.discriminator.requires_grad_(requires_grad=False)
        try:
            scores = self._scores(generated, weights)
        finally:
            self.discriminator.requires_grad_(requires_grad=True)
        value = _take_step(generator_loss(scores), self._generator_optimizer, self.generator, "generator")
        self.average.update(self.generator)
        return value, loss, accuracy

    @torch.inference_mode()
    def makes_finite_rows(self, network: nn.Module) -> bool:
        """Return whether a generator in evaluation mode makes finite rows for all labels."""
        width = self.settings.n_conditions
        noise = torch.randn(max(64, width), self.settings.latent, generator=make_generator(0)).to(self.device)
        positions = torch.arange(len(noise), device=self.device, dtype=torch.float32) % width
        with evaluating(network):
            return bool(torch.isfinite(network(noise, embedding_weights(positions, width))).all())

    def _discriminate(self, real: torch.Tensor, generated: torch.Tensor, weights: torch.Tensor) -> tuple[float, float]:
        """Take one step of the discriminator; return its loss and accuracy."""
        scores = self._scores(torch.cat([real, generated]), torch.cat([weights, weights]))
        real_scores, generated_scores = scores[: len(real)], scores[len(real) :]
        loss = discriminator_loss(real_scores, generated_scores)
        value = _take_step(loss, self._discriminator_optimizer, self.discriminator, "discriminator")
        accuracy = float(((real_scores > 0).float().mean() + (generated_scores < 0).float().mean()) / 2)
        return value, accuracy

    def _scores(self, rows: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
        if self._shift is not None:
            # A shift fills the border with zeros. Pixels are in [-1, 1], so they are moved up by
            # one before it, which makes zero the lowest pixel value.
            rows = self._shift(rows + 1, self._shift.draw(len(rows), self.noise)) - 1
        with mixed_precision(self.device, self.settings.precision):
            scores: torch.Tensor = self.discriminator(rows, weights).float()
        return scores


def _adam(network: nn.Module, lr: float) -> torch.optim.Adam:
    return torch.optim.Adam(network.parameters(), lr, betas=(0.0, 0.9))


def _take_step(loss: torch.Tensor, optimizer: torch.optim.Optimizer, network: nn.Module, name: str) -> float:
    """Take one optimizer step, unless the loss or the gradient is not finite; return the loss."""
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
