"""Pretrained models: what is fetched, what is refused, and labels that keep their meaning."""

import hashlib
import json
import re
import shutil
import sys
from pathlib import Path
from types import SimpleNamespace

import huggingface_hub
import pytest
import torch
import yaml
from diffusers import AutoencoderKL
from huggingface_hub.errors import LocalEntryNotFoundError
from safetensors.torch import load_file, save_file

from lighthouse.diffusion.denoiser import has_learned_variance, new_denoiser, null_label, predict
from lighthouse.diffusion.hub import PUBLISHED, fetch_pretrained, model_at
from lighthouse.diffusion.pretrained import (
    adopt,
    load_pretrained_autoencoder,
    load_pretrained_denoiser,
)
from lighthouse.runtime.files import write_json
from repository import ROOT
from toy import redrawn

DIT, REVISION = "facebook/DiT-XL-2-256", "e" * 40
SAFE, PICKLE = "diffusion_pytorch_model.safetensors", "diffusion_pytorch_model.bin"
OPTIONS = {"layers": 2, "heads": 2, "head_dim": 8, "patch_size": 2, "learned_variance": True}


def pretrained_dit(classes=7):
    return redrawn(new_denoiser(OPTIONS, 4, 4, classes), 0.2).eval()


@pytest.fixture
def pipeline(tmp_path):
    """A pipeline's folder as of 2023: a config of the class's former name, and a pickle."""
    model = pretrained_dit()
    model.save_pretrained(tmp_path / "transformer")
    config = tmp_path / "transformer" / "config.json"
    old = {"cross_attention_dim": None, "_class_name": "Transformer2DModel"}
    config.write_text(json.dumps({**json.loads(config.read_text()), **old}))
    (tmp_path / "transformer" / SAFE).unlink()
    torch.save(model.state_dict(), tmp_path / "transformer" / PICKLE)
    return tmp_path


