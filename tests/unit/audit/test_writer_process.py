"""The real writer process: killed at every step, started twice, ended in order; nothing acknowledged is ever lost."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from log_rig import NOON, ORIGIN, ROOT, Rig, check_whole, end, intent, make_rig, turn

from runtime.audit.client import SocketLog
from runtime.audit.errors import LogUnavailable
from runtime.audit.keys import init_keys
from runtime.audit.record import Appended, Draft

pytestmark = pytest.mark.faults


@pytest.fixture
def rig() -> Iterator[Rig]:
    home = Path(tempfile.mkdtemp(prefix="fa-"))
    rig = make_rig(home)
    rig.now = NOON - 10 * 365 * 86_400_000  # the real process has the real clock
    yield rig
    shutil.rmtree(home)


def ready(process: subprocess.Popen[bytes]) -> bool:
    assert process.stdout is not None
    return process.stdout.readline() == b"ready\n"


async def send(rig: Rig, drafts: list[Draft]) -> list[Appended | BaseException]:
    log = SocketLog(rig.socket, timeout=20)
    results = await asyncio.gather(*(log.append(draft) for draft in drafts), return_exceptions=True)
    await log.aclose()
    return results


def load(rig: Rig, drafts: list[Draft]) -> dict[str, Appended]:
    """Send until the writer is gone; what was acknowledged."""
    acknowledged = {}
    for at in range(0, len(drafts), 8):
        for result in asyncio.run(send(rig, drafts[at : at + 8])):
            if isinstance(result, Appended):
                acknowledged[result.record_id] = result
            else:
                assert isinstance(result, LogUnavailable)
    return acknowledged


def restart_and_compare(rig: Rig, drafts: list[Draft], acknowledged: dict[str, Appended]) -> None:
    process = rig.spawn()
    assert ready(process)
    results = asyncio.run(send(rig, drafts))
    assert end(process) == 0
    for draft, result in zip(drafts, results, strict=True):
        assert isinstance(result, Appended)
        known = acknowledged.get(draft.record_id)
        assert known is None or (known.index, known.line_sha256) == (result.index, result.line_sha256)
    receipts = [result for result in results if isinstance(result, Appended)]
    check_whole(rig, receipts + list(acknowledged.values()))
    assert rig.events().count("turn") == len(drafts)


STEPS = ["before_write", "after_write", "after_sync", "after_tree", "after_checkpoint", "before_reply"]


@pytest.mark.parametrize("step", STEPS)
def test_killed_between_two_steps_of_an_append(rig: Rig, step: str) -> None:
    process = rig.spawn(crash_at=f"audit.append.{step}:3")
    assert ready(process)
    drafts = [turn(number) for number in range(40)]
    # Passage 1 is the start, 2 the first draft, 3 the next batch.
    acknowledged = load(rig, drafts[:1])
    assert len(acknowledged) == 1
    acknowledged |= load(rig, drafts[1:])
    assert process.wait(timeout=30) == -signal.SIGKILL
    end(process)
    assert len(acknowledged) == 1
    restart_and_compare(rig, drafts, acknowledged)


@pytest.mark.parametrize("step", [f"audit.append.{step}" for step in STEPS])
def test_killed_while_the_first_line_is_written(rig: Rig, step: str) -> None:
    process = rig.spawn(crash_at=step)
    assert not ready(process)
    assert process.wait(timeout=30) == -signal.SIGKILL
    end(process)
    restart_and_compare(rig, [turn(number) for number in range(3)], {})


@pytest.mark.parametrize("step", ["before_seal", "after_seal", "after_create"])
def test_killed_while_rotating(rig: Rig, step: str) -> None:
    receipts = rig.closed(3)
    process = rig.spawn(crash_at=f"audit.rotate.{step}")
    assert not ready(process)
    assert process.wait(timeout=30) == -signal.SIGKILL
    end(process)
    process = rig.spawn()
    assert ready(process)
    assert end(process) == 0
    assert rig.events().count("segment.sealed") == 1
    assert len(rig.segments()) == 2
    check_whole(rig, receipts)


@pytest.mark.parametrize("step", ["after_set_aside", "after_cut"])
def test_killed_while_recovering(rig: Rig, step: str) -> None:
    receipts = rig.closed(3)
    with rig.segments()[-1].open("ab") as file:
        file.write(b'{"payload":"eyJ')
    process = rig.spawn(crash_at=f"audit.recover.{step}")
    assert not ready(process)
    assert process.wait(timeout=30) == -signal.SIGKILL
    end(process)
    process = rig.spawn()
    assert ready(process)
    assert end(process) == 0
    assert rig.events().count("log.recovered") >= 1
    check_whole(rig, receipts)


def test_killed_at_any_moment_under_load(rig: Rig) -> None:
    drafts: list[Draft] = []
    acknowledged: dict[str, Appended] = {}
    for _ in range(4):
        process = rig.spawn()
        assert ready(process)
        more = [turn(number) for number in range(120)]

        async def run(more: list[Draft] = more, process: subprocess.Popen[bytes] = process) -> list[object]:
            log = SocketLog(rig.socket)
            answered = 0

            async def one(draft: Draft) -> Appended:
                nonlocal answered
                receipt = await log.append(draft)
                answered += 1
                if answered == 40:
                    process.kill()
                return receipt

            results: list[object] = await asyncio.gather(*map(one, more), return_exceptions=True)
            await log.aclose()
            return results

        results = asyncio.run(run())
        assert end(process, signal.SIGKILL) == -signal.SIGKILL
        acknowledged |= {result.record_id: result for result in results if isinstance(result, Appended)}
        drafts += more
    assert len(acknowledged) >= 160
    restart_and_compare(rig, drafts, acknowledged)


CLIENT = """
import asyncio, json, sys
from dataclasses import asdict
from pathlib import Path
from log_rig import turn
from runtime.audit.client import SocketLog

