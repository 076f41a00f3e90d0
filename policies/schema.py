"""The shape of config/policies.yaml: which keys there are, and which values they take.

Checked key by key here; what needs the whole file (references between sections) is checked in `policies.bundle`.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

# Lengths are such that every identifier made of these fits a record's 64 characters.
from policies.model import BackendKind, Direction, MaskAction

RoleName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,19}$")]
RuleName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$", max_length=36)]
Entity = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]{0,39}$")]
BackendName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,19}$")]
MOST_LISTED = 500


def _speaks(text: str) -> str:
    if not any(map(str.isalnum, text)):
        raise ValueError("a listed text has a letter or a digit")
    return text


ListedText = Annotated[str, Field(min_length=3, max_length=64), AfterValidator(_speaks)]
Count = Annotated[int, Field(ge=0, le=2**53 - 1)]


class Section(BaseModel):
    """Base of all sections: an unknown key, or a value of another type, stops the start."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, populate_by_name=False)


class LimitsSection(Section):
    """What one principal of the role may use; 0 means none."""

    requests_per_minute: Count
    tokens_per_day: Count
    concurrent_turns: Count
    max_messages: Count
    max_chars: Count
    max_output_tokens: Count


class RoleSection(Section):
    """One role: what it may do, and how much."""

    permissions: list[str] = Field(min_length=1)
    limits: LimitsSection


class ForbidSection(Section):
    """A rule that overrides every permission."""

    id: RuleName
    roles: list[RoleName] = Field(min_length=1)
    actions: list[str] = Field(min_length=1)
    when: dict[str, str | int | bool] = Field(default_factory=dict)


class GuardSection(Section):
    """One guard, in the order in which it is asked."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]{0,19}$")
    use: str | None = None
    directions: list[Direction] = Field(min_length=1)
    parameters: dict[str, Any]


class KindsSection(Section):
    """An action for each kind of backend."""

    local: MaskAction
    remote: MaskAction


class DirectionsSection(Section):
    """An action for each direction and kind."""

    in_: KindsSection = Field(alias="in")
    out: KindsSection


class MaskingDefaultsSection(Section):
    """What happens to each group of entities unless an override says otherwise."""

    identifiers: DirectionsSection
    names: DirectionsSection


class MaskingOverrideSection(Section):
    """An exception. Those that leave out direction, kind or backend hold for all of them; the first that fits wins."""

    entity: Entity
    direction: Direction | None = None
    kind: BackendKind | None = None
    backend: BackendName | None = None
    action: MaskAction


class AllowedSection(Section):
    """A text that is never masked as this entity."""

    text: ListedText
    entity: Entity


class DeniedSection(Section):
    """A text that is always masked, and the entity that it counts as."""

    text: ListedText
    entity: Entity


class ToolValuesSection(Section):
    """A tool, by its name or a pattern with `*`, and which entities are values again in its calls; else tokens stay."""

    tool: str = Field(pattern=r"^[A-Za-z0-9_.*?-]{1,64}$")
    destination: Literal["caller"] = "caller"
    restore: Literal["all"] | list[Entity]


class MaskingSection(Section):
    """Which entities are which, what happens to them, and which exact texts are never or always masked."""

    names: list[Entity]
    identifiers: list[Entity]
    default: MaskingDefaultsSection
    overrides: list[MaskingOverrideSection]
    allow: list[ListedText | AllowedSection] = Field(default_factory=list, max_length=MOST_LISTED)
    deny: list[DeniedSection] = Field(default_factory=list, max_length=MOST_LISTED)
    tools: list[ToolValuesSection] = Field(default_factory=list, max_length=256)


class RemoteSection(Section):
    """A remote backend: who may use it, where its provider processes what it gets, and what for (any, if left out)."""

    roles: list[RoleName]
    jurisdiction: str | None = Field(None, pattern=r"^[A-Z]{2}(-[A-Z0-9]{1,3})?$")
    purposes: list[RuleName] | None = None


class EgressSection(Section):
    """Forbids remote backends where all of its conditions hold."""

    id: RuleName
    backends: list[BackendName] | None = None
    roles: list[RoleName] | None = None
    purposes: list[RuleName] | None = None
    classified: RuleName | None = None
    entities: list[Entity] | None = None
    masked_over: Count | None = None


class BackendsSection(Section):
    """Roles that may use local backends, each remote one by its name, what may not leave, and who steps in for whom."""

    local: list[RoleName]
    remote: dict[BackendName, list[RoleName] | RemoteSection]
    egress: list[EgressSection] = Field(default_factory=list, max_length=64)
    fallback: dict[BackendName, list[BackendName]] = Field(default_factory=dict)


class ClassificationSection(Section):
    """How confidential a conversation may be said to be, lowest first."""

    levels: list[RuleName] = Field(default=["internal"], min_length=1, max_length=8)
    default: RuleName = "internal"


class RetentionSection(Section):
    """How long evidence is kept."""

    decision_record_days: int = Field(ge=1, le=36_525)


class LegalSection(Section):
    """What a record says about why personal data was processed."""

    purpose: RuleName
    purposes: list[RuleName] = Field(min_length=1)
    basis: Literal["consent", "contract", "legal-obligation", "vital-interests", "public-task", "legitimate-interests"]
    risk_class: Literal["minimal", "limited", "high"]
    notice_id: RuleName
    automated_decision: bool


class PolicyFile(Section):
    """The whole file."""

    version: Literal[1]
    roles: dict[RoleName, RoleSection] = Field(min_length=1)
    forbid: list[ForbidSection]
    guards: list[GuardSection] = Field(min_length=1, max_length=16)
    masking: MaskingSection
    backends: BackendsSection
    classification: ClassificationSection = ClassificationSection()
    keep_reasoning: bool = False
    retention: RetentionSection
    legal: LegalSection
