"""What a job does not load: torch's compiler, and what diffusers could do besides."""

import copy
import os
import re
import subprocess
import sys
from functools import partial

import pytest
import torch

from benchmarks.startup import LATE, SCRIPTS, STAGES, imports_of, program_of
from lighthouse.config.load import load_study
from lighthouse.report.items import items
from lighthouse.runtime import optimizers
from lighthouse.runtime.imports import preload, standing_in, unmarked
from repository import HELPERS, LIBRARY, ROOT
from shipped import SHIPPED

KINDS = {
    "adamw": ("AdamW", {"lr": 0.05, "weight_decay": 0.1}),
    "sgd": ("SGD", {"lr": 0.05, "momentum": 0.9, "weight_decay": 0.1}),
}


def fresh(program):
    """What a new process prints that runs ``program``."""
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONPATH": str(LIBRARY)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


# Optimisers.


def network():
    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Linear(4, 5), torch.nn.Tanh(), torch.nn.Linear(5, 2))


def steps(model, optimizer, schedule, count=4):
    rng = torch.Generator().manual_seed(1)
    for _ in range(count):
        optimizer.zero_grad()
        model(torch.randn(8, 4, generator=rng)).square().sum().backward()
        optimizer.step()
        schedule.step()


def weights(model):
    return torch.cat([weight.detach().flatten() for weight in model.parameters()])


@pytest.mark.parametrize("kind", KINDS)
def test_a_plain_optimiser_gives_what_torchs_fused_one_gives_bit_by_bit(kind):
    name, options = KINDS[kind]
    found = []
    for kind in (partial(getattr(torch.optim, name), fused=True), getattr(optimizers, name)):
        model = network()
        optimizer = kind(model.parameters(), **options)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.1, 20)
        steps(model, optimizer, schedule)
        # Goes on from its saved state, as a training that was stopped does.
        state = copy.deepcopy(optimizer.state_dict())
        optimizer = kind(model.parameters(), **options)
        optimizer.load_state_dict(state)
        steps(model, optimizer, torch.optim.lr_scheduler.ConstantLR(optimizer, 1.0))
        found.append(weights(model))
    assert torch.equal(*found)
    assert not torch.equal(found[0], weights(network()))


@pytest.mark.parametrize("kind", KINDS)
def test_a_plain_optimiser_is_torchs_kind_and_goes_by_its_hooks(kind):
    name, options = KINDS[kind]
    model, seen = network(), []
    optimizer = getattr(optimizers, name)(model.parameters(), **options)
    assert isinstance(optimizer, getattr(torch.optim, name))
    optimizer.register_step_pre_hook(lambda *_: seen.append("before"))
    optimizer.register_step_post_hook(lambda *_: seen.append("after"))

    def closure():
        seen.append(torch.is_grad_enabled())
        loss = model(torch.ones(1, 4)).sum()
        loss.backward()
        return loss

    assert optimizer.step(closure).item() == network()(torch.ones(1, 4)).sum().item()
    assert seen == ["before", True, "after"]
    assert torch.is_grad_enabled()


def test_torchs_own_optimisers_stay_as_they_are():
    before = {name: dict(vars(getattr(torch.optim, name))) for name in ("AdamW", "SGD")}
    for name, options in KINDS.values():
        made = optimizers.plain(getattr(torch.optim, name))
        made(network().parameters(), **options)
        assert dict(vars(getattr(torch.optim, name))) == before[name]


def test_an_optimiser_that_torch_does_not_mark_is_taken_as_it_is():
    class Half(torch.optim.Optimizer):
        def __init__(self, weights):
            super().__init__(weights, {"differentiable": False})

        def step(self, closure=None):
            for weight in self.param_groups[0]["params"]:
                weight.mul_(0.5)  # an error unless gradients are off

    model = network()
    optimizers.plain(Half)(model.parameters()).step()
    assert torch.equal(weights(model), weights(network()) / 2)


TRAINS = f"""
import sys
import torch
from lighthouse.students.trainer import train_student
from lighthouse.students.runs import run_students
from lighthouse.students.teacher import load_teacher
sys.path.insert(0, {str(HELPERS)!r})
from toy_students import NETWORK, PROTOCOL, bars
for name in ("adamw", "sgd"):
    protocol = {{**PROTOCOL, "optimizer": name, "epochs": [[10, 2]], "evaluations": 1}}
    parts = {{"val": bars(6, 1), "test": bars(6, 2)}}
    run_students(bars(6, 0), parts, NETWORK, protocol, 2, 0, [0, 1])
print("torch._dynamo" in sys.modules)
"""

#: A function that torch compiles, with its graphs counted, and what an optimiser does with it.
COMPILES = """
torch._dynamo.eval_frame.OptimizedModule
graphs = []
def backend(graph, inputs):
    graphs.append(graph)
    return graph.forward
model = torch.nn.Linear(2, 1)
torch.nn.init.ones_(model.weight)
compiled = torch.compile(model, backend=backend)
assert isinstance(compiled, torch._dynamo.eval_frame.OptimizedModule)
optimizer = AdamW(compiled.parameters(), 0.1, weight_decay=0.0)
compiled(torch.ones(1, 2)).sum().backward()
optimizer.step()
print(len(graphs), round(model.weight[0, 0].item(), 4))
"""


def test_students_are_trained_without_torchs_compiler():
    assert fresh(TRAINS) == ["False"]


@pytest.mark.parametrize("library", ["", "import lighthouse.diffusion.library; "])
def test_who_asks_for_torchs_compiler_has_it(library):
    program = f"{library}import torch; from lighthouse.runtime.optimizers import AdamW\n{COMPILES}"
    assert fresh(program) == ["1", "0.9"]


# Imports.


