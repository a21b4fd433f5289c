"""The same bytes on any x86-64 processor with AVX2: which code the libraries choose by processor.

Torch, oneDNN, MKL, numpy and OpenBLAS look at the processor when they are loaded, and take code for
it that rounds as it likes. All can be held to one choice by the environment, and only before.
"""

from collections.abc import MutableMapping

#: Each is needed: processors differ without it in torch's own loops (softmax); in oneDNN's
#: convolutions and GELU; in MKL's products, functions and decompositions; in numpy's functions; in
#: the decompositions of numpy and scipy. MKL has a faster choice, AVX2, which it takes on Intel's
#: processors alone.
PORTABLE = {
    "ATEN_CPU_CAPABILITY": "avx2",
    "ONEDNN_MAX_CPU_ISA": "AVX2",
    "MKL_CBWR": "COMPATIBLE",
    "NPY_DISABLE_CPU_FEATURES": "X86_V4 AVX512_ICL AVX512_SPR",
    "OPENBLAS_CORETYPE": "Haswell",
}


def make_portable(environment: MutableMapping[str, str]) -> None:
    """Have the processes started with this environment compute the same on any processor.

    Over what it says already: a study's config decides, not the shell that it is started from.
    """
    environment.update(PORTABLE)


def is_portable(environment: MutableMapping[str, str]) -> bool:
    """Whether a process with this environment computes the same on any processor."""
    return PORTABLE.items() <= environment.items()
