"""Pulling from a hub that behaves like the real one, and from one that does not; real sockets, real files."""

from __future__ import annotations

import fcntl
import hashlib
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from runtime.models.entries import HubSource, ModelEntry
from runtime.models.hub import Hub
from runtime.models.lock import ModelLock
from runtime.models.phrases import ModelsError
from runtime.models.pull import Plan, Pull, Pulled, plan
from runtime.models.registry import Registry, RegistryError, resolve
from tests.fakes.hub import COMMIT, OTHER_COMMIT, FakeHub, serving

WEIGHTS = b"GGUF" + os.urandom(3_000_000)
SHA256 = hashlib.sha256(WEIGHTS).hexdigest()


def entry(**more: Any) -> ModelEntry:
    return ModelEntry.model_validate(
        {
            "id": "m",
            "title": "M",
            "source": {"kind": "hub", "repository": "owner/name", "file": "m.gguf"},
            "licence": "MIT",
            "parameters": 1,
            "quantisation": "Q4_1",
            "context": 10,
            "layers": 1,
            "kv_bytes_per_token": 4,
            **more,
        }
    )


class Machine:
    """A home, the hub it pulls from, and what was said."""

    def __init__(self, home: Path, fake: FakeHub) -> None:
        self.home, self.fake = home, fake
        self.said: list[tuple[str, dict[str, Any]]] = []
        self.pauses: list[float] = []
        self.offline = False
        self.token: str | None = None

    def pull(self, wanted: ModelEntry | None = None, **options: Any) -> Pulled:
        wanted = wanted or entry()
        assert isinstance(wanted.source, HubSource)
        hub = Hub(self.fake.endpoint, self.token, connect_seconds=5, read_seconds=5)
        try:
            made = plan(wanted, wanted.source, self.home, hub, offline=self.offline)
            puller = Pull(self.home, hub, say=self.say, pause=self.pauses.append, **options)
            return puller.run(made)
        finally:
            hub.close()

    def say(self, code: str, **facts: Any) -> None:
        self.said.append((code, facts))

    def refused(self, wanted: ModelEntry | None = None, **options: Any) -> str:
        with pytest.raises(ModelsError) as caught:
            self.pull(wanted, **options)
        return caught.value.code

    @property
    def target(self) -> Path:
        return self.home / "models" / "m.gguf"

    def names(self) -> list[str]:
        return sorted(name for name in os.listdir(self.home / "models") if name != ".pull.lock")


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    with serving(WEIGHTS) as fake:
        yield Machine(tmp_path, fake)


def test_a_first_pull_places_checks_and_locks(machine: Machine) -> None:
    pulled = machine.pull()
    assert pulled == Pulled(machine.target, SHA256, COMMIT, locked_now=True)
    assert machine.target.read_bytes() == WEIGHTS
    assert machine.target.stat().st_mode & 0o777 == 0o600
    assert machine.names() == ["m.gguf", "m.gguf.checked"]
    text = (machine.home / "models.lock.yaml").read_text()
    assert yaml.safe_load(text)["models"]["m"] == {
        "repository": "owner/name", "file": "m.gguf", "revision": COMMIT, "sha256": SHA256, "size": len(WEIGHTS),
    }  # fmt: skip
    assert [request.path for request in machine.fake.seen("hub")] == [f"/owner/name/resolve/{COMMIT}/m.gguf"], (
        "the bytes are asked for by commit, not by branch"
    )


def test_what_was_pulled_is_what_is_served(machine: Machine) -> None:
    registry = Registry(version=1, default="m", models=(entry(),))
    with pytest.raises(RegistryError, match="models pull m"):
        resolve(registry, machine.home)
    machine.pull()
    assert resolve(registry, machine.home).sha256 == SHA256


def test_a_file_that_nobody_vouches_for_is_not_served(machine: Machine) -> None:
    machine.target.parent.mkdir()
    machine.target.write_bytes(b"GGUF of unknown origin")
    with pytest.raises(RegistryError, match="nobody vouches"):
        resolve(Registry(version=1, default="m", models=(entry(),)), machine.home)


def test_a_second_pull_asks_nobody(machine: Machine) -> None:
    machine.pull()
    before = len(machine.fake.requests)
    machine.offline = True
    assert machine.pull().locked_now is False
    assert len(machine.fake.requests) == before


def test_offline_nobody_is_asked(machine: Machine) -> None:
    machine.offline = True
    assert machine.refused() == "models.offline"
    assert machine.fake.requests == []


