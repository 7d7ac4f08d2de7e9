#!/usr/bin/env bash
# On a real one-node cluster: builds the images, installs the overlay `try`, and plays one shipment through its Services.
# Usage: cluster-test.sh BIN CLUSTER_TOOL     the tool starts, loads and stops the cluster (`up`, `load`, `exec`, `down`)
set -euo pipefail
bin=$(cd "$1" && pwd) tool=$2
cd "$(dirname "$0")/../.."
cache=${CLUSTER_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/cluster}

step() { echo "$(date +%T) $*"; }
step "Building images"
STORAGE_DRIVER=${STORAGE_DRIVER:-vfs} BUILDAH_ISOLATION=${BUILDAH_ISOLATION:-chroot} make images
step "Starting the cluster"
"$tool" up
trap '"$tool" down' EXIT
step "Loading images"
for image in $("$bin/python" -c 'import json; print(*(each["image"] for each in json.load(open("deploy/images.lock")).values()))'); do
  archive=$(mktemp -u --suffix .tar)
  STORAGE_DRIVER=${STORAGE_DRIVER:-vfs} buildah push -q "$image" "docker-archive:$archive:$image"
  "$tool" load "$archive" >/dev/null
  rm -f "$archive"
done
inside() { "$tool" exec env KUBECONFIG="$cache/run/kubeconfig" PATH="$cache/bin:$PATH" "$bin/python" deploy/k8s/trying.py --context c "$@"; }
step "Installing"
inside install || { "$tool" kubectl -n trade get pods -o wide; "$tool" kubectl -n trade get events --sort-by=.lastTimestamp | tail -n 40; exit 1; }
"$tool" kubectl -n trade get pods -o wide
step "Playing one shipment"
inside run "$bin/trade" demo --here
step "Stopping"
