// A network of devices behind a port: frames from a file of pcap come in, what leaves is in
// another.
#include <criterion/criterion.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "dataplane/io/io_link.h"
#include "tests/kit/packet_twin.h"

enum { FRAME = 2048, FRAMES_MAX = 200, PCAP_HEADER = 24, PCAP_RECORD = 16, UE_PORT = 48470 };

#define PATIENCE_NS 5000000000

// What the driver calls its first device.
static const uint8_t port_mac[6] = {0x02, 'p', 'c', 'a', 'p', 0};
static const uint8_t daemon_mac[6] = {2, 0, 0, 0, 0, 1};
static const uint8_t other_mac[6] = {2, 0, 0, 0, 0, 9};
static const uint8_t everybody[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

static const uint8_t daemon_ip[2][16] = {
	{[10] = 0xff, [11] = 0xff, 10, 0, 0, 1},
	{0xfd, [15] = 1},
};
static const uint8_t own_ip[16] = {[10] = 0xff, [11] = 0xff, 10, 0, 0, 2};

// ---- Files of pcap

struct frames {
	unsigned n;
	unsigned len[FRAMES_MAX];
	uint8_t octets[FRAMES_MAX][FRAME];
};

static void save(const char *path, const struct frames *frames)
{
	const uint32_t header[6] = {0xa1b2c3d4, 4 << 16 | 2, 0, 0, 65535, 1};
	FILE *file = fopen(path, "wb");

	cr_assert(file);
	fwrite(header, sizeof(header), 1, file);
	for (unsigned i = 0; i < frames->n; i++) {
		const uint32_t record[4] = {0, 0, frames->len[i], frames->len[i]};

		fwrite(record, sizeof(record), 1, file);
		fwrite(frames->octets[i], frames->len[i], 1, file);
	}
	cr_assert_eq(fclose(file), 0);
}

static void load(const char *path, struct frames *frames)
{
	uint8_t header[PCAP_HEADER];
	uint32_t record[4];
	FILE *file = fopen(path, "rb");

	cr_assert(file);
	cr_assert_eq(fread(header, sizeof(header), 1, file), 1);
	frames->n = 0;
	while (fread(record, sizeof(record), 1, file) == 1) {
		cr_assert(frames->n < FRAMES_MAX && record[2] <= FRAME);
		frames->len[frames->n] = record[2];
		cr_assert_eq(fread(frames->octets[frames->n++], record[2], 1, file), 1);
	}
	fclose(file);
}

// ---- What comes in

static void ue_ip(uint8_t ip[16], bool is_ipv6, unsigned number)
{
	static const uint8_t network[2][16] = {
		{[10] = 0xff, [11] = 0xff, 10, 8},
		{0xfd, 9},
	};

	memcpy(ip, network[is_ipv6], 16);
	twin_put16(ip + 14, number);
}

static struct packet_source daemon_source(bool is_ipv6)
{
	struct packet_source source = {.port = 7777, .udp_checksum = true};

	memcpy(source.mac, daemon_mac, 6);
	memcpy(source.ip, daemon_ip[is_ipv6], 16);
	return source;
}

// A datagram to a UE that says its number.
static void add_datagram(struct frames *frames, const uint8_t mac[6], bool is_ipv6, unsigned number)
{
	const struct packet_source source = daemon_source(is_ipv6);
	uint8_t payload[100] = {0}, ip[16];

	twin_put16(payload, number);
	ue_ip(ip, is_ipv6, number);
	frames->len[frames->n] = twin_write(frames->octets[frames->n], &source, mac, ip, UE_PORT,
					    payload, sizeof(payload));
	frames->n++;
}

static void add_arp(struct frames *frames, const uint8_t target[4])
{
	static const uint8_t head[] = {0x08, 0x06, 0, 1, 8, 0, 6, 4, 0, 1};
	uint8_t *p = frames->octets[frames->n];

	memset(p, 0, FRAME);
	memcpy(p, everybody, 6);
	memcpy(p + 6, daemon_mac, 6);
	memcpy(p + 12, head, sizeof(head));
	memcpy(p + 22, daemon_mac, 6);
	memcpy(p + 28, daemon_ip[0] + 12, 4);
	memcpy(p + 38, target, 4);
	frames->len[frames->n++] = 60;
}

// ---- The links

struct world {
	char folder[64], in[80], out[2][80], device[400];
	struct io_dpdk_config config;
	struct io_link *link[2];
	struct frames frames;
};

static void open_links(struct world *w, unsigned n)
{
	static const char *const eal[] = {"--no-huge", "-m", "64", "--no-shconf", "--no-telemetry"};
	struct host_config *const host = &w->config.port[0].host;
	char error[IO_ERROR_MAX] = "";

	strcpy(w->folder, "/tmp/akmapush-link-XXXXXX");
	cr_assert(mkdtemp(w->folder));
	snprintf(w->in, sizeof(w->in), "%s/in", w->folder);
	for (unsigned i = 0; i < 2; i++)
		snprintf(w->out[i], sizeof(w->out[i]), "%s/out%u", w->folder, i);
	save(w->in, &w->frames);
	snprintf(w->device, sizeof(w->device), "net_pcap0,rx_pcap=%s,tx_pcap=%s%s%s", w->in,
		 w->out[0], n > 1 ? ",tx_pcap=" : "", n > 1 ? w->out[1] : "");
	w->config.n_args = sizeof(eal) / sizeof(eal[0]);
	memcpy(w->config.arg, eal, sizeof(eal));
	w->config.port[0].device = w->device;
	w->config.n_ports = 1;
	w->config.n_workers = n;
	host->n_addresses = 1;
	memcpy(host->address[0].ip, own_ip, 16);
	host->address[0].prefix = 120;
	for (unsigned i = 0; i < n; i++)
		cr_assert_eq(io_link_open(&w->link[i], &w->config, error), 0, "%s", error);
}

static void close_links(struct world *w)
{
	for (unsigned i = 0; i < w->config.n_workers; i++)
		io_link_close(w->link[i]);
}

static void remove_files(const struct world *w)
{
	unlink(w->in);
	for (unsigned i = 0; i < 2; i++)
		unlink(w->out[i]);
	rmdir(w->folder);
}

// What the hosts' thread has to say leaves when worker 0 looks.
static void let_hosts_speak(struct world *w)
{
	struct io_datagram datagram[IO_LINK_BURST];
	const struct timespec nap = {.tv_nsec = 5000000};

	for (unsigned i = 0; i < 20; i++) {
		cr_assert_eq(io_link_receive(w->link[0], datagram, IO_LINK_BURST), 0);
		nanosleep(&nap, NULL);
	}
}

// Receives on all links until n have come; each says where it was sent to. Answers with `answer`
// octets of its number, twice if that is odd and `twice`.
static void answer_all(struct world *w, unsigned n, bool twice)
{
	const uint64_t end = clock_mono_ns(&clock_system) + PATIENCE_NS;
	struct io_datagram datagram[IO_LINK_BURST];
	unsigned got = 0;

	for (unsigned t = 0; got < n; t = (t + 1) % w->config.n_workers) {
		const unsigned k = io_link_receive(w->link[t], datagram, IO_LINK_BURST);
		unsigned wanted = 0;

		cr_assert(clock_mono_ns(&clock_system) < end, "%u of %u came", got, n);
		for (unsigned i = 0; i < k; i++) {
			const unsigned number = twin_get16(datagram[i].data);
			uint8_t ip[16];

			cr_assert_eq(datagram[i].len, 100);
			cr_assert_eq(datagram[i].copies, 0);
			ue_ip(ip, host_is_ipv6(datagram[i].destination), number);
			cr_assert_arr_eq(datagram[i].destination, ip, 16);
			cr_assert_eq(datagram[i].destination_port, UE_PORT);
			cr_assert_eq(datagram[i].source_port, 7777);
			cr_assert_eq(io_link_thread(ip, w->config.n_workers), t);
			datagram[i].len = 48;
			datagram[i].copies = twice && number % 2 ? 2 : 1;
			wanted += datagram[i].copies;
		}
		got += k;
		cr_assert_eq(io_link_answer(w->link[t], datagram, k), wanted);
	}
}

// How many answers of a UE are among what left, each as the twin writes it.
static unsigned count_answers(const struct frames *frames, bool is_ipv6, unsigned number)
{
	struct packet_source source = {.port = UE_PORT, .udp_checksum = true};
	uint8_t payload[48] = {0}, wanted[FRAME];
	unsigned len, n = 0;

	twin_put16(payload, number);
	memcpy(source.mac, port_mac, 6);
	ue_ip(source.ip, is_ipv6, number);
	len = twin_write(wanted, &source, daemon_mac, daemon_ip[is_ipv6], 7777, payload, 48);
	for (unsigned i = 0; i < frames->n; i++)
		n += frames->len[i] == len && !memcmp(frames->octets[i], wanted, len);
	return n;
}

Test(io_link, answers_from_where_it_was_sent_to)
{
	struct world *w = calloc(1, sizeof(*w));

	for (unsigned i = 0; i < 100; i++)
		add_datagram(&w->frames, port_mac, i % 3 == 0, i);
	open_links(w, 1);
	answer_all(w, 100, true);
	close_links(w);
	load(w->out[0], &w->frames);
	cr_assert_eq(w->frames.n, 150);
	for (unsigned i = 0; i < 100; i++)
		cr_assert_eq(count_answers(&w->frames, i % 3 == 0, i), 1 + i % 2, "%u", i);
	remove_files(w);
	free(w);
}

Test(io_link, threads_have_their_addresses)
{
	struct world *w = calloc(1, sizeof(*w));
	struct frames *more = calloc(1, sizeof(*more));

	for (unsigned i = 0; i < 100; i++)
		add_datagram(&w->frames, port_mac, i % 3 == 0, i);
	open_links(w, 2);
	answer_all(w, 100, false);
	close_links(w);
	load(w->out[0], &w->frames);
	load(w->out[1], more);
	cr_assert_eq(w->frames.n, 50);
	cr_assert_eq(more->n, 50);
	for (unsigned i = 0; i < 100; i++)
		cr_assert_eq(count_answers(i % 2 ? more : &w->frames, i % 3 == 0, i), 1, "%u", i);
	remove_files(w);
	free(more);
	free(w);
}

Test(io_link, the_port_is_a_host_and_drops_what_is_not_for_it)
{
	struct world *w = calloc(1, sizeof(*w));
	const uint8_t *p;

	add_datagram(&w->frames, other_mac, false, 1);
	add_datagram(&w->frames, everybody, true, 2);
	add_datagram(&w->frames, port_mac, false, 3);
	w->frames.octets[2][60] ^= 1; // its checksum
	add_arp(&w->frames, daemon_ip[0] + 12);
	add_arp(&w->frames, own_ip + 12);
	open_links(w, 1);
	let_hosts_speak(w);
	close_links(w);
	load(w->out[0], &w->frames);
	cr_assert_eq(w->frames.n, 1);
	p = w->frames.octets[0];
	cr_assert_eq(w->frames.len[0], 60);
	cr_assert_arr_eq(p, daemon_mac, 6);
	cr_assert_arr_eq(p + 6, port_mac, 6);
	cr_assert_eq(twin_get16(p + 12), 0x0806);
	cr_assert_eq(twin_get16(p + 20), 2); // a reply
	cr_assert_arr_eq(p + 22, port_mac, 6);
	cr_assert_arr_eq(p + 28, own_ip + 12, 4);
	remove_files(w);
	free(w);
}

Test(io_link, answers_to_others)
{
	static const uint8_t elsewhere[16] = {[10] = 0xff, [11] = 0xff, 192, 0, 2, 7};
	struct world *w = calloc(1, sizeof(*w));
	struct io_datagram datagram[IO_LINK_BURST];
	struct packet packet;

	for (unsigned i = 0; i < 3; i++)
		add_datagram(&w->frames, port_mac, false, i);
	open_links(w, 1);
	cr_assert_eq(io_link_receive(w->link[0], datagram, IO_LINK_BURST), 3);
	memcpy(datagram[0].source, elsewhere, 16);
	datagram[0].source_port = 99;
	datagram[0].copies = 1;
	memcpy(datagram[1].source, daemon_ip[1], 16); // the other family: no way
	datagram[1].copies = 1;
	cr_assert_eq(io_link_answer(w->link[0], datagram, 3), 1); // the third says nothing
	close_links(w);
	load(w->out[0], &w->frames);
	cr_assert_eq(w->frames.n, 1);
	cr_assert_eq(packet_read(&packet, w->frames.octets[0], w->frames.len[0], 0), PACKET_UDP);
	cr_assert_arr_eq(packet.destination, elsewhere, 16);
	cr_assert_eq(packet.destination_port, 99);
	cr_assert_arr_eq(packet.destination_mac, daemon_mac, 6);
	remove_files(w);
	free(w);
}

Test(io_link, what_came_while_it_waited)
{
	struct world *w = calloc(1, sizeof(*w));
	uint64_t start;

	for (unsigned i = 0; i < 100; i++)
		add_datagram(&w->frames, port_mac, false, i);
	open_links(w, 1);
	io_link_wait(w->link[0], PATIENCE_NS); // takes some of them
	answer_all(w, 100, false);
	start = clock_mono_ns(&clock_system);
	io_link_wait(w->link[0], 10000000);
	cr_assert_geq(clock_mono_ns(&clock_system) - start, 10000000);
	io_link_wake(w->link[0]);
	io_link_wait(w->link[0], PATIENCE_NS);
	cr_assert_lt(clock_mono_ns(&clock_system) - start, PATIENCE_NS);
	cr_assert_eq(io_link_missed(w->link[0]), 0);
	close_links(w);
	load(w->out[0], &w->frames);
	cr_assert_eq(w->frames.n, 100);
	remove_files(w);
	free(w);
}

Test(io_link, closed_with_what_was_not_answered)
{
	struct world *w = calloc(1, sizeof(*w));
	struct io_datagram datagram[IO_LINK_BURST];

	for (unsigned i = 0; i < 100; i++)
		add_datagram(&w->frames, port_mac, false, i);
	open_links(w, 1);
	io_link_wait(w->link[0], PATIENCE_NS);
	cr_assert_gt(io_link_receive(w->link[0], datagram, 10), 0);
	close_links(w);
	load(w->out[0], &w->frames);
	cr_assert_eq(w->frames.n, 0);
	remove_files(w);
	free(w);
}

Test(io_link, refused)
{
	struct world *w = calloc(1, sizeof(*w));
	char error[IO_ERROR_MAX] = "";
	struct io_link *link;

	w->config = (struct io_dpdk_config){.n_ports = 1, .n_workers = 1};
	w->config.port[0].device = "net_nosuch0";
	w->config.n_args = 4;
	memcpy(w->config.arg, (const char *[]){"--no-huge", "-m", "64", "--no-shconf"},
	       4 * sizeof(char *));
	cr_assert_lt(io_link_open(&link, &w->config, error), 0);
	cr_assert_null(link);
	cr_assert(strstr(error, "DPDK does not start"), "%s", error);
	free(w);
}
