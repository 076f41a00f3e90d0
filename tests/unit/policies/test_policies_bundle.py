"""Reading the policy file: what is wrong stops it, and the message says where."""

from __future__ import annotations

import dataclasses
import hashlib
from pathlib import Path
from typing import Any

import pytest
from small_policy import SHIPPED, Change, small, small_bytes

from policies.bundle import MAX_BYTES, Bundle, bundle_from_bytes, covered, load_bundle
from policies.model import ACTIONS, Limits, PolicyFault


def put(*path: Any) -> Change:
    """Set the value at a path: the last argument is the value."""
    *way, last, value = path

    def change(data: dict[str, Any]) -> None:
        target: Any = data
        for step in way:
            target = target[step]
        target[last] = value

    return change


def drop(*path: Any) -> Change:
    *way, last = path

    def change(data: dict[str, Any]) -> None:
        target: Any = data
        for step in way:
            target = target[step]
        del target[last]

    return change


def listed(**lists: list[Any]) -> Change:
    def change(data: dict[str, Any]) -> None:
        data["masking"].update(lists)

    return change


FAULTS: dict[str, tuple[Change, str]] = {
    "allowed text too short": (listed(allow=["ab"]), "masking.allow.0: "),
    "allowed text too long": (listed(allow=["x" * 65]), "masking.allow.0: "),
    "allowed text of marks": (listed(allow=["...."]), "masking.allow.0: a listed text has a letter or a digit"),
    "allowed number": (listed(allow=[5145550199]), "masking.allow.0: "),
    "allowed text of two keys": (listed(allow=[{"text": "abc", "name": "X"}]), "masking.allow.0"),
    "denied without entity": (listed(deny=[{"text": "abc"}]), "masking.deny.0.entity: the key 'entity' is missing"),
    "denied as a text": (listed(deny=["abc"]), "masking.deny.0: "),
    "denied as what passes": (
        listed(deny=[{"text": "abc", "entity": "PERSON"}]),
        "masking.deny.0.entity: PERSON is not masked everywhere",
    ),
    "denied as look-alike": (listed(deny=[{"text": "abc", "entity": "LITERAL"}]), "masking.deny.0.entity: LITERAL"),
    "allowed as look-alike": (listed(allow=[{"text": "abc", "entity": "LITERAL"}]), "masking.allow.0.entity: LITERAL"),
    "allowed and denied": (
        listed(allow=["Abc"], deny=[{"text": "aBC", "entity": "CODE"}]),
        "masking.allow.0: the same text is denied, too",
    ),
    "allowed twice": (listed(allow=["Abc", "abc"]), "masking.allow: 'abc/None' stands there twice"),
    "unknown section": (put("surprise", 1), "surprise: unknown key 'surprise'"),
    "missing section": (drop("forbid"), "forbid: the key 'forbid' is missing"),
    "other version": (put("version", 2), "version: "),
    "version as text": (put("version", "1"), "version: "),
    "no roles": (put("roles", {}), "roles: "),
    "unknown key in role": (put("roles", "user", "colour", "red"), "roles.user.colour: unknown key 'colour'"),
    "unknown limit": (put("roles", "user", "limits", "per_hour", 1), "roles.user.limits.per_hour: unknown key"),
    "missing limit": (drop("roles", "user", "limits", "max_chars"), "roles.user.limits.max_chars: the key"),
    "negative limit": (put("roles", "user", "limits", "max_chars", -1), "roles.user.limits.max_chars: "),
    "limit as text": (put("roles", "user", "limits", "max_chars", "20"), "roles.user.limits.max_chars: "),
    "limit as boolean": (put("roles", "user", "limits", "max_chars", True), "roles.user.limits.max_chars: "),
    "role without permissions": (
        put("roles", "user", "permissions", []),
        "roles.user.permissions: a role without permissions",
    ),
    "unknown permission": (
        put("roles", "user", "permissions", ["chat.creat"]),
        "roles.user.permissions.0: unknown permission 'chat.creat'; did you mean 'chat.create'?",
    ),
    "wildcard for everything": (put("roles", "user", "permissions", ["*"]), "unknown permission '*'"),
    "wildcard inside": (put("roles", "user", "permissions", ["conversation.re*"]), "unknown permission"),
    "wildcard of no area": (put("roles", "user", "permissions", ["weather.*"]), "unknown permission 'weather.*'"),
    "permission twice": (
        put("roles", "user", "permissions", ["chat.create", "chat.create"]),
        "roles.user.permissions: 'chat.create' stands there twice",
    ),
    "role with capitals": (
        lambda data: data["roles"].update(Admin=data["roles"]["user"]),
        "roles.Admin: ",
    ),
    "forbid unknown role": (put("forbid", 0, "roles", ["ghost"]), "forbid.0.roles.0: unknown role 'ghost'"),
    "forbid unknown action": (put("forbid", 0, "actions", ["chat.delete"]), "forbid.0.actions.0: unknown permission"),
    "forbid without actions": (put("forbid", 0, "actions", []), "forbid.0.actions: "),
    "forbid twice": (
        lambda data: data["forbid"].append(dict(data["forbid"][0], roles=["user"], actions=["log.*"])),
        "'viewer-no-chat' stands there twice",
    ),
    "forbid condition of another kind": (put("forbid", 0, "when", {"own": 1.5}), "forbid.0.when"),
    "no guards": (put("guards", []), "guards: "),
    "unknown guard": (
        put("guards", 0, "use", "telepathy"),
        "guards.0.use: unknown guard 'telepathy'; there are: blocked_patterns, injection, size",
    ),
    "helper is no guard": (put("guards", 0, "use", "base"), "unknown guard 'base'"),
    "guard name from elsewhere": (put("guards", 0, "use", "../model"), "unknown guard"),
    "guard twice": (put("guards", 1, "name", "size"), "guards.1.name: a second guard is called 'size'"),
    "unknown direction": (put("guards", 0, "directions", ["sideways"]), "guards.0.directions.0: "),
    "no direction": (put("guards", 0, "directions", []), "guards.0.directions: "),
    "unknown guard parameter": (
        put("guards", 0, "parameters", "max_words", 1),
        "guards.0.parameters.max_words: unknown key 'max_words'",
    ),
    "missing guard parameter": (drop("guards", 0, "parameters", "max_chars"), "guards.0.parameters.max_chars: "),
    "phrase too short": (
        put("guards", 1, "parameters", "groups", 0, "phrases", ["ab"]),
        "could match fewer than 3 letters",
    ),
    "group twice": (
        lambda data: data["guards"][1]["parameters"]["groups"].append({"id": "forbidden-fruit", "phrases": ["apple"]}),
        "two groups are called forbidden-fruit",
    ),
    "unknown mask action": (
        put("masking", "default", "names", "in", "local", "hide"),
        "masking.default.names.in.local",
    ),
    "missing direction": (drop("masking", "default", "names", "out"), "masking.default.names.out: the key 'out'"),
    "field name instead of key": (
        put("masking", "default", "names", "in_", {"local": "mask", "remote": "mask"}),
        "unknown key 'in_'",
    ),
    "entity in two groups": (put("masking", "names", ["EMAIL_ADDRESS"]), "masking: 'EMAIL_ADDRESS' stands there twice"),
    "entity in small letters": (put("masking", "names", ["person"]), "masking.names.0: "),
    "override of look-alikes": (
        put("masking", "overrides", [{"entity": "LITERAL", "action": "allow"}]),
        "masking.overrides.0.entity: LITERAL",
    ),
    "override of unknown kind": (
        put("masking", "overrides", [{"entity": "PERSON", "kind": "cloud", "action": "mask"}]),
        "masking.overrides.0.kind: ",
    ),
    "names masked in answers": (
        put("masking", "default", "names", "out", {"local": "allow", "remote": "mask"}),
        "masking.default.names.out.remote: answers are read for identifiers, not for names",
    ),
    "an override for names in both directions": (
        put("masking", "overrides", [{"entity": "PERSON", "action": "mask"}]),
        "masking.overrides.0.direction: answers are read for identifiers, not for names",
    ),
    "backend for unknown role": (put("backends", "local", ["ghost"]), "backends.local.0: unknown role 'ghost'"),
    "remote for unknown role": (
        put("backends", "remote", "vllm", ["ghost"]),
        "backends.remote.vllm.0: unknown role 'ghost'",
    ),
    "remote section for unknown role": (
        put("backends", "remote", "vllm", {"roles": ["ghost"]}),
        "backends.remote.vllm.0: unknown role 'ghost'",
    ),
    "jurisdiction in words": (
        put("backends", "remote", "vllm", {"roles": ["user"], "jurisdiction": "Canada"}),
        "backends.remote.vllm",
    ),
    "remote for unknown purpose": (
        put("backends", "remote", "vllm", {"roles": ["user"], "purposes": ["spying"]}),
        "backends.remote.vllm.purposes: 'spying' is not one of legal.purposes",
    ),
    "egress of unknown backend": (
        put("backends", "egress", [{"id": "a", "backends": ["skynet"]}]),
        "backends.egress.0.backends: 'skynet' is not one of backends.remote",
    ),
    "egress of unknown role": (
        put("backends", "egress", [{"id": "a", "roles": ["ghost"]}]),
        "backends.egress.0.roles.0: unknown role 'ghost'",
    ),
    "egress of unknown level": (
        put("backends", "egress", [{"id": "a", "classified": "cosmic"}]),
        "backends.egress.0.classified: 'cosmic' is not one of classification.levels",
    ),
    "egress of unknown purpose": (
        put("backends", "egress", [{"id": "a", "purposes": ["spying"]}]),
        "backends.egress.0.purposes: 'spying' is not one of legal.purposes",
    ),
    "egress twice": (
        put("backends", "egress", [{"id": "a"}, {"id": "a"}]),
        "backends.egress.1.id: 'a' is taken",
    ),
    "egress with entities and no number": (
        put("backends", "egress", [{"id": "a", "entities": ["PERSON"]}]),
        "backends.egress.0.entities: how many of them?",
    ),
    "fallback to itself": (
        put("backends", "fallback", {"vllm": ["vllm"]}),
        "backends.fallback.vllm: each backend once",
    ),
    "default level not in the list": (
        put("classification", {"levels": ["low", "high"], "default": "middle"}),
        "classification.default: the default is not one of",
    ),
    "level twice": (
        put("classification", {"levels": ["low", "low"], "default": "low"}),
        "classification.levels: a level stands there twice",
    ),
    "retention of no days": (put("retention", "decision_record_days", 0), "retention.decision_record_days: "),
    "purpose not in the list": (put("legal", "purpose", "spying"), "legal.purpose: the default is not one of"),
    "unknown basis": (put("legal", "basis", "because"), "legal.basis: "),
    "automated decision as text": (put("legal", "automated_decision", "no"), "legal.automated_decision: "),
}


