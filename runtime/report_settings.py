"""The `reports` section of the settings: what pages say about the organisation, which no record knows."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class ReportSettings(BaseModel):
    """Who answers for the processing; "" where the organisation has not said.

    Attributes:
        organisation: its legal name.
        privacy_officer: the person in charge of the protection of personal information, by name or title.
        contact: how to reach that person.
        recipients: who else receives personal data by contract, one line each.
        transfers: places outside the jurisdiction to which personal data go, one line each.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    organisation: str = Field("", max_length=200)
    privacy_officer: str = Field("", max_length=200)
    contact: str = Field("", max_length=400)
    recipients: tuple[str, ...] = ()
    transfers: tuple[str, ...] = ()