def said(model, labels):
    z = torch.randn(len(labels), 4, 4, 4, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        return predict(model, z, torch.full((len(labels),), 500), torch.tensor(labels))


# Loading.


def test_a_pipeline_of_the_hub_loads_with_its_learned_variance(pipeline):
    model = load_pretrained_denoiser(pipeline, 4, 4)
    assert has_learned_variance(model)
    assert not model.training
    assert torch.equal(said(model, [0, 3, 7]), said(pretrained_dit(), [0, 3, 7]))


def test_a_model_folder_without_a_pipeline_loads_too(pipeline):
    model = load_pretrained_denoiser(pipeline / "transformer", 4, 4)
    assert null_label(model) == 7


def test_a_denoiser_of_other_latents_is_refused_with_what_it_has_and_what_is_wanted(pipeline):
    with pytest.raises(ValueError) as error:
        load_pretrained_denoiser(pipeline, 3, 8)
    assert str(pipeline / "transformer") in str(error.value)
    assert "3×8×8" in str(error.value)
    assert "in_channels is 4 and not 3" in str(error.value)
    assert "sample_size is 4 and not 8" in str(error.value)


def test_another_kind_of_transformer_is_refused(pipeline):
    config = pipeline / "transformer" / "config.json"
    config.write_text(config.read_text().replace("ada_norm_zero", "layer_norm"))
    with pytest.raises(ValueError, match="norm_type is 'layer_norm' and not 'ada_norm_zero'"):
        load_pretrained_denoiser(pipeline, 4, 4)


def test_an_empty_folder_is_no_denoiser(tmp_path):
    with pytest.raises(ValueError, match=r"holds no denoiser: no config\.json"):
        load_pretrained_denoiser(tmp_path, 4, 4)


def test_a_config_without_weights_is_refused(pipeline):
    (pipeline / "transformer" / PICKLE).unlink()
    with pytest.raises(ValueError, match="holds no weights"):
        load_pretrained_denoiser(pipeline, 4, 4)


@pytest.mark.parametrize("name", [SAFE, PICKLE])
def test_a_file_cut_short_is_named(pipeline, name):
    folder = pipeline / "transformer"
    weights = folder / name
    if name == SAFE:
        save_file(torch.load(folder / PICKLE), weights)
    weights.write_bytes(weights.read_bytes()[:5000])
    with pytest.raises(ValueError, match=f"{name} cannot be read"):
        load_pretrained_denoiser(pipeline, 4, 4)


@pytest.mark.parametrize(
    "change",
    [
        lambda state: state.pop("proj_out_1.bias"),
        lambda state: state.update(stray=torch.zeros(2)),
        lambda state: state.update({"proj_out_1.bias": torch.zeros(3)}),
    ],
    ids=["missing", "stray", "other shape"],
)
def test_weights_that_do_not_fit_the_config_are_refused(pipeline, change):
    weights = pipeline / "transformer" / PICKLE
    state = torch.load(weights)
    change(state)
    torch.save(state, weights)
    with pytest.raises(ValueError, match=r"(?s)diffusion_pytorch_model\.bin .*(proj_out_1|stray)"):
        load_pretrained_denoiser(pipeline, 4, 4)


def test_a_stored_position_table_is_no_stray_weight(pipeline):
    weights = pipeline / "transformer" / PICKLE
    state = torch.load(weights)
    state["pos_embed.pos_embed"] = torch.zeros(1, 4, 16)
    torch.save(state, weights)
    assert torch.equal(
        said(load_pretrained_denoiser(pipeline, 4, 4), [1]), said(pretrained_dit(), [1])
    )


class Mark:
    """Unpickling it would make a folder."""

    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return __import__("os").mkdir, (self.path,)


def test_a_config_cannot_name_the_class_that_is_loaded(pipeline):
    config = pipeline / "transformer" / "config.json"
    evil = {"_class_name": "evil.Model", "architectures": ["evil"], "_diffusers_version": "9"}
    config.write_text(json.dumps({**json.loads(config.read_text()), **evil}))
    assert type(load_pretrained_denoiser(pipeline, 4, 4)).__module__.startswith("diffusers.")
    assert "evil" not in sys.modules


def test_code_in_a_pickle_is_not_run(pipeline, tmp_path):
    weights = pipeline / "transformer" / PICKLE
    torch.save({**torch.load(weights), "code": Mark(tmp_path / "ran")}, weights)
    with pytest.raises(ValueError, match="cannot be read"):
        load_pretrained_denoiser(pipeline, 4, 4)
    assert not (tmp_path / "ran").exists()


def test_an_autoencoder_of_the_first_stable_diffusion_loads(tmp_path):
    torch.manual_seed(0)
    model = AutoencoderKL(block_out_channels=(8,), norm_num_groups=2, latent_channels=4).eval()
    model.save_pretrained(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    for key in set(config) - {"_class_name", "block_out_channels", "norm_num_groups"}:
        del config[key]  # no scaling factor either
    (tmp_path / "config.json").write_text(json.dumps(config))
    former = {"to_q": "query", "to_k": "key", "to_v": "value", "to_out.0": "proj_attn"}
    state = load_file(tmp_path / SAFE)
    for name in [name for name in state if ".attentions." in name]:
        new = name
        for now, then in former.items():
            new = new.replace(now, then)
        state[new] = state.pop(name)
    assert any("proj_attn" in name for name in state)
    save_file(state, tmp_path / SAFE)
    loaded = load_pretrained_autoencoder(tmp_path)
    assert loaded.config.scaling_factor == 0.18215
    for name, tensor in model.state_dict().items():
        assert torch.equal(tensor, loaded.state_dict()[name]), name


# Labels.


def test_an_adopted_label_says_what_its_row_said():
    model = pretrained_dit()
    before = said(model, [5, 0, 3, 7])
    adopt(model, [5, 0, 3], 3)
    assert null_label(model) == 3
    torch.testing.assert_close(said(model, [0, 1, 2, 3]), before, rtol=0, atol=0)


def test_new_classes_begin_as_the_mean_of_the_pretrained():
    model, other = pretrained_dit(), pretrained_dit()
    adopt(model, None, 2)
    for block, old in zip(model.transformer_blocks, other.transformer_blocks, strict=True):
        rows = block.norm1.emb.class_embedder.embedding_table.weight
        table = old.norm1.emb.class_embedder.embedding_table.weight
        assert rows.shape[0] == 3
        torch.testing.assert_close(rows[:2], table[:7].mean(0).repeat(2, 1))
        assert torch.equal(rows[2], table[7])
    assert torch.equal(said(model, [2]), said(other, [7]))


def test_adopted_embeddings_are_trained_and_saved(tmp_path):
    model = pretrained_dit()
    adopt(model, [6, 2], 2)
    tables = [p for name, p in model.named_parameters() if "embedding_table" in name]
    assert [p.requires_grad for p in tables] == [True, True]
    model.save_pretrained(tmp_path)
    assert torch.equal(said(load_pretrained_denoiser(tmp_path, 4, 4), [0, 2]), said(model, [0, 2]))


# Fetching.


def sha256(text):
    return hashlib.sha256(text.encode()).hexdigest()


def hub(monkeypatch, files, listed=sha256):
    """A hub that serves some files, each of its name; what was asked of it is returned.

    listed: the digest that it says a file has, by its name.
    """
    asked = []

    def download(repo, revision, local_dir, allow_patterns):
        asked.append((repo, revision, sorted(allow_patterns)))
        (local_dir / ".cache").mkdir(parents=True)
        for name in set(allow_patterns) & set(files):
            (local_dir / name).parent.mkdir(exist_ok=True)
            (local_dir / name).write_text(name)

    monkeypatch.setattr(huggingface_hub, "snapshot_download", download)
    monkeypatch.setattr(
        huggingface_hub.HfApi, "list_repo_files", lambda self, repo, revision: list(files)
    )

    def infos(self, repo, names, revision):
        heavy = [name for name in names if not name.endswith(".json")]
        return [SimpleNamespace(path=n, lfs=SimpleNamespace(sha256=listed(n))) for n in heavy] + [
            SimpleNamespace(path=name, lfs=None) for name in set(names) - set(heavy)
        ]

    monkeypatch.setattr(huggingface_hub.HfApi, "get_paths_info", infos)
    return asked


def test_only_the_denoiser_of_a_pipeline_is_fetched(monkeypatch, tmp_path):
    config, weights = "transformer/config.json", f"transformer/{PICKLE}"
    asked = hub(monkeypatch, [config, weights, f"vae/{PICKLE}", "README.md"])
    record = fetch_pretrained(DIT, REVISION, ["denoiser"], tmp_path / "to")
    assert asked == [(DIT, REVISION, [config, weights])]
    assert record["fetched"]
    assert record["sha256"] == {config: sha256(config), weights: sha256(weights)}
    assert sorted(p.name for p in (tmp_path / "to").rglob("*")) == [
        "config.json", PICKLE, "transformer",
    ]  # fmt: skip


def test_of_an_unlisted_repository_the_safetensors_are_taken(monkeypatch, tmp_path):
    asked = hub(monkeypatch, ["vae/config.json", f"vae/{PICKLE}", f"vae/{SAFE}", "config.json"])
    fetch_pretrained("some/one", REVISION, ["autoencoder"], tmp_path / "to")
    assert asked[0][2] == ["vae/config.json", f"vae/{SAFE}"]


def test_a_pipeline_serves_its_denoiser_and_its_autoencoder(monkeypatch, tmp_path):
    asked = hub(
        monkeypatch,
        ["transformer/config.json", f"transformer/{PICKLE}", f"vae/{PICKLE}", "vae/config.json"],
    )
    fetch_pretrained(DIT, REVISION, ["denoiser", "autoencoder"], tmp_path / "to")
    assert len(asked) == 1
    assert sorted(p.name for p in (tmp_path / "to").iterdir()) == ["transformer", "vae"]
    assert len(list((tmp_path / "to").rglob("*.bin"))) == 2


def test_a_repository_without_such_a_model_is_refused(monkeypatch, tmp_path):
    hub(monkeypatch, ["config.json", "pytorch_model.bin"])
    with pytest.raises(ValueError, match=r"some/one at e+ holds no denoiser"):
        fetch_pretrained("some/one", REVISION, ["denoiser"], tmp_path / "to")


def test_a_download_that_lacks_a_file_leaves_nothing(monkeypatch, tmp_path):
    hub(monkeypatch, ["transformer/config.json"])
    with pytest.raises(ValueError, match=f"has no transformer/{PICKLE}"):
        fetch_pretrained(DIT, REVISION, ["denoiser"], tmp_path / "to")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_filled_by_hand_is_taken_as_it_is(monkeypatch, tmp_path):
    asked = hub(monkeypatch, [f"transformer/{PICKLE}"])
    (tmp_path / "commit").mkdir()
    (tmp_path / "commit" / "own").touch()
    record = fetch_pretrained(DIT, REVISION, ["denoiser"], tmp_path / "commit")
    assert (record["fetched"], record["sha256"]) == (False, {"own": sha256("")})
    assert asked == [] and (tmp_path / "commit" / "own").exists()


def test_a_file_that_is_not_as_the_hub_lists_it_leaves_nothing(monkeypatch, tmp_path):
    hub(monkeypatch, ["transformer/config.json", f"transformer/{PICKLE}"], listed=lambda name: "0")
    with pytest.raises(ValueError, match=f"{PICKLE} is another file .*, not 0"):
        fetch_pretrained(DIT, REVISION, ["denoiser"], tmp_path / "to")
    assert list(tmp_path.iterdir()) == []


def test_a_record_stands_for_the_folder_beside_it_as_long_as_its_files_are_those(tmp_path):
    (tmp_path / "0123abc").mkdir()
    (tmp_path / "0123abc" / "config.json").write_text("{}")
    (tmp_path / "0123abc" / ".note").write_text("an editor's")
    record = tmp_path / "0123abc.json"
    write_json(record, fetch_pretrained("a/b", "0123abc", [], tmp_path / "0123abc"))
    assert model_at(record) == tmp_path / "0123abc"
    (tmp_path / "0123abc" / "config.json").write_text("[]")
    with pytest.raises(ValueError, match=r"config\.json is another file"):
        model_at(record)


def test_a_local_folder_is_taken_as_it_is(tmp_path):
    assert model_at("/models/dit-1.5") == Path("/models/dit-1.5")
    (tmp_path / "model.json").mkdir()
    assert model_at(tmp_path / "model.json") == tmp_path / "model.json"


def test_the_commits_of_the_shipped_studies_have_digests_in_full():
    given = yaml.safe_load((ROOT / "config" / "paper.yaml").read_text("utf-8"))["datasets"]
    named = {(o["autoencoder"]["pretrained"], o["autoencoder"]["revision"]) for o in given.values()}
    assert named <= PUBLISHED.keys()
    for sums in PUBLISHED.values():
        assert all(re.fullmatch("[0-9a-f]{64}", known) for known in sums.values())


def test_a_hub_out_of_reach_is_one_message_with_files_addresses_and_places(monkeypatch, tmp_path):
    def unreachable(repo, revision, local_dir, allow_patterns):
        (local_dir / "transformer").mkdir(parents=True)
        raise LocalEntryNotFoundError("Got: ConnectError\nmore lines")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", unreachable)
    with pytest.raises(ConnectionError) as error:
        fetch_pretrained(DIT, REVISION, ["denoiser"], tmp_path / "to")
    text = str(error.value)
    for name in ("transformer/config.json", f"transformer/{PICKLE}"):
        assert f"https://huggingface.co/{DIT}/resolve/{REVISION}/{name}\n" in text
        assert f"-> {tmp_path / 'to' / name}\n" in text
    assert "`pretrained` of the dataset's denoiser to a local folder" in text
    assert "more lines" not in text
    assert list(tmp_path.iterdir()) == []


def test_files_put_there_by_hand_are_a_model(pipeline, tmp_path):
    place = tmp_path / "downloads" / "hub" / DIT / REVISION
    shutil.copytree(pipeline / "transformer", place / "transformer")
    assert null_label(load_pretrained_denoiser(place, 4, 4)) == 7
