"""The directory of a witness: its key, the logs it knows, and the last checkpoint of each that it vouched for.

    key.pem, witness.vkey                       its own key (0600), and the public half under its name
    logs/<SHA-256 of the origin>/keys           the origin, then the log's verifier keys, one a line
    logs/<SHA-256 of the origin>/checkpoint     the last cosigned one, with the log's signature and the witness's
    lock, logs.lock                             held by the server; by whoever changes the list of logs

Everything is written whole, synced, and read strictly. What is vouched for is `state`'s to decide.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from runtime.audit.checkpoint import Checkpoint, is_origin, parse_checkpoint
from runtime.audit.cosignature import cosigned_at, witness_key
from runtime.audit.errors import CheckpointError, KeysError, LogDamaged, LogLocked
from runtime.audit.fields import is_name
from runtime.audit.files import Files, take_lock
from runtime.audit.keys import load_private
from runtime.audit.notation import LOG_KEY, WITNESS_KEY, VerifierKey, parse_vkey

PRIVATE_KEY, PUBLIC_KEY, LOCK = "key.pem", "witness.vkey", "lock"
KEYS_FILE, CHECKPOINT_FILE = "keys", "checkpoint"
_LOGS, _LOGS_LOCK = "logs", "logs.lock"
_MAX_KEYS, _MAX_NAME = 16, 64

Keys = tuple[VerifierKey, ...]


@dataclass(frozen=True, slots=True)
class KnownLog:
    """A log that a witness looks after.

    Attributes:
        origin: its name in checkpoints.
        keys: which may sign them.
        cosigned: the last checkpoint that was vouched for, None before the first.
        time: when, in seconds since 1970; 0 before the first.
    """

    origin: str
    keys: Keys
    cosigned: Checkpoint | None
    time: int


def create(directory: Path, name: str) -> VerifierKey:
    """Make a witness that knows no logs yet; its public half.

    Raises:
        KeysError: there is one already, or it cannot be called so.
        OSError: it cannot be written.
    """
    # A log that keeps its cosignatures wants to write the name into its records.
    if not is_origin(name) or not is_name(name) or len(name) > _MAX_NAME:
        raise KeysError(f"a witness's name is letters, digits and ._:/=-, at most {_MAX_NAME}: witness.example/w1")
    if (directory / PRIVATE_KEY).exists():
        raise KeysError(f"{directory} holds a witness already")
    key = Ed25519PrivateKey.generate()
    public = witness_key(name, key)
    files = Files()
    files.make_dir(directory)
    directory.chmod(0o700)
    files.make_dir(directory / _LOGS)
    files.replace(directory / PUBLIC_KEY, f"{public}\n".encode(), durable=True)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    # Last: its presence says that the witness is complete.
    files.replace(directory / PRIVATE_KEY, pem, durable=True)
    return public


def load_public(directory: Path) -> VerifierKey:
    """The witness's verifier key. Raises: KeysError."""
    try:
        return parse_vkey((directory / PUBLIC_KEY).read_text("ascii").removesuffix("\n"), WITNESS_KEY)
    except (OSError, UnicodeDecodeError) as error:
        raise KeysError(f"{directory} holds no witness: filagent witness init makes one") from error


def load_key(directory: Path) -> tuple[VerifierKey, Ed25519PrivateKey]:
    """The witness's key, both halves. Raises: KeysError, also where others may read it."""
    public, key = load_public(directory), load_private(directory / PRIVATE_KEY, None)
    if witness_key(public.name, key) != public:
        raise KeysError(f"{PUBLIC_KEY} is not the public half of {PRIVATE_KEY}")
    return public, key


def log_dir(directory: Path, origin: str) -> Path:
    """Where the state of a log lies; the hash is also its place in the public paths."""
    return directory / _LOGS / sha256(origin.encode()).hexdigest()


