"""What is trained at the end of a session, kept with it so that it goes on as it began."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class TrainingChoice(BaseModel):
    """What chooses the decoder of a session, as the options of ``calibrate`` say it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    decoder: str = "auto"
    weights: str = "default"
    population: str = "auto"
    dynamic_stopping: bool = False

    def or_of(self, begun: TrainingChoice) -> TrainingChoice:
        """Return this choice, with what a session was begun with where nothing else is chosen.

        Parameters
        ----------
        begun : TrainingChoice
        """
        return begun.model_copy(update=self.model_dump(exclude_defaults=True))
