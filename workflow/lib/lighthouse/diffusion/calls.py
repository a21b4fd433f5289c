"""How latents are divided into calls of the denoiser, so that none depends on those beside it.

Matrix kernels are chosen by shape, and the last rows of a matrix may be computed by another one:
then the last bits of a latent depend on how many it is called with, and on its place among them.
One size for all calls, filled up, would leave the first of these out, and make a method that
draws image after image dear by the filling. Instead:

- The parts of a DiT that have one row an image are the sensitive ones: few rows are computed
  by other kernels (seen on CPUs: below 12 to 16 of them). They are cheap, and always see as
  many rows as the largest call has (``steady_rows``). What they make of step and class alone is
  kept in tables (``modulation``).
- Attention and the layers of tokens, which are the cost, see the latents that there are: as many
  of the largest calls as they fill, and what is left over in one more or in some of a fixed
  ladder of sizes. On a CPU each of these is tried before the first step, the largest too: a
  size at which a latent's bytes depend on its place, or are others than at the largest, is not
  used (``steady_sizes``). Of DiTs with 16 to 256 tokens all sizes passed with AVX-512 and
  without AVX; with AVX2 those alone that end on whole blocks of rows, among them 3, 6 and 12.

On an accelerator sizes are taken as they are, and samples agree to rounding.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from lighthouse.runtime.rng import generator

#: Sizes of a call for what the largest ones (``micro_batch``) leave over, where it does not do
#: in one. Any number is a sum of some of them.
LADDER = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256)

#: A size is tried on so many latents, or on fewer that hold so many numbers: kernels that differ
#: may agree on a few.
DRAWS, NUMBERS = 3, 1024


def ladder(largest: int) -> list[int]:
    """The sizes up to ``largest``, and that itself, rising."""
    return [*(size for size in LADDER if size < largest), largest]


def sizes_of_calls(count: int, sizes: Sequence[int]) -> list[int]:
    """``count`` latents as calls of rising ``sizes``, the largest first.

    They hold as many places as there are latents or, where the smallest size is more than
    what is left at the end, a few more, in the last.
    """
    calls = []
    for size in reversed(sizes):
        calls += [size] * (count // size)
        count %= size
    return [*calls, sizes[0]] if count else calls


def left_over(counts: Iterable[int], largest: int) -> list[int]:
    """What the ``counts`` of latents leave beside calls of the ``largest`` size, rising."""
    return sorted({count % largest for count in counts} - {0})


def steady_sizes(
    call: Callable[[Tensor, int], Tensor],
    shape: Sequence[int],
    largest: int,
    counts: Iterable[int],
    known: dict[int, Tensor | None] | None = None,
) -> list[int]:
    """Sizes of calls at which ``call`` says the same bytes of a latent, wherever it stands.

    call: latents (n, c, h, w), n times the same one, and its number, to predictions, image by
    image. Rising; the last is the largest that passed, of ``largest`` and the ladder below it.
    Before it are what the ``counts`` of latents leave over beside it and, where one of these did
    not pass, the ladder up to there. Tried on some latents of noise, each in all places of a call:
    kernels are chosen by shapes, and differ on most numbers but not on all.

    known: what sizes were found to say before, by the same ``call``; it is added to.
    """
    known = {} if known is None else known
    rng = generator("sizes of calls")
    enough = math.ceil(NUMBERS / math.prod(shape))
    drawn = torch.randn(min(DRAWS, enough), *shape, generator=rng)

    def said(size: int) -> Tensor | None:
        if size not in known:
            known[size] = tried(size)
        return known[size]

    def tried(size: int) -> Tensor | None:
        found = []
        for number, latent in enumerate(drawn):
            places = call(latent.expand(size, *shape).contiguous(), number)
            if not torch.equal(places, places[:1].expand_as(places)):
                return None
            found.append(places[0])
        return torch.stack(found)

    # One latent alone has one place: that size is always there.
    top, expected = next(
        (size, found) for size in reversed(ladder(largest)) if (found := said(size)) is not None
    )

    def is_same(size: int) -> bool:
        found = said(size)
        return found is not None and torch.equal(found, expected)

    rest = left_over(counts, top)
    same = set(filter(is_same, rest))
    if same != set(rest):
        same |= set(filter(is_same, (s for s in LADDER if s < rest[-1] and s not in rest)))
    return [*sorted(same), top]


def is_dit(model: object) -> bool:
    """Whether a model is diffusers' DiT, or stands for one with all its parts."""
    return hasattr(model, "transformer_blocks")


@contextmanager
def steady_rows(model: object, rows: int) -> Iterator[None]:
    """Within it, a DiT's layers of one row an image see ``rows`` of them, filled with zeros.

    They are the embedding of patches, that of step and class, and the modulations made of it:
    of DiT-XL/2 2 % of a call of ten latents at 32 rows. Another model is left alone.
    """
    layers = []
    if is_dit(model):
        blocks = model.transformer_blocks
        layers = [layer for b in blocks for layer in (b.norm1.emb, b.norm1.linear)]
        layers += [model.proj_out_1, model.pos_embed]
    # Blocks may share an embedder; each layer is filled up once.
    hooks = [hook for layer in dict.fromkeys(layers) for hook in _filled(layer, rows)]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


def _filled(layer: nn.Module, rows: int) -> tuple:
    """Hooks that fill up a layer's inputs to ``rows`` and cut its output again."""
    counts = []

    def fill(layer: nn.Module, given: tuple) -> tuple:
        counts.append(len(given[0]))
        missing = max(0, rows - len(given[0]))
        return tuple(torch.cat([x, x.new_zeros(missing, *x.shape[1:])]) for x in given)

    def cut(layer: nn.Module, given: tuple, output: Tensor) -> Tensor:
        return output[: counts.pop()]

    return layer.register_forward_pre_hook(fill), layer.register_forward_hook(cut)
