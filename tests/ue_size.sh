#!/bin/sh
# The library for devices with its built-in crypto: below 24 KiB of text at -Os, and of libc nothing
# but the mem functions. Usage: ue_size.sh COMPILER SOURCE_ROOT SOURCE...
set -eu

compiler=$1 root=$2
shift 2
limit=24576

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
for source; do
	$compiler -std=c99 -Os -I"$root" -c "$source" -o "$dir/$(basename "$source" .c).o"
done

text=$(size -t "$dir"/*.o | awk 'END { print $1 }')
echo "text: $text octets, limit $limit"

foreign=$(nm -u "$dir"/*.o | awk '$1 == "U" { print $2 }' | sort -u |
	grep -v -x -e 'a[kp][^ ]*ue_.*' -e 'mem\(cpy\|move\|set\|cmp\)' -e '__assert_fail' \
		-e '__stack_chk_fail' -e '_GLOBAL_OFFSET_TABLE_' || true)
if [ -n "$foreign" ]; then
	echo "calls outside itself:" $foreign
	exit 1
fi
[ "$text" -lt "$limit" ]
