"""What networks make of images for selections: an extractor's features, a classifier's logits."""

import numpy as np
import torch

from lighthouse.selection.looking import logits_by
from lighthouse.students.augment import normalise
from lighthouse.students.networks import NETWORKS
from lighthouse.students.teacher import write_teacher

NETWORK = {"network": "convnet", "depth": 2, "width": 4}
RECIPE = {"mean": [0.4, 0.5, 0.6], "std": [0.2, 0.3, 0.4]}


def test_a_classifier_sees_images_in_the_colours_that_it_was_trained_in(tmp_path):
    torch.manual_seed(0)
    network = NETWORKS["convnet"](NETWORK, 16, 3).eval()
    write_teacher(tmp_path / "c.safetensors", network, NETWORK, 16, 3, recipe=RECIPE)
    images = torch.randint(0, 256, (5, 3, 16, 16), dtype=torch.uint8)
    look = logits_by(tmp_path / "c.safetensors", "cpu")
    with torch.no_grad():
        own = network(normalise(images, RECIPE["mean"], RECIPE["std"])).numpy()
    np.testing.assert_allclose(look(images), own, atol=1e-5)
