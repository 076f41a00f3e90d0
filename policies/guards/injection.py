"""A first guard against attempts to take over the model: signs are weighed, and enough of them refuse a text.

Each sign alone is harmless somewhere, so each has a weight, and a text is refused when the weights of the different
signs in it reach the threshold. Control tokens of chat templates are the exception: in a caller's text they can forge
a role in the prompt of a local model, so one is enough, whoever sends it. Signs are not looked for in the roles that
are meant to give instructions (`unscored_roles`).

This is a net with wide meshes: it catches what is common. It is no proof that a text is harmless.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pydantic import Field, field_validator

from policies.guards.base import PASS, GuardParameters, Verdict
from policies.guards.blocked_patterns import PatternGroup
from policies.model import Direction, Passage
from policies.text.canonical import has_hidden_run, hidden_texts, readings, visible
from policies.text.phrases import PhraseBook

# The family <|im_start|>, <|eot_id|>, <|begin_of_text|>, with the bar and underscore of other vendors.
_BAR_TOKEN = re.compile(r"<\|[a-z0-9_\u2581]{2,40}\|>")
_SYSTEM_HEADING = re.compile(
    r"^[ \t>]{0,8}#{3,6}[ \t]{0,8}syst[eè]me?[ \t]{0,8}(?::|#{3,6})?[ \t]{0,8}\r?$", re.MULTILINE
)
_SHAPES: Mapping[str, re.Pattern[str]] = {
    "system-line": re.compile(
        r"^[ \t>]{0,8}[\[(<*]{0,3}(?:syst[eè]me?|system (?:message|prompt)|message système)[\])>*]{0,3}[ \t]{0,8}:"
        r"|<system>|\[system(?: message)?\]|\{system\}|<!-- ?system ?-->",
        re.MULTILINE,
    ),
    "role-heading": re.compile(
        r"^[ \t>]{0,8}#{2,6}[ \t]{0,8}(?:instruction|response|human|assistant|user|input)[ \t]{0,8}:[ \t]{0,8}\r?$",
        re.MULTILINE,
    ),
    "end-of-sequence": re.compile(r"</s>|<s>|<eos>|<bos>"),
}


class Signal(PatternGroup):
    """Phrases that are a sign together, however many of them stand in a text."""

    weight: int = Field(ge=1, le=100, description="what the sign counts")


class Shapes(GuardParameters):
    """Weights of the signs that are no phrases; 0 switches one off."""

    hidden_text: int = Field(ge=0, le=100, description="twelve or more invisible characters in a row")
    system_line: int = Field(ge=0, le=100, description="a line or tag that speaks as the system")
    role_heading: int = Field(ge=0, le=100, description="a heading such as `### Response:`")
    end_of_sequence: int = Field(ge=0, le=100, description="`</s>`, `<bos>` and their like")


class Parameters(GuardParameters):
    """Threshold, signs and tokens."""

    threshold: int = Field(ge=1, le=1000, description="weights from which on a text is refused")
    unscored_roles: list[str] = Field(max_length=20, description="roles whose texts are searched for tokens only")
    control_tokens: list[str] = Field(max_length=200, description="tokens beside the family `<|name|>`")
    shapes: Shapes = Field(description="weights of the signs that are no phrases")
    signals: list[Signal] = Field(max_length=100, description="weighed groups of phrases")

    @field_validator("control_tokens")
    @classmethod
    def _tokens_are_long_enough(cls, tokens: list[str]) -> list[str]:
        if short := [token for token in tokens if len(visible(token)) < 5]:
            raise ValueError(f"control tokens of fewer than five characters: {', '.join(short)}")
        return [visible(token) for token in tokens]

    @field_validator("signals")
    @classmethod
    def _identifiers_differ(cls, signals: list[Signal]) -> list[Signal]:
        names = [signal.id for signal in signals]
        names += [shape.replace("_", "-") for shape in Shapes.model_fields]
        if doubled := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"two signs are called {', '.join(doubled)}")
        return signals


@dataclass(frozen=True, slots=True)
class InjectionGuard:
    """Weighs each passage for itself: a long conversation does not become suspicious by its length."""

    name: str
    directions: frozenset[Direction]
    threshold: int
    unscored_roles: frozenset[str]
    control_tokens: tuple[str, ...]
    weights: Mapping[str, int]
    signals: PhraseBook

    def check(self, passages: Sequence[Passage]) -> Verdict:
        for passage in passages:
            if self._has_control_token(passage.text):
                return Verdict(("guard.control_token",), (f"guard.{self.name}.control-token",))
        for passage in passages:
            if passage.role in self.unscored_roles:
                continue
            signs = self._signs(passage.text)
            if sum(signs.values()) >= self.threshold:
                return Verdict(("guard.injection",), tuple(f"guard.{self.name}.{sign}" for sign in signs))
        return PASS

    def _has_control_token(self, text: str) -> bool:
        for shown in (visible(text), *map(visible, hidden_texts(text))):
            if any(token in shown for token in self.control_tokens):
                return True
            if _BAR_TOKEN.search(shown) or _SYSTEM_HEADING.search(shown):
                return True
        return False

    def _signs(self, text: str) -> dict[str, int]:
        """The different signs in one text, with their weights."""
        shown = visible(text)
        signs = [shape for shape, pattern in _SHAPES.items() if pattern.search(shown)]
        if has_hidden_run(text):
            signs.append("hidden-text")
        signs += self.signals.found_in(readings(text))
        return {sign: self.weights[sign] for sign in signs if self.weights[sign]}


def build(name: str, directions: frozenset[Direction], parameters: Parameters) -> InjectionGuard:
    """Make the guard."""
    return InjectionGuard(
        name=name,
        directions=directions,
        threshold=parameters.threshold,
        unscored_roles=frozenset(parameters.unscored_roles),
        control_tokens=tuple(parameters.control_tokens),
        weights={
            **{shape.replace("_", "-"): weight for shape, weight in parameters.shapes.model_dump().items()},
            **{signal.id: signal.weight for signal in parameters.signals},
        },
        signals=PhraseBook([signal.compiled() for signal in parameters.signals]),
    )
