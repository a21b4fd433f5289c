"""Step and class are embedded, and made modulations of, once a step: the same bytes."""

import pytest
import torch

from lighthouse.diffusion.calls import steady_rows
from lighthouse.diffusion.denoiser import cast_ahead, new_denoiser
from lighthouse.diffusion.guided import GuidedDenoiser
from lighthouse.diffusion.modulation import modulated
from lighthouse.runtime.precision import autocast
from sampling import OPTIONS
from toy import embedding_alike, redrawn

#: Latents in the largest call, and rows of its layers of one row an image.
MOST = 16


def dit(alike=True):
    """A DiT of the default's size, 16 tokens of 64 numbers, whose blocks embed alike or do not."""
    options = {"layers": 2, "heads": 4, "head_dim": 16, "patch_size": 2}
    torch.manual_seed(0)
    model = new_denoiser(options, 1, 8, 10)
    return embedding_alike(model, 0.05) if alike else redrawn(model, 0.05)


def latents():
    """Latents and classes of a call, the null class among them."""
    rng = torch.Generator().manual_seed(1)
    return torch.randn(6, 1, 8, 8, generator=rng), torch.tensor([3, 3, 10, 7, 10, 3])


def plain(model, z, t, labels):
    return model(z, timestep=torch.full_like(labels, t), class_labels=labels).sample


@pytest.mark.parametrize("alike", [True, False])
@pytest.mark.parametrize("by_class", [True, False])
def test_blocks_that_take_from_tables_say_the_same_bytes(alike, by_class):
    model, (z, labels) = dit(alike), latents()
    with torch.no_grad(), steady_rows(model, MOST):
        expected = {t: plain(model, z, t, labels) for t in (500, 20)}
        with modulated(model, MOST, "cpu") as tables:
            if by_class:
                tables.keep([3, 7, 10])
            for t in (500, 20, 500):
                found = model(z, timestep=None, class_labels=tables.rows(t, labels)).sample
                assert torch.equal(found, expected[t])
        assert torch.equal(plain(model, z, 20, labels), expected[20])


@pytest.mark.parametrize(("alike", "embedded"), [(True, 1), (False, 2)])
@pytest.mark.parametrize(("classes", "filled"), [(2, 3), (5, 3 * 5)])
def test_tables_are_filled_once_a_step_or_else_once_a_call(alike, embedded, classes, filled):
    """Of two classes and the null class in tables of four rows; of five, in each of 5 calls."""
    model, counts = dit(alike), {"emb": 0, "linear": 0}
    denoiser = GuidedDenoiser(model, "toy", {**OPTIONS, "micro_batch": 4})
    z, labels = torch.randn(9, 1, 8, 8), torch.arange(9) % classes
    layers = [
        (name, getattr(block.norm1, name)) for block in model.transformer_blocks for name in counts
    ]
    with torch.no_grad(), denoiser.steady((1, 8, 8), [labels.tolist()], "cpu"):
        for name, layer in layers:

            def count(*given, name=name):
                counts[name] += 1

            layer.register_forward_hook(count)
        for t in (700, 30, 2):
            denoiser(z, t, labels)
    assert counts == {"emb": embedded * filled, "linear": 2 * filled}


def test_a_class_that_differs_by_its_place_is_seen():
    model = dit()
    with torch.no_grad(), modulated(model, MOST, "cpu") as tables:
        assert tables.places_agree(3, MOST, 500)

        def worse(layer, given, output):
            output[5:] *= 1 + 1e-6

        tables.norms[1].linear.register_forward_hook(worse)
        assert tables.places_agree(3, 5, 500)
        assert not tables.places_agree(3, 6, 500)


def test_a_steady_denoiser_leaves_its_model_as_it_was():
    model = dit()
    before, norms = {**model.state_dict()}, [block.norm1 for block in model.transformer_blocks]
    options = {**OPTIONS, "precision": "bf16"}
    with torch.no_grad(), GuidedDenoiser(model, "toy", options).steady((1, 8, 8), [[0]], "cpu"):
        assert model.transformer_blocks[0].norm1 is not norms[0]
    assert [block.norm1 for block in model.transformer_blocks] == norms
    after = model.state_dict()
    assert [*after] == [*before]
    assert all(after[name].data_ptr() == x.data_ptr() for name, x in before.items())


def test_a_latent_is_the_same_in_one_call_with_its_class_and_without():
    """Halves of guidance share a call: they say what calls of their own would."""
    model, (z, _) = dit(), latents()
    denoiser = GuidedDenoiser(model, "toy", {**OPTIONS, "micro_batch": MOST})
    labels, sizes = torch.arange(6), []
    hook = model.register_forward_pre_hook(lambda layer, given: sizes.append(len(given[0])))
    with torch.no_grad(), denoiser.steady((1, 8, 8), [labels.tolist()], "cpu"):
        sizes.clear()
        together, apart = (denoiser._guided(z, 300, labels, apart) for apart in (False, True))
    hook.remove()
    assert sizes == [12, 12, 12]  # of six, filled up
    assert torch.equal(together, apart)


def test_a_class_that_was_not_told_of_has_no_row():
    with torch.no_grad(), modulated(dit(), MOST, "cpu") as tables:
        tables.keep([3, 10])
        rows = tables.rows(500, torch.tensor([3, 10, 7]))
        with pytest.raises(IndexError):
            tables.taken[0].table[rows]


def test_attention_is_torchs_own_kernel_once_a_block(monkeypatch):
    asked, own = [], torch.nn.functional.scaled_dot_product_attention

    def count(query, *given, **options):
        asked.append(query.shape)
        return own(query, *given, **options)

    monkeypatch.setattr(torch.nn.functional, "scaled_dot_product_attention", count)
    z, labels = latents()
    with torch.no_grad():
        plain(dit(), z, 500, labels)
    assert asked == 2 * [(6, 4, 16, 16)]  # heads, tokens, numbers of a head


def test_weights_that_are_cast_ahead_give_what_autocast_gives_and_are_cast_no_more():
    model, (z, labels) = dit().requires_grad_(False), latents()

    def said():
        with torch.no_grad(), autocast(z.device, "bf16"):
            return plain(model, z, 500, labels)

    def types():
        return {block.ff.net[2].weight.dtype for block in model.transformer_blocks}

    expected, own = said(), model.transformer_blocks[0].attn1.to_q.weight
    with cast_ahead(model, "bf16"):
        assert types() == {torch.bfloat16}
        assert torch.equal(said(), expected)
    assert types() == {torch.float32}
    assert model.transformer_blocks[0].attn1.to_q.weight is own
    assert torch.equal(said(), expected)
    with cast_ahead(model, "fp32"):
        assert types() == {torch.float32}