@pytest.mark.parametrize(("change", "message"), FAULTS.values(), ids=FAULTS)
def test_a_wrong_file_is_refused_by_key(change: Change, message: str) -> None:
    with pytest.raises(PolicyFault) as caught:
        small(change)
    assert message in str(caught.value)
    assert str(caught.value).startswith("policies.yaml:")


def test_a_message_names_the_line() -> None:
    raw = small_bytes(put("roles", "viewer", "limits", "max_chars", "many"))
    line = next(n for n, text in enumerate(raw.decode().splitlines(), 1) if "max_chars: many" in text)
    with pytest.raises(PolicyFault, match=rf"^policies\.yaml:{line}: roles\.viewer\.limits\.max_chars: "):
        bundle_from_bytes(raw)


def test_all_findings_are_told_at_once() -> None:
    def change(data: dict[str, Any]) -> None:
        data["forbid"][0]["roles"] = ["ghost"]
        data["backends"]["local"] = ["spectre"]
        data["guards"][0]["use"] = "telepathy"

    with pytest.raises(PolicyFault) as caught:
        small(change)
    assert len(str(caught.value).splitlines()) == 3


TEXTS: dict[str, tuple[bytes, str]] = {
    "duplicate key": (
        b"version: 1\nroles: {}\nversion: 1\n",
        "policies.yaml:3: version: the key appears twice (first on line 1)",
    ),
    "duplicate key below": (
        b"version: 1\nroles:\n  user:\n    limits: {max_chars: 1, max_chars: 2}\n",
        "policies.yaml:4: roles.user.limits.max_chars: the key appears twice (first on line 4)",
    ),
    "alias": (b"version: 1\nroles: &all {}\nforbid: *all\n", "anchors and aliases"),
    "merge key": (b"roles: {<<: {a: 1}}\n", "is not text"),
    "key that YAML takes for a boolean": (b"on: 1\n", "the key 'on' is not text"),
    "key that is a number": (b"1: 1\n", "the key '1' is not text"),
    "tag that builds objects": (b"version: !!python/object/apply:os.getcwd []\n", "not readable as YAML"),
    "two documents": (b"version: 1\n---\nversion: 1\n", "policies.yaml:2: not readable as YAML"),
    "not YAML": (b"roles: [\n", "not readable as YAML"),
    "deep nesting": (b"[" * 1200, "not readable as YAML"),
    "a list": (b"- version\n", "a mapping of sections is expected"),
    "nothing": (b"", "a mapping of sections is expected"),
    "comments only": (b"# nothing\n", "a mapping of sections is expected"),
    "not UTF-8": (b"version: \xff\n", "not UTF-8 at byte 9"),
    "too large": (b"#" * (MAX_BYTES + 1), "larger than"),
    "impossible date": (b"version: 2024-99-99\n", "policies.yaml"),
    "control character": (b"version: 1\x00\n", "not readable as YAML"),
}


