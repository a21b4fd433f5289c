"""The arithmetic that holds on any processor, and the machine in records."""

import json
import os
import platform
import subprocess
import sys

import numpy as np
import pytest
import torch

from lighthouse.runtime import machine as hardware
from lighthouse.runtime.arithmetic import PORTABLE, is_portable, make_portable
from lighthouse.runtime.cells import content_digest
from lighthouse.runtime.contents import read_record, tensors_digest, without_machine
from lighthouse.runtime.files import write_json, write_tensors
from lighthouse.runtime.machine import machine
from lighthouse.runtime.provenance import provenance, study_record

ON_X86 = pytest.mark.skipif(platform.machine() != "x86_64", reason="the claim is of x86-64 alone")

#: What libraries compute when they are loaded under the portable arithmetic: numbers whose bytes
#: differ between processors where any one of its variables is missing.
COMPUTES = """
import hashlib, json
import numpy as np, scipy.linalg, torch
from numpy._core._multiarray_umath import __cpu_features__
from torch.nn import functional as F
from threadpoolctl import threadpool_info

torch.set_num_threads(1)
rng = np.random.Generator(np.random.PCG64(0))

def exact(*shape):  # integers, scaled: drawing them rounds nothing
    return rng.integers(-(2**20), 2**20, shape).astype(np.float64) / 2**20

def tensor(*shape):
    return torch.from_numpy(exact(*shape).astype(np.float32))

a, square = exact(50, 64), exact(32, 32)
image, weight = tensor(10, 128, 8, 8).requires_grad_(), tensor(128, 128, 3, 3).requires_grad_()
convolved = F.conv2d(image, weight, padding=1)
convolved.backward(tensor(*convolved.shape))
results = {
    "softmax": F.softmax(tensor(64, 30), -1),
    "convolution": convolved.detach(),
    "its gradient": weight.grad,
    "gelu": F.gelu(tensor(64, 64)),
    "product": tensor(500, 64) @ tensor(64, 10),
    "logarithm": torch.log(tensor(999).abs() + 0.1),
    "eigenvalues": torch.linalg.eigvalsh(tensor(16, 16)),
    "numpy's logarithm": np.log(np.abs(a) + 0.1),
    "numpy's singular values": np.linalg.svd(a, compute_uv=False),
    "scipy's eigenvalues": scipy.linalg.eigvalsh(square @ square.T),
}
def digest(of):
    return hashlib.sha256(np.asarray(of).tobytes()).hexdigest()[:8]

wider = ("X86_V3", "X86_V4", "AVX512_ICL", "AVX512_SPR")
blas = [one for one in threadpool_info() if one["internal_api"] == "openblas"]
print(json.dumps({
    "sha": {name: digest(of) for name, of in results.items()},
    "torch": torch.backends.cpu.get_cpu_capability(),
    "numpy": [name for name in wider if __cpu_features__.get(name)],
    "openblas": sorted({one["architecture"] for one in blas}),
}))
"""


