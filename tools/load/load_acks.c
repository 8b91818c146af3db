// akmapush-load acks: a flood of acknowledgements at a push function's UDP port.
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/address.h"
#include "base/clock.h"
#include "base/text.h"
#include "control/json/json.h"
#include "dataplane/frame.h"
#include "dataplane/io/io.h"
#include "tools/load/flood.h"
#include "tools/load/load.h"
#include "tools/port.h"
#include "tools/progress.h"

enum { BURST = 64, NAP_NS = 1000000, HOST = 64, ID_TEXT = 36 };

#define NO_WAY_NS 5000000000 // without a datagram that left: there is no way

static const char *to, *kind_name = "unknown", *push_text, *ref_text;
static uint64_t count, size = FRAME_MIN, suite = 1, random_start = 1;
static double seconds_max, rate;
static bool json, quiet;
static struct port_options port;

static const struct {
	const char *name;
} kinds[] = {
#define X(name, text, help) {text},
	FLOOD_KINDS(X)
#undef X
};

static const struct arg args[] = {
	{ARG_TITLE, 0, "Where to", NULL, NULL, NULL, 0, 0},
	{ARG_TEXT, 0, "to", "ADDRESS:PORT", "where the daemon sends from: needed", &to, 0, 0},
	{ARG_TITLE, 0, "What", NULL, NULL, NULL, 0, 0},
	{ARG_TEXT, 0, "kind", "KIND",
	 "which check they come to, as the daemon counts them:\n"
#define X(name, text, help) text ": " help "\n"
	 FLOOD_KINDS(X)
#undef X
		 "(default unknown)",
	 &kind_name, 0, 0},
	{ARG_TEXT, 0, "push", "ID", "a push_id, as the push API writes it", &push_text, 0, 0},
	{ARG_TEXT, 0, "ref", "HEX", "eight digits: octets 24 to 27 of a datagram of the push",
	 &ref_text, 0, 0},
	{ARG_UINT, 0, "suite", "N", "of the push: 1 (default) or 2", &suite, 1, 2},
	{ARG_UINT, 0, "size", "N", "octets of each, 48 (default) to 1232", &size, FRAME_MIN,
	 FRAME_MAX},
	{ARG_UINT, 0, "random", "N", "another N, another randomness (default 1)", &random_start, 0,
	 INT64_MAX},
	{ARG_TITLE, 0, "How many", NULL, NULL, NULL, 0, 0},
	{ARG_UINT, 'n', "count", "N", "datagrams; 100k and 2M are understood", &count, 1,
	 INT64_MAX},
	{ARG_REAL, 0, "seconds", "S", "or for so long; one of both is needed", &seconds_max, 0,
	 1000000},
	{ARG_REAL, 'r', "rate", "R", "a second; without it as fast as it goes", &rate, 0,
	 1000000000},
	{ARG_TITLE, 0, "Past the kernel", NULL, NULL, NULL, 0, 0},
	PORT_ARG_DEVICE(&port),
	PORT_ARG_ADDRESS(&port),
	PORT_ARG_GATEWAY(&port),
	PORT_ARG_EAL(&port),
	{ARG_TITLE, 0, "Output", NULL, NULL, NULL, 0, 0},
	{ARG_FLAG, 0, "json", NULL, "one JSON object at the end, on standard output", &json, 0, 0},
	{ARG_FLAG, 'q', "quiet", NULL, "no progress", &quiet, 0, 0},
	{0},
};

static const struct args_command command = {
	"akmapush-load acks --to ADDRESS:PORT [OPTION...]",
	"Floods a push function with acknowledgements that are none, to see what that costs it "
	"and\n"
	"its pushes. Nothing is answered; the daemon's counters tell what became of them. It "
	"needs\n"
	"no subscribers and no HTTP/2.",
	"  akmapush-load acks --to 127.0.0.1:48471 --seconds 10\n"
	"  akmapush-load acks --to 127.0.0.1:48471 --count 1M --rate 50k --kind ref --push 0190...",
	args,
	NULL,
};

