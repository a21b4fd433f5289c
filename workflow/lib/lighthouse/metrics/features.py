"""Deep features of images, from a named extractor."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from lighthouse.runtime.files import read_about, read_tensors, write_tensors
from lighthouse.runtime.job import log
from lighthouse.runtime.provenance import provenance
from lighthouse.students.networks import ConvNet
from lighthouse.students.trainer import Images, accuracy, normalise, train_student

#: The extractor is a wide student. Its features are the last block's maps, averaged
#: to GRID × GRID: of a classifier's penultimate layers they keep more directions than
#: classes, which a pooled vector does not.
DEPTH, WIDTH, GRID = 3, 32, 2
TRAINING = {
    "optimizer": "adamw",
    "learning_rate": 1e-2,
    "weight_decay": 0.01,
    "batch_size": 50,
    "lr_decay": {"factor": 0.2, "at": [0.6667, 0.8333]},
    "crop_scale": [0.6, 1.0],
    "evaluations": 1,
}


class Extractor(nn.Module):
    """Images (n, 3, H, W) uint8 to features (n, d) float32."""

    def __init__(self, network: ConvNet, name: str):
        super().__init__()
        self.network, self.name = network, name

    @torch.no_grad()
    def forward(self, images: Tensor, batch: int = 512) -> Tensor:
        """Features."""
        maps = [self.network.features(normalise(part)) for part in images.split(batch)]
        return nn.functional.adaptive_avg_pool2d(torch.cat(maps), GRID).flatten(1)

    def array(self, images: np.ndarray) -> np.ndarray:
        """Features of images (…, 3, H, W) uint8 as (…, d) float64."""
        flat = torch.from_numpy(images).flatten(0, -4)
        device = next(self.network.parameters()).device
        features = self(flat.to(device)).cpu().double().numpy()
        return features.reshape(*images.shape[:-3], -1)


def train_extractor(
    train: Images, val: Images, name: str, epochs: int, seed: int, path: Path
) -> float:
    """Train the extractor on real images; write its weights; return its accuracy on val."""
    options = {"network": "convnet", "depth": DEPTH, "width": WIDTH}
    protocol = {**TRAINING, "epochs": [[len(train.labels), epochs]]}
    network, _ = train_student(train, val, options, protocol, ipc=1, seed=seed)
    score = accuracy(network, val)
    about = {
        "name": name,
        "image_size": train.images.shape[-1],
        "n_classes": network.head.out_features,
        "accuracy_val": score,
        **provenance(epochs=epochs, seed=seed, depth=DEPTH, width=WIDTH, **TRAINING),
    }
    write_tensors(path, network.state_dict(), about)
    log.info("extractor %s: %.1f%% of the validation part right", name, 100 * score)
    return score


def load_extractor(path: Path, device: object = "cpu") -> Extractor:
    """Load what ``train_extractor`` wrote."""
    about: Mapping = read_about(path)
    network = ConvNet(DEPTH, WIDTH, about["image_size"], about["n_classes"])
    network.load_state_dict(read_tensors(path))
    return Extractor(network.to(device).eval(), about["name"])
