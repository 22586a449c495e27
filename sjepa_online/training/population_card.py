"""The model card of a population of imagery."""

from __future__ import annotations

from collections.abc import Sequence

from sjepa_online.decoding.transfer.imagery.population import ImageryPopulationConfig
from sjepa_online.signal.cortex import LEAST_ELECTRODES
from sjepa_online.training.population_network import N_SEEDS
from sjepa_online.training.spatiotemporal_network import N_SEEDS as N_SPATIOTEMPORAL


def model_card(name: str, config: ImageryPopulationConfig) -> str:
    """Return the model card of a population as Markdown.

    Parameters
    ----------
    name : str
        Name of the population.
    config : ImageryPopulationConfig

    Returns
    -------
    text : str
    """
    score = config.held_out
    simulated = "Simulated people. " if config.simulated else ""
    start = f" of the weights `{config.weights}`" if config.weights else ""
    return f"""# {name}

{simulated}A network that decodes imagery of the left and the right hand of a person whom it was
not trained on, without a label of that person or with some.

- **What it holds**: {N_SEEDS} networks (spatial filter, first convolution{start}, log power in
  windows of 0.5 s, linear) and {N_SPATIOTEMPORAL} of another kind (filters over electrodes and
  time, log power in windows of 0.25 s, linear), the mean covariance of the people, and
  fingerprints of the trials by which their people are recognised. No recording.
- **Made from**: {config.n_trials} trials of {len(config.people)} people
  ({_listed(config.people)}), protocol `{config.protocol}`.
- **Reads**: {", ".join(config.ch_names)}; 7 to 32 Hz only, so that eye movements and
  muscles have little part. A montage needs {LEAST_ELECTRODES} of these electrodes, C3, Cz and C4
  for instance; those that it lacks are estimated.
- **What it reaches**: people left out of the training, aligned by their own unlabelled trials:
  accuracy {score.accuracy:.3f} (95 % interval over people {score.interval[0]:.3f} to
  {score.interval[1]:.3f}); {100 * score.share_above_070:.0f} % of the people at 0.70 or more.
- **When it is not sure**: the logits of a person spread by less than {config.doubt_below:.2f}.
"""


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names) if len(names) <= 6 else f"{names[0]} to {names[-1]}"
