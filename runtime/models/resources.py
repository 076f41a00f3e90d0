"""What this machine offers a model: memory, cores, instruction sets, graphics cards. Never fails, never asks a network.

What cannot be found out is None, 0 or empty, and the selection treats it as not being there. Servers that hold models
already are `probes`'.
"""

from __future__ import annotations

import importlib.util
import os
import platform
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

_KIB: Final = 1024
_MIB: Final = 1024 * 1024
_SMI_SECONDS: Final = 5.0
_QUERY: Final = ["--query-gpu=name,memory.total,memory.free", "--format=csv,noheader,nounits"]
_FEATURES: Final = {"avx": "AVX", "avx2": "AVX2", "avx512f": "AVX512", "asimd": "NEON"}
_UNLIMITED: Final = 1 << 60
_GPU_LIBRARY: Final = re.compile(r"ggml-(cuda|hip|metal|vulkan|sycl)")


@dataclass(frozen=True, slots=True)
class Gpu:
    """A graphics card; memory in bytes."""

    name: str
    total: int
    free: int


@dataclass(frozen=True, slots=True)
class OfferedModel:
    """A model that a running server offers.

    Attributes:
        name: by which it is asked.
        size: bytes of its weights, where the server says so.
        parameters: how many weights, likewise.
        context: tokens, likewise.
        chat: False for those that only embed.
        loaded: it is in memory already and needs none of what is free.
    """

    name: str
    size: int | None = None
    parameters: int | None = None
    context: int | None = None
    chat: bool = True
    loaded: bool = False


@dataclass(frozen=True, slots=True)
class ModelServer:
    """Ollama, vLLM or llama-server as it was found.

    Attributes:
        name: the backend's name.
        state: `running`; `absent`: nobody answered as such a server does; `elsewhere`: its address is not on this
            machine, so it was not asked.
    """

    name: str
    state: str
    models: tuple[OfferedModel, ...] = ()


@dataclass(frozen=True, slots=True)
class Machine:
    """Everything that the selection looks at; memory in bytes.

    Attributes:
        ram_total, ram_available: of this process's share (control groups), not only of the machine.
        cores: as `usable_cores`.
        features: instruction sets, of AVX, AVX2, AVX512, NEON.
        gpu_build: llama.cpp as installed here can compute on a graphics card.
    """

    ram_total: int
    ram_available: int
    cores: int
    features: frozenset[str] = frozenset()
    gpus: tuple[Gpu, ...] = ()
    gpu_build: bool = False
    servers: tuple[ModelServer, ...] = field(default=())


def detect(root: Path = Path("/"), run: Callable[[list[str]], str | None] | None = None) -> Machine:
    """Look at this machine.

    Args:
        root: where `proc` and `sys` are found.
        run: runs a command and gives its output, None when there is none.
    """
    total, available = _memory(root)
    for limit, used in _limits(root):
        total = min(total, limit)
        available = min(available, max(0, limit - used))
    cpuinfo = _read(root / "proc/cpuinfo")
    return Machine(
        ram_total=total,
        ram_available=available,
        cores=usable_cores(root),
        features=_features(cpuinfo),
        gpus=tuple(_gpus((run or _run)(["nvidia-smi", *_QUERY]) or "")),
        gpu_build=gpu_build(),
    )


def _memory(root: Path) -> tuple[int, int]:
    found: dict[str, str] = dict(re.findall(r"(?m)^(\w+):\s+(\d+) kB", _read(root / "proc/meminfo")))
    if "MemTotal" in found:
        total = int(found["MemTotal"]) * _KIB
        return total, int(found.get("MemAvailable", found.get("MemFree", 0))) * _KIB
    with suppress(ValueError, OSError, AttributeError):
        total = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        return total, total // 2  # a system that does not say what is free
    return 0, 0