@pytest.mark.parametrize("known", ["registry", "lock"])
def test_another_file_on_the_hub_is_refused_before_it_is_loaded(machine: Machine, known: str) -> None:
    wanted = entry(sha256=SHA256) if known == "registry" else entry()
    machine.pull(wanted)
    machine.target.unlink()
    machine.fake.content, machine.fake.commit = b"GGUF another", OTHER_COMMIT
    machine.fake.requests.clear()
    # a lock asks for its own commit, which this hub has forgotten; a registry without revision asks for the branch
    assert machine.refused(wanted) == ("models.hash_changed" if known == "registry" else "models.not_on_hub")
    assert machine.fake.seen("storage") == []
    assert machine.names() == ["m.gguf.checked"]


def test_the_same_commit_with_other_bytes_is_refused(machine: Machine) -> None:
    machine.pull()
    machine.target.unlink()
    machine.fake.content = b"GGUF another"
    assert machine.refused() == "models.hash_changed"
    assert ModelLock(machine.home).get(entry()).sha256 == SHA256  # type: ignore[union-attr]


def test_a_hub_that_lies_about_its_hash_is_caught(machine: Machine) -> None:
    machine.fake.announced = "ab" * 32
    assert machine.refused() == "models.wrong_bytes"
    assert machine.names() == []
    assert not (machine.home / "models.lock.yaml").exists()


def test_wrong_bytes_against_the_registry(machine: Machine) -> None:
    machine.fake.describes = False
    assert machine.refused(entry(sha256="cd" * 32)) == "models.wrong_bytes"
    assert machine.names() == []


def test_no_weights_are_no_model(machine: Machine) -> None:
    machine.fake.content = b"<html>please log in</html>"
    assert machine.refused() == "models.no_weights"
    assert machine.names() == []


def test_a_mirror_that_describes_nothing(machine: Machine) -> None:
    machine.fake.describes = False
    assert machine.pull() == Pulled(machine.target, SHA256, COMMIT, locked_now=True)


def test_cut_connections_are_taken_up_where_they_broke(machine: Machine) -> None:
    machine.fake.cut_after = [1_000_000, 500_000, 0, None]
    machine.pull()
    assert machine.target.read_bytes() == WEIGHTS
    ranges = [request.headers.get("range") for request in machine.fake.seen("storage")]
    assert ranges == [None, "bytes=1000000-", "bytes=1500000-", "bytes=1500000-"]
    assert [code for code, _ in machine.said].count("pull.again") == 3


def test_a_later_call_goes_on(machine: Machine) -> None:
    machine.fake.cut_after = [1_000_000, *[0] * 10]
    assert machine.refused() == "models.interrupted"
    assert len(machine.pauses) == 6, "five times in vain after the one that brought something"
    machine.fake.cut_after, machine.fake.requests = [], []
    machine.pull()
    assert machine.target.read_bytes() == WEIGHTS
    assert [request.headers.get("range") for request in machine.fake.seen("storage")] == ["bytes=1000000-"]


def test_a_file_that_changed_between_two_calls_begins_anew(machine: Machine) -> None:
    machine.fake.cut_after = [1_000_000, *[0] * 10]
    assert machine.refused() == "models.interrupted"
    machine.fake.content = new = b"GGUF" + os.urandom(2_000_000)
    machine.fake.commit, machine.fake.cut_after, machine.fake.requests = OTHER_COMMIT, [], []
    machine.pull()
    assert machine.target.read_bytes() == new
    assert machine.names() == ["m.gguf", "m.gguf.checked"], "what came of the older file is gone"
    assert [request.headers.get("range") for request in machine.fake.seen("storage")] == [None]


def test_a_file_that_changes_between_two_pieces_is_never_placed(machine: Machine) -> None:
    fake, other = machine.fake, b"GGUF" + os.urandom(len(WEIGHTS) - 4)
    fake.cut_after = [1_000_000, None]

    def change_after_the_first() -> None:
        if len(fake.seen("storage")) == 1:
            fake.storage_content = other

    fake.before_body = change_after_the_first
    assert machine.refused() == "models.wrong_bytes"
    assert len(fake.seen("storage")) == 2
    assert machine.names() == []


def test_a_storage_that_ignores_ranges_is_read_from_the_start(machine: Machine) -> None:
    machine.fake.cut_after = [1_000_000, None]
    machine.fake.ignores_range = True
    machine.pull()
    assert machine.target.read_bytes() == WEIGHTS


def test_a_storage_that_answers_another_range_is_not_believed(machine: Machine) -> None:
    fake = machine.fake
    fake.cut_after = [1_000_000]
    fake.range_shift = 7

    def mend_after_the_second() -> None:
        if len(fake.seen("storage")) == 2:
            fake.range_shift = 0

    fake.before_body = mend_after_the_second
    machine.pull()
    assert len(fake.seen("storage")) == 3
    assert machine.target.read_bytes() == WEIGHTS


