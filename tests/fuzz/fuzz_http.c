// What a peer of the HTTP/2 door sends, without a socket: octets as they are, or requests built of
// the input (methods, paths, header fields, body frames, resets). Whatever comes, every exchange,
// upload and octet of a body is given back in the end, and every request that reached a handler
// is answered once.
//
//   input: mode, piece (size of what is fed at once), then octets, or records: kind, n, n octets

#include "fuzz.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "control/http/http.h"
#include "control/http/http_door.h"
#include "control/http/http_session.h"
#include "control/http/http_timeouts.h"
#include "tests/kit/http_routes.h"

enum { MODE_RAW, MODE_OCTETS, MODE_RECORDS, MODES, FRAME_HEAD = 9, OUT = 65536 };
enum {
	RECORD_REQUEST,
	RECORD_DATA,
	RECORD_END,
	RECORD_RESET,
	RECORD_ANSWER,
	RECORD_FIELD,
	RECORDS
};

static const uint8_t preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
				 "\0\0\0\x04\0\0\0\0\0";

struct peer {
	struct door *door;
	struct session *session;
	bool over;
	size_t piece;
	int32_t stream;
	uint8_t fields[512]; // for the next request
	size_t fields_len;
};

static void wake(void *owner)
{
	(void)owner;
}

static void take_answers(struct peer *peer)
{
	static uint8_t out[OUT];

	for (unsigned i = 0; i < 8 && session_send(peer->session, out, sizeof(out)) > 0; i++)
		;
	peer->over |= session_is_done(peer->session);
}

static void feed(struct peer *peer, const uint8_t *octets, size_t n)
{
	for (size_t at = 0; at < n && !peer->over; at += peer->piece) {
		size_t len = n - at < peer->piece ? n - at : peer->piece;
		uint8_t *exact = malloc(len);

		memcpy(exact, octets + at, len);
		peer->over = session_recv(peer->session, exact, len) < 0;
		free(exact);
		take_answers(peer);
	}
}

static void frame(struct peer *peer, uint8_t type, uint8_t flags, const uint8_t *octets, size_t n)
{
	uint8_t out[FRAME_HEAD + 1024] = {0,
					  (uint8_t)(n >> 8),
					  (uint8_t)n,
					  type,
					  flags,
					  0,
					  0,
					  (uint8_t)(peer->stream >> 8),
					  (uint8_t)peer->stream};

	assert(n <= 1024);
	memcpy(out + FRAME_HEAD, octets, n);
	feed(peer, out, FRAME_HEAD + n);
}

// HPACK: a literal without indexing, name and value of at most 126 octets.
static size_t literal(uint8_t *to, const char *name, size_t name_len, const void *value, size_t n)
{
	to[0] = 0;
	to[1] = (uint8_t)name_len;
	memcpy(to + 2, name, name_len);
	to[2 + name_len] = (uint8_t)n;
	memcpy(to + 3 + name_len, value, n);
	return 3 + name_len + n;
}

// octets: method, media type, then the path.
static void request(struct peer *peer, const uint8_t *octets, size_t n)
{
	static const char *const methods[] = {"GET", "POST", "PUT", "DELETE", "HEAD", "PATCH"};
	static const char *const types[] = {"application/json", "application/x-ndjson",
					    "text/plain", "application/json; charset=utf-8"};
	const char *method = methods[n > 0 ? octets[0] % 6 : 0];
	const char *type = types[n > 1 ? octets[1] % 4 : 0];
	uint8_t block[1024];
	size_t len = 0;

	peer->stream += 2;
	len += literal(block + len, ":method", 7, method, strlen(method));
	len += literal(block + len, ":scheme", 7, "http", 4);
	len += literal(block + len, ":path", 5, octets + (n < 2 ? n : 2), n < 2 ? 0 : n - 2);
	len += literal(block + len, "content-type", 12, type, strlen(type));
	memcpy(block + len, peer->fields, peer->fields_len);
	len += peer->fields_len;
	peer->fields_len = 0;
	frame(peer, 1, 4, block, len);
}

// octets: length of the name, name, value.
static void add_field(struct peer *peer, const uint8_t *octets, size_t n)
{
	size_t name = n > 0 ? octets[0] % 32 : 0;

	if (n < 1 + name || peer->fields_len + n + 3 > sizeof(peer->fields))
		return;
	peer->fields_len += literal(peer->fields + peer->fields_len, (const char *)octets + 1, name,
				    octets + 1 + name, n - 1 - name);
}

static void handlers_answer(struct peer *peer)
{
	struct http_request *held = routes_seen.held;

	routes_answer_later();
	routes_seen.held = NULL;
	if (held != NULL)
		http_resume(held);
	take_answers(peer);
}

static void record(struct peer *peer, unsigned kind, const uint8_t *octets, size_t n)
{
	switch (kind) {
	case RECORD_REQUEST:
		request(peer, octets, n);
		break;
	case RECORD_DATA:
		frame(peer, 0, 0, octets, n);
		break;
	case RECORD_END:
		frame(peer, 0, 1, octets, n);
		break;
	case RECORD_RESET:
		frame(peer, 3, 0, (const uint8_t[4]){0, 0, 0, 8}, 4);
		break;
	case RECORD_ANSWER:
		handlers_answer(peer);
		break;
	case RECORD_FIELD:
		add_field(peer, octets, n);
		break;
	}
}

static void records(struct peer *peer, const uint8_t *octets, size_t n)
{
	while (n >= 2 && !peer->over) {
		size_t len = octets[1] & 0x7f;
		unsigned kind = octets[0] % RECORDS;

		if (len > n - 2)
			len = n - 2;
		if (len > 126)
			len = 126;
		record(peer, kind, octets + 2, len);
		octets += 2 + len;
		n -= 2 + len;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t n)
{
	const struct http_peer all = {.roles = HTTP_ROLE_ANY};
	struct http_limits limits;
	struct peer peer = {.stream = -1};

	if (n < 2)
		return 0;
	http_limits_default(&limits);
	limits.bodies = 65536;
	limits.uploads = 2;
	routes_init(NULL);
	routes_seen.hold_each = 3;
	peer.door = door_new(&limits);
	timeouts_tick(peer.door, 100, 0);
	peer.session = session_new(peer.door, &all, wake, NULL);
	peer.piece = octets[1] > 0 ? octets[1] : 4096;
	if (octets[0] % MODES != MODE_RAW)
		feed(&peer, preface, sizeof(preface) - 1);
	if (octets[0] % MODES == MODE_RECORDS)
		records(&peer, octets + 2, n - 2);
	else
		feed(&peer, octets + 2, n - 2);
	if (octets[0] & 0x80)
		handlers_answer(&peer);
	if (octets[0] & 0x40)
		timeouts_tick(peer.door, 200, 100); // everything is late
	take_answers(&peer);
	session_free(peer.session);
	routes_answer_later();
	assert(peer.door->n_exchanges == 0);
	assert(peer.door->stats.uploads_now == 0 && peer.door->stats.bodies_now == 0);
	door_close(peer.door);
	return 0;
}
