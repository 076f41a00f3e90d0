"""The root's private key, brought for one act: from the file that is named, or beside the log in evaluation mode."""

from __future__ import annotations

from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from runtime.audit.errors import KeysError
from runtime.audit.keys import ROOT_KEY, load_private
from runtime.errors import SettingsError
from runtime.settings import Settings


def load_root_private(settings: Settings, file: str | None, passphrase_file: str | None) -> Ed25519PrivateKey:
    """Read it.

    Args:
        settings: of this home.
        file: where it is; None: where an evaluation keeps it.
        passphrase_file: of the key, where it differs from this home's.

    Raises:
        SettingsError: it is not there, or cannot be read.
    """
    path = Path(file) if file is not None else settings.keys_dir / ROOT_KEY
    if not path.exists():
        raise SettingsError("the root's private key is not on this machine: bring it, and name it with --root FILE")
    try:
        passphrase = Path(passphrase_file).read_bytes().strip() if passphrase_file else settings.passphrase()
        return load_private(path, passphrase)
    except OSError as error:
        raise SettingsError(f"{passphrase_file}: {error.strerror}") from error
    except KeysError as error:
        raise SettingsError(str(error)) from error