def test_a_beginning_that_is_too_long_is_thrown_away(machine: Machine) -> None:
    machine.fake.cut_after = [1_000_000, *[0] * 10]
    assert machine.refused() == "models.interrupted"
    (part,) = (path for path in machine.target.parent.iterdir() if path.suffix == ".part")
    part.write_bytes(bytes(len(WEIGHTS) + 1))
    machine.fake.cut_after = []
    machine.pull()
    assert machine.target.read_bytes() == WEIGHTS


def test_a_spoilt_beginning_is_found_by_the_hash(machine: Machine) -> None:
    machine.fake.cut_after = [1_000_000, *[0] * 10]
    assert machine.refused() == "models.interrupted"
    (part,) = (path for path in machine.target.parent.iterdir() if path.suffix == ".part")
    part.write_bytes(bytes(1_000_000))
    machine.fake.cut_after = []
    assert machine.refused() == "models.wrong_bytes"
    machine.pull()
    assert machine.target.read_bytes() == WEIGHTS


def test_a_hub_that_fails_for_a_while(machine: Machine) -> None:
    machine.fake.statuses = [0, 503, 429, 0]
    machine.fake.storage_statuses = [502, 403, 0]
    machine.pull()
    assert machine.target.read_bytes() == WEIGHTS
    assert machine.pauses == [2.0, 4.0, 8.0, 16.0]


def test_a_repository_that_was_renamed(machine: Machine) -> None:
    machine.fake.renamed_from, machine.token = "old/name", "hf_secret"
    machine.pull(entry(source={"kind": "hub", "repository": "old/name", "file": "m.gguf"}))
    assert machine.target.read_bytes() == WEIGHTS
    assert all("authorization" in request.headers for request in machine.fake.requests if request.server == "hub")


STATUSES = [
    ("gated, no token", [401], None, None, "models.gated"),
    ("gated, token refused", [403], "hf_secret", None, "models.token_refused"),
    ("no such file", [404], None, None, "models.not_on_hub"),
    ("no such revision, said with 401", [401], None, "RevisionNotFound", "models.not_on_hub"),
    ("refused", [400], None, None, "models.hub_refused"),
    ("down", [503], None, None, "models.hub_unreachable"),
]


@pytest.mark.parametrize(
    ("statuses", "token", "error", "code"), [s[1:] for s in STATUSES], ids=[s[0] for s in STATUSES]
)
def test_refusals_have_codes(
    machine: Machine, statuses: list[int], token: str | None, error: str | None, code: str
) -> None:
    machine.fake.statuses, machine.fake.error_code, machine.token = statuses, error, token
    with pytest.raises(ModelsError) as caught:
        machine.pull()
    assert caught.value.code == code
    assert "hf_secret" not in f"{caught.value} {caught.value.text('fr')} {caught.value.facts}"


def test_the_token_stays_with_the_hub(machine: Machine) -> None:
    machine.fake.needs_token = machine.token = "hf_secret"
    machine.pull()
    assert all("authorization" in request.headers for request in machine.fake.requests if request.server == "hub")
    assert machine.fake.seen("storage")
    assert not any("authorization" in request.headers for request in machine.fake.requests if request.server != "hub")


def test_a_token_does_not_come_back_from_elsewhere(machine: Machine) -> None:
    """hub -> storage -> hub: once a redirect has left the hub, its token is not sent again in that chain."""
    machine.token = "hf_secret"
    machine.fake.describes = False
    machine.fake.location = lambda _usual: f"{machine.fake.storage}/back"
    assert machine.refused() == "models.not_on_hub"
    first, away, again = machine.fake.requests
    assert (first.server, away.path, again.server, again.path) == ("hub", "/back", "hub", "/again")
    assert ["authorization" in request.headers for request in (first, away, again)] == [True, False, False]


def test_a_storage_that_redirects_in_circles(machine: Machine) -> None:
    machine.fake.describes = False
    machine.fake.location = lambda _usual: f"{machine.fake.storage}/circle"
    assert machine.refused() == "models.redirects"


REDIRECTS = [
    ("in circles", lambda fake: f"{fake.endpoint}/owner/name/resolve/{COMMIT}/m.gguf", "models.redirects"),
    ("to an unencrypted address elsewhere", lambda _: "http://storage.example/x", "models.insecure"),
    ("to a file", lambda _: "file:///etc/passwd", "models.redirects"),
    ("with credentials", lambda fake: fake.storage.replace("//", "//me:word@"), "models.redirects"),
    ("to nowhere", lambda _: "", "models.redirects"),
    ("to nonsense", lambda _: "http://[::1", "models.redirects"),
]


@pytest.mark.parametrize(("location", "code"), [r[1:] for r in REDIRECTS], ids=[r[0] for r in REDIRECTS])
def test_redirects_that_are_not_followed(machine: Machine, location: Any, code: str) -> None:
    machine.fake.describes = False
    machine.fake.location = lambda _usual: location(machine.fake)
    assert machine.refused() == code
    assert machine.fake.seen("storage") == []


