#!/usr/bin/env bash
# Runs every test on two workers: first the tests without servers, then those on real servers.
# Usage: test.sh BIN [pytest arguments]
set -euo pipefail
bin=$1
shift

folder=$(mktemp -d "${TMPDIR:-/tmp}/trade-test-XXXXXX")
trap 'rm -rf "$folder"' EXIT
run() { # name, pytest arguments; each run has its own temporary folders, so that runs can overlap
  local name=$1 status=0
  shift
  "$bin/pytest" -q --basetemp "$folder/$name" -o cache_dir="$folder/cache-$name" "$@" || status=$?
  [ $status -eq 0 ] || [ $status -eq 5 ] || return $status # 5: no test selected
}
status=0
run unit -n 2 -m "not infra" "$@" || status=1
run infra -n 2 --dist loadgroup -m infra "$@" || status=1
exit $status
