#!/bin/sh
# akmapush-load against nghttpd, which knows files and nothing of AKMA: pace, retries across a dead
# server, what is recorded, what is said, and how it ends. Usage: tools_load.sh PROGRAM
set -u
program=$1
tmp=$(mktemp -d) || exit 1
port=$((20000 + $$ % 12000))
server=
trap '[ -z "$server" ] || kill $server; rm -rf "$tmp"' EXIT
failed=0

fail() {
	echo "$*"
	cat "$tmp/out" "$tmp/err"
	failed=1
}

serve() {
	nghttpd --no-tls -a 127.0.0.1 -d "$tmp/www" $port >/dev/null 2>&1 &
	server=$!
	for i in $(seq 100); do
		python3 -c "import socket; socket.create_connection(('127.0.0.1', $port), 1)" \
			2>/dev/null && return
		sleep 0.1
	done
	fail "nghttpd does not listen on port $port"
}

# load CODE ARGUMENT...: runs it, and looks at how it ends
load() {
	code=$1
	shift
	timeout 60 "$program" "$@" --server 127.0.0.1:$port >"$tmp/out" 2>"$tmp/err"
	got=$?
	[ $got -eq "$code" ] || fail "$*: exit code $got, expected $code"
}

says() {
	grep -qE "$1" "$tmp/out" "$tmp/err" || fail "does not say $1"
}

field() {
	python3 -c "import json, sys; print(json.loads(open(sys.argv[1]).read().splitlines()[-1])$1)" "$tmp/out"
}

mkdir -p "$tmp/www/naanf-akma/v1"
echo '{}' >"$tmp/www/naanf-akma/v1/register-anchorkey"
echo '{}' >"$tmp/www/naanf-akma/v1/retrieve-applicationkey"

# Nobody there.
load 1 register --count 5
says "127.0.0.1:$port: Connection refused"
load 1 register --count 5 --acknowledged "$tmp/nofolder/x"
says "nofolder/x: No such file"
load 1 register --count 5 --socket "$tmp/nosocket"
says "nosocket: No such file"
load 1 af --af a.example
says "Is akmapushd running"

serve

# Closed loop, and the file of what was acknowledged.
load 0 register --from 7 --count 3000 --again 2 --acknowledged "$tmp/acknowledged" --json
[ "$(field '["done"]')" = 3000 ] || fail "not 3000 done"
[ "$(sort -u "$tmp/acknowledged" | wc -l)" = 3000 ] || fail "not 3000 acknowledged"
grep -qx "register 3006 2" "$tmp/acknowledged" || fail "the last is not acknowledged"

# Open loop: 500 at 1000 a second take half a second.
load 0 register --count 500 --rate 1k --json
python3 -c "import sys; sys.exit(not 0.45 < $(field '["seconds"]') < 3)" || fail "not at the rate"

# Answers that are not what they should be.
load 1 retrieve --count 10
says "10 x 200: the answer has no kaf"
load 1 push --count 10 --af a.example
says "10 x 404"
load 1 provision --count 10
says "404"

# The server goes away in the middle and comes back.
(
	sleep 0.5
	kill -9 $server
	sleep 0.5
	exec nghttpd --no-tls -a 127.0.0.1 -d "$tmp/www" $port
) >/dev/null 2>&1 &
second=$!
load 0 register --count 2000 --rate 1k --retry --json --acknowledged "$tmp/again"
[ "$(field '["done"]')" = 2000 ] || fail "not all done after the server came back"
[ "$(field '["retried"]')" -gt 0 ] || fail "nothing was asked again"
[ "$(sort -u "$tmp/again" | wc -l)" = 2000 ] || fail "not 2000 acknowledged"
# Open loop: who waited for the server is seen to have waited.
python3 -c "import sys; sys.exit($(field '["max_ms"]') < 300)" || fail "the gap does not show"
kill $second
server=

# Wrong usage.
load 2 register --count 0
says "count"
load 2 push --group a --all
load 2 af --af nofqdn
load 2 provision --group "a/b"
load 2 provision --first fd00::1
load 2 register stray
load 2 register --rate fast
says "no number of 0 or more"
load 2 nothing
"$program" >/dev/null
[ $? -eq 2 ] || fail "no command: not 2"
for command in register provision af push retrieve; do
	load 0 $command --help
	says "Examples"
done
exit $failed
