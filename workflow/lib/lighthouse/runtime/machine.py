"""The hardware that a result was computed on, as records name it."""

import os
import platform
import sys
from contextlib import suppress
from pathlib import Path

from lighthouse.runtime.arithmetic import is_portable

#: Instructions by which libraries choose their code, as Linux names them.
VECTORS = ("avx2", "fma", "avx512f", "avx512_bf16", "avx512_fp16", "amx_tile")
CPUINFO = Path("/proc/cpuinfo")
DRIVER = Path("/sys/module/nvidia/version")


def machine() -> dict:
    """The processor, what it can do, what of that torch uses, and the accelerator with its driver.

    ``vectors`` is empty where the system is not Linux on x86-64. ``torch_vectors`` is None where
    torch is not loaded, ``gpu`` and ``driver`` are where it sees no accelerator.
    """
    cpu = _cpuinfo()
    torch = sys.modules.get("torch")
    gpu = torch is not None and torch.cuda.is_available()
    flags = cpu.get("flags", "").split()
    return {
        "processor": cpu.get("model name") or platform.processor() or platform.machine(),
        "vectors": [name for name in VECTORS if name in flags],
        "torch_vectors": torch.backends.cpu.get_cpu_capability() if torch else None,
        "portable": is_portable(os.environ),
        "gpu": torch.cuda.get_device_name() if gpu else None,
        "driver": _text(DRIVER) if gpu else None,
    }


def _cpuinfo() -> dict[str, str]:
    """What Linux says of the first processor; nothing on another system."""
    first = (_text(CPUINFO) or "").split("\n\n")[0]
    pairs = (line.partition(":") for line in first.splitlines())
    return {name.strip(): value.strip() for name, _, value in pairs}


def _text(path: Path) -> str | None:
    with suppress(OSError):
        return path.read_text(encoding="utf-8").strip()
    return None
