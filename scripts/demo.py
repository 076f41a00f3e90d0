"""`make demo`: FilAgent in the terminal, in under two minutes, on a home of its own that is thrown away at the end.

A turn in English and one in French with personal data in them; what the model saw and what the caller got back; the
decision record in plain words; the verification; one flipped byte found; a person erased and the log still whole.
Everything shown is read from the running system; nothing is prepared.
"""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from memory import repository  # noqa: E402 - the checkout is not installed for this script
from memory.database import Database  # noqa: E402
from memory.keys import KeyRing  # noqa: E402
from memory.recall import decode_messages, open_stored  # noqa: E402

BOLD, DIM, GREEN, RED, PLAIN = (
    ("\033[1m", "\033[2m", "\033[32m", "\033[31m", "\033[0m") if sys.stdout.isatty() else ("",) * 5
)
QUESTIONS = (
    (
        "en",
        "Reply to marie.tremblay@example.com (514-555-0199, SIN 046 454 286): what is the capital of Canada?",
    ),
    (
        "fr",
        "Réponds à jean.cote@exemple.quebec (418 555-0142, NAS 130 692 544) : quelle est la capitale du Québec ?",
    ),
)


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="filagent-demo-") as folder:
        home = Path(folder)
        (home / "models").symlink_to(ROOT / "models", target_is_directory=True)
        heading("Starting FilAgent with the embedded model / Démarrage")
        with serving(home) as (port, key):
            answers = [turn(home, port, key, lang, question) for lang, question in QUESTIONS]
            heading("The decision record in plain words / Le registre en clair")
            for (lang, _), answer in zip(QUESTIONS, answers, strict=True):
                _, explained = call(port, "GET", f"/decisions/{answer['decision_id']}/explain?lang={lang}", key)
                print(explained["text"].rstrip() + "\n")
            heading("Verification, as a stranger would do it / Vérification")
            good = command(home, "verify", "logs", "--root-key", "keys/root.pub.pem") == 0
            receipt = ("--receipt", "answer-en.json", "--request", "request-en.json")
            good &= command(home, "verify", *receipt, "--root-key", "keys/root.pub.pem") == 0
            heading("One byte of a copy is flipped / Un octet d'une copie est changé")
            flip(home)
            good &= command(home, "verify", "tampered", "--root-key", "keys/root.pub.pem") == 1
            heading("The person is erased / La personne est effacée")
            good &= command(home, "privacy", "erase", "--identifier", "marie.tremblay@example.com") == 0
            status, gone = call(port, "GET", f"/turns/{answers[0]['turn_id']}", key)
            print(f"GET /turns/{answers[0]['turn_id']} -> {status} {gone['code']}")
            good &= status == 404
            good &= command(home, "verify", "logs", "--root-key", "keys/root.pub.pem") == 0
    print(
        f"\n{GREEN}{BOLD}Everything was as promised.{PLAIN}"
        if good
        else f"\n{RED}{BOLD}Something was not as promised.{PLAIN}"
    )
    return 0 if good else 1


def turn(home: Path, port: int, key: str, lang: str, question: str) -> dict[str, Any]:
    """One governed turn, shown from all sides."""
    heading("A turn in English" if lang == "en" else "Un tour en français")
    request = json.dumps(
        {
            "messages": [{"role": "user", "content": question}],
            "options": {"max_tokens": 48, "temperature": 0.2, "seed": 7},
        },
        ensure_ascii=False,
    ).encode()
    status, answer = call(port, "POST", "/chat", key, request)
    if status != 200:
        raise SystemExit(f"the turn failed: {status} {answer}")
    (home / f"request-{lang}.json").write_bytes(request)
    (home / f"answer-{lang}.json").write_text(json.dumps(answer), "utf-8")
    show("asked", question)
    show("the model saw", asyncio.run(stored_view(home, answer["turn_id"])))
    show("came back", answer["content"])
    show("masked", ", ".join(f"{count} {entity}" for entity, count in answer["redactions"].items()) or "nothing")
    show("decision", f"{answer['decision_id']} ({answer['processing_time_ms']} ms)")
    return answer


async def stored_view(home: Path, turn_id: str) -> str:
    """The last message of the view that was committed before the model ran, read from the encrypted store."""
    database = Database(f"sqlite:///{home / 'data' / 'filagent.sqlite'}")
    try:
        turn = await database.read(lambda conn: repository.find_turn(conn, turn_id))
        assert turn is not None
        stored = await database.read(lambda conn: repository.read_turn(conn, turn_id, str(turn.principal_id)))
        assert stored is not None
        contents, _ = open_stored(stored, KeyRing(home / "keys"))
        return decode_messages(contents["view"])[-1].content
    finally:
        await database.aclose()


@contextlib.contextmanager
def serving(home: Path) -> Iterator[tuple[int, str]]:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    environ = {**os.environ, "FILAGENT_HOME": str(home), "SERVER_PORT": str(port), "FILAGENT_WORKERS": "1"}
    process = subprocess.Popen(
        [sys.executable, "-m", "runtime.cli", "serve", "--no-console"],
        cwd=ROOT,
        env=environ,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield port, first_key(process)
    finally:
        process.terminate()
        process.wait(30)


def first_key(process: subprocess.Popen[str]) -> str:
    """The admin key that the server prints once; its last line says that it serves."""
    assert process.stdout is not None
    key, begun = "", time.monotonic()
    for line in process.stdout:
        text = line.strip()
        if text.startswith("fa_"):
            key = text
        if text.startswith("serving on"):
            print(f"{DIM}{text.partition(' - ')[0]}, ready after {time.monotonic() - begun:.1f} s{PLAIN}")
            return key
        if not text.startswith(("fa_", "curl")):
            print(f"{DIM}{text}{PLAIN}")
    raise SystemExit("the server did not start; its messages stand above")


def call(port: int, method: str, path: str, key: str, body: bytes | None = None) -> tuple[int, dict[str, Any]]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    try:
        connection.request(method, path, body, {"Authorization": f"Bearer {key}", "Content-Type": "application/json"})
        response = connection.getresponse()
        return response.status, json.loads(response.read())
    finally:
        connection.close()


def command(home: Path, *words: str) -> int:
    """Run `filagent …` in the home and show it."""
    print(f"{DIM}$ filagent {' '.join(words)}{PLAIN}")
    environ = {**os.environ, "FILAGENT_HOME": str(home), "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-m", "runtime.cli", *words], cwd=home, env=environ, check=False)
    print(f"{GREEN if done.returncode == 0 else RED}exit {done.returncode}{PLAIN}")
    return done.returncode


def flip(home: Path) -> None:
    """Copy the log and change one bit in the middle of its largest segment."""
    shutil.copytree(home / "logs", home / "tampered")
    segment = max((home / "tampered" / "events").glob("*.jsonl"), key=lambda path: path.stat().st_size)
    data = bytearray(segment.read_bytes())
    data[len(data) // 2] ^= 1
    segment.chmod(0o600)
    segment.write_bytes(data)
    print(f"{DIM}byte {len(data) // 2} of {segment.name} in a copy of the log{PLAIN}")


def heading(text: str) -> None:
    print(f"\n{BOLD}== {text}{PLAIN}", flush=True)


def show(label: str, text: str) -> None:
    print(f"{label:>14}: {text}", flush=True)


if __name__ == "__main__":
    raise SystemExit(main())
