#!/usr/bin/env bash
# Runs every check that needs no server and no network; exits with 1 if any failed.
# Usage: lint.sh BIN FOLDER ...
set -uo pipefail
bin=$1
shift

status=0
check() { # what, command
  local what=$1 start=$SECONDS
  shift
  if output=$("$@" 2>&1); then
    echo "ok      $what ($((SECONDS - start)) s)"
  else
    status=1
    echo "$output"
    echo "FAILED  $what"
  fi
}
check "style" "$bin/ruff" check "$@"
check "format" "$bin/ruff" format --check "$@"
check "types" "$bin/mypy" "$@"
check "layers" "$bin/lint-imports"
check "forbidden names" "$bin/python" deploy/local/forbidden.py
check "sizes" "$bin/python" deploy/local/sizes.py
check "proto style" "$bin/buf" lint proto
check "gRPC stubs" "$bin/python" libs/rpc/generate.py --check
if [ -f libs/contracts/schemas.py ]; then
  check "golden schemas" "$bin/python" libs/contracts/schemas.py --check
fi
check "Kafka rights" "$bin/python" libs/contracts/kafka_rights_page.py --check
check "lock" "$bin/python" deploy/local/lock.py --check
exit $status
