"""What a job does not load: torch's compiler, unless something is compiled."""

import os
import re
import subprocess
import sys

import pytest

from benchmarks.startup import LATE, SCRIPTS, STAGES, imports_of, program_of
from lighthouse.config.load import load_study
from lighthouse.report.items import items
from repository import HELPERS, LIBRARY, ROOT
from shipped import DEFAULT

#: As a job starts.
STARTS = """
import sys
from lighthouse.runtime.lazy import import_lazily
import_lazily()
"""

#: As a job ends that has compiled nothing.
COMPILER = "print('torch._dynamo.eval_frame' in sys.modules)"


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


TRAINS = f"""{STARTS}import torch
from lighthouse.students.trainer import train_student
from lighthouse.students.runs import run_students
from lighthouse.students.teacher import load_teacher
sys.path.insert(0, {str(HELPERS)!r})
from toy_students import NETWORK, PROTOCOL, bars
for name in ("adamw", "sgd"):
    protocol = {{**PROTOCOL, "optimizer": name, "epochs": [[10, 2]], "evaluations": 1}}
    parts = {{"val": bars(6, 1), "test": bars(6, 2)}}
    run_students(bars(6, 0), parts, NETWORK, protocol, 2, 0, [0, 1])
{COMPILER}
"""

#: A function that torch compiles, with its graphs counted, and what an optimiser does with it.
COMPILES = """
import sys, torch
from lighthouse.runtime.optimizers import AdamW
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


#: What torch marks as not to be compiled, and what looks into the compiler for something else.
NUMBERS = """
import torch
from torch.func import functional_call, grad, vmap
from torch.utils.checkpoint import checkpoint
from lighthouse.runtime.optimizers import SGD, AdamW

class Square(torch.autograd.Function):
    @staticmethod
    def forward(context, x):
        context.save_for_backward(x)
        return x * x
    @staticmethod
    def backward(context, slope):
        return 2 * context.saved_tensors[0] * slope

def loss_of(weights, x):
    return Square.apply(functional_call(model, weights, (x,))).sum()

for kind, options in (AdamW, dict(weight_decay=0.1)), (SGD, dict(momentum=0.9)):
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(4, 5), torch.nn.Tanh(), torch.nn.Linear(5, 2))
    optimizer, seen = kind(model.parameters(), 0.05, **options), []
    optimizer.register_step_pre_hook(lambda *_: seen.append("before"))
    optimizer.register_step_post_hook(lambda *_: seen.append("after"))
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.1, 20)
    for reentrant in (False, True):
        optimizer.zero_grad()
        x = torch.randn(8, 4, requires_grad=True)
        loss_of(dict(model.named_parameters()), x).backward()
        checkpoint(model, x, use_reentrant=reentrant).square().sum().backward()
        def closure():
            assert torch.is_grad_enabled()
            return x.grad.square().sum()
        print(optimizer.step(closure).item().hex())
        schedule.step()
        optimizer.load_state_dict(optimizer.state_dict())
    assert torch.is_grad_enabled() and seen == ["before", "after"] * 2
    weights = torch.cat([weight.detach().flatten() for weight in model.parameters()])
    print(*(value.hex() for value in weights.tolist()))
    slope = grad(lambda v: torch.sin(v).sum())
    print(*(value.hex() for value in vmap(slope)(weights[:6].reshape(2, 3)).flatten().tolist()))
"""


def test_numbers_are_the_same_without_the_compiler_bit_by_bit():
    assert fresh(STARTS + NUMBERS) == fresh(NUMBERS)


def test_students_are_trained_without_torchs_compiler():
    assert fresh(TRAINS) == ["False"]


@pytest.mark.parametrize("before", ["", NUMBERS, "from diffusers import DiTTransformer2DModel\n"])
def test_who_asks_for_torchs_compiler_has_it(before):
    assert fresh(STARTS + before + COMPILES)[-2:] == ["1", "0.9"]


#: Ways to the compiler, each with what it should find.
ASKS = {
    "import torch; found = torch._dynamo.config": "torch._dynamo.config",
    "from torch._dynamo import config as found": "torch._dynamo.config",
    "import torch._dynamo.exc as found": "torch._dynamo.exc",
    "from torch._dynamo.backends import registry as found": "torch._dynamo.backends.registry",
    "from torch._dynamo import utils as found; found.counters": "torch._dynamo.utils",
    "import torch._dynamo.utils; torch._dynamo.utils.counters; found = torch._dynamo": (
        "torch._dynamo"
    ),
}


@pytest.mark.parametrize("asks", ASKS)
def test_the_compiler_is_loaded_once_whoever_asks_for_it(asks):
    program = f"""{STARTS}
