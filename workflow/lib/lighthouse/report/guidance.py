"""The guidance table: weights as given, and as applied to latents of another size."""

from collections.abc import Mapping, Sequence

from lighthouse.report.records import Stored
from lighthouse.report.tables import CELL, MEASURED, MISSING, NAN, Table
from lighthouse.units import mean_pull

GUIDANCE_COLUMNS = (
    *CELL,
    "latent_dim",
    "eta_dpp_applied",
    "eta_share",
    "mu_dm_applied",
    "mean_pull",
    "k_influence",
    "gamma_deviation",
    "gamma_deviation_applied",
    "mode_scale",
    "status",
)


def guidance_table(latents: Sequence[Stored | None], cells: Sequence[Mapping]) -> dict:
    """Guidance weights as given and as applied, by cell. latents: the samples of each."""
    rows = [
        guidance_row(cell, None if of is None else of.about, mean_pull(cell["mu_dm"], cell["ipc"]))
        for cell, of in zip(cells, latents, strict=True)
    ]
    return {"table": Table(rows, GUIDANCE_COLUMNS)}


def guidance_row(cell: Mapping, about: Mapping | None, pull: float) -> dict:
    """A row of the guidance table: weights as given, and as applied to this latent size.

    about: the header of the cell's samples, None where they failed. Weights that grow
    with a latent's size have an applied one beside them (``units.TERM_WEIGHTS``); that
    of a term which the method has not is 0. ``eta_share`` is η/D of the applied weight,
    about the share of a latent's length by which a DPP step moves it; ``mean_pull`` the
    share of the set's drift from the class mean that a step removes.
    """
    keys = {name: cell[name] for name in CELL}
    if about is None:
        return {**dict.fromkeys(GUIDANCE_COLUMNS, NAN), **keys, "status": MISSING}
    options = about["options"]
    given, applied = options["weights"], options["applied_weights"]
    dim, eta = options["latent_dim"], applied.get("eta_dpp", 0.0)
    return {
        **keys,
        "latent_dim": dim,
        "eta_dpp_applied": eta,
        "eta_share": eta / dim,
        "mu_dm_applied": applied.get("mu_dm", 0.0),
        "mean_pull": pull,
        "k_influence": given.get("k_influence", 0.0),
        "gamma_deviation": given.get("gamma_deviation", 0.0),
        "gamma_deviation_applied": applied.get("gamma_deviation", 0.0),
        "mode_scale": given.get("mode_scale", 0.0),
        "status": MEASURED,
    }
