"""Pretrained denoisers and autoencoders: fetched from the hub, checked, and made our own."""

import shutil
from collections.abc import Sequence
from pathlib import Path

import torch
from diffusers import AutoencoderKL, DiTTransformer2DModel
from torch import nn

from lighthouse.diffusion.denoiser import as_reference, check_frequencies, null_label
from lighthouse.diffusion.loading import RECORD, WEIGHTS, load_model
from lighthouse.runtime.errors import DataError
from lighthouse.runtime.faults import YOURS
from lighthouse.runtime.files import read_json, whole

HUB = "https://huggingface.co"

#: Where a diffusers pipeline keeps a model of each kind.
FOLDERS = {"denoiser": "transformer", "autoencoder": "vae"}

#: Files of the repositories that the shipped configs name, by kind of model. The hub is
#: asked for those of any other. Licences: DiT CC-BY-NC-4.0, the autoencoders MIT.
FILES = {
    ("facebook/DiT-XL-2-256", "denoiser"): (
        "transformer/config.json",
        "transformer/diffusion_pytorch_model.bin",
    ),
    ("stabilityai/sd-vae-ft-mse", "autoencoder"): (
        "config.json",
        "diffusion_pytorch_model.safetensors",
    ),
    ("stabilityai/sd-vae-ft-ema", "autoencoder"): (
        "config.json",
        "diffusion_pytorch_model.safetensors",
    ),
}


def folder_of(given: str | Path) -> Path:
    """The folder beside the record of a fetched repository; any other path as it is."""
    given = Path(given)
    return given.with_suffix("") if given.suffix == ".json" else given


def fetch_pretrained(repo: str, revision: str, kinds: Sequence[str], folder: Path) -> bool:
    """Download models of a hub repository at a commit, whole or not at all.

    ``kinds``: ``denoiser``, ``autoencoder`` or both. Only the models' own files are
    taken. Returns False where the folder is there already, put by hand. Raises
    ``ConnectionError`` that says what to put where by hand, and ``DataError`` where the
    repository holds no such model.
    """
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HTTPError

    if folder.is_dir():
        return False
    try:
        files = [
            name
            for kind in kinds
            for name in FILES.get((repo, kind)) or _listed(repo, revision, kind)
        ]
        with whole(folder) as beside:
            snapshot_download(repo, revision=revision, local_dir=beside, allow_patterns=files)
            missing = [name for name in files if not (beside / name).is_file()]
            if missing:
                raise DataError(f"{HUB}/{repo} at {revision} has no {', '.join(missing)}")
            shutil.rmtree(beside / ".cache", ignore_errors=True)  # the client's own notes
    except (OSError, HTTPError) as error:
        wanted = "\n".join(_by_hand(repo, revision, kind, folder) for kind in kinds)
        reason = str(error).partition("\n")[0]
        raise ConnectionError(
            f"{repo} could not be fetched from the hub ({type(error).__name__}: {reason}).\n"
            f"Put these files there by hand:\n{wanted}\n"
            f"or set `pretrained` of the dataset's {' and '.join(kinds)} to a local folder, "
            "with `revision: null`."
        ) from None
    return True


def _listed(repo: str, revision: str, kind: str) -> list[str]:
    """Config and weights among the files of a repository."""
    from huggingface_hub import HfApi

    present = HfApi().list_repo_files(repo, revision=revision)
    for prefix in (f"{FOLDERS[kind]}/", ""):
        weights = [prefix + name for name in WEIGHTS if prefix + name in present]
        if f"{prefix}config.json" in present and weights:
            return [f"{prefix}config.json", weights[0]]
    raise DataError(
        f"{HUB}/{repo} at {revision} holds no {kind} in diffusers' format: neither "
        f"{FOLDERS[kind]}/ nor the repository itself has a config.json beside {WEIGHTS[0]}"
    )


def _by_hand(repo: str, revision: str, kind: str, folder: Path) -> str:
    """Which files from where to where, a line each."""
    known = FILES.get((repo, kind))
    if known:
        page = f"{HUB}/{repo}/resolve/{revision}"
        return "\n".join(f"  {page}/{name}\n    -> {Path(folder) / name}" for name in known)
    return (
        f"  config.json and {WEIGHTS[0]} (or {WEIGHTS[1]}),\n"
        f"  from {HUB}/{repo}/tree/{revision}/{FOLDERS[kind]} if there is that folder\n"
        f"    -> {Path(folder) / FOLDERS[kind]}\n"
        f"  or else from {HUB}/{repo}/tree/{revision}\n    -> {folder}"
    )


def load_pretrained_denoiser(folder: Path, channels: int, side: int) -> DiTTransformer2DModel:
    """A pretrained DiT for latents (channels, side, side), in eval mode on the CPU.

    ``folder``: a model, or a pipeline whose ``transformer/`` is one. Its weights are taken
    as the reference's, whatever diffusers makes of them, as those of the hub are: see
    ``as_reference``. Raises ``DataError`` where it is for other latents, is no DiT, cannot
    be read, or is one of our own of other frequencies.
    """
    folder = _model_folder(folder, "denoiser")
    if (folder / RECORD).is_file():
        check_frequencies(folder, "Train it anew, or name another model")
    config = read_json(folder / "config.json", YOURS)
    allowed = {
        "norm_type": ("ada_norm_zero",),
        "in_channels": (channels,),
        "out_channels": (channels, 2 * channels),
        "sample_size": (side,),
    }
    wrong = [
        f"{key} is {config.get(key)!r} and not {' or '.join(map(repr, values))}"
        for key, values in allowed.items()
        if config.get(key) not in values
    ]
    if wrong:
        raise DataError(
            f"{folder} is no DiT for the dataset's latents of {channels}×{side}×{side} numbers: "
            + "; ".join(wrong)
        )
    return as_reference(load_model(DiTTransformer2DModel, folder, YOURS))


def load_pretrained_autoencoder(folder: Path) -> AutoencoderKL:
    """A pretrained autoencoder in eval mode on the CPU, with the scaling factor of its config.

    ``folder``: a model, or a pipeline whose ``vae/`` is one. Configs that name no
    scaling factor are Stable Diffusion's, 0.18215. Raises ``DataError`` where it
    cannot be read.
    """
    return load_model(AutoencoderKL, _model_folder(folder, "autoencoder"), YOURS)


def _model_folder(folder: Path, kind: str) -> Path:
    places = [Path(folder) / FOLDERS[kind], Path(folder)]
    for place in places:
        if (place / "config.json").is_file():
            return place
    raise DataError(f"{folder} holds no {kind}: no config.json there nor in {FOLDERS[kind]}/")


@torch.no_grad()
def adopt(model: DiTTransformer2DModel, rows: Sequence[int] | None, n_classes: int) -> None:
    """Give a pretrained DiT the labels of a dataset, 0…n_classes-1, and null after them.

    ``rows``: the pretrained label of each class. None: the classes are new, and each
    begins as the mean of all pretrained classes (ours). diffusers keeps a table of
    class embeddings in every block.
    """
    null = null_label(model)
    for block in model.transformer_blocks:
        embedder = block.norm1.emb.class_embedder
        table = embedder.embedding_table.weight
        if rows is None:
            classes = table[:null].mean(0, keepdim=True).expand(n_classes, -1)
        else:
            classes = table[list(rows)]
        kept = torch.cat([classes, table[null:]]).contiguous()
        embedder.embedding_table = nn.Embedding.from_pretrained(kept, freeze=False)
        embedder.num_classes = n_classes
    model.register_to_config(num_embeds_ada_norm=n_classes)
