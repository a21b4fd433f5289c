"""The paper's study at toy size: ``python tests/helpers/standins/paper.py FOLDER``.

Writes to FOLDER what the paper's config wants from outside, small enough for two cores,
and ``toy.yaml``, which is laid over ``config/paper.yaml`` and points there:

- ``imagenet/``: a few images of noise for each of ImageNette's classes, as ImageNet's folders;
- ``dit/``: a two-layer DiT with ImageNet's 1000 classes and the learned variance, as the
  hub's pipeline has it; ``vae/``: an AutoencoderKL that scales by 8, as Stable Diffusion's;
- ``squeezenet.safetensors``: an untrained SqueezeNet;
- ``elsewhere/``: a finished set of two images a class, as another project would hand it on.

Real there: every rule, the label registry, the choice of class embeddings, DiffFit, the
reference's sampler, sharding by class, MiniMax and IGD, hard and soft labels.
Standing in: the weights, the images and their size (32 px).
"""

import sys
from pathlib import Path

import numpy as np
import torch
import yaml
from diffusers import AutoencoderKL, DiTTransformer2DModel
from PIL import Image
from safetensors.torch import save_file

from lighthouse.datasets.labels import LABELS

IMAGES = {"train": 4, "val": 2}
SIZE, IPC = 32, 2


STUDENTS = ["convnet6"]
METHODS = [
    "random",
    "dit",
    "minimax",
    "dit-igd",
    "control",
    "rsm",
    "rsm-cgs",
    "rsm-greedy",
]
HYPERPARAMETERS = {
    "dataset": "imagenette-ilsvrc",
    "ipc": IPC,
    "lambda": 3e-3,
    "learning_rate": 1e-3,
    "eta_dpp": 100,
    "mu_dm": 1000,
    "k_influence": 5,
    "gamma_deviation": 50,
    "mode_scale": 0.1,
}


def write_images(folder: Path, classes: list[str], images: dict[str, int]) -> None:
    """JPEG files of coloured noise, of a size that must be scaled and cut.

    images: how many a class, by part, a folder below ``folder``.
    """
    rng = np.random.default_rng(0)
    for part, count in images.items():
        for label, name in enumerate(classes):
            target = folder / part / name
            target.mkdir(parents=True)
            for number in range(count):
                coarse = rng.integers(0, 255, (5, 6, 3), dtype=np.uint8)
                coarse[..., label % 3] //= 2
                image = Image.fromarray(coarse).resize((48, 40), Image.BICUBIC)
                image.save(target / f"{name}_{number}.JPEG")


def write_models(folder: Path) -> None:
    """A DiT in the layout of the hub's pipeline, an autoencoder, an extractor."""
    torch.manual_seed(0)
    model = DiTTransformer2DModel(
        num_attention_heads=2,
        attention_head_dim=8,
        in_channels=4,
        out_channels=8,
        num_layers=2,
        sample_size=SIZE // 8,
        patch_size=2,
        num_embeds_ada_norm=1000,
        norm_type="ada_norm_zero",
    )
    # The reference has one embedder: the hub's file holds equal copies.
    first, second = (block.norm1.emb for block in model.transformer_blocks)
    second.load_state_dict(first.state_dict())
    model.save_pretrained(folder / "dit" / "transformer", safe_serialization=True)
    AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        block_out_channels=(8, 8, 8, 8),
        norm_num_groups=4,
        latent_channels=4,
        scaling_factor=0.18215,
        sample_size=SIZE,
    ).save_pretrained(folder / "vae", safe_serialization=True)
    from torchvision.models import squeezenet1_0

    save_file(squeezenet1_0().state_dict(), folder / "squeezenet.safetensors")


def overlay(folder: Path) -> dict:
    """What is laid over the paper's study."""
    return {
        "study": "paper-toy",
        "run": {
            "datasets": ["imagenette-ilsvrc"],
            "methods": METHODS,
            "ipc": [IPC],
            "seeds": [0],
            "claims": [
                {
                    "name": "cgs-above-prior",
                    "says": "RSM + CGS teaches better than the prior.",
                    "measure": "accuracy",
                    "of": "rsm-cgs",
                    "against": "dit",
                    "direction": "above",
                    "ipc": IPC,
                    "place": "M",
                }
            ],
            "students": STUDENTS,
            "protocols": ["igd", "rded"],
            # At this size it is of no use.
            "prior_check": {"on_useless": "go-on"},
            "ablation": {"ipc": IPC, "methods": ["dit", "base-mean", "rsm-cgs"]},
            "sweep": {"ipc": IPC, "values": {"lambda": [], "eta_dpp": [0, 100], "mu_dm": []}},
            "strategies": {"ipc": IPC, "subsets": 5},
            "spectrum": {"ipc": IPC},
        },
        # Of three respaced steps the paper's would leave IGD none.
        "guidance": {term: {"steps": [0, 1000]} for term in ("influence", "deviation")},
        "external": {
            "elsewhere": {
                "dataset": "imagenette-ilsvrc",
                "root": str(folder / "elsewhere"),
                "ipc": IPC,
                "label": "Made elsewhere",
            }
        },
        "tables": {"hyperparameters": str(folder / "hyperparameters.tsv")},
        "datasets": {
            "imagenette-ilsvrc": {
                "root": str(folder / "imagenet"),
                "image_size": SIZE,
                "autoencoder": {"pretrained": str(folder / "vae"), "revision": None},
                "denoiser": {"pretrained": str(folder / "dit"), "revision": None},
                "tuning": {"epochs": 1, "ema": 0.9},
                "sampler": {"steps": 3, "micro_batch": 8, "classes_per_job": 5},
                # Six halvings leave nothing of the toy's images.
                "surrogate": {"network": "convnet3", "epochs": 1, "images_per_class": 2},
                "extractor": {
                    "kind": "squeezenet",
                    "name": "squeezenet-untrained",
                    "weights": str(folder / "squeezenet.safetensors"),
                },
            }
        },
        "protocols": {
            "igd": {"size": 64, "epochs": [[2, 1]], "evaluations": 1},
            "rded": {"size": 64, "epochs": [[2, 1]], "evaluations": 1, "teacher": {"epochs": 1}},
            "rded-teacher": {"size": 64},
        },
        "compute": {"training_threads": 1, "cells_per_job": 4},
    }


def main(folder: Path) -> None:
    """Write everything below ``folder``."""
    folder = folder.absolute()
    classes = [entry.wnid for entry in LABELS["imagenette"].classes]
    write_images(folder / "imagenet", classes, IMAGES)
    write_images(folder, classes, {"elsewhere": IPC})
    write_models(folder)
    lines = ["\t".join(map(str, line)) for line in zip(*HYPERPARAMETERS.items(), strict=True)]
    (folder / "hyperparameters.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (folder / "toy.yaml").write_text(yaml.safe_dump(overlay(folder)), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