async def run():
    log = SocketLog(Path(sys.argv[1]))
    receipts = await asyncio.gather(*(log.append(turn(number)) for number in range(40)))
    print(json.dumps([asdict(receipt) for receipt in receipts]))
    await log.aclose()

asyncio.run(run())
"""


def test_eight_client_processes(rig: Rig) -> None:
    process = rig.spawn()
    assert ready(process)
    environment = {"PYTHONPATH": f"{ROOT}:{Path(__file__).parent}"}
    command = [sys.executable, "-c", CLIENT, str(rig.socket)]
    clients = [subprocess.Popen(command, env=environment, stdout=subprocess.PIPE) for _ in range(8)]
    receipts = []
    for client in clients:
        out, _ = client.communicate(timeout=60)
        assert client.returncode == 0
        receipts += [Appended(**{**item, "inclusion": tuple(item["inclusion"])}) for item in json.loads(out)]
    assert end(process) == 0
    assert sorted(receipt.index for receipt in receipts) == list(range(1, 321))
    check_whole(rig, receipts)


def test_two_writers_on_one_log(rig: Rig) -> None:
    process = rig.spawn()
    assert ready(process)
    second = rig.spawn(stderr=subprocess.PIPE)
    _, said = second.communicate(timeout=30)
    assert second.returncode == 2
    assert b"another process writes this log" in said
    results = asyncio.run(send(rig, [turn()]))
    assert isinstance(results[0], Appended)
    assert end(process) == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_an_orderly_end(rig: Rig, number: int) -> None:
    process = rig.spawn()
    assert ready(process)
    drafts = [turn(number) for number in range(20)]
    acknowledged = load(rig, drafts)
    assert len(acknowledged) == 20
    assert end(process, number) == 0
    assert not rig.socket.exists()
    check_whole(rig, list(acknowledged.values()))


def test_it_ends_with_its_parent(rig: Rig) -> None:
    process = rig.spawn("--parent-pipe", stdin=subprocess.PIPE)
    assert ready(process)
    assert isinstance(asyncio.run(send(rig, [intent()]))[0], Appended)
    assert process.stdin is not None
    process.stdin.close()
    assert process.wait(timeout=30) == 0
    end(process)


def test_a_damaged_log_is_refused_with_exit_1(rig: Rig) -> None:
    rig.closed(2)
    path = rig.segments()[-1]
    path.write_bytes(path.read_bytes()[1:])
    process = rig.spawn(stderr=subprocess.PIPE)
    _, said = process.communicate(timeout=30)
    assert (process.returncode, b"cannot be read" in said) == (1, True)


@pytest.mark.parametrize(
    "arguments", [["--keys", "/nonexistent"], ["--software", "{}"], ["--software", "x"], ["--socket", "/nonexistent/s"]]
)
def test_what_cannot_start_exits_2_without_a_traceback(rig: Rig, arguments: list[str]) -> None:
    process = rig.spawn(*arguments, stderr=subprocess.PIPE)
    _, said = process.communicate(timeout=30)
    assert process.returncode == 2
    assert said.startswith(b"log writer: ")
    assert b"Traceback" not in said


def test_a_passphrase_file(rig: Rig) -> None:
    shutil.rmtree(rig.keys)
    shutil.rmtree(rig.logs)
    init_keys(rig.keys, rig.logs, origin=ORIGIN, passphrase=b"open sesame")
    secret = rig.home / "secret"
    for content, code in [(b"wrong\n", 2), (b"open sesame\n", 0)]:
        secret.write_bytes(content)
        process = rig.spawn("--passphrase-file", str(secret), stderr=subprocess.PIPE)
        assert ready(process) is (code == 0)
        assert end(process) == code


def test_the_socket_of_a_dead_writer_is_replaced(rig: Rig) -> None:
    process = rig.spawn()
    assert ready(process)
    end(process, signal.SIGKILL)
    assert rig.socket.exists()
    restart_and_compare(rig, [turn()], {})


def view_process(writer: subprocess.Popen[bytes]) -> int:
    (child,) = Path(f"/proc/{writer.pid}/task/{writer.pid}/children").read_text().split()
    return int(child)


def views(rig: Rig) -> set[str]:
    return {path.stem for path in (rig.logs / "decisions").rglob("DR-*.json")}


def test_views_follow_the_log(rig: Rig) -> None:
    process = rig.spawn()
    assert ready(process)
    drafts = [turn(number) for number in range(3)]

    async def run() -> None:
        log = SocketLog(rig.socket)
        for draft in drafts:
            await log.append(draft)
        while views(rig) != {draft.record_id for draft in drafts}:
            await log.status()
        await log.aclose()

    asyncio.run(run())
    assert end(process) == 0


def test_the_log_goes_on_without_its_views(rig: Rig) -> None:
    process = rig.spawn()
    assert ready(process)
    os.kill(view_process(process), signal.SIGKILL)
    assert len(load(rig, [turn(number) for number in range(20)])) == 20
    assert end(process) == 0


def test_views_end_with_the_writer(rig: Rig) -> None:
    process = rig.spawn()
    assert ready(process)
    child = view_process(process)
    end(process, signal.SIGKILL)
    with suppress(OSError):
        while Path(f"/proc/{child}/stat").read_text().split()[2] != "Z":
            os.sched_yield()


def test_without_views(rig: Rig) -> None:
    process = rig.spawn("--no-views")
    assert ready(process)
    assert len(load(rig, [turn()])) == 1
    assert end(process) == 0
    assert views(rig) == set()
