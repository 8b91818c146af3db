#!/bin/sh
# No branch and no address in the built-in crypto depends on a secret, at each level of optimisation,
# with each compiler there is. Usage: ue_constant_time.sh SOURCE_ROOT SOURCE...
set -eu

root=$1
shift
if ! command -v valgrind >/dev/null || ! echo '#include <valgrind/memcheck.h>' | cc -E - >/dev/null 2>&1; then
	echo "skipped: no valgrind, or not its headers"
	exit 77
fi

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
checked=0
for compiler in gcc clang; do
	command -v "$compiler" >/dev/null || continue
	for level in -Os -O2 -O3; do
		"$compiler" -std=gnu17 "$level" -I"$root" "$root/tests/ue_constant_time.c" "$@" -o "$dir/run"
		if ! valgrind -q --error-exitcode=1 "$dir/run" >"$dir/log" 2>&1; then
			echo "$compiler $level"
			cat "$dir/log"
			exit 1
		fi
		if valgrind -q --error-exitcode=1 "$dir/run" leak >"$dir/log" 2>&1; then
			echo "$compiler $level: a leak was not seen"
			exit 1
		fi
		checked=$((checked + 1))
	done
done
echo "$checked builds"
[ "$checked" -gt 0 ]
