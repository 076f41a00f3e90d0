"""What the fuzzing of the log's parsers starts from: honest specimens of everything, and ways to spoil them.

Specimens come from one rich history (`tests.attacks.log_scene`), so that whatever a parser knows is in them.
"""

from __future__ import annotations

import os
import random
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st

from runtime.audit.bundle import Selection, export_bundle
from runtime.audit.keys import load_private
from tests.attacks.log_scene import rich_history
from tests.unit.audit.log_rig import Rig

EXAMPLES = max(60, int(os.environ.get("FILAGENT_TEST_HISTORIES", "200")) // 2)
FUZZ = settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture, HealthCheck.data_too_large],
)
#: For what takes long: a failure is not made smaller.
ROUGH = settings(FUZZ, phases=[Phase.explicit, Phase.reuse, Phase.generate])
ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=200)

#: What parsers trip over.
TOKENS = (
    *(b"\n", b"\n\n", b"\r\n", b" ", b"\t", b"\0", b'"', b"\\", b"{", b"}", b"[", b"]", b",", b":", b"/", b"=", b"==", b"+"),
    *(b"0", b"-0", b"-1", b"1e5", b"1.0", b"9" * 20, b"9" * 5000, b"1_0", b"NaN", b"Infinity", b"null", b"true", b"\\u0000"),
    *(b"\\ud800", b"\xff", b"\xc3\x28", b"\xef\xbb\xbf", "\u2014 ".encode(), "é".encode(), b"[" * 3000, b"{" * 200, b'{"a":' * 1500),
)  # fmt: skip


@st.composite
def spoilt(draw: st.DrawFn, specimens: list[bytes], most: int = 4) -> bytes:
    """A specimen with a few edits: bytes changed, cut, doubled, spliced with another specimen, tokens put in."""
    data = bytearray(draw(st.sampled_from(specimens)))
    for _ in range(draw(st.integers(0, most))):
        at = draw(st.integers(0, len(data)))
        end = min(len(data), at + draw(st.sampled_from([1, 1, 1, 2, 8, 40, 1000])))
        match draw(st.sampled_from(["change", "cut", "double", "token", "replace", "splice", "end"])):
            case "change":
                data[at:end] = draw(st.binary(min_size=end - at, max_size=end - at)) if end - at < 50 else b""
            case "cut":
                del data[at:end]
            case "double":
                data[at:at] = data[at:end]
            case "token":
                data[at:at] = draw(st.sampled_from(TOKENS))
            case "replace":
                data[at:end] = draw(st.sampled_from(TOKENS))
            case "splice":
                other = draw(st.sampled_from(specimens))
                data[at:] = other[draw(st.integers(0, len(other))) :]
            case _:
                del data[at:]
    return bytes(data)


def spoil(data: bytes, chance: random.Random) -> bytes:
    """The same without Hypothesis, for what is too large to be drawn byte by byte."""
    spoilt_data = bytearray(data)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(spoilt_data) + 1)
        end = at + chance.choice([1, 1, 40, 4000])
        change = [b"", chance.randbytes(1), chance.randbytes(40), bytes(spoilt_data[at:end]) * 2, chance.choice(TOKENS)]
        spoilt_data[at:end] = chance.choice(change)
    return bytes(spoilt_data)


def noise_or(specimens: list[bytes]) -> st.SearchStrategy[bytes]:
    return st.one_of(spoilt(specimens), st.binary(max_size=300))


def as_text(data: bytes) -> str:
    """For parsers of text: what UTF-8 makes of it, a lone surrogate where it makes nothing."""
    return data.decode("utf-8", "surrogateescape")


JSON = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(2**70), 2**70),
        st.floats(),
        ANY_TEXT,
        st.sampled_from(["", "keys.json", "0" * 64]),
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(ANY_TEXT, inner, max_size=4)),
    max_leaves=8,
)


@st.composite
def altered(draw: st.DrawFn, value: Any) -> Any:
    """A JSON value with something in it replaced, left out, doubled, or added."""
    if draw(st.integers(0, 3)) == 0 or not isinstance(value, dict | list) or not value:
        return draw(JSON)
    if isinstance(value, dict):
        copy = dict(value)
        name = draw(st.sampled_from(sorted(copy)))
        action = draw(st.sampled_from(["into", "into", "drop", "add"]))
        if action == "drop":
            del copy[name]
        elif action == "add":
            copy[draw(ANY_TEXT)] = draw(JSON)
        else:
            copy[name] = draw(altered(copy[name]))
        return copy
    items = list(value)
    at = draw(st.integers(0, len(items) - 1))
    action = draw(st.sampled_from(["into", "into", "drop", "double"]))
    if action == "drop":
        del items[at]
    elif action == "double":
        items.insert(at, items[at])
    else:
        items[at] = draw(altered(items[at]))
    return items


class Corpus:
    """One log in which everything happened, and what was made of it."""

    def __init__(self, home: Path) -> None:
        history = rich_history(home / "home", 3)
        self.history = history
        self.rig: Rig = history.rig
        self.logs = history.logs
        self.root = history.root
        self.root_private = load_private(self.rig.keys / "root.pem", None)
        self.root_pem = self.rig.keys / "root.pub.pem"
        self.lines = [line for path in self.rig.segments()[-3:] for line in path.read_bytes().split(b"\n")[:-1]]
        self.notes = [path.read_bytes() for path in (self.logs / "checkpoints").iterdir()] + [
            (self.logs / "checkpoint").read_bytes()
        ]
        self.notes = [note for note in self.notes if note.strip(b"\0")]
        self.manifests = [path.read_bytes() for path in sorted(self.logs.glob("keys.*.json"))]
        self.bundles: dict[str, Path] = {}
        size = len(history.rig.segments()) and self.last_index() + 1
        for form in ("", ".zip", ".tar", ".tar.gz"):
            self.bundles[form] = home / f"bundle{form}"
            export_bundle(self.logs, self.bundles[form], Selection(first=size - 6, end=size))

    def last_index(self) -> int:
        last = self.rig.segments()[-1]
        return int(last.name[-26:-6]) + last.read_bytes().count(b"\n") - 1


@cache
def corpus() -> Corpus:
    folder = tempfile.TemporaryDirectory(prefix="filagent-corpus-")
    found = Corpus(Path(folder.name))
    found.folder = folder  # type: ignore[attr-defined]  # it goes when the process does
    return found