def known_logs(directory: Path) -> list[KnownLog]:
    """The logs of a witness, by origin.

    Raises:
        KeysError: there is no witness.
        LogDamaged: its state cannot be read.
    """
    public = load_public(directory)
    try:
        folders = [path for path in (directory / _LOGS).iterdir() if (path / KEYS_FILE).exists()]
    except OSError as error:
        raise LogDamaged(f"{directory / _LOGS} cannot be read") from error
    return sorted((load_log(folder, public) for folder in folders), key=lambda log: log.origin)


def load_log(folder: Path, witness: VerifierKey) -> KnownLog:
    """One log as it lies on the disk. What this witness did not sign itself, it did not vouch for.

    Raises:
        LogDamaged: it cannot be read, or is not what the witness wrote.
    """
    origin, keys = read_keys(folder)
    path = folder / CHECKPOINT_FILE
    try:
        checkpoint = parse_checkpoint(path.read_text("utf-8"))
        at = cosigned_at(checkpoint, witness)
    except FileNotFoundError:
        return KnownLog(origin, keys, None, 0)
    except (OSError, UnicodeDecodeError, CheckpointError) as error:
        raise LogDamaged(f"{path} cannot be read") from error
    if checkpoint.origin != origin or at is None:
        raise LogDamaged(f"{path} is not a checkpoint of this log that this witness vouched for")
    return KnownLog(origin, keys, checkpoint, at)


def read_keys(folder: Path) -> tuple[str, Keys]:
    """Origin and keys of a log. Raises: LogDamaged."""
    path = folder / KEYS_FILE
    try:
        origin, *vkeys = path.read_text("ascii").removesuffix("\n").split("\n")
        keys = tuple(parse_vkey(text, LOG_KEY) for text in vkeys)
    except (OSError, UnicodeDecodeError, KeysError) as error:
        raise LogDamaged(f"{path} cannot be read") from error
    if folder.name != sha256(origin.encode()).hexdigest() or not keys:
        raise LogDamaged(f"{path} does not list the keys of this log")
    return origin, keys


def add_log(directory: Path, origin: str, vkey: str) -> KnownLog:
    """Let the witness look after a log, or take a further key of one; a running server knows it at once.

    Raises:
        AuditError: there is no witness, another command is changing the list, or origin or key cannot be used.
        OSError: it cannot be written.
    """
    key = parse_vkey(vkey, LOG_KEY)
    if not is_origin(origin):
        raise KeysError("an origin is printable ASCII without spaces and '+'")
    return _change_keys(directory, origin, lambda keys: keys if key in keys else (*keys, key))


def drop_key(directory: Path, origin: str, vkey: str) -> KnownLog:
    """Trust a key of a log no more (it was retired, lost or stolen); another one must have been added before.

    Raises:
        AuditError, OSError: as `add_log`; also where the log has no such key, or no other.
    """
    key = parse_vkey(vkey, LOG_KEY)

    def without(keys: Keys) -> Keys:
        if key not in keys or len(keys) == 1:
            raise KeysError("the log has no such key" if key not in keys else "add the log's new key first")
        return tuple(other for other in keys if other != key)

    return _change_keys(directory, origin, without)


def _change_keys(directory: Path, origin: str, change: Callable[[Keys], Keys]) -> KnownLog:
    public = load_public(directory)
    folder = log_dir(directory, origin)
    files = Files()
    try:
        held = take_lock(directory / _LOGS_LOCK)
    except LogLocked as error:
        raise LogLocked("another command is changing the list of logs") from error
    try:
        keys = change(read_keys(folder)[1] if (folder / KEYS_FILE).exists() else ())
        if len(keys) > _MAX_KEYS:
            raise KeysError(f"a log has at most {_MAX_KEYS} keys here")
        files.make_dir(folder)
        files.replace(folder / KEYS_FILE, "".join(f"{line}\n" for line in (origin, *keys)).encode(), durable=True)
        return load_log(folder, public)
    finally:
        os.close(held)
