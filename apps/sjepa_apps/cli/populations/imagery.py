"""``sjepa-online population`` for imagery: a network that other people's imagery trains."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from sjepa_apps.cli.common import progress_bar, say

if TYPE_CHECKING:
    from sjepa_online.data import Recording
    from sjepa_online.protocol import Protocol


def make_imagery_population(
    recordings: list[Recording], protocol: Protocol, out: Path, weights: str | None
) -> tuple[str, dict[str, Any]]:
    """Train a network, save it with its model card, and describe how it decodes other people.

    Parameters
    ----------
    recordings : list of Recording
    protocol : Protocol
    out : Path
        File to write.
    weights : str or None
        Pretrained weights of the first convolution; None for cosines.

    Returns
    -------
    text : str
        Size and scores of the population.
    described : dict
        Configuration of the file.

    Raises
    ------
    InputError
        The recordings are of one person, or not imagery of left and right.
    """
    from sjepa_online.training.both_networks import N_EPOCHS, forget_state
    from sjepa_online.training.imagery_population import (
        first_convolution,
        group_by_person,
        read_person,
        train_population,
    )
    from sjepa_online.training.population_card import model_card

    groups = group_by_person(recordings)
    kernels = first_convolution(weights)
    people = []
    with progress_bar("Preprocessing", len(groups)) as advance:
        for name, own in groups.items():
            people.append(read_person(name, own, protocol, kernels))
            advance()
    interrupted = out.with_suffix(".training")
    if interrupted.exists():
        say(f"Going on from {interrupted}")
    try:
        with progress_bar("Training", N_EPOCHS) as advance:
            made = train_population(
                people, protocol, weights=weights, resume_from=interrupted, progress=advance
            )
    except KeyboardInterrupt:
        say(f"Stopped. The same command goes on from {interrupted}; delete it to begin anew")
        raise
    made.save(out)
    out.with_suffix(".md").write_text(model_card(out.stem, made.config), encoding="utf-8")
    forget_state(interrupted)
    score, n_people = made.config.held_out, len(made.config.people)
    told = (
        f"{made.config.n_trials} trials of {n_people} people on "
        f"{', '.join(made.config.ch_names)}\n"
        f"People left out, without a label of theirs: accuracy {score.accuracy:.3f} "
        f"({score.interval[0]:.3f} to {score.interval[1]:.3f}), "
        f"{100 * score.share_above_070:.0f} % of them at 0.70 or more"
    )
    return told, made.config.model_dump(mode="json")
