#!/bin/sh
# No branch and no address in the kernels depends on a secret, as far as valgrind knows their
# instructions: at least the scalar kernel and AES-NI are checked on x86-64.
# Usage: kernels_constant_time.sh PROGRAM
set -eu

if ! command -v valgrind >/dev/null; then
	echo "skipped: no valgrind"
	exit 77
fi

log=$(mktemp)
trap 'rm -f "$log"' EXIT
if ! valgrind -q --error-exitcode=1 "$1" >"$log" 2>&1; then
	cat "$log"
	exit 1
fi
cat "$log"
if valgrind -q --error-exitcode=1 "$1" leak >/dev/null 2>&1; then
	echo "a leak was not seen"
	exit 1
fi
grep -q "SHA-256 scalar" "$log"
[ "$(uname -m)" != x86_64 ] || grep -q "AES-GCM aesni" "$log"