@pytest.mark.parametrize(("raw", "message"), TEXTS.values(), ids=TEXTS)
def test_a_file_that_is_no_policy(raw: bytes, message: str) -> None:
    with pytest.raises(PolicyFault) as caught:
        bundle_from_bytes(raw)
    assert message in str(caught.value)


def test_no_file_is_no_policy(tmp_path: Path) -> None:
    with pytest.raises(PolicyFault, match=r"no policy: .* cannot be read"):
        load_bundle(tmp_path / "policies.yaml")


def test_the_revision_is_the_hash_of_the_bytes(tmp_path: Path) -> None:
    raw = small_bytes()
    (tmp_path / "policies.yaml").write_bytes(raw)
    assert load_bundle(tmp_path / "policies.yaml").revision == "sha256:" + hashlib.sha256(raw).hexdigest()
    assert bundle_from_bytes(raw + b"# a comment is another revision\n").revision != bundle_from_bytes(raw).revision


def test_a_bundle_cannot_be_changed() -> None:
    bundle = small()
    with pytest.raises(dataclasses.FrozenInstanceError):
        bundle.revision = "other"  # type: ignore[misc]
    for mapping in (bundle.roles, bundle.roles["user"].grants, bundle.egress.remotes, bundle.masking.for_names):
        with pytest.raises(TypeError):
            mapping["x"] = "y"  # type: ignore[index]


