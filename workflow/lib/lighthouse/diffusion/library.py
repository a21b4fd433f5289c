"""What is used of diffusers. Importing it from here takes a third of the time.

diffusers loads torch's compiler, to mark functions as not to be compiled, and scipy, torchvision
and transformers where they are installed, for models that are not used here.
"""

from lighthouse.runtime.imports import preload, unmarked

__all__ = ["AutoencoderKL", "DDPMScheduler", "DiTTransformer2DModel", "ModelMixin"]

preload(
    "diffusers",
    __all__,
    without={
        "torch._dynamo": {"disable": unmarked, "allow_in_graph": unmarked},
        "torchvision": None,
        "scipy": None,
        "transformers": None,
    },
)

from diffusers import AutoencoderKL, DDPMScheduler, DiTTransformer2DModel, ModelMixin  # noqa: E402
