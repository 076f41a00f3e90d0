"""The keys of a log on the disk: making them, and loading what the writer needs.

`logs/keys.json` is the newest version of the manifest, `logs/keys.<n>.json` are all of them: one DSSE line and an LF
each. Private keys stay in the keys directory, PKCS8 in PEM, 0600, encrypted where a passphrase is given; the root's
goes where `root_out` says. What a manifest means is in `manifest`.
"""

from __future__ import annotations

import stat
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from runtime.audit.checkpoint import is_origin
from runtime.audit.envelope import keyid_of, seal
from runtime.audit.errors import KeysError
from runtime.audit.files import Files
from runtime.audit.manifest import (
    MANIFEST_SUBJECT,
    MANIFEST_TYPE,
    KeyEntry,
    Manifest,
    first_manifest,
    load_manifest,
    load_public,
    public_pem,
)

__all__ = [
    "MANIFEST_SUBJECT",
    "ROOT_KEY",
    "ROOT_PUBLIC",
    "KeyEntry",
    "Keyring",
    "Manifest",
    "init_keys",
    "load_keyring",
    "load_manifest",
    "load_private",
    "load_public",
    "load_root_public",
    "public_pem",
    "root_is_here",
]

ROOT_KEY = "root.pem"
ROOT_PUBLIC = "root.pub.pem"


@dataclass(frozen=True, slots=True)
class Keyring:
    """What a log writer holds: its own private keys and the manifest that vouches for them.

    Attributes:
        manifests: every version of the manifest, oldest first.
        origin: the log that these keys belong to.
    """

    manifests: tuple[Manifest, ...]
    origin: str
    log_key: Ed25519PrivateKey
    record_key: Ed25519PrivateKey
    record_keyid: str

    @property
    def manifest(self) -> Manifest:
        """The newest version."""
        return self.manifests[-1]


def init_keys(
    keys_dir: Path, logs_dir: Path, *, origin: str, root_out: Path | None = None, passphrase: bytes | None = None
) -> Manifest:
    """Make root, log and record keys and the first manifest.

    Args:
        keys_dir: for the private keys of the writer and the root's public key.
        logs_dir: for the manifest.
        origin: the name of this log in checkpoints (printable ASCII, no spaces, no '+').
        root_out: where the root's private key goes; None leaves it beside the others (evaluation mode).
        passphrase: encrypts the private keys.

    Raises:
        KeysError: there is a manifest or a log already, the origin cannot be a name, or a file cannot be written.
    """
    if not is_origin(origin):
        raise KeysError("an origin is printable ASCII without spaces and '+'")
    if (logs_dir / MANIFEST_SUBJECT).exists() or any(logs_dir.glob("events/events_*.jsonl")):
        raise KeysError(f"{logs_dir} has keys or a log already")
    custody = "logging-host" if root_out is None or root_out.resolve() == keys_dir.resolve() else "offline"
    root, log, record = (Ed25519PrivateKey.generate() for _ in range(3))
    payload = first_manifest(
        root.public_key(), custody, origin, {"log": log.public_key(), "record": record.public_key()}
    )
    data = seal(payload, root, keyid_of(root.public_key()), MANIFEST_TYPE) + b"\n"
    files = Files()
    try:
        for folder in {keys_dir, logs_dir, root_out or keys_dir}:
            files.make_dir(folder)
        keys_dir.chmod(0o700)
        files.replace((root_out or keys_dir) / ROOT_KEY, _private_pem(root, passphrase), durable=True)
        for role, key in (("log", log), ("record", record)):
            write_private(keys_dir, role, key, passphrase, files)
        files.replace(keys_dir / ROOT_PUBLIC, public_pem(root.public_key()), durable=True)
        files.replace(logs_dir / "keys.1.json", data, durable=True)
        # Last: its presence says that all the others are there.
        files.replace(logs_dir / MANIFEST_SUBJECT, data, durable=True)
    except OSError as error:
        raise KeysError(f"the keys cannot be written: {error.strerror}") from error
    return load_manifest(data, root.public_key())


