"""What step and class tell a DiT's blocks, computed once a step and class, not once a latent.

Each block of diffusers' DiT embeds step and class, makes six vectors a latent of that, and has
them shift, scale and gate what it computes (adaLN-Zero, Peebles and Xie 2023, §3.2). They do not
depend on the latent, and a sampler's latents are at one step and of few classes: here they stand
in tables, of a row for each class, from which the blocks take them.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn.functional import silu

from lighthouse.diffusion.denoiser import embedders_are_equal


class Modulations:
    """The tables of a DiT whose blocks take from them (``modulated``), of ``most`` rows.

    classes: labels that have a row each, filled once a step; None where a row is a latent's, filled
    once a call.
    """

    def __init__(self, model: nn.Module, most: int, device: object):
        self.most = most
        self.norms = [block.norm1 for block in model.transformer_blocks]
        self.taken = [_Taken(norm, most) for norm in self.norms]
        self.alike = embedders_are_equal(model)
        self.dtype = model.pos_embed.proj.weight.dtype
        self.device = torch.device(device)
        self.classes: Tensor | None = None
        self._places = self._step = None

    def keep(self, classes: Sequence[int]) -> None:
        """From here on have a row for each of some classes, which alone may be asked for."""
        self.classes = torch.tensor(classes, device=self.device)
        places = torch.full((max(classes) + 1,), self.most)  # none of the rows
        places[list(classes)] = torch.arange(len(classes))
        self._places, self._step = places.to(self.device), None

    def places_agree(self, label: int, count: int, t: int) -> bool:
        """Whether a class has the same bytes in each of the first ``count`` rows of the tables."""
        self._fill(t, torch.full((count,), label, device=self.device))
        tables = [table for taken in self.taken for table in (taken.table, taken.emb.table)]
        return all(torch.equal(x[:count], x[:1].expand_as(x[:count])) for x in tables)

    def rows(self, t: int, labels: Tensor) -> Tensor:
        """The rows of latents of classes (n,) at step t, (n,), once they are filled."""
        if self.classes is None:
            self._fill(t, labels)
            return torch.arange(len(labels), device=self.device)
        if t != self._step:
            self._fill(t, self.classes)
            self._step = t
        return self._places[labels]

    @torch.no_grad()
    def _fill(self, t: int, labels: Tensor) -> None:
        steps, embedding = torch.full_like(labels, t), None
        for norm, taken in zip(self.norms, self.taken, strict=True):
            if embedding is None or not self.alike:
                embedding = norm.emb(steps, labels, hidden_dtype=self.dtype)
            taken.fill(embedding, norm.linear(silu(embedding)))


class _Table(nn.Module):
    """Rows that stay where they are in memory while they are filled anew."""

    def __init__(self, most: int):
        super().__init__()
        self.most, self.table = most, None

    def fill(self, rows: Tensor) -> None:
        """Write the first rows, of a type that autocast has chosen."""
        if self.table is None:
            self.table = rows.new_zeros(self.most, *rows.shape[1:])
        self.table[: len(rows)] = rows


class _Embedding(_Table):
    """In place of a block's embedder."""

    def forward(self, timestep: object, rows: Tensor, hidden_dtype: object = None) -> Tensor:
        """The embeddings of some rows."""
        return self.table[rows]


class _Taken(_Table):
    """In place of a block's ``AdaLayerNormZero``, whose modulations it takes from the table."""

    def __init__(self, own: nn.Module, most: int):
        super().__init__(most)
        self.norm, self.emb = own.norm, _Embedding(most)

    def fill(self, embedding: Tensor, modulations: Tensor) -> None:
        """Write the first rows."""
        self.emb.fill(embedding)
        super().fill(modulations)

    def forward(
        self, x: Tensor, timestep: object, rows: Tensor, hidden_dtype: object = None
    ) -> tuple[Tensor, ...]:
        """As diffusers': x normalised, scaled and shifted, and what the block does later on."""
        shift, scale, gate, shift_mlp, scale_mlp, gate_mlp = self.table[rows].chunk(6, dim=1)
        x = self.norm(x) * (1 + scale[:, None]) + shift[:, None]
        return x, gate, shift_mlp, scale_mlp, gate_mlp


@contextmanager
def modulated(model: nn.Module, most: int, device: object) -> Iterator[Modulations]:
    """Within it, a DiT's ``class_labels`` are rows of tables; its ``timestep`` counts for nothing.

    most: rows of the tables, as many as a call has latents. For weights that stay as they are.
    """
    tables = Modulations(model, most, device)
    try:
        for block, taken in zip(model.transformer_blocks, tables.taken, strict=True):
            block.norm1 = taken
        yield tables
    finally:
        for block, norm in zip(model.transformer_blocks, tables.norms, strict=True):
            block.norm1 = norm
