"""Which witnesses count, and how many of them are enough. Pure: no I/O.

A policy is what somebody who checks a log brings along, as he brings the root key: nothing in the log directory can
widen it. Cosignatures are `cosignature`'s, where they are kept is `anchors`'.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from runtime.audit.checkpoint import Checkpoint, parse_checkpoint
from runtime.audit.cosignature import cosigned_at
from runtime.audit.errors import KeysError
from runtime.audit.notation import WITNESS_KEY, VerifierKey, parse_vkey


def cosigned(note: str | Checkpoint, witnesses: Iterable[VerifierKey]) -> dict[str, int]:
    """Which of these witnesses vouched for a checkpoint, and when (seconds since 1970).

    The log's own signature is not looked at.

    Raises:
        CheckpointError: not a checkpoint, or a line in the name of one of them that it did not sign.
    """
    checkpoint = parse_checkpoint(note) if isinstance(note, str) else note
    times = {witness.name: cosigned_at(checkpoint, witness) for witness in witnesses}
    return {name: time for name, time in times.items() if time is not None}


@dataclass(frozen=True, slots=True)
class WitnessPolicy:
    """Known witnesses, and how many of them must have vouched; 0 demands nothing.

    Raises:
        KeysError: a key or a name twice (one witness must not count as two), or a quorum that cannot be reached.
    """

    witnesses: tuple[VerifierKey, ...] = ()
    quorum: int = 0

    def __post_init__(self) -> None:
        if any(witness.kind != WITNESS_KEY for witness in self.witnesses):
            raise KeysError("a witness needs a key of type 4")
        for what in ({witness.name for witness in self.witnesses}, {witness.raw for witness in self.witnesses}):
            if len(what) != len(self.witnesses):
                raise KeysError("two witnesses with one name or one key")
        if not 0 <= self.quorum <= len(self.witnesses):
            raise KeysError(f"a quorum of {self.quorum} cannot be reached with {len(self.witnesses)} witnesses")

    @classmethod
    def from_vkeys(cls, vkeys: Sequence[str], quorum: int) -> WitnessPolicy:
        """From verifier keys as `filagent witness init` prints them. Raises: KeysError."""
        return cls(tuple(parse_vkey(text, WITNESS_KEY) for text in vkeys), quorum)

    def accepts(self, note: str | Checkpoint) -> bool:
        """Whether enough witnesses vouched for this one checkpoint. Raises: CheckpointError, as `cosigned`."""
        return len(cosigned(note, self.witnesses)) >= self.quorum

    def covered(self, vouched: Iterable[tuple[int, Mapping[str, int]]]) -> int:
        """How many leaves a quorum vouches for, over several checkpoints of one log that are consistent.

        Whoever vouched for a tree vouched for every smaller one, so that witnesses need not have seen the same.

        Args:
            vouched: (size, times by witness, as from `cosigned`) of each checkpoint.

        Returns:
            The largest size; 0 where there is no quorum, or none is demanded.
        """
        names = {witness.name for witness in self.witnesses}
        largest: dict[str, int] = {}
        for size, times in vouched:
            for name in names & times.keys():
                largest[name] = max(size, largest.get(name, 0))
        sizes = sorted(largest.values(), reverse=True)
        return sizes[self.quorum - 1] if 1 <= self.quorum <= len(sizes) else 0
