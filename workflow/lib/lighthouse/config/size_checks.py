"""Whether any machine holds what a dataset's options ask for: products of numbers fair alone."""

from collections.abc import Iterable, Mapping

#: Bytes that no accelerator has, nor a host of many.
MOST = 2_000_000_000_000
#: Bytes of a number in fp32; and of a weight in training: itself, its gradient, AdamW's two, the
#: average.
NUMBER, TRAINED = 4, 20
#: Weights of a DiT's block by its width squared: attention 4, MLP 8, modulation 6.
BLOCK = 18


def size_checks(place: str, options: Mapping) -> Iterable[str]:
    """What of a dataset's new models would be too large, a line each. Bounds from below."""
    for key, needed, what in _needs(options):
        if needed > MOST:
            yield (
                f"{place}.{key}: {what} would take {needed / 1e12:,.3g} TB at least; "
                f"allowed: up to {MOST / 1e12:g} TB"
            )


def _needs(options: Mapping) -> Iterable[tuple[str, int, str]]:
    """Key, bytes, and what they hold."""
    autoencoder, denoiser, size = options["autoencoder"], options["denoiser"], options["image_size"]
    factor = 8
    if "pretrained" not in autoencoder:
        widths, layers = autoencoder["block_out_channels"], autoencoder["layers_per_block"]
        factor, batch = 2 ** (len(widths) - 1), autoencoder["batch_size"]
        maps = batch * layers * widths[0] * size**2 * NUMBER
        yield "autoencoder.batch_size", maps, f"the maps of {batch} images of {size} px"
    if "pretrained" in denoiser:
        return
    blocks, width = denoiser["layers"], denoiser["heads"] * denoiser["head_dim"]
    weights = BLOCK * blocks * width**2 * TRAINED
    yield "denoiser", weights, f"the training of {blocks} blocks of width {width}"
    tokens = (size // factor // denoiser["patch_size"]) ** 2
    for stage in ("base", "tuning"):
        if options[stage] is not None:
            batch = options[stage]["batch_size"]
            maps = batch * tokens * width * blocks * NUMBER
            yield f"{stage}.batch_size", maps, f"what {blocks} blocks hold of {batch} latents"