// ---- What is to be done

static struct flood flood;
static uint8_t peer[ADDRESS];
static uint16_t peer_port;

static int wrong(const char *option, const char *value, const char *what)
{
	fprintf(stderr, "--%s: \"%s\": %s; see akmapush-load acks --help\n", option,
		value ? value : "", what);
	return -EINVAL;
}

static int push_id_parse(const char *text, uint8_t id[FLOOD_PUSH_ID])
{
	char digits[2 * FLOOD_PUSH_ID + 1];
	unsigned n = 0;

	if (strlen(text) != ID_TEXT)
		return -EINVAL;
	for (unsigned i = 0; i < ID_TEXT && n < 2 * FLOOD_PUSH_ID; i++) {
		const bool is_hyphen = i == 8 || i == 13 || i == 18 || i == 23;

		if ((text[i] == '-') != is_hyphen)
			return -EINVAL;
		if (!is_hyphen)
			digits[n++] = text[i];
	}
	return hex_parse(digits, n, id, FLOOD_PUSH_ID);
}

static int fill_kind(void)
{
	unsigned i = 0;
	uint8_t ref[4];

	while (i < FLOOD_KINDS_CNT && strcmp(kinds[i].name, kind_name) != 0)
		i++;
	if (i == FLOOD_KINDS_CNT)
		return wrong("kind", kind_name, "junk, unknown, ref or tag");
	flood = (struct flood){
		.kind = i, .suite = (uint8_t)suite, .len = (unsigned)size, .random = random_start};
	if (i >= FLOOD_REF && (!push_text || push_id_parse(push_text, flood.push_id)))
		return wrong("push", push_text, "the id of a push is needed");
	if (i == FLOOD_TAG &&
	    (!ref_text || hex_parse(ref_text, strlen(ref_text), ref, sizeof(ref))))
		return wrong("ref", ref_text, "eight hexadecimal digits are needed");
	flood.ref = i == FLOOD_TAG ? load32_be(ref) : 0;
	return 0;
}

static int fill_options(void)
{
	char host[HOST] = "";

	if (!to || args_host(to, host, sizeof(host), &peer_port) || !peer_port ||
	    !address_parse(host, peer))
		return wrong("to", to, "an address and a port are needed");
	if (!count && seconds_max <= 0)
		return wrong("count", NULL, "it or --seconds is needed");
	if (!port.device && (port.eal || port.addresses.n || port.gateways.n))
		return wrong("dpdk", NULL, "a device is needed for --eal, --address and --gateway");
	return fill_kind();
}

// ---- Sending

struct sender {
	const struct io_ops *ops;
	struct io *io;
	uint64_t sent, failed;
	uint64_t start_ns, left_ns; // when one has left, last
};

static int open_sender(struct sender *s)
{
	static struct io_dpdk_config dpdk;
	struct io_config config = {.burst_max = BURST, .arg = port.device ? &dpdk : NULL};
	char error[IO_ERROR_MAX] = "";
	int r;

	*s = (struct sender){.ops = io_find(port.device ? "dpdk" : "sendmmsg")};
	if (!s->ops) {
		fputs("akmapush-load: it was built without DPDK (meson -Ddpdk=enabled)\n", stderr);
		return 1;
	}
	if (port.device && port_config(&port, 1, &dpdk))
		return 2;
	r = s->ops->open(&s->io, &config, error);
	if (r)
		fprintf(stderr, "akmapush-load: %s\n", *error ? error : strerror(-r));
	return r ? 1 : 0;
}