@pytest.fixture
def needy(tmp_path, monkeypatch):
    """A package that imports a part of its own, and a module ``helpful`` that says so."""
    (tmp_path / "needy").mkdir()
    (tmp_path / "needy" / "__init__.py").write_text("from needy import part\nimport helpful")
    (tmp_path / "needy" / "part.py").write_text("")
    (tmp_path / "helpful.py").write_text("here = True")
    monkeypatch.syspath_prepend(tmp_path)
    yield
    for name in ("needy", "needy.part", "helpful"):
        sys.modules.pop(name, None)


def test_a_module_stands_in_for_one_that_is_not_loaded_and_only_inside(needy):
    with standing_in({"helpful": {"here": "in its place"}, "needy": None, "os": None}):
        import helpful

        assert helpful.here == "in its place"
        with pytest.raises(ImportError):
            import needy  # noqa: F401
        assert sys.modules["os"] is os
    assert not {"needy", "helpful"} & set(sys.modules)
    import helpful

    assert helpful.here is True


def test_what_stands_in_goes_at_an_error_too():
    with pytest.raises(KeyError), standing_in({"nothing.such": {}}):
        raise KeyError
    assert "nothing.such" not in sys.modules


def test_a_mark_that_is_none_leaves_a_function_as_it_is():
    assert unmarked(len) is len
    assert unmarked(len, False, reason="because") is len
    assert unmarked(recursive=False)(len) is len


def test_a_package_that_cannot_do_without_is_loaded_by_the_next_import(needy):
    preload("needy", ["helpful"], {"helpful": None})
    assert not {"needy", "needy.part", "helpful"} & set(sys.modules)
    import needy

    assert needy.helpful.here


def test_a_package_that_can_do_without_is_loaded_once(needy):
    preload("needy", ["helpful"], {"helpful": {"here": False}})
    import needy

    assert not needy.helpful.here
    assert "helpful" not in sys.modules


USES = """
import sys
from lighthouse.diffusion.library import AutoencoderKL, DDPMScheduler, DiTTransformer2DModel
import torch
dit = DiTTransformer2DModel(
    num_attention_heads=2, attention_head_dim=4, in_channels=4, num_layers=1, sample_size=4,
    num_embeds_ada_norm=3)
z, t = torch.randn(2, 4, 4, 4), torch.tensor([3, 3])
noise = dit(z, timestep=t, class_labels=torch.tensor([0, 1])).sample
noise.sum().backward()
scheduler = DDPMScheduler(1000)
scheduler.set_timesteps(10)
scheduler.step(noise.detach(), 900, z)
vae = AutoencoderKL(block_out_channels=(4,), norm_num_groups=2)
vae.decode(vae.encode(torch.randn(1, 3, 8, 8)).latent_dist.mode())
print([name for name in ("torch._dynamo", "scipy", "torchvision") if name in sys.modules])
import scipy.stats, torchvision
print(scipy.stats.norm.cdf(0), torchvision.ops.nms.__name__)
"""


def test_diffusers_is_used_without_what_it_could_do_besides():
    pytest.importorskip("torchvision")
    assert fresh(USES) == ["[]", "0.5", "nms"]


@pytest.mark.parametrize("name", ["set_metrics", "lighthouses", "features"])
def test_metrics_are_taken_without_torchs_compiler(name):
    program = imports_of(SCRIPTS / f"{name}.py")
    assert fresh(f"{program}\nimport sys; print('torch._dynamo' in sys.modules)") == ["False"]


# The measurement of all of this.


def jobs_of_rules():
    """The benchmark and the script of every rule that names both, in the rules' files.

    Last the rules of items, which the study gives.
    """
    text = "\n".join(path.read_text() for path in (SCRIPTS.parent / "rules").glob("*.smk"))
    found, script_of = [], {}
    for block in re.split(r"^(?=(?:use )?rule \w)", text, flags=re.MULTILINE):
        name = re.match(r"(?:use rule (?P<base>\w+) as|rule) (?P<own>\w+)", block)
        if not name:
            continue
        script = re.search(r"scripts/(\w+)\.py", block)
        script_of[name["own"]] = script[1] if script else script_of.get(name["base"])
        benchmark = re.search(r"paths\.benchmark\(\s*\"([^\"]+)", block)
        if benchmark:
            found.append((benchmark[1], script_of[name["own"]]))
    of_items = items(load_study(SHIPPED, ROOT))
    assert len(found) == text.count("benchmark:") - 1  # all but that of the loop over items
    return found + [(item.place, "report") for item in of_items]


def test_every_rules_jobs_are_counted_with_a_script_of_theirs():
    scripts = {stage: set() for stage in STAGES}
    for path, script in jobs_of_rules():
        stages = [stage for stage in STAGES if path.startswith(f"{stage}/")]
        # The audit and the study's record are files alone: each is one job of a study.
        assert len(stages) == ("/" in path), path
        for stage in stages:
            scripts[stage].add(script)
    assert {stage: script for stage, script in STAGES.items() if script not in scripts[stage]} == {}


def test_a_stages_program_is_its_scripts_imports_and_what_its_jobs_import_late():
    for stage, script in STAGES.items():
        imports = imports_of(SCRIPTS / f"{script}.py")
        assert "from lighthouse.runtime.job import" in imports
        late = f"\nimport {LATE[stage]}" if stage in LATE else ""
        assert program_of(stage) == imports + late
    # And these names are right: a figure's maker, and what writes every table's page.
    makers = {item.maker.partition(":")[0] for item in items(load_study(SHIPPED, ROOT))}
    assert LATE["figures"] in makers
    making = (LIBRARY / "lighthouse" / "report" / "making.py").read_text()
    assert f"from {LATE['tables']} import" in making
