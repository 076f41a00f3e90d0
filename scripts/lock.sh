#!/bin/sh
# Pins requirements/*.in anew: every package by version and every file of it by hash, no index address.
# Read the difference before it is committed: a new version is code that will run beside the signing keys' processes.
set -eu
unset CDPATH
cd "$(dirname -- "$0")/../requirements"

command -v uv >/dev/null 2>&1 || {
    echo "make lock needs uv (https://docs.astral.sh/uv/); nothing else does" >&2
    exit 2
}

pin() { # name, further options
    name=$1
    shift
    uv pip compile --quiet --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links \
        "$@" "$name.in" -o "$name.lock"
    echo "requirements/$name.lock: $(grep -c '^[a-z]' "$name.lock") packages"
}

pin build --allow-unsafe
pin run
pin dev
pin model --no-deps
pin train --no-deps
