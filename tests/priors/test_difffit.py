"""DiffFit: which weights are trained, how many, and that what is saved is a plain DiT."""

from collections import Counter
from copy import deepcopy

import numpy as np
import pytest
import torch
from diffusers import DiTTransformer2DModel
from torch import nn

from lighthouse.diffusion.denoiser import (
    embedders_are_equal,
    load_denoiser,
    new_denoiser,
    predict,
    save_denoiser,
)
from lighthouse.priors import difffit
from lighthouse.priors.objectives import Stateless, plain
from lighthouse.priors.training import train_prior
from toy import redrawn

OPTIONS = {
    "steps": 6,
    "batch_size": 6,
    "learning_rate": 1e-2,
    "schedule": {"kind": "constant"},
    "gradient_clip": 1.0,
    "class_dropout": 0.3,
    "ema": 0.5,
    "tune": "difffit",
    "precision": "fp32",
    "gradient_checkpointing": False,
}


def toy(layers=2):
    options = {"layers": layers, "heads": 2, "head_dim": 8, "patch_size": 2}
    return redrawn(new_denoiser(options, 4, 4, 3), 0.2)


def alike():
    """A model whose blocks embed timestep and class alike, as a pretrained one's do."""
    model = toy()
    first, second = model.transformer_blocks
    second.norm1.emb.load_state_dict(first.norm1.emb.state_dict())
    return model


def output(model):
    rng = torch.Generator().manual_seed(4)
    with torch.no_grad():
        z = torch.randn(5, 4, 4, 4, generator=rng)
        return predict(model, z, torch.arange(5) * 200, torch.tensor([0, 1, 2, 3, 0]))


def train(folder, model=None, objective=plain, seconds=60.0, **options):
    rng = torch.Generator().manual_seed(2)
    trained, record = train_prior(
        model or alike(),
        torch.randn(12, 1, 4, 4, 4, generator=rng).numpy(),
        np.arange(12) % 3,
        Stateless(objective),
        {**OPTIONS, **options},
        0,
        checkpoint=folder / "checkpoint",
        checkpoint_seconds=seconds,
    )
    # The seconds differ from run to run.
    return trained, {key: record[key] for key in record.keys() - {"seconds"}}


def changed(before, after):
    """Names of the weights that differ."""
    after = after.state_dict()
    return {name for name, old in before.state_dict().items() if not torch.equal(old, after[name])}


# What is trained.


def test_scales_go_into_the_first_half_of_the_blocks():
    model = toy(layers=3)
    difffit.prepare(model)
    scaled = [name for name, module in model.named_modules() if isinstance(module, difffit.Scaled)]
    block = "transformer_blocks.0."
    names = ("attn1.to_q", "attn1.to_k", "attn1.to_v", "attn1.to_out.0", "ff.net.2")
    assert sorted(scaled) == sorted(block + name for name in names)


def test_trained_are_biases_scales_and_class_embeddings_and_no_modulation():
    model = toy()
    difffit.prepare(model)
    kinds = Counter()
    for name, parameter in model.named_parameters():
        kind = name.rsplit(".", 1)[1] if "embedding_table" not in name else "table"
        kinds[kind, parameter.requires_grad] += 1
    assert {kind for kind, trained in kinds if trained} == {"bias", "gamma", "table"}
    assert {kind for kind, trained in kinds if not trained} == {"weight"}


def test_a_normalisation_with_weights_has_them_trained():
    model = toy()
    model.norm_out = nn.LayerNorm(16)
    difffit.prepare(model)
    assert all(parameter.requires_grad for parameter in model.norm_out.parameters())


