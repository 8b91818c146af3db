#!/bin/sh
# akmapush-ue as a process: ready, reports, signals, how it ends. What it does with datagrams is
# test_tools_fleet's. Usage: tools_ue.sh PROGRAM
set -u
program=$1
tmp=$(mktemp -d) || exit 1
port=$((20000 + $$ % 12000))
trap 'rm -rf "$tmp"' EXIT
failed=0

fail() {
	echo "$*"
	cat "$tmp/out" "$tmp/err"
	failed=1
}

run() {
	code=$1
	shift
	timeout 60 "$program" "$@" >"$tmp/out" 2>"$tmp/err"
	got=$?
	[ $got -eq "$code" ] || fail "$*: exit code $got, expected $code"
}

# A time limit: one summary, the same with a warm start.
run 0 --count 500 --port $port --seconds 0.2 --json
head -n 1 "$tmp/out" | grep -qx ready || fail "not ready"
tail -n 1 "$tmp/out" | python3 -c "
import json, sys
s = json.loads(sys.stdin.read())
assert s['ues'] == 500 and s['made'] == 0 and s['datagrams'] == 0 and s['delivered_again'] == 0" || fail "summary"
run 0 --count 500 --port $port --seconds 0.2 --json --warm --threads 2 --crypto builtin
tail -n 1 "$tmp/out" | grep -q '"made":500' || fail "not warm"

# What is expected does not come.
run 1 --count 5 --port $port --seconds 0.2 --expect 5

# A fleet that runs has said so in its report: at most 20 s.
wait_report() {
	for _ in $(seq 200); do
		[ -s "$tmp/report" ] && return
		sleep 0.1
	done
	fail "no line in the report"
}

# Signals, and a line a second.
"$program" --count 5 --port $port --report "$tmp/report" >"$tmp/out" 2>"$tmp/err" &
fleet=$!
wait_report
kill -USR1 $fleet
kill -TERM $fleet
wait $fleet || fail "SIGTERM: exit code $?"
[ "$(wc -l <"$tmp/report")" -ge 2 ] || fail "no report"
grep -q "5 UEs" "$tmp/out" || fail "no summary"

# The port is taken.
rm "$tmp/report"
"$program" --count 5 --port $port --seconds 20 --report "$tmp/report" >"$tmp/first" 2>&1 &
fleet=$!
wait_report
run 1 --count 5 --port $port --seconds 0.1
grep -q "in use" "$tmp/err" || fail "does not say that the port is in use"
kill $fleet
wait $fleet

# Wrong usage.
run 2 --count 0
run 2 --af nofqdn
run 2 --push-function nowhere
run 2 --clock sundial
run 2 --crypto rot13
run 2 --ua 12
run 2 --first fd00::1
run 2 --first 255.9.0.0
run 2 --ipv6 --first 10.0.0.1
run 2 stray
run 2 --count 20k --ipv6 --port $port
run 0 --help
exit $failed
