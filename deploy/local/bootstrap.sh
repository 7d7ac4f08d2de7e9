#!/usr/bin/env bash
# Creates the virtual environment: locked packages by hash, then this repository's packages, offline.
# Usage: bootstrap.sh PYTHON VENV -e PACKAGE ...
set -euo pipefail
python=$1 venv=$2
shift 2

stop() { echo "$*" >&2; exit 1; }

command -v "$python" >/dev/null || stop "Python is missing: install Python 3.11 or newer (Debian: apt-get install python3-venv)."
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || stop "Python 3.11 or newer is needed; $python is $("$python" -V)."
"$python" -c 'import ensurepip, venv' 2>/dev/null || stop "Python's venv is missing: install it (Debian: apt-get install python3-venv)."

log=$(mktemp)
trap 'rm -f "$log"' EXIT
quietly() { # what, command: prints one line of progress, and the command's output only if it fails
  local what=$1 start=$SECONDS
  shift
  echo "$what ..."
  if ! "$@" >"$log" 2>&1; then
    tail -n 15 "$log" >&2
    if grep -q "No space left" "$log"; then stop "The disk is full: free 1 GB and try again."; fi
    if grep -q "Permission denied" "$log"; then stop "No permission to write $PWD/$venv: make it writable for this user."; fi
    stop "$what: failed, see above."
  fi
  echo "$what: done in $((SECONDS - start)) s"
}

if ! "$venv/bin/python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
  rm -rf "$venv"
  quietly "Making $venv" "$python" -m venv "$venv"
fi
# Other tools make environments without it.
"$venv/bin/python" -m pip --version >/dev/null 2>&1 || quietly "Adding pip" "$venv/bin/python" -m ensurepip
quietly "Installing the locked packages" "$venv/bin/python" -m pip install --quiet --no-input --disable-pip-version-check \
  --require-hashes -r requirements.lock
quietly "Installing this repository's packages" "$venv/bin/uv" pip install --quiet --offline --no-deps --no-build-isolation \
  --python "$venv/bin/python" "$@"
