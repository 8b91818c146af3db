#!/bin/sh
# akmapush-vectors on the vectors of the repository, and on files that were damaged: what it says and
# how it ends. Usage: tools_vectors.sh PROGRAM VECTORS
set -u
program=$1 good=$2
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
failed=0

# expect NAME CODE TEXT FILE...: ends with CODE and says TEXT
expect() {
	name=$1 code=$2 text=$3
	shift 3
	"$program" "$@" >"$tmp/out" 2>&1
	got=$?
	if [ $got -ne "$code" ]; then
		echo "$name: exit code $got, expected $code"
		cat "$tmp/out"
		failed=1
	elif ! grep -qF -e "$text" "$tmp/out"; then
		echo "$name: does not say \"$text\":"
		cat "$tmp/out"
		failed=1
	fi
}

# damage NAME PYTHON: the good file as `d`, changed
damage() {
	python3 -c "
import json, sys
d = json.load(open(sys.argv[1]))
$2
json.dump(d, open(sys.argv[2], 'w'))" "$good" "$tmp/$1"
}

damage kaf "d['keys'][3]['kaf'] = '00' * 32"
damage push "d['messages'][7]['push'] = d['messages'][7]['push'][:-2] + '00'"
damage iv "d['messages'][9]['ack_iv'] = '11' * 12"
damage short "d['messages'][5]['payload'] = d['messages'][5]['payload'][:-2]"
damage reply "d['messages'][1]['reply'] = '00' + d['messages'][1]['reply'][2:]"
damage ue "d['rejects'][0].update(datagram=d['messages'][1]['push'], kaf=d['messages'][1]['kaf'])"
damage ack "d['rejects'][-1].update(datagram=d['messages'][1]['ack'], kaf=d['messages'][1]['kaf'])"
damage hex "d['messages'][2]['push'] = d['messages'][2]['push'][:-1]"
damage missing "del d['keys'][4]['supi']"
damage long "d['messages'][0]['payload'] = '00' * 1185"
damage suite "d['messages'][0]['suite'] = 3"
damage to "d['rejects'][2]['to'] = 'nobody'"
damage type "d['rejects'] = 5"
damage empty "d = {'protocol': 1, 'keys': [], 'messages': [], 'rejects': []}"
damage protocol "d['protocol'] = 2"
damage list "d['reject'] = d['rejects']"
damage member "d['messages'][3]['pushId'] = ''"
damage key-member "d['keys'][3]['SUPI'] = ''"
damage huge "d['messages'][0]['ref'] = 2**70"
damage negative "d['messages'][0]['ref'] = -1"
head -c 1000 "$good" >"$tmp/truncated"

expect good 0 "0 differ" "$good"
expect several 0 "60 messages" "$good" "$good"
expect kaf 1 "keys[3] kaf" "$tmp/kaf"
expect push 1 "messages[7] push (crypto" "$tmp/push"
expect push-ue 1 "messages[7] push (ue" "$tmp/push"
expect iv 1 "messages[9] ack_iv" "$tmp/iv"
expect short 1 "messages[5] payload" "$tmp/short"
expect reply 1 "messages[1] ack" "$tmp/reply"
expect ue 1 "rejects[0] version 0 (ue" "$tmp/ue"
expect ack 1 "the datagram is accepted" "$tmp/ack"
expect json 1 '"field":"kaf"' --json "$tmp/kaf"
expect one-bad 1 "keys[3] kaf" "$good" "$tmp/kaf"
expect hex 2 "/messages/2/push" "$tmp/hex"
expect missing 2 "/keys/4/supi" "$tmp/missing"
expect long 2 "/messages/0/payload" "$tmp/long"
expect suite 2 "/messages/0/suite" "$tmp/suite"
expect to 2 "/rejects/2/to" "$tmp/to"
expect type 2 "/rejects" "$tmp/type"
expect empty 2 "no vector" "$tmp/empty"
expect protocol 2 "/protocol" "$tmp/protocol"
expect list 2 "/reject: " "$tmp/list"
expect member 2 "/messages/3/pushId" "$tmp/member"
expect key-member 2 "/keys/3/SUPI" "$tmp/key-member"
expect huge 2 "out of range" "$tmp/huge"
expect negative 2 "/messages/0/ref" "$tmp/negative"
expect truncated 2 "line" "$tmp/truncated"
expect no-file 2 "No such file" "$tmp/nothing"
expect folder 2 "directory" "$tmp"
expect no-argument 2 "--help"
expect option 2 "--help" --nothing "$good"
exit $failed
