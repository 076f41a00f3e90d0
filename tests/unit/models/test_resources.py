"""What is found out of a machine, from files and outputs as machines have them; and that nothing makes it fail."""

from __future__ import annotations

from pathlib import Path

import pytest

from runtime.models.resources import Gpu, detect

GIB = 1 << 30
MEMINFO = "MemTotal:       16384000 kB\nMemFree:         1000000 kB\nMemAvailable:   12000000 kB\nBuffers: 1 kB\n"
TOTAL, AVAILABLE = 16384000 * 1024, 12000000 * 1024


def cpuinfo(*processors: tuple[int, int, int], flags: str = "fpu avx avx2 avx512f") -> str:
    return "\n\n".join(
        f"processor\t: {number}\nphysical id\t: {socket}\ncore id\t\t: {core}\nflags\t\t: {flags}"
        for number, socket, core in processors
    )


def machine(root: Path, files: dict[str, str], smi: str | None = None) -> object:
    for name, text in {"proc/meminfo": MEMINFO, **files}.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return detect(root, lambda _command: smi)


def memory(root: Path, files: dict[str, str]) -> tuple[int, int]:
    found = machine(root, files)
    return found.ram_total, found.ram_available  # type: ignore[attr-defined]


V2 = "sys/fs/cgroup/box/inner"
V1 = "sys/fs/cgroup/memory/box"
LIMITS: list[tuple[str, dict[str, str], tuple[int, int]]] = [
    ("no group", {}, (TOTAL, AVAILABLE)),
    (
        "a group without a limit",
        {"proc/self/cgroup": "0::/box/inner\n", f"{V2}/memory.max": "max\n"},
        (TOTAL, AVAILABLE),
    ),
    (
        "a limit",
        {"proc/self/cgroup": "0::/box/inner\n", f"{V2}/memory.max": f"{4 * GIB}\n", f"{V2}/memory.current": f"{GIB}\n"},
        (4 * GIB, 3 * GIB),
    ),
    (
        "caches can be dropped",
        {
            "proc/self/cgroup": "0::/box/inner\n",
            f"{V2}/memory.max": f"{4 * GIB}\n",
            f"{V2}/memory.current": f"{3 * GIB}\n",
            f"{V2}/memory.stat": f"anon 1\ninactive_file {2 * GIB}\n",
        },
        (4 * GIB, 3 * GIB),
    ),
    (
        "the limit of an outer group",
        {
            "proc/self/cgroup": "0::/box/inner\n",
            "sys/fs/cgroup/box/memory.max": f"{2 * GIB}\n",
            f"{V2}/memory.max": f"{4 * GIB}\n",
        },
        (2 * GIB, 2 * GIB),
    ),
    (
        "the old kind",
        {
            "proc/self/cgroup": "5:cpu:/\n4:memory:/box\n",
            f"{V1}/memory.limit_in_bytes": f"{2 * GIB}",
            f"{V1}/memory.usage_in_bytes": f"{GIB}",
        },
        (2 * GIB, GIB),
    ),
    (
        "the old kind, unlimited",
        {"proc/self/cgroup": "4:memory:/box\n", f"{V1}/memory.limit_in_bytes": "9223372036854771712"},
        (TOTAL, AVAILABLE),
    ),
    (
        "more used than allowed",
        {"proc/self/cgroup": "0::/box/inner\n", f"{V2}/memory.max": str(GIB), f"{V2}/memory.current": str(2 * GIB)},
        (GIB, 0),
    ),
    ("nonsense", {"proc/self/cgroup": "\n:\n::\n0::../../..\n\xff", f"{V2}/memory.max": "many"}, (TOTAL, AVAILABLE)),
]


@pytest.mark.parametrize(("files", "expected"), [case[1:] for case in LIMITS], ids=[case[0] for case in LIMITS])
def test_memory_is_this_processes_share(tmp_path: Path, files: dict[str, str], expected: tuple[int, int]) -> None:
    assert memory(tmp_path, files) == expected


def test_a_kernel_that_does_not_say_what_is_available(tmp_path: Path) -> None:
    assert memory(tmp_path, {"proc/meminfo": "MemTotal: 1000 kB\nMemFree: 10 kB\n"}) == (1_024_000, 10_240)