def _limits(root: Path) -> Iterator[tuple[int, int]]:
    """(limit, use) in bytes of every control group of memory that this process is in, without caches it can drop."""
    for group, old in _groups(root, "memory"):
        names = ("memory.limit_in_bytes", "memory.usage_in_bytes") if old else ("memory.max", "memory.current")
        limit, used = (_number(_read(group / name)) for name in names)
        if limit is None or limit >= _UNLIMITED:
            continue
        kept = re.search(r"(?m)^(?:total_)?inactive_file (\d+)", _read(group / "memory.stat"))
        yield limit, max(0, (used or 0) - (int(kept[1]) if kept else 0))


def _groups(root: Path, controller: str) -> Iterator[tuple[Path, bool]]:
    """Every control group of this controller that this process is in, outermost first, and whether it is an old one."""
    for line in _read(root / "proc/self/cgroup").splitlines():
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        old = controller in controllers.split(",")
        if controllers and not old:
            continue
        mount = root / "sys/fs/cgroup" / (controller if old else "")
        parts = [part for part in path.split("/") if part not in {"", "..", "."}]
        for depth in range(len(parts) + 1):
            yield mount.joinpath(*parts[:depth]), old


def usable_cores(root: Path = Path("/")) -> int:
    """Physical cores that this process may use, at least one: within its affinity and its control groups' quotas."""
    found = _cores(_read(root / "proc/cpuinfo"))
    for group, old in _groups(root, "cpu"):
        text = "cpu.cfs_quota_us", "cpu.cfs_period_us"
        words = [_read(group / name) for name in text] if old else _read(group / "cpu.max").split()
        quota, period = (_number(word) for word in words) if len(words) == 2 else (None, None)
        if quota and period:
            found = min(found, max(1, quota // period))
    return found


def _cores(cpuinfo: str) -> int:
    """Physical cores among the processors that this process may run on."""
    allowed = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set(range(os.cpu_count() or 1))
    found: set[tuple[str, str]] = set()
    for block in cpuinfo.split("\n\n"):
        values: dict[str, str] = dict(re.findall(r"(?m)^(processor|physical id|core id)\s*:\s*(\d+)", block))
        if "core id" in values and int(values.get("processor", -1)) in allowed:
            found.add((values.get("physical id", "0"), values["core id"]))
    return len(found) or max(1, len(allowed))


def _features(cpuinfo: str) -> frozenset[str]:
    line = re.search(r"(?mi)^(?:flags|features)\s*:\s*(.*)$", cpuinfo)
    words = set(line[1].lower().split()) if line else set()
    found = {name for flag, name in _FEATURES.items() if flag in words}
    return frozenset(found | ({"NEON"} if platform.machine() in {"arm64", "aarch64"} and not words else set()))


def _gpus(table: str) -> Iterator[Gpu]:
    """The rows of nvidia-smi that are whole; others (a card in trouble says [N/A]) are no cards to count on."""
    for line in table.splitlines():
        cells = [cell.strip() for cell in line.rsplit(",", 2)]
        if len(cells) != 3:
            continue
        total, free = _number(cells[1]), _number(cells[2])
        if total and free is not None and free <= total:
            yield Gpu(cells[0], total * _MIB, free * _MIB)


def gpu_build() -> bool:
    """Whether the installed llama.cpp has a library for graphics cards; it is not loaded for that."""
    with suppress(ImportError, ValueError):
        spec = importlib.util.find_spec("llama_cpp")
        if spec is not None and spec.origin is not None:
            return any(_GPU_LIBRARY.search(path.name) for path in Path(spec.origin).parent.glob("lib/*"))
    return False


def _run(command: list[str]) -> str | None:
    program = shutil.which(command[0])
    if program is None:
        return None
    with suppress(OSError, subprocess.SubprocessError, UnicodeDecodeError):
        done = subprocess.run(
            [program, *command[1:]], capture_output=True, timeout=_SMI_SECONDS, check=True, stdin=subprocess.DEVNULL
        )
        return done.stdout.decode("utf-8", "replace")
    return None


def _number(text: str) -> int | None:
    cleaned = text.strip()
    return int(cleaned) if cleaned.isascii() and cleaned.isdigit() else None


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8", "replace")
    except OSError:
        return ""
