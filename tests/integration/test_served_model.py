"""`model.changed` in a real log: one record for each change of model, none for a start without one."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from runtime.audit import reader
from runtime.audit.client import InProcessLog
from runtime.audit.writer import LogWriter
from runtime.bootstrap import first_records, prepare_home
from runtime.models.registry import ModelFile
from runtime.served_model import ServedModel, record_model, served_by
from runtime.settings import Settings
from runtime.software import software
from tests.integration.harness import settings_for

A = ServedModel("llama.cpp", "a", "aa" * 32)
A_OTHER_BYTES = ServedModel("llama.cpp", "a", "ab" * 32)
B = ServedModel("llama.cpp", "b", "bb" * 32)
REMOTE = ServedModel("vllm", "Qwen/Qwen3-14B-AWQ")
POINTER = "served_model.json"


@contextmanager
def log_of(settings: Settings) -> Iterator[InProcessLog]:
    log = InProcessLog(LogWriter(settings.logs_dir, settings.keys_dir, software=software()))
    try:
        yield log
    finally:
        asyncio.run(log.aclose())


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    made = settings_for(tmp_path)
    prepare_home(made)
    return made


def serve(settings: Settings, *models: ServedModel) -> list[bool]:
    """One start for each model; whether each made a record."""
    made = []
    for model in models:
        with log_of(settings) as log:
            made.append(asyncio.run(record_model(settings, log, model)))
    return made


def changes(settings: Settings) -> list[dict[str, Any]]:
    return [one.record for one in reader.iter_records(settings.logs_dir) if one.record["event"] == "model.changed"]


def test_a_record_for_each_change_and_none_between(settings: Settings) -> None:
    assert serve(settings, A, A, B, B, A, A_OTHER_BYTES, REMOTE, REMOTE) == [
        True, False, True, False, True, True, True, False,
    ]  # fmt: skip
    found = changes(settings)
    assert [record["model"].get("request_model") for record in found] == ["a", "b", "a", "a", "Qwen/Qwen3-14B-AWQ"]
    assert [record["reasons"] for record in found] == [["model.first"], *[["model.replaced"]] * 4]
    assert found[1]["detail"] == {
        "previous_provider": "llama.cpp", "previous_request_model": "a", "previous_weights_sha256": "aa" * 32,
    }  # fmt: skip
    assert "detail" not in found[0]


POINTERS: list[tuple[str, str | None]] = [
    ("lost", None),
    ("torn", '{"log_in'),
    ("another form", '{"log_index": "0", "record_id": 1}'),
    ("no object", "[]"),
    ("past the end", '{"log_index": 999999, "record_id": "DR-x"}'),
    ("of another record", '{"log_index": 0, "record_id": "DR-x"}'),
]


@pytest.mark.parametrize("text", [pointer[1] for pointer in POINTERS], ids=[pointer[0] for pointer in POINTERS])
def test_the_log_is_believed_not_the_file(settings: Settings, text: str | None) -> None:
    serve(settings, A, B)
    path = settings.logs_dir / POINTER
    path.unlink() if text is None else path.write_text(text)
    assert serve(settings, B, A) == [False, True]


def test_a_pointer_with_another_id_is_not_believed(settings: Settings) -> None:
    serve(settings, A, B)
    (settings.logs_dir / POINTER).write_text(
        json.dumps({"log_index": changes(settings)[0]["seq"], "record_id": "DR-x"})
    )
    assert serve(settings, B) == [False]


def test_an_older_file_does_not_hide_a_change(settings: Settings) -> None:
    """A crash between the record and the file leaves no file, so that the log itself is looked through."""
    serve(settings, A)
    with log_of(settings) as log:
        real = log.append

        async def crash(draft: Any, *rest: Any) -> Any:
            await real(draft, *rest)
            raise ConnectionError

        log.append = crash  # type: ignore[method-assign]
        with pytest.raises(ConnectionError):
            asyncio.run(record_model(settings, log, B))
    assert not (settings.logs_dir / POINTER).exists()
    assert serve(settings, A, A) == [True, False]
    assert json.loads((settings.logs_dir / POINTER).read_text())["record_id"] == changes(settings)[-1]["record_id"]


def test_a_start_records_it_and_the_next_does_not(settings: Settings) -> None:
    for _ in range(2):
        with log_of(settings) as log:
            asyncio.run(first_records(settings, log, A))
    assert len(changes(settings)) == 1


def test_a_name_that_may_not_stand_in_a_record_is_left_out(settings: Settings) -> None:
    assert serve(settings, ServedModel("ollama", "my model @ home"), ServedModel("ollama", "another one"))[0]
    assert changes(settings)[0]["model"] == {"provider": "ollama"}


@pytest.mark.parametrize(
    ("backend", "expected"),
    [
        ("scripted", None),
        ("ollama", ServedModel("ollama", "default")),
        ("llama_server", ServedModel("llama_server", "default")),
    ],
)
def test_what_the_settings_serve(tmp_path: Path, backend: str, expected: ServedModel | None) -> None:
    assert served_by(settings_for(tmp_path, LLM_BACKEND=backend), None) == expected
    local = ModelFile("m", tmp_path / "m.gguf", "cc" * 32)
    assert served_by(settings_for(tmp_path, LLM_BACKEND="llama.cpp"), local) == ServedModel("llama.cpp", "m", "cc" * 32)
