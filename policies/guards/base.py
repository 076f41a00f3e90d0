"""What a guard is, and how one is found by the name of its file.

Adding a guard: one file in this folder with `Parameters` (a pydantic model) and `build(name, directions, parameters)`,
and one entry under `guards` in config/policies.yaml. Guards are pure: they read passages and answer with codes. The
order in which they are asked, and what happens when one raises, is the engine's.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, cast

from pydantic import BaseModel, ConfigDict

import policies.guards
from policies.model import Direction, Passage, PolicyFault


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a guard says of a text: codes only, never anything that stood in the text.

    Attributes:
        reasons: codes of `policies.reasons`; none means that the text may pass.
        rules: identifiers of the rules that matched, from the policy file or the guard's own fixed list.
    """

    reasons: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()

    @property
    def passes(self) -> bool:
        """Nothing found."""
        return not self.reasons


PASS = Verdict()


class Guard(Protocol):
    """Reads what goes in or comes out, and says whether it may pass."""

    @property
    def name(self) -> str:
        """Unique in the policy; appears in records as `guard.<name>`."""
        ...

    @property
    def directions(self) -> frozenset[Direction]:
        """Where the guard stands: before the model (`in`), behind it (`out`), or both."""
        ...

    def check(self, passages: Sequence[Passage]) -> Verdict:
        """Read all passages of one request or answer, in their order. May raise: the engine then refuses."""
        ...


class GuardParameters(BaseModel):
    """Base of every guard's `Parameters`: an unknown key or a value of another type stops the start."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class GuardKind(Protocol):
    """The module of a guard."""

    Parameters: type[GuardParameters]

    def build(self, name: str, directions: frozenset[Direction], parameters: Any) -> Guard:
        """Make a guard from validated `Parameters`."""
        ...


class GuardRegistry:
    """The guards of one engine, in order, each name once."""

    def __init__(self, guards: Iterable[Guard] = ()) -> None:
        """Register `guards`.

        Raises:
            PolicyFault: two of them have the same name.
        """
        self._guards: dict[str, Guard] = {}
        for guard in guards:
            self.add(guard)

    def add(self, guard: Guard) -> None:
        """Register one more.

        Raises:
            PolicyFault: the name is taken.
        """
        if guard.name in self._guards:
            raise PolicyFault(f"guard {guard.name!r} is registered twice")
        self._guards[guard.name] = guard

    def __iter__(self) -> Iterator[Guard]:
        return iter(self._guards.values())


def kinds() -> tuple[str, ...]:
    """The names of the guards that exist: the files beside this one."""
    return tuple(
        sorted(module.name for module in pkgutil.iter_modules(policies.guards.__path__) if module.name != "base")
    )


def kind(name: str) -> GuardKind:
    """The guard module called `name`.

    Raises:
        PolicyFault: there is none.
    """
    if name not in kinds():
        raise PolicyFault(f"unknown guard {name!r}; there are: {', '.join(kinds())}")
    return cast("GuardKind", importlib.import_module(f"policies.guards.{name}"))
