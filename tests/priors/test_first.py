"""What a base prior starts from: a pretrained model with the dataset's classes, or nothing."""

import pytest
import torch
from diffusers import DiTTransformer2DModel

from lighthouse.datasets.latents import Latents
from lighthouse.diffusion.denoiser import null_label
from lighthouse.diffusion.pretrained import load_pretrained_denoiser
from lighthouse.priors.first import first_denoiser
from toy import redrawn
from trainings import assert_same, toy_latents


@pytest.fixture
def pretrained(tmp_path):
    """A folder with a DiT of ImageNet's 1000 classes, whose blocks embed alike."""
    model = DiTTransformer2DModel(
        num_attention_heads=2,
        attention_head_dim=8,
        in_channels=4,
        out_channels=8,
        num_layers=2,
        sample_size=4,
        num_embeds_ada_norm=1000,
    )
    first, second = redrawn(model, 0.2).transformer_blocks
    second.norm1.emb.load_state_dict(first.norm1.emb.state_dict())
    model.save_pretrained(tmp_path / "pretrained")
    return tmp_path / "pretrained"


def data(classes):
    """What a base prior's model must suit."""
    made = Latents.__new__(Latents)
    made.latents, made.classes = toy_latents(), classes
    return made


def test_a_pretrained_models_rows_are_those_of_the_datasets_classes(pretrained):
    options = {"class_embeddings": "imagenet"}
    model = first_denoiser(options, data(["n03888257", "n01440764"]), pretrained, 0)
    first, *_ = load_pretrained_denoiser(pretrained, 4, 4).transformer_blocks
    table = first.norm1.emb.class_embedder.embedding_table.weight
    for block in model.transformer_blocks:
        found = block.norm1.emb.class_embedder.embedding_table.weight
        assert torch.equal(found, table[[701, 0, 1000]])


def test_new_classes_need_no_known_names(pretrained):
    model = first_denoiser({"class_embeddings": "new"}, data(["ant", "bee"]), pretrained, 0)
    assert null_label(model) == 2


def test_a_model_from_nothing_is_the_same_every_time():
    options = {"layers": 1, "heads": 2, "head_dim": 8, "patch_size": 2}
    one, other = (first_denoiser(options, data(["ant", "bee"]), None, 0) for _ in range(2))
    assert null_label(one) == 2
    assert_same(one, other)
