#!/bin/sh
# TLS of the door and its UNIX socket, with curl and certificates made here. Argument: http_door.
set -u
door=$(realpath "$1")
work=$(mktemp -d) || exit 2
pid=
trap 'test -n "$pid" && kill "$pid" 2>/dev/null; rm -rf "$work"' EXIT
cd "$work" || exit 2
for tool in curl openssl; do
	command -v $tool >/dev/null || { echo "skipped: no $tool"; exit 77; }
done

ca() { # name
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 \
		-subj "/CN=$1" -keyout "$1.key" -out "$1.pem" 2>/dev/null
}
certificate() { # name, CA, subject, extensions
	openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "$3" \
		-keyout "$1.key" -out "$1.csr" 2>/dev/null
	printf '%s\n' "$4" >"$1.ext"
	openssl x509 -req -in "$1.csr" -CA "$2.pem" -CAkey "$2.key" -CAcreateserial -days 2 \
		-extfile "$1.ext" -out "$1.pem" 2>/dev/null
}
ca root
ca other
certificate server root /CN=localhost 'subjectAltName=DNS:localhost,IP:127.0.0.1'
certificate ausf root /CN=ausf 'basicConstraints=CA:FALSE'
certificate af root /O=x 'subjectAltName=DNS:af.example.com'
certificate nobody root /CN=nobody 'basicConstraints=CA:FALSE'
certificate stranger other /CN=ausf 'basicConstraints=CA:FALSE'

"$door" --tls server.pem server.key root.pem --unix "$work/admin.sock" >out 2>log &
pid=$!
for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
	grep -q ready out && break
	sleep 0.2
done
port=$(sed -n 's/^tls //p' out)
failed=0

check() { # what, expected, got
	if [ "$2" = "$3" ]; then
		echo "ok: $1"
	else
		echo "FAILED: $1: expected '$2', got '$3'"
		failed=1
	fi
}
ask() { # curl options; prints body, or "refused"
	curl -sS -m 10 --http2 --cacert root.pem "$@" 2>>curl.log || echo refused
}
url=https://localhost:$port
check 'AUSF by common name' '1 -' "$(ask --cert ausf.pem --key ausf.key "$url/roles")"
check 'AF by alternative name' '4 af.example.com' "$(ask --cert af.pem --key af.key "$url/roles")"
check 'unknown name: no roles' 403 \
	"$(ask --cert nobody.pem --key nobody.key -o /dev/null -w '%{http_code}' "$url/small")"
check 'wrong role' 403 \
	"$(ask --cert ausf.pem --key ausf.key -o /dev/null -w '%{http_code}' "$url/op")"
check 'HTTP/2 is what is spoken' 2 \
	"$(ask --cert ausf.pem --key ausf.key -o /dev/null -w '%{http_version}' "$url/small")"
check 'a large answer' 30000000 \
	"$(ask --cert ausf.pem --key ausf.key -o /dev/null -w '%{size_download}' \
		"$url/stream?octets=30000000")"
head -c 900000 /dev/zero | tr '\0' ' ' >body
printf '{}' >>body
check 'a large body' 900002 \
	"$(ask --cert ausf.pem --key ausf.key -H 'content-type: application/json' \
		--data-binary @body -o /dev/null -w '%{size_download}' "$url/echo")"
check 'no certificate' refused "$(ask "$url/small")"
check 'certificate of another CA' refused \
	"$(ask --cert stranger.pem --key stranger.key "$url/small")"
check 'TLS 1.2' refused \
	"$(ask --tls-max 1.2 --cert ausf.pem --key ausf.key "$url/small")"
check 'no ALPN' refused \
	"$(ask --no-alpn --cert ausf.pem --key ausf.key "$url/small")"
check 'HTTP/1.1' refused \
	"$(ask --http1.1 --cert ausf.pem --key ausf.key "$url/small")"
check 'in the clear on the TLS port' refused \
	"$(ask --http2-prior-knowledge "http://localhost:$port/small")"
check 'still there' '1 -' "$(ask --cert ausf.pem --key ausf.key "$url/roles")"

check 'mode of the UNIX socket' 600 "$(stat -c %a admin.sock)"
check 'roles on the UNIX socket' '15 -' \
	"$(ask --http2-prior-knowledge --unix-socket admin.sock http://localhost/admin)"

kill -TERM "$pid"
wait "$pid"
check 'orderly end' 0 $?
pid=
check 'the UNIX socket is gone' no "$(test -e admin.sock && echo yes || echo no)"
[ $failed = 0 ] || cat log curl.log
exit $failed
