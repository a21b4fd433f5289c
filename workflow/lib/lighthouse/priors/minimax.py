"""MiniMax Diffusion's objective (Gu et al., CVPR 2024), as the authors' code has it."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

from lighthouse.priors.batch import Batch


class MiniMax(nn.Module):
    """E‖ε - ε_θ‖² + positive · representative + negative · diverse.

    Over the K classes of a batch, with memories of what earlier batches held,

        representative = Σ_c (1 - min cos(ẑ₀, M_real,c)) / K
        diverse        = Σ_c max cos(ẑ₀, M_pseudo,c) / K

    min and max run over all pairs of an image of c in the batch and an entry of c's
    memory; latents are flattened. M_real holds each class's last z₀, M_pseudo its last
    ẑ₀, at most ``memory`` of either. Both are filled after the loss: a class's first
    batch counts in K and adds nothing. The class is the true one where the label was
    dropped. representative is in 0…2, diverse in -1…1. A cosine knows no scale, so
    neither term grows where ẑ₀ does, at high noise; no noise level is left out. A latent of zeros
    has the cosine 0 with all others.

    Real latents are posterior means, where the authors draw from the posterior; the
    training loop draws images with replacement (ours), and clips gradients only where a
    study says so (``gradient_clip``), as the authors' does not.

    Memories keep directions, all that a cosine asks for: 2 · n_classes · memory · dim · 4
    bytes on the device and in a checkpoint, 21 MB for 10 classes of 4×32×32 latents and
    2.1 GB for 1000. They are one process's own.
    """

    def __init__(self, positive: float, negative: float, memory: int, n_classes: int, dim: int):
        """``positive``, ``negative``: the terms' weights. ``dim``: numbers in a latent."""
        super().__init__()
        self.positive, self.negative = positive, negative
        self.register_buffer("real", torch.zeros(n_classes, memory, dim))
        self.register_buffer("pseudo", torch.zeros(n_classes, memory, dim))
        # Images of each class so far: how full its rings are, and where they go on.
        self.register_buffer("seen", torch.zeros(n_classes, dtype=torch.int64))

    def forward(self, prediction: Tensor, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        """Loss and parts; then the batch goes into the memories."""
        noise = (prediction - batch.noise).square().mean()
        generated = _directions(batch.predicted_z0(prediction))
        representative, diverse = self._terms(generated, batch.classes)
        self._remember(_directions(batch.z0), generated, batch.classes)
        loss = noise + self.positive * representative + self.negative * diverse
        return loss, {"noise": noise, "representative": representative, "diverse": diverse}

    def _terms(self, generated: Tensor, classes: Tensor) -> tuple[Tensor, Tensor]:
        """Both terms of directions (n, dim) of ẑ₀."""
        entries = torch.arange(self.real.shape[1], device=classes.device)
        empty = entries >= self.seen[classes][:, None]
        to_real = _cosines(generated, self.real[classes]).masked_fill(empty, torch.inf)
        to_pseudo = _cosines(generated, self.pseudo[classes]).masked_fill(empty, -torch.inf)
        present = classes.unique()
        known = present[self.seen[present] > 0]
        others = known[:, None] != classes
        least = to_real.amin(1).expand(others.shape).masked_fill(others, torch.inf).amin(1)
        most = to_pseudo.amax(1).expand(others.shape).masked_fill(others, -torch.inf).amax(1)
        return (1 - least).sum() / len(present), most.sum() / len(present)

    @torch.no_grad()
    def _remember(self, real: Tensor, pseudo: Tensor, classes: Tensor) -> None:
        """Put directions (n, dim) into the rings, over the oldest, in the batch's order."""
        memory = self.real.shape[1]
        same = classes[:, None] == classes
        # Of a class with more images than its ring has places only the last enter: torch
        # leaves open which of two values written to one place stays.
        enters = same.triu(1).sum(1) < memory
        places = (self.seen[classes] + same.tril(-1).sum(1)) % memory
        rows, places = classes[enters], places[enters]
        self.real[rows, places] = real[enters]
        self.pseudo[rows, places] = pseudo[enters]
        self.seen.index_add_(0, classes, torch.ones_like(classes))


def _directions(z: Tensor) -> Tensor:
    """Latents (n, c, h, w) flattened and scaled to length 1, (n, c·h·w)."""
    return normalize(z.flatten(1), dim=1)


def _cosines(one: Tensor, others: Tensor) -> Tensor:
    """Cosines of directions (n, dim) with (n, m, dim), (n, m)."""
    return (others @ one[:, :, None]).squeeze(2)


def make_minimax(options: Mapping, class_means: Tensor) -> MiniMax:
    """The objective. ``options``: ``positive``, ``negative``, ``memory``."""
    given = (options[key] for key in ("positive", "negative", "memory"))
    return MiniMax(*given, n_classes=len(class_means), dim=class_means[0].numel())