@pytest.mark.parametrize(("classes", "expected"), [(1000, 1_723_424), (10, 582_944)])
def test_of_dit_xl_2_so_many_parameters_are_trained(classes, expected):
    width, blocks = 1152, 28
    with torch.device("meta"):
        model = DiTTransformer2DModel(
            num_attention_heads=16,
            attention_head_dim=72,
            in_channels=4,
            out_channels=8,
            num_layers=blocks,
            sample_size=32,
            num_embeds_ada_norm=classes,
        )
    difffit.share_embedders(model)
    plain_count = sum(p.numel() for p in model.parameters())
    difffit.prepare(model)
    # By hand, in widths. A block's biases: 3 of q, k, v, 1 of the output, 4 + 1 of the
    # MLP, 6 of the modulation; then those of patches (1), timestep (2), the last
    # modulation (2), and of the output, 2·2·8 numbers; a row a class and one for null.
    biases = width * (blocks * (3 + 1 + 4 + 1 + 6) + 1 + 2 + 2) + 2 * 2 * 8
    scales = width * 14 * (3 + 1 + 1)
    table = width * (classes + 1)
    trained = sum(p.numel() for p in model.parameters() if p.requires_grad)
    assert trained == biases + scales + table == expected
    if classes == 1000:
        assert plain_count == pytest.approx(675e6, rel=1e-3)
        assert trained / plain_count == pytest.approx(0.00255, abs=1e-5)


# Scales.


def test_a_scale_multiplies_each_channel_bias_included():
    linear = nn.Linear(2, 2)
    with torch.no_grad():
        linear.weight.copy_(torch.tensor([[1.0, 2.0], [3.0, 4.0]]))
        linear.bias.copy_(torch.tensor([1.0, -1.0]))
    scaled = difffit.Scaled(linear)
    with torch.no_grad():
        scaled.gamma.copy_(torch.tensor([2.0, 10.0]))
    assert scaled(torch.tensor([1.0, 1.0])).tolist() == [2 * (1 + 2 + 1), 10 * (3 + 4 - 1)]


def test_inserting_scales_changes_no_output():
    model = toy()
    before = output(model)
    difffit.prepare(model)
    assert torch.equal(output(model), before)


def test_folding_scales_changes_no_output_and_leaves_a_plain_model():
    model = toy()
    names = model.state_dict().keys()
    difffit.prepare(model)
    rng = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if name.endswith("gamma"):
                parameter.copy_(1 + torch.rand(parameter.shape, generator=rng))
    before = output(model)
    difffit.fold(model)
    torch.testing.assert_close(output(model), before)
    assert not torch.allclose(output(toy()), before)
    assert model.state_dict().keys() == names


# Embedders.


def test_embedders_are_equal_only_where_every_weight_is():
    model = alike()
    assert embedders_are_equal(model)
    with torch.no_grad():
        model.transformer_blocks[1].norm1.emb.timestep_embedder.linear_2.bias[3] += 1
    assert not embedders_are_equal(model)


def test_parameters_are_counted_with_an_embedder_that_is_alike_once():
    apart, equal, shared = toy(), alike(), alike()
    difffit.share_embedders(shared)
    each = sum(p.numel() for p in equal.transformer_blocks[1].norm1.emb.parameters())
    assert difffit.n_parameters(apart) == sum(p.numel() for p in apart.parameters())
    assert difffit.n_parameters(equal) == difffit.n_parameters(apart) - each
    assert difffit.n_parameters(shared) == difffit.n_parameters(equal)


def test_sharing_and_parting_embedders_changes_no_output():
    model = alike()
    before, names = output(model), model.state_dict().keys()
    difffit.share_embedders(model)
    shared = sum(p.numel() for p in model.parameters())
    assert torch.equal(output(model), before)
    difffit.part_embedders(model)
    emb = sum(p.numel() for p in model.transformer_blocks[0].norm1.emb.parameters())
    assert sum(p.numel() for p in model.parameters()) == shared + emb
    assert torch.equal(output(model), before)
    assert model.state_dict().keys() == names


# Training.


def test_what_training_leaves_is_saved_and_loaded_as_a_plain_dit(tmp_path):
    model, record = train(tmp_path)
    save_denoiser(model, tmp_path / "prior", record)
    assert torch.equal(output(load_denoiser(tmp_path / "prior")), output(model))