seen = []
from importlib.machinery import SourceFileLoader
run = SourceFileLoader.exec_module
def noted(self, module):
    seen.append(module.__name__)
    run(self, module)
SourceFileLoader.exec_module = noted
{asks}
real = sys.modules["{ASKS[asks]}"]
compiler = [name for name in seen if name.startswith("torch._dynamo")]
print(len(compiler) > 20, len(compiler) == len(set(compiler)))
print(real.__spec__.name, real.__spec__.origin == real.__file__, real.__name__)
print(sys.modules["torch._dynamo"].config is sys.modules["torch._dynamo.config"])
"""
    name = ASKS[asks]
    assert fresh(program) == ["True", "True", name, "True", name, "True"]


def test_a_compiler_that_is_loaded_stays():
    same = "print(sys.modules['torch._dynamo'] is before)"
    assert fresh(f"import torch._dynamo as before\n{STARTS}{same}") == ["True"]


def test_statistics_are_there_for_who_uses_them():
    program = f"""{STARTS}
import scipy.stats
print('scipy.special' in sys.modules, scipy.stats.norm.cdf(0), 'scipy.special' in sys.modules)
from scipy.stats import t
import scipy.stats.distributions as below
print(below.t is t is scipy.stats.t)
"""
    assert fresh(program) == ["False", "0.5", "True", "True"]


USES = f"""{STARTS}from diffusers import AutoencoderKL, DDPMScheduler, DiTTransformer2DModel
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
{COMPILER}
"""


def test_diffusers_is_used_without_torchs_compiler():
    assert fresh(USES) == ["False"]


def test_a_dit_is_had_without_diffusers_other_transformers():
    program = f"""{STARTS}
from diffusers import DiTTransformer2DModel
other = "diffusers.models.transformers.pixart_transformer_2d"
print(other in sys.modules)
from diffusers.models.transformers import PixArtTransformer2DModel
import diffusers.models.transformers as package
print(other in sys.modules, package.DiTTransformer2DModel is DiTTransformer2DModel)
print(PixArtTransformer2DModel.__module__ == other, package.__spec__.origin == package.__file__)
"""
    assert fresh(program) == ["False", "True", "True", "True", "True"]


@pytest.mark.parametrize("name", ["autoencoder", "sample", "prior", "prior_verdict"])
def test_jobs_load_no_other_models_of_diffusers(name):
    kinds = "autoencoders.vq_model", "transformers.pixart_transformer_2d", "unets.unet_2d_condition"
    told = f"print(*('diffusers.models.' + kind in sys.modules for kind in {kinds}))"
    assert fresh(f"{STARTS}{imports_of(SCRIPTS / f'{name}.py')}\n{told}") == ["False"] * 3


@pytest.mark.parametrize("name", ["set_metrics", "strategies", "features"])
def test_metrics_are_taken_without_torchs_compiler(name):
    assert fresh(f"{STARTS}{imports_of(SCRIPTS / f'{name}.py')}\n{COMPILER}") == ["False"]


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
    of_items = items(load_study(DEFAULT, ROOT))
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
        assert program_of(stage).endswith(f"start(None)\n{imports}{late}")
    # And these names are right: a figure's maker, and what writes every table's page.
    makers = {item.maker.partition(":")[0] for item in items(load_study(DEFAULT, ROOT))}
    assert LATE["figures"] in makers
    making = (LIBRARY / "lighthouse" / "report" / "making.py").read_text()
    assert f"from {LATE['tables']} import" in making