// How many are due now, a burst at most.
static unsigned due(const struct sender *s, uint64_t now_ns)
{
	const double seconds = (double)(now_ns - s->start_ns) / 1e9;
	const uint64_t left = count ? count - s->sent : UINT64_MAX;
	uint64_t n = BURST;

	if (rate > 0) {
		const uint64_t by_now = (uint64_t)(seconds * rate);

		n = by_now > s->sent ? by_now - s->sent : 0;
	}
	n = n < left ? n : left;
	return n < BURST ? (unsigned)n : BURST;
}

static void send_burst(struct sender *s, unsigned n, uint64_t now_ns)
{
	struct frame *frame[BURST];
	unsigned done, left = 0;

	n = s->ops->lend(s->io, frame, n);
	for (unsigned i = 0; i < n; i++) {
		flood_write(&flood, frame[i]->data);
		frame[i]->len = (uint16_t)flood.len;
		frame[i]->port = peer_port;
		memcpy(frame[i]->ip, peer, sizeof(frame[i]->ip));
	}
	done = n ? s->ops->transmit(s->io, frame, n) : 0;
	for (unsigned i = 0; i < done; i++)
		left += frame[i]->len != 0;
	s->sent += left;
	s->failed += done - left;
	s->left_ns = left ? now_ns : s->left_ns;
}

// A port's host is answered through the same queue, and what else comes is nothing to us.
static void drain(struct sender *s)
{
	struct frame *frame[BURST];
	const unsigned n = s->ops->receive(s->io, frame, BURST);

	if (n)
		s->ops->release(s->io, frame, n);
}

static bool is_over(const struct sender *s, uint64_t now_ns)
{
	return (count && s->sent >= count) ||
	       (seconds_max > 0 && (double)(now_ns - s->start_ns) / 1e9 >= seconds_max);
}

// False: nothing leaves.
static bool run(struct sender *s)
{
	static const struct timespec nap = {.tv_nsec = NAP_NS};
	struct progress progress;
	uint64_t now_ns = clock_mono_ns(&clock_system);

	s->start_ns = s->left_ns = now_ns;
	progress_begin(&progress, "acks", count, quiet);
	while (!is_over(s, now_ns) && now_ns - s->left_ns < NO_WAY_NS) {
		const unsigned n = due(s, now_ns);
		const uint64_t before = s->sent;

		if (n)
			send_burst(s, n, now_ns);
		else
			s->left_ns = now_ns; // a slow rate is no lack of a way
		drain(s);
		if (s->sent == before)
			nanosleep(&nap, NULL);
		progress_update(&progress, s->sent, NULL);
		now_ns = clock_mono_ns(&clock_system);
	}
	progress_end(&progress, s->sent, NULL);
	return s->sent > 0 && is_over(s, now_ns);
}

static void report(const struct sender *s)
{
	const double seconds = (double)(clock_mono_ns(&clock_system) - s->start_ns) / 1e9;
	struct json_writer *w;

	if (!json) {
		printf("acks, %s: %" PRIu64 " sent, %" PRIu64 " failed, %.2f s, %.0f per second\n",
		       kind_name, s->sent, s->failed, seconds, (double)s->sent / seconds);
		return;
	}
	w = json_write();
	json_put_string(w, "what", "acks");
	json_put_string(w, "kind", kind_name);
	json_put_uint(w, "sent", s->sent);
	json_put_uint(w, "failed", s->failed);
	json_put_real(w, "seconds", seconds);
	json_put_real(w, "per_second", (double)s->sent / seconds);
	load_write_json(w);
}

int load_acks(int argc, char **argv)
{
	struct sender sender;
	bool good;
	int r = args_parse(&command, argc, argv);

	if (r > 0)
		fprintf(stderr, "%s: what is that? See akmapush-load acks --help\n", argv[1]);
	if (r || fill_options())
		return 2;
	r = open_sender(&sender);
	if (r)
		return r;
	good = run(&sender);
	sender.ops->close(sender.io);
	if (!good)
		fputs("akmapush-load: there is no way to that address\n", stderr);
	report(&sender);
	return good ? 0 : 1;
}