def test_frozen_weights_stay_except_those_that_the_scales_were_folded_into(tmp_path):
    before = alike()
    found = changed(before, train(tmp_path, deepcopy(before))[0])
    folded = {f"transformer_blocks.0.{name}.weight" for name in difffit.SCALED}
    tables = {name for name in before.state_dict() if "embedding_table" in name}
    biases = {name for name in before.state_dict() if name.endswith("bias")}
    # A bias of the keys shifts a softmax as a whole: its gradient is zero but for noise.
    assert found | {f"transformer_blocks.{i}.attn1.to_k.bias" for i in (0, 1)} == (
        folded | tables | biases
    )


def test_blocks_that_embed_alike_do_so_after_training(tmp_path):
    model, _ = train(tmp_path)
    first, second = model.transformer_blocks
    assert embedders_are_equal(model)
    assert first.norm1.emb is not second.norm1.emb
    assert all(parameter.requires_grad for parameter in model.parameters())


def test_the_record_counts_what_was_trained_a_shared_embedder_once(tmp_path):
    model = alike()
    difffit.share_embedders(model)
    difffit.prepare(model)
    expected = sum(p.numel() for p in model.parameters() if p.requires_grad)
    assert train(tmp_path)[1]["trainable_parameters"] == expected
    apart = train(tmp_path, toy())[1]["trainable_parameters"]
    shared_twice = model.transformer_blocks[0].norm1.emb.parameters()
    assert apart - expected == sum(p.numel() for p in shared_twice if p.requires_grad)


def test_full_tuning_trains_every_weight_and_a_shared_embedder_once(tmp_path):
    before = alike()
    model, record = train(tmp_path, deepcopy(before), tune="full")
    embedder = sum(p.numel() for p in before.transformer_blocks[0].norm1.emb.parameters())
    total = sum(p.numel() for p in before.parameters())
    assert record["trainable_parameters"] == total - embedder
    assert {name for name in before.state_dict() if name not in changed(before, model)} <= {
        "pos_embed.pos_embed"
    }


def test_a_killed_run_that_goes_on_ends_as_one_that_was_not(tmp_path):
    calls = []

    def stopping(prediction, batch):
        calls.append(1)
        if len(calls) > 3:
            raise KeyboardInterrupt
        return plain(prediction, batch)

    with pytest.raises(KeyboardInterrupt):
        train(tmp_path, objective=stopping, seconds=0)
    calls.clear()

    def counted(prediction, batch):
        calls.append(1)
        return plain(prediction, batch)

    resumed, resumed_record = train(tmp_path, objective=counted)
    whole, record = train(tmp_path / "elsewhere")
    assert len(calls) == OPTIONS["steps"] - 3
    assert not changed(resumed, whole)
    assert resumed_record == record


def test_a_checkpoint_of_full_tuning_is_not_gone_on_from(tmp_path):
    def stopping(prediction, batch):
        if (tmp_path / "checkpoint").exists():
            raise KeyboardInterrupt
        return plain(prediction, batch)

    with pytest.raises(KeyboardInterrupt):
        train(tmp_path, objective=stopping, seconds=0, tune="full")
    fresh, _ = train(tmp_path)
    assert not changed(fresh, train(tmp_path / "elsewhere")[0])


def test_a_checkpoint_of_other_frequencies_is_not_gone_on_from(tmp_path):
    def stopping(prediction, batch):
        if (tmp_path / "checkpoint").exists():
            raise KeyboardInterrupt
        return plain(prediction, batch)

    other = alike()
    for block in other.transformer_blocks:
        block.norm1.emb.time_proj.downscale_freq_shift = 1
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path, other, objective=stopping, seconds=0)
    fresh, _ = train(tmp_path)
    assert not changed(fresh, train(tmp_path / "elsewhere")[0])


def test_a_checkpoint_holds_no_frozen_weight(tmp_path):
    held = []

    def spy(prediction, batch):
        if (tmp_path / "checkpoint").exists():
            state = torch.load(tmp_path / "checkpoint", weights_only=True)["parts"]
            held.append(sum(weight.numel() for weight in state["weights"].values()))
        return plain(prediction, batch)

    _, record = train(tmp_path, objective=spy, seconds=0)
    assert set(held) == {record["trainable_parameters"]}