@pytest.fixture(scope="module")
def computed():
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    make_portable(environment)
    done = subprocess.run(
        [sys.executable, "-c", COMPUTES], env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@ON_X86
def test_every_library_takes_the_code_that_it_is_told_to(computed):
    assert computed["torch"] == "AVX2"
    assert computed["numpy"] == ["X86_V3"]
    assert computed["openblas"] == ["Haswell"]


@ON_X86
def test_the_portable_arithmetic_has_these_bytes_on_every_processor(computed):
    """Frozen: on a processor where one of them is another the claim of ``PORTABLE`` is wrong."""
    assert computed["sha"] == {
        "softmax": "df1547ea",
        "convolution": "63fbe67b",
        "its gradient": "944ff2ea",
        "gelu": "c32c2c8f",
        "product": "34d89fbb",
        "logarithm": "0c9b9cae",
        "eigenvalues": "ca2e558a",
        "numpy's logarithm": "0d3233b4",
        "numpy's singular values": "79864ead",
        "scipy's eigenvalues": "6441bda6",
    }


def test_a_process_is_portable_under_all_variables_and_no_fewer():
    environment = {"MKL_CBWR": "AVX2", "HOME": "/"}
    assert not is_portable(environment)
    make_portable(environment)
    assert environment == {**PORTABLE, "HOME": "/"}
    assert is_portable(environment)
    assert not any(is_portable({k: v for k, v in PORTABLE.items() if k != n}) for n in PORTABLE)


# The machine.

CPUINFO = """processor\t: 0
model name\t: Some Processor @ 2.10GHz
flags\t\t: fpu avx2 fma avx512f

processor\t: 1
model name\t: Another
"""


def test_a_record_names_the_processor_and_what_torch_uses_of_it(tmp_path, monkeypatch):
    (tmp_path / "cpuinfo").write_text(CPUINFO)
    monkeypatch.setattr(hardware, "CPUINFO", tmp_path / "cpuinfo")
    monkeypatch.setattr(os, "environ", {})
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    expected = {
        "processor": "Some Processor @ 2.10GHz",
        "vectors": ["avx2", "fma", "avx512f"],
        "torch_vectors": torch.backends.cpu.get_cpu_capability(),
        "portable": False,
        "gpu": None,
        "driver": None,
    }
    assert machine() == expected
    assert provenance(steps=3)["machine"] == expected
    assert study_record({}, [], None)["record"]["machine"] == expected
    monkeypatch.setattr(os, "environ", dict(PORTABLE))
    assert machine() == {**expected, "portable": True}


def test_a_record_names_the_accelerator_and_its_driver(tmp_path, monkeypatch):
    (tmp_path / "version").write_text("595.10\n")
    monkeypatch.setattr(hardware, "DRIVER", tmp_path / "version")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "NVIDIA H100")
    assert (machine()["gpu"], machine()["driver"]) == ("NVIDIA H100", "595.10")


def test_where_a_system_says_nothing_the_processor_has_a_name_all_the_same(tmp_path, monkeypatch):
    monkeypatch.setattr(hardware, "CPUINFO", tmp_path / "none")
    assert machine()["processor"] == (platform.processor() or platform.machine())
    assert machine()["vectors"] == []


# What the digests of results leave out.


def folder_of(folder, processor, number=1.0, steps=3):
    """A model's folder as one machine writes it: record, weights, another file."""
    about = {"options": {"steps": steps}, "machine": {"processor": processor}}
    folder.mkdir()
    write_json(folder / "record.json", {"base": about, **about})
    write_tensors(folder / "w.safetensors", {"x": np.full((2, 3), number)}, {"prior": [about]})
    (folder / "index.tsv").write_text("a\n")
    return folder


def test_what_another_machine_computed_to_the_same_bytes_is_the_same(tmp_path):
    first = folder_of(tmp_path / "a", "Xeon")
    assert content_digest([folder_of(tmp_path / "b", "EPYC")]) == content_digest([first])


@pytest.mark.parametrize("change", [{"number": 2.0}, {"steps": 4}])
def test_another_number_or_option_is_not_the_same(tmp_path, change):
    first = folder_of(tmp_path / "a", "Xeon")
    assert content_digest([folder_of(tmp_path / "b", "Xeon", **change)]) != content_digest([first])


def test_the_digest_of_tensors_is_of_no_record(tmp_path):
    paths = [tmp_path / f"{i}.safetensors" for i in range(3)]
    write_tensors(paths[0], {"x": np.zeros(3)}, {"a": 1})
    write_tensors(paths[1], {"x": np.zeros(3)}, {"a": 2})
    write_tensors(paths[2], {"y": np.zeros(3)}, {"a": 1})
    digests = [tensors_digest(path) for path in paths]
    assert digests[0] == digests[1] != digests[2]
    assert [read_record(path) for path in paths] == [{"a": 1}, {"a": 2}, {"a": 1}]


def test_the_machine_is_left_out_at_any_depth():
    record = {"machine": 1, "a": [{"machine": 2, "b": 3}], "c": {"machine": {"d": 4}}}
    assert without_machine(record) == {"a": [{"b": 3}], "c": {}}
