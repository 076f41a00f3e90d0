"""scripts/setup.sh: what it does, in which order, what it says when a step fails, and that it goes on from there.

It runs against a stand-in for Python that notes how it was called. The real thing is `make run` on a bare machine.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TOOLS = (
    "sh dirname sha256sum cut awk grep find mkdir mv cp cat rm ls date sleep tail sed flock env printf kill".split()  # noqa: SIM905
)
PYTHON = r"""#!/bin/sh
case "$1 ${2:-}" in
"-c import sys; sys.exit("*) exit "${STUB_IS_311:-0}" ;;
"-c import ensurepip"*) exit "${STUB_ENSUREPIP:-0}" ;;
"-c import venv"*) exit 0 ;;
"-c import os, sys; os.setsid"*) shift 2; exec "$@" ;;
"-V "*) echo "Python 3.11.9"; exit 0 ;;
"-m venv") shift 2; what="make venv: $*"; for last; do :; done; mkdir -p "$last/bin"; cp "$0" "$last/bin/python"; : >"$last/pyvenv.cfg" ;;
"-m pip") [ "$3" != --version ] || exit 0; what="$*" ;;
*) what="$*" ;;
esac
printf '%s|%s|%s\n' "$what" "${CMAKE_ARGS:-}" "${PIP_TARGET:-}${PIP_USER:-}${PYTHONPATH:-}" >>"$STUB_CALLS"
case "$what" in *"${STUB_FAIL:-nothing fails}"*) echo "${STUB_SAYS:-}"; exit 1 ;; esac
"""
PARTS = [
    ("venv", "make venv: "),
    ("build tools", "install --require-hashes --only-binary :all: -r requirements/build.lock"),
    ("llama.cpp", "-r .venv/llama.lock"),
    ("packages", "install --no-build-isolation --require-hashes -r requirements/run.lock"),
    ("project", "install --no-deps --no-build-isolation --no-index -e ."),
    ("model", "-m runtime.models.fetch"),
]


class Machine:
    """A bare machine with a checkout on it (in a folder whose name has a space)."""

    def __init__(self, folder: Path) -> None:
        self.tree = folder / "a checkout"
        self.bin = folder / "bin"
        self.calls_file = folder / "calls"
        self.cpuinfo = folder / "cpuinfo"
        self.bin.mkdir()
        for tool in TOOLS:
            found = shutil.which(tool)
            if found:
                (self.bin / tool).symlink_to(found)
        self.program("python3.11", PYTHON)
        self.program("c++", "#!/bin/sh\n")
        self.program("uname", "#!/bin/sh\necho x86_64\n")
        self.cpuinfo.write_text("flags : sse4_2 avx avx2 fma f16c bmi2\n")
        (self.tree / "scripts").mkdir(parents=True)
        shutil.copy(ROOT / "scripts/setup.sh", self.tree / "scripts")
        (self.tree / "pyproject.toml").write_text("[project]\n")
        (self.tree / "requirements").mkdir()
        for name in ("build", "run", "dev"):
            self.lock(
                name,
                f"{name}-package==1 \\\n    --hash=sha256:00\nllama-cpp-python==1 \\\n    --hash=sha256:11\nz==1\n",
            )

    def program(self, name: str, text: str) -> None:
        (self.bin / name).write_text(text)
        (self.bin / name).chmod(0o755)

    def lock(self, name: str, text: str) -> None:
        (self.tree / f"requirements/{name}.lock").write_text(text)

    def setup(self, what: str = "run", **environ: str) -> tuple[int, str, list[str]]:
        """Exit status, everything said, and the calls made ("what|CMAKE_ARGS|leaked variables")."""
        self.calls_file.write_text("")
        result = subprocess.run(
            ["sh", self.tree / "scripts/setup.sh", what],
            env={
                "PATH": str(self.bin),
                "HOME": str(self.tree.parent),
                "STUB_CALLS": str(self.calls_file),
                "FILAGENT_CPUINFO": str(self.cpuinfo),
                **environ,
            },
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
        )  # fmt: skip
        return result.returncode, result.stdout, self.calls_file.read_text().splitlines()


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def parts_of(calls: list[str]) -> list[str]:
    """Which parts the calls belong to, in their order."""
    return [next((part for part, sign in PARTS if sign in call), call) for call in calls]


def test_the_first_call_makes_everything_in_order(machine: Machine) -> None:
    status, said, calls = machine.setup()
    assert status == 0, said
    assert parts_of(calls) == [part for part, _ in PARTS]
    assert "usually" in said


def test_the_second_call_only_asks_for_the_model(machine: Machine) -> None:
    machine.setup()
    status, said, calls = machine.setup()
    assert (status, said, parts_of(calls)) == (0, "", ["model"])


def test_tests_need_more_and_lint_needs_no_model(machine: Machine) -> None:
    machine.setup()
    _, _, calls = machine.setup("lint")
    assert ["requirements/dev.lock" in call for call in calls] == [True]
    _, _, calls = machine.setup("test")
    assert parts_of(calls) == ["model"]


def test_a_word_it_does_not_know(machine: Machine) -> None:
    status, said, calls = machine.setup("walk")
    assert status == 2
    assert "usage" in said
    assert calls == []


@pytest.mark.parametrize("failing", [1, 2, 3, 4])
def test_after_a_failure_it_goes_on_from_the_last_finished_part(machine: Machine, failing: int) -> None:
    names = [part for part, _ in PARTS]
    status, said, calls = machine.setup(STUB_FAIL=PARTS[failing][1], STUB_SAYS="something odd")
    assert status == 1
    assert "setup stopped" in said
    assert "something odd" in said
    assert parts_of(calls) == names[: failing + 1]
    status, said, calls = machine.setup()
    assert status == 0, said
    assert "an earlier setup was interrupted" in said
    assert calls[0].startswith("-I scripts/mend_environment.py")
    assert [part for part in parts_of(calls) if part in names[failing:]] == names[failing:]


def test_a_finished_build_of_llama_survives_a_later_failure(machine: Machine) -> None:
    machine.setup(STUB_FAIL="requirements/run.lock")
    installed = machine.tree / ".venv/lib/python3.11/site-packages/llama_cpp_python-1.dist-info"
    installed.mkdir(parents=True)
    assert "llama.cpp" not in parts_of(machine.setup()[2])


@pytest.mark.parametrize(
    ("output", "advice"),
    [
        ("OSError: [Errno 28] No space left on device", "The disk is full"),
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE", "Do not work around this"),
        ("c++: fatal error: Killed signal terminated program cc1plus", "JOBS=1"),
        ("CMake Error: CMAKE_CXX_COMPILER not set, after EnableLanguage", "apt-get install g++"),
        ("ERROR: No matching distribution found for run-package==1", "HTTPS_PROXY"),
        ("Failed to establish a new connection: [Errno -3] Temporary failure in name resolution", "HTTPS_PROXY"),
    ],
)
def test_a_failure_comes_with_advice(machine: Machine, output: str, advice: str) -> None:
    status, said, _ = machine.setup(STUB_FAIL="requirements/build.lock", STUB_SAYS=output)
    assert status == 1
    assert advice in said
    assert output in said


def test_the_model_goes_where_the_home_is(machine: Machine) -> None:
    assert f"--home {machine.tree}|" in machine.setup()[2][-1]
    assert "--home /elsewhere|" in machine.setup(FILAGENT_HOME="/elsewhere")[2][-1]


def test_a_model_that_cannot_be_had(machine: Machine) -> None:
    status, said, _ = machine.setup(STUB_FAIL="runtime.models.fetch", STUB_SAYS="the index is not reachable")
    assert status == 1
    assert "the index is not reachable" in said
    assert "embedded model could not be brought in" in said


@pytest.mark.parametrize(
    ("environ", "advice"),
    [
        ({"STUB_IS_311": "1"}, "apt-get install python3.11 python3.11-venv"),
        ({"STUB_IS_311": "1", "PYTHON": "python3.11"}, "PYTHON=python3.11 is not a Python 3.11"),
    ],
)
def test_no_python(machine: Machine, environ: dict[str, str], advice: str) -> None:
    status, said, calls = machine.setup(**environ)
    assert status == 1
    assert advice in said
    assert calls == []


def test_no_ensurepip_uses_the_pip_that_is_there(machine: Machine) -> None:
    status, said, calls = machine.setup(STUB_ENSUREPIP="1")
    assert status == 0, said
    assert parts_of(calls) == [part for part, _ in PARTS]
    assert "--without-pip" in calls[0]


def test_no_compiler(machine: Machine) -> None:
    (machine.bin / "c++").unlink()
    status, said, calls = machine.setup()
    assert status == 1
    assert "apt-get install g++" in said
    assert parts_of(calls) == ["venv", "build tools"]


def llama_options(calls: list[str]) -> set[str]:
    return {option for call in calls if ".venv/llama.lock" in call for option in call.split("|")[1].split()}


def test_llama_is_built_for_every_machine_alike(machine: Machine) -> None:
    options = llama_options(machine.setup()[2])
    assert {"-DGGML_NATIVE=OFF", "-DGGML_AVX2=ON", "-DGGML_FMA=ON", "-DGGML_F16C=ON", "-DGGML_BMI2=ON"} <= options
    assert (machine.tree / ".venv/llama.lock").read_text() == "llama-cpp-python==1 \\\n    --hash=sha256:11\n"


def test_without_avx2_it_is_built_without_and_says_so(machine: Machine) -> None:
    machine.cpuinfo.write_text("flags : sse4_2 avx\n")
    _, said, calls = machine.setup()
    assert "no AVX2" in said
    assert {"-DGGML_AVX2=OFF", "-DGGML_FMA=OFF", "-DGGML_AVX=ON", "-DGGML_SSE42=ON"} <= llama_options(calls)


def test_other_options_build_llama_anew_and_nothing_else(machine: Machine) -> None:
    machine.setup()
    _, _, calls = machine.setup(CMAKE_ARGS="-DGGML_CUDA=on")
    assert parts_of(calls) == ["llama.cpp", "model"]
    assert {"-DGGML_CUDA=on", "-DGGML_AVX2=ON"} <= llama_options(calls)


def test_a_changed_lock_installs_its_part_only(machine: Machine) -> None:
    machine.setup()
    lock = (machine.tree / "requirements/run.lock").read_text()
    machine.lock("run", lock + "new==1\n")
    assert parts_of(machine.setup()[2]) == ["packages", "model"]


def test_a_moved_checkout_is_made_anew(machine: Machine) -> None:
    machine.setup()
    machine.tree = machine.tree.rename(machine.tree.with_name("elsewhere"))
    _, said, calls = machine.setup()
    assert "was moved" in said
    assert parts_of(calls) == [part for part, _ in PARTS]


def test_variables_that_send_packages_elsewhere_do_not_reach_pip(machine: Machine) -> None:
    _, _, calls = machine.setup(PIP_TARGET="x", PIP_USER="1", PYTHONPATH="y")
    assert {call.rpartition("|")[2] for call in calls} == {""}


@pytest.mark.parametrize("shell", ["dash", "bash"])
def test_every_shell_reads_it(shell: str) -> None:
    found = shutil.which(shell)
    if found is None:
        pytest.skip(f"{shell} is not installed")
    for script in sorted((ROOT / "scripts").glob("*.sh")):
        subprocess.run([found, "-n", script], check=True)


def test_ci_is_a_program() -> None:
    script = ROOT / ".ci/run"
    assert os.access(script, os.X_OK)
    subprocess.run(["bash", "-n", script], check=True)
