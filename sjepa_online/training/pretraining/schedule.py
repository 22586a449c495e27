"""Learning rate and decay of the moving average as functions of the step."""

from __future__ import annotations

import math

from sjepa_online.training.pretraining.recipe import Recipe


def learning_rate(recipe: Recipe, step: int, steps_per_epoch: int) -> float:
    """Rise linearly during the warm-up, then fall as half a cosine to zero.

    Parameters
    ----------
    recipe : Recipe
        Peak, warm-up and length.
    step : int
        Steps taken so far.
    steps_per_epoch : int
        Steps of an epoch.

    Returns
    -------
    rate : float
    """
    plan = recipe.optimisation
    warmup = plan.warmup_epochs * steps_per_epoch
    if step < warmup:
        return plan.learning_rate * (step + 1) / (warmup + 1)
    done = (step - warmup) / max(plan.max_epochs * steps_per_epoch - warmup, 1)
    return plan.learning_rate * 0.5 * (1 + math.cos(math.pi * min(done, 1.0)))


def ema_decay(recipe: Recipe, step: int, steps_per_epoch: int) -> float:
    """Rise linearly from the recipe's first value to its last.

    Parameters
    ----------
    recipe : Recipe
        First and last value, and length.
    step : int
        Steps taken so far.
    steps_per_epoch : int

    Returns
    -------
    float
        Share of the target that stays in an update.
    """
    plan = recipe.objective
    done = min(step / (recipe.optimisation.max_epochs * steps_per_epoch), 1.0)
    return plan.ema_start + (plan.ema_end - plan.ema_start) * done
