"""Step and class embedded once a call of a DiT, not once a block."""

from collections.abc import Iterator
from contextlib import contextmanager

from torch import Tensor, nn


@contextmanager
def embedded_once(model: nn.Module, asked: bool = True) -> Iterator[None]:
    """Within it, a DiT whose blocks share one embedder calls it once, as the reference DiT does.

    diffusers calls an embedder in each block, and once more for the last layer. Outputs are the
    same; gradients of the embedder are those of one call, and differ by rounding. Nothing changes
    unless ``asked``, or where blocks have embedders of their own (``difffit.share_embedders``).
    """
    embedders = [block.norm1.emb for block in model.transformer_blocks]
    if not asked or any(embedder is not embedders[0] for embedder in embedders):
        yield
        return
    shared, kept = embedders[0], []
    embed = shared.forward

    def once(*given: object, **options: object) -> Tensor:
        if not kept:
            kept.append(embed(*given, **options))
        return kept[0]

    # Before a call for its numbers, and behind it for the graph that these hold.
    hooks = [
        model.register_forward_pre_hook(lambda *_: kept.clear()),
        model.register_forward_hook(lambda *_: kept.clear()),
    ]
    shared.forward = once
    try:
        yield
    finally:
        del shared.forward
        for hook in hooks:
            hook.remove()
