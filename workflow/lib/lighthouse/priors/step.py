"""One step of a prior's training: forward, back, and the weights moved."""

from collections.abc import Mapping

import torch
from accelerate import Accelerator
from torch import Tensor, nn

from lighthouse.diffusion.denoiser import has_learned_variance, predict, width
from lighthouse.diffusion.schedule import alphas_bar, betas
from lighthouse.priors.batch import Batch
from lighthouse.priors.length import Length, peak_rate
from lighthouse.priors.variance import VariationalBound
from lighthouse.runtime.counting import many
from lighthouse.runtime.finite import LossWatch
from lighthouse.runtime.launching import GRAPHS, PLAIN, at_work, launched
from lighthouse.runtime.memory import capacity, largest_that_fits
from lighthouse.runtime.optimizers import AdamW, clip_gradients, rate_schedule
from lighthouse.runtime.precision import autocast, training_attention
from lighthouse.runtime.tally import Tally


class Step:
    """One step of the optimizer, in this process.

    ``launch``: as asked for, or ``plain`` where a recorded graph would not be the same step: with
    several processes; with an objective that keeps something from step to step, and may count in
    Python; with a one-cycle schedule, which moves AdamW's β₁, a number of Python's; with
    activations that are computed twice.

    ``tally``: how often gradients were clipped, and likelihoods floored.
    """

    def __init__(
        self,
        accelerator: Accelerator,
        model: nn.Module,
        weights: nn.ParameterList,
        objective: nn.Module,
        options: Mapping,
        length: Length,
        launch: str,
    ):
        # A list: torch would look up a ParameterList's entries by their names, at each step.
        self.accelerator, self.model, self.weights = accelerator, model, [*weights]
        self.objective, self.options, device = objective, options, accelerator.device
        self.tally = Tally()
        # The model, with gradients averaged over the processes.
        self.network = accelerator.prepare_model(model)
        self.launch = at_work(launch, device)
        if self.launch == GRAPHS and not self._is_one_graph():
            self.launch = PLAIN
        recorded = self.launch == GRAPHS
        peak = peak_rate(options, width(model))
        # What a graph reads at each replay is a tensor: the rate that falls, and the steps done.
        rate = torch.tensor(peak, device=device) if recorded else peak
        self.optimizer = AdamW(weights, rate, weight_decay=0, capturable=recorded)
        self.schedule = rate_schedule(
            self.optimizer, options["schedule"], peak, length.end, length.trapezoid
        )
        # Several processes share gradients: the one whose image went wrong has to say so before
        # all weights are.
        self.watch = LossWatch(1) if accelerator.num_processes > 1 else LossWatch()
        self.alpha_bar = alphas_bar().to(device)
        self.bound = VariationalBound(betas(), device) if has_learned_variance(model) else None
        self.work = launched(self._work, self.launch, device)

    def _is_one_graph(self) -> bool:
        return (
            self.accelerator.num_processes == 1
            and not self.objective.state_dict()
            and self.options["schedule"]["kind"] != "one-cycle"
            and not self.options["gradient_checkpointing"]
        )

    def on_device(self) -> None:
        """Have what a graph reads on its device: a checkpoint leaves the rate on the CPU."""
        for group in self.optimizer.param_groups:
            if isinstance(group["lr"], Tensor):
                group["lr"] = group["lr"].to(self.accelerator.device)

    def __call__(self, batch: Batch, what: str) -> dict[str, Tensor]:
        """Update the weights by this process's slice of a batch; return the parts of the loss."""
        found = self.work(*batch.tensors)
        self.watch.add(found.pop(LOSS), found.pop(PREDICTION), batch.chosen, what)
        if CLIPPED in found:
            self.tally.add("gradients_clipped", found.pop(CLIPPED).long(), 1)
        if FLOORED in found:
            self.tally.add("likelihoods_floored", found.pop(FLOORED), found.pop(JUDGED))
        self.schedule.step()
        return found

    def _work(self, *tensors: Tensor) -> dict[str, Tensor]:
        """The step itself, of a batch's tensors: loss, prediction, and the parts of the loss."""
        batch = Batch(*tensors)
        arithmetic = self.accelerator.device, self.options["precision"]
        with training_attention(*arithmetic), autocast(*arithmetic):
            raw = predict(self.network, batch.z_t, batch.t, batch.labels)
        raw = raw.float()
        prediction = raw[:, : batch.z_t.shape[1]]
        loss, losses = self.objective(prediction, batch)
        counts = {}
        if self.bound:
            bound = self.bound(raw[:, batch.z_t.shape[1] :], prediction, batch)
            loss, losses = loss + bound.bits, {**losses, "variance": bound.bits}
            counts = {FLOORED: bound.floored, JUDGED: bound.judged}
        self.optimizer.zero_grad()
        self.accelerator.backward(loss)
        clipped = clip_gradients(self.weights, self.options)
        if clipped is not None:
            counts[CLIPPED] = clipped
        self.optimizer.step()
        found = {**losses, **counts, LOSS: loss, PREDICTION: prediction}
        return {name: value.detach() for name, value in found.items()}

    def attempt(self, batch: Batch, what: str) -> dict[str, Tensor] | None:
        """The same as a call; None where it does not fit into the device's memory.

        A function of its own, whose return lets go of what the failed step held.
        """
        try:
            return self(batch, what)
        except torch.OutOfMemoryError:
            return None

    def advice(self, batch: Batch) -> str:
        """What to do where ``batch`` does not fit. Leaves weights that are good for nothing."""
        # Without the other processes, which wait for this one's gradients.
        self.network, self.work = self.model, self._work
        self.accelerator.free_memory()
        processes = self.accelerator.num_processes
        fits = processes * largest_that_fits(
            lambda size: self(batch.first(size), "trial"), len(batch.z0) // 2
        )
        hint = "" if self.options["gradient_checkpointing"] else ", or gradient_checkpointing: true"
        return (
            f"a batch of {self.options['batch_size']} images on {many(processes, 'device')} does "
            f"not fit into {capacity(self.accelerator.device)}; "
            + (f"{fits} fit: set batch_size{hint}" if fits else f"not even one on each fits{hint}")
        )


#: Beside the parts of the loss, which have names of their own.
LOSS, PREDICTION = "the loss", "the prediction"
CLIPPED, FLOORED, JUDGED = "gradient clipped", "likelihoods floored", "likelihoods"
