"""What the host checks before it serves; the running process is tested with the real model in tests/integration."""

from __future__ import annotations

import hashlib
import socket
import stat
from pathlib import Path

import pytest

from runtime.models.host import StartError, bind, default_threads, load_checked, main


def test_the_socket_is_ours_alone(tmp_path: Path) -> None:
    path = tmp_path / "m.sock"
    with bind(path):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_socket_that_nobody_serves_is_replaced_and_one_in_use_is_not(tmp_path: Path) -> None:
    path = tmp_path / "m.sock"
    bind(path).close()
    with bind(path):
        with pytest.raises(StartError, match="another model host"):
            bind(path)
        with socket.socket(socket.AF_UNIX) as caller:
            caller.connect(str(path))


def test_places_where_no_socket_goes(tmp_path: Path) -> None:
    with pytest.raises(StartError, match="longer than 100 bytes"):
        bind(tmp_path / ("x" * 100))
    with pytest.raises(StartError, match="no folder"):
        bind(tmp_path / "none" / "m.sock")
    (tmp_path / "file").write_text("")
    with pytest.raises(StartError, match="cannot listen"):
        bind(tmp_path / "file")
    open_folder = tmp_path / "open"
    open_folder.mkdir()
    open_folder.chmod(0o777)
    with pytest.raises(StartError, match="others could write"):
        bind(open_folder / "m.sock")


def test_one_core_is_left_to_the_others() -> None:
    assert default_threads() >= 1


def test_wrong_weights_are_not_loaded(tmp_path: Path) -> None:
    weights = tmp_path / "m.gguf"
    weights.write_bytes(b"not a model")
    for path, sha256, named in (
        (weights, "0" * 64, "it is not loaded"),
        (weights, hashlib.sha256(b"not a model").hexdigest(), "cannot be loaded"),
        (tmp_path / "none.gguf", "0" * 64, "cannot read"),
        (tmp_path, "0" * 64, "cannot read"),
    ):
        with pytest.raises(StartError, match=named):
            load_checked(path, sha256, context=64, threads=1, gpu_layers=0)


def test_a_wrong_hash_ends_the_start(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    weights = tmp_path / "m.gguf"
    weights.write_bytes(b"not a model")
    arguments = ["--socket", str(tmp_path / "s"), "--model-file", str(weights), "--sha256", "0" * 64]
    assert main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "sha256" in err
    assert not (tmp_path / "s").exists()
