"""DiffFit (Xie et al. 2023, arXiv 2304.06648) of a DiT: tune few parameters, freeze the rest.

Trained are all biases, the class embeddings, the weights of normalisation layers that
have any (DiT's have none), and scales γ that begin at 1 in the first half of the blocks.
For DiT-XL/2 with its 1000 classes these are 1,723,424 of 675 million parameters (0.26 %),
with ten classes 582,944 (0.09 %).

The scales are those of MiniMax Diffusion's code: one a channel, on the queries, keys and
values, and on the outputs of attention and MLP. It has a second one on attention's output,
which with the first is one factor again: here there is one (ours).
"""

from copy import deepcopy

import torch
from torch import Tensor, nn

from lighthouse.diffusion.denoiser import embedders_are_equal

#: Layers of a block whose outputs are scaled.
SCALED = ("attn1.to_q", "attn1.to_k", "attn1.to_v", "attn1.to_out.0", "ff.net.2")


class Scaled(nn.Module):
    """γ · (W x + b): a linear layer whose every output channel is scaled; γ begins at 1."""

    def __init__(self, linear: nn.Linear):
        super().__init__()
        self.linear = linear
        self.gamma = nn.Parameter(linear.weight.new_ones(linear.out_features))

    def forward(self, x: Tensor) -> Tensor:
        y = self.linear(x)
        return self.gamma.to(y.dtype) * y


def prepare(model: nn.Module) -> None:
    """Insert the scales into a diffusers DiT and mark what is to be trained."""
    blocks = model.transformer_blocks
    for block in blocks[: len(blocks) // 2]:
        for path in SCALED:
            block.set_submodule(path, Scaled(block.get_submodule(path)))
    for module in model.modules():
        # By kind of module, not by name: diffusers' `norm1.linear.weight` is the adaLN
        # modulation, and all names with "norm" would be a third of the model.
        whole = isinstance(module, (nn.LayerNorm, nn.Embedding))
        for name, parameter in module.named_parameters(recurse=False):
            parameter.requires_grad = whole or name in ("bias", "gamma")


@torch.no_grad()
def fold(model: nn.Module) -> None:
    """Multiply the scales into the layers below them: a plain DiT of the same outputs."""
    for path, scaled in [*model.named_modules()]:
        if isinstance(scaled, Scaled):
            scaled.linear.weight.mul_(scaled.gamma[:, None])
            scaled.linear.bias.mul_(scaled.gamma)
            model.set_submodule(path, scaled.linear)


def n_parameters(model: nn.Module) -> int:
    """Parameters of a model, those of embedders that are alike once, as in DiT itself."""
    first, *others = (block.norm1.emb for block in model.transformer_blocks)
    copies = others if embedders_are_equal(model) else []
    spared = {id(p) for copy in copies for p in copy.parameters()} - {*map(id, first.parameters())}
    return sum(p.numel() for p in model.parameters() if id(p) not in spared)


def share_embedders(model: nn.Module) -> None:
    """One embedder for all blocks, the first's: as trained, and counted, in DiT itself."""
    for block in model.transformer_blocks[1:]:
        block.norm1.emb = model.transformer_blocks[0].norm1.emb


def part_embedders(model: nn.Module) -> None:
    """Give each block that shares the first's embedder a copy again, as diffusers saves it."""
    first, *others = model.transformer_blocks
    for block in others:
        if block.norm1.emb is first.norm1.emb:
            block.norm1.emb = deepcopy(first.norm1.emb)