def test_threads_of_a_core_are_one_core(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda _pid: set(range(8)))
    pairs = [(number, 0, number // 2) for number in range(8)]
    found = machine(tmp_path, {"proc/cpuinfo": cpuinfo(*pairs)})
    assert found.cores == 4  # type: ignore[attr-defined]
    monkeypatch.setattr("os.sched_getaffinity", lambda _pid: {0, 1})
    assert machine(tmp_path, {}).cores == 1  # type: ignore[attr-defined]


QUOTAS: list[tuple[str, dict[str, str], int]] = [
    ("none", {"proc/self/cgroup": "0::/box\n", "sys/fs/cgroup/box/cpu.max": "max 100000\n"}, 4),
    ("two cores", {"proc/self/cgroup": "0::/box\n", "sys/fs/cgroup/box/cpu.max": "200000 100000\n"}, 2),
    ("half a core", {"proc/self/cgroup": "0::/box\n", "sys/fs/cgroup/box/cpu.max": "50000 100000\n"}, 1),
    ("more than there are", {"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "6400000 100000\n"}, 4),
    ("of an outer group", {"proc/self/cgroup": "0::/box/in\n", "sys/fs/cgroup/box/cpu.max": "300000 100000\n"}, 3),
    (
        "the old kind",
        {
            "proc/self/cgroup": "4:memory:/\n3:cpu,cpuacct:/box\n",
            "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1\n",
            "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
            "sys/fs/cgroup/cpu/box/cpu.cfs_quota_us": "250000\n",
            "sys/fs/cgroup/cpu/box/cpu.cfs_period_us": "100000\n",
        },
        2,
    ),
    ("nonsense", {"proc/self/cgroup": "0::/box\n", "sys/fs/cgroup/box/cpu.max": "200000\n"}, 4),
    ("no period", {"proc/self/cgroup": "0::/box\n", "sys/fs/cgroup/box/cpu.max": "200000 0\n"}, 4),
]


@pytest.mark.parametrize(("files", "expected"), [quota[1:] for quota in QUOTAS], ids=[quota[0] for quota in QUOTAS])
def test_cores_within_a_quota(
    tmp_path: Path, files: dict[str, str], expected: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda _pid: set(range(8)), raising=False)
    eight = cpuinfo(*((number, 0, number // 2) for number in range(8)))
    found = machine(tmp_path, {"proc/cpuinfo": eight, **files})
    assert found.cores == expected  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (cpuinfo((0, 0, 0)), {"AVX", "AVX2", "AVX512"}),
        (cpuinfo((0, 0, 0), flags="fpu sse2 avx"), {"AVX"}),
        ("processor : 0\nFeatures : fp asimd crc32\n", {"NEON"}),
        ("processor : 0\nflags : sse\n", set()),
    ],
)
def test_instruction_sets(tmp_path: Path, text: str, expected: set[str]) -> None:
    assert machine(tmp_path, {"proc/cpuinfo": text}).features == expected  # type: ignore[attr-defined]


SMI: list[tuple[str, str | None, tuple[Gpu, ...]]] = [
    ("no program", None, ()),
    ("one card", "NVIDIA GeForce RTX 3060, 12288, 11000\n", (Gpu("NVIDIA GeForce RTX 3060", 12 * GIB, 11000 << 20),)),
    ("two cards", "A, 10, 5\nB, 20, 20\n", (Gpu("A", 10 << 20, 5 << 20), Gpu("B", 20 << 20, 20 << 20))),
    ("a comma in the name", "Card, Special, 10, 5\n", (Gpu("Card, Special", 10 << 20, 5 << 20),)),
    ("a card in trouble", "A, [N/A], [N/A]\nB, 20, 20\nC, 10\n", (Gpu("B", 20 << 20, 20 << 20),)),
    ("more free than there is", "A, 10, 11\n", ()),
    ("a driver that failed", "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver.\n", ()),
    ("other digits", "A, ١٢, ٥\n", ()),
]


@pytest.mark.parametrize(("smi", "expected"), [case[1:] for case in SMI], ids=[case[0] for case in SMI])
def test_graphics_cards(tmp_path: Path, smi: str | None, expected: tuple[Gpu, ...]) -> None:
    assert machine(tmp_path, {}, smi).gpus == expected  # type: ignore[attr-defined]


@pytest.mark.parametrize("script", ["exit 9", "printf '\\377\\376'", "kill -9 $$"])
def test_a_program_that_misbehaves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    program = tmp_path / "bin" / "nvidia-smi"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent))
    assert detect().gpus == ()


def test_an_empty_machine(tmp_path: Path) -> None:
    found = detect(tmp_path, lambda _command: None)
    assert found.ram_total >= 0
    assert found.cores >= 1
    assert found.features == frozenset()


def test_this_machine() -> None:
    found = detect()
    assert 0 < found.ram_available <= found.ram_total
    assert found.servers == ()