def test_an_encrypted_way_is_not_left() -> None:
    hub = Hub("https://hub.example")
    with pytest.raises(ModelsError) as caught:
        hub._next("https://cdn.example/a", "http://127.0.0.1/a")
    hub.close()
    assert caught.value.code == "models.insecure"


@pytest.mark.parametrize(
    "endpoint", ["http://hub.example", "ftp://127.0.0.1", "https://me:word@hub.example", "hub.example", "https://[", ""]
)
def test_endpoints_that_are_not_used(endpoint: str) -> None:
    with pytest.raises(ModelsError, match="HF_ENDPOINT") as caught:
        Hub(endpoint)
    assert caught.value.code == "models.endpoint"
    assert "word" not in str(caught.value)


def test_a_slow_start_is_waited_for(machine: Machine) -> None:
    machine.fake.before_body = lambda: None if len(machine.fake.seen("storage")) > 1 else _nap()
    machine.pull()
    assert machine.target.read_bytes() == WEIGHTS


def _nap() -> None:
    threading.Event().wait(0.3)


def test_a_hub_that_is_not_there(tmp_path: Path) -> None:
    with serving(WEIGHTS) as fake:
        machine = Machine(tmp_path, fake)
    assert machine.refused() == "models.hub_unreachable"


def test_not_confirmed_nothing_is_loaded(machine: Machine) -> None:
    shown: list[Plan] = []

    def confirm(shown_plan: Plan) -> bool:
        shown.append(shown_plan)
        return False

    assert machine.refused(confirm=confirm) == "models.not_confirmed"
    assert (shown[0].size, shown[0].sha256, shown[0].vouched_by) == (len(WEIGHTS), SHA256, "hub")
    assert machine.fake.seen("storage") == []


def test_no_room_is_said_before_anything_is_loaded(machine: Machine) -> None:
    machine.fake.size = 10**18
    with pytest.raises(ModelsError, match="room on the disk") as caught:
        machine.pull()
    assert caught.value.code == "models.disk_full"
    assert machine.fake.seen("storage") == []


def test_two_pulls_at_once(machine: Machine) -> None:
    machine.target.parent.mkdir()
    with (machine.target.parent / ".pull.lock").open("a") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        assert machine.refused() == "models.busy"
    machine.pull()


def test_a_file_of_somebody_else_is_not_replaced(machine: Machine) -> None:
    machine.target.parent.mkdir()
    machine.target.write_bytes(b"mine")
    assert machine.refused() == "models.in_the_way"
    assert machine.target.read_bytes() == b"mine"


def test_the_right_file_brought_by_hand_is_locked(machine: Machine) -> None:
    machine.target.parent.mkdir()
    machine.target.write_bytes(WEIGHTS)
    assert machine.pull().locked_now
    assert machine.fake.seen("storage") == []


def test_a_damaged_file_is_loaded_again(machine: Machine) -> None:
    machine.pull()
    machine.target.write_bytes(WEIGHTS[:-1] + b"!")
    machine.pull()
    assert machine.target.read_bytes() == WEIGHTS


def test_progress_tells_rate_and_time_left(machine: Machine) -> None:
    seconds = iter(range(1000))
    machine.pull(clock=lambda: float(next(seconds)))
    told = [facts for code, facts in machine.said if code == "pull.progress"]
    assert told
    assert all(facts["size"] == len(WEIGHTS) and facts["rate"] > 0 and facts["left"] >= 0 for facts in told)
    assert [facts["loaded"] for facts in told] == sorted(facts["loaded"] for facts in told)


LOCKS = [
    ("no yaml", "a: [", "not a lock"),
    ("another form", "version: 1\nmodels: {m: {sha256: x}}", "not a lock"),
    (
        "another repository",
        f"version: 1\nmodels: {{m: {{repository: x/y, file: m.gguf, sha256: {SHA256}, size: 1}}}}",
        "locks m to x/y",
    ),
]


@pytest.mark.parametrize(("text", "named"), [lock[1:] for lock in LOCKS], ids=[lock[0] for lock in LOCKS])
def test_a_lock_that_cannot_be_used_stops(machine: Machine, text: str, named: str) -> None:
    (machine.home / "models.lock.yaml").write_text(text)
    with pytest.raises(RegistryError, match=named):
        machine.pull()
    assert machine.fake.seen("storage") == []


def test_a_size_that_is_not_the_registered_one(machine: Machine) -> None:
    assert machine.refused(entry(size=len(WEIGHTS) + 1)) == "models.size_changed"
    assert machine.fake.seen("storage") == []


def test_a_storage_that_sends_another_size_than_announced(machine: Machine) -> None:
    machine.fake.storage_content = WEIGHTS + b"more"
    assert machine.refused() == "models.size_changed"
    assert not machine.target.exists()