def load_keyring(keys_dir: Path, logs_dir: Path, *, passphrase: bytes | None = None) -> Keyring:
    """The writer's keys, checked against the newest manifest.

    Raises:
        KeysError: something is missing, readable by others, encrypted otherwise, or not listed as active.
    """
    manifests = load_versions(logs_dir, load_root_public(keys_dir))
    manifest = manifests[-1]
    held: dict[str, tuple[KeyEntry, Ed25519PrivateKey]] = {}
    for role in ("log", "record"):
        for entry in manifest.of_role(role):
            path = private_path(keys_dir, role, entry.public)
            if path.exists():
                if role in held:
                    raise KeysError(f"two active {role} keys are held here")
                held[role] = (entry, load_private(path, passphrase))
        if role not in held:
            raise KeysError(f"no active {role} key is held in {keys_dir}")
    for entry, key in held.values():
        if keyid_of(key.public_key()) != entry.keyid:
            raise KeysError(f"the {entry.role} key is not the one of the manifest")
    (log, log_key), (record, record_key) = held["log"], held["record"]
    if log.origin != record.origin:
        raise KeysError("the log key and the record key belong to different logs")
    return Keyring(manifests, log.origin, log_key, record_key, record.keyid)


def load_versions(logs_dir: Path, root: Ed25519PublicKey) -> tuple[Manifest, ...]:
    """Every version of the manifest, oldest first, each following the one before.

    Raises:
        KeysError: one is missing, not signed by the root, or does not follow.
    """
    newest = load_manifest(_read(logs_dir / MANIFEST_SUBJECT), root)
    found: list[Manifest] = []
    for version in range(1, newest.version + 1):
        manifest = load_manifest(_read(logs_dir / f"keys.{version}.json"), root)
        if manifest.version != version or (found and manifest.previous != found[-1].digest):
            raise KeysError(f"keys.{version}.json does not follow the version before it")
        found.append(manifest)
    if found[-1].digest != newest.digest:
        raise KeysError(f"{MANIFEST_SUBJECT} is not keys.{newest.version}.json")
    return tuple(found)


def load_root_public(keys_dir: Path) -> Ed25519PublicKey:
    """The root's public key that `init_keys` left for auditors. Raises: KeysError."""
    return load_public(_read(keys_dir / ROOT_PUBLIC))


def load_private(path: Path, passphrase: bytes | None) -> Ed25519PrivateKey:
    """An Ed25519 private key that nobody else may read. Raises: KeysError."""
    pem = _read(path)
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise KeysError(f"{path} may be read by others: chmod 600")
    try:
        key = load_pem_private_key(pem, passphrase)
    except TypeError as error:
        wanted = "needs a passphrase" if passphrase is None else "is not encrypted, but a passphrase was given"
        raise KeysError(f"{path} {wanted}") from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise KeysError(f"{path} cannot be read with this passphrase") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise KeysError(f"{path} is not an Ed25519 key")
    return key


def root_is_here(keys_dir: Path) -> bool:
    """Whether the root's private key lies beside the writer's keys; production refuses to start then."""
    return (keys_dir / ROOT_KEY).exists()


def write_private(keys_dir: Path, role: str, key: Ed25519PrivateKey, passphrase: bytes | None, files: Files) -> None:
    """Keep a private key where `load_keyring` looks for it, durably. Raises: OSError."""
    files.replace(private_path(keys_dir, role, key.public_key()), _private_pem(key, passphrase), durable=True)


def private_path(keys_dir: Path, role: str, public: Ed25519PublicKey) -> Path:
    return keys_dir / f"{role}-{keyid_of(public)[:16]}.pem"


def _private_pem(key: Ed25519PrivateKey, passphrase: bytes | None) -> bytes:
    encryption: KeySerializationEncryption = BestAvailableEncryption(passphrase) if passphrase else NoEncryption()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise KeysError(f"{path}: {error.strerror}") from error
