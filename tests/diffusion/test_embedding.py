"""Step and class embedded once a call."""

import pytest
import torch
from torch import nn

from lighthouse.diffusion.denoiser import new_denoiser, predict
from lighthouse.diffusion.embedding import embedded_once
from lighthouse.priors.difffit import share_embedders

OPTIONS = {"layers": 3, "heads": 2, "head_dim": 8, "patch_size": 2}


@pytest.fixture
def model() -> nn.Module:
    """A DiT of one embedder, whose modulations are not zero as a new one's are."""
    torch.manual_seed(0)
    model = new_denoiser(OPTIONS, 1, 4, 5)
    share_embedders(model)
    for weight in model.parameters():
        nn.init.normal_(weight, std=0.1)
    return model


def calls(model: nn.Module) -> list[object]:
    """What fills with an entry at each call of the first block's embedding of steps."""
    seen: list[object] = []
    embedder = model.transformer_blocks[0].norm1.emb
    embedder.time_proj.register_forward_hook(lambda *_: seen.append(None))
    return seen


def outcome(model: nn.Module, seed: int) -> tuple[torch.Tensor, list[torch.Tensor]]:
    """A prediction, and the gradients of all weights."""
    rng = torch.Generator().manual_seed(seed)
    z = torch.randn(6, 1, 4, 4, generator=rng)
    t = torch.randint(1000, (6,), generator=rng)
    found = predict(model, z, t, torch.arange(6) % 5)
    return found, torch.autograd.grad(found.square().sum(), [*model.parameters()])


def test_one_call_for_all_blocks_and_the_last_layer(model):
    seen = calls(model)
    plain = [outcome(model, seed) for seed in (1, 2)]
    assert len(seen) == 2 * 4
    with embedded_once(model):
        once = [outcome(model, seed) for seed in (1, 2)]
    assert len(seen) == 2 * 4 + 2
    for (output, gradients), (expected, others) in zip(once, plain, strict=True):
        assert torch.equal(output, expected)
        for gradient, other in zip(gradients, others, strict=True):
            torch.testing.assert_close(gradient, other)


def test_a_call_behind_an_update_sees_the_new_weights(model):
    z, t, labels = torch.ones(1, 1, 4, 4), torch.tensor([7]), torch.tensor([0])
    with embedded_once(model), torch.no_grad():
        before = predict(model, z, t, labels)
        model.transformer_blocks[0].norm1.emb.class_embedder.embedding_table.weight.add_(1)
        assert not torch.equal(predict(model, z, t, labels), before)


def test_behind_it_the_model_is_as_it_was(model):
    with embedded_once(model):
        pass
    seen = calls(model)
    outcome(model, 1)
    assert len(seen) == 4
    assert "forward" not in vars(model.transformer_blocks[0].norm1.emb)


@pytest.mark.parametrize("asked", [True, False])
def test_embedders_of_their_own_or_unasked(model, asked):
    if asked:
        model = new_denoiser(OPTIONS, 1, 4, 5)  # whose blocks have equal copies
    seen = calls(model)
    with embedded_once(model, asked):
        outcome(model, 1)
    assert len(seen) == (2 if asked else 4)
