#!/usr/bin/env bash
# The store on file systems of 384 MiB that fill up for real, in a mount namespace of its own:
#   store_full.sh <the program store_full>
# On tmpfs and ext4, with room kept free and with none. Needs root; skips (77) without.
set -euo pipefail
program=$1

if ((EUID != 0)) || ! unshare -m true 2>/dev/null; then
  echo "skipped: needs root and mount namespaces to make small file systems"
  exit 77
fi
if [[ -z ${IN_NAMESPACE:-} ]]; then
  IN_NAMESPACE=1 exec unshare -m --propagation private "$0" "$@"
fi

work=$(mktemp -d)
cleanup() {
  umount "$work/disk" 2>/dev/null || true
  rm -rf "$work"
}
trap cleanup EXIT
mkdir "$work/disk"

run() { # what it is, room_min
  echo "store_full: $1, room_min $2"
  "$program" "$work/disk" "$2"
}

for room_min in 1 67108864; do # octets
  mount -t tmpfs -o size=384m none "$work/disk"
  run tmpfs "$room_min"
  umount "$work/disk"
done

if ! command -v mkfs.ext4 >/dev/null; then
  echo "no mkfs.ext4: tmpfs only"
  exit 0
fi
for room_min in 1 67108864; do
  truncate -s 384M "$work/image"
  mkfs.ext4 -qF "$work/image"
  if ! mount -o loop "$work/image" "$work/disk" 2>/dev/null; then
    echo "no loop devices here: tmpfs only"
    exit 0
  fi
  rm -rf "$work/disk/lost+found"
  run ext4 "$room_min"
  umount "$work/disk"
  rm "$work/image"
done