def test_limits_for_a_role() -> None:
    assert small().limits_for("viewer") == Limits(5, 1000, 2, 3, 20, 64)
    with pytest.raises(PolicyFault):
        small().limits_for("ghost")


@pytest.mark.parametrize(
    ("permission", "actions"),
    [
        ("chat.create", ("chat.create",)),
        ("log.*", ("log.checkpoint", "log.tile", "log.entries")),
        ("log.", ()),
        ("*", ()),
        ("*.*", ()),
        ("chat", ()),
        ("", ()),
    ],
)
def test_what_a_permission_covers(permission: str, actions: tuple[str, ...]) -> None:
    assert covered(permission) == actions


class TestShipped:
    """Promises that config/policies.yaml itself makes."""

    def test_roles(self, shipped: Bundle) -> None:
        assert set(shipped.roles) == {
            "admin", "operator", "reviewer", "auditor", "privacy_officer", "user", "viewer",
        }  # fmt: skip

    def test_every_action_is_given_to_somebody(self, shipped: Bundle) -> None:
        assert {action for role in shipped.roles.values() for action in role.grants} == set(ACTIONS)

    def test_guards_and_their_order(self, shipped: Bundle) -> None:
        assert [(guard.name, sorted(guard.directions)) for guard in shipped.guards] == [
            ("size", ["in"]),
            ("blocked_patterns", ["in"]),
            ("injection", ["in"]),
            ("blocked_output", ["out"]),
        ]

    def test_records_outlive_the_year_that_the_law_asks_for(self, shipped: Bundle) -> None:
        assert shipped.decision_record_days > 366

    def test_no_line_is_too_long_for_a_terminal_but_phrases(self) -> None:
        long = [
            line
            for line in SHIPPED.read_text().splitlines()
            if len(line) > 120 and not line.startswith(" " * 12 + "- ")
        ]
        assert long == []
