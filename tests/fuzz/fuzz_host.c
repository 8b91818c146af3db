// Frames as a host on a port gets them. Whatever comes, an answer is a frame that packet_read
// takes, with room for it, to one MAC that is no group's unless RFC 4861 7.2.4 wants it; strangers
// and the host's own addresses are not learnt.
//
//   input: mode, then the frame; from mode 1 on its checksums are put right, and in mode 2 the
//   sender of what was read is :: (packet_read may take no such frame)

#include "fuzz.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "dataplane/net/host.h"
#include "dataplane/net/packet_sum.h"

enum { MODE_RAW, MODE_SUMMED, MODE_NOBODY, MODES, VLAN = 100, ROOM = 16 };

#define IPV4(d)                                                                                    \
	{                                                                                          \
		[10] = 0xff, [11] = 0xff, [12] = 10, [15] = (d)                                    \
	}
#define IPV6(d)                                                                                    \
	{                                                                                          \
		0x20, 0x01, 0x0d, 0xb8, [15] = (d)                                                 \
	}

static const uint8_t peers[2][16] = {IPV4(2), IPV6(2)}, strangers[2][16] = {IPV4(3), IPV6(3)};

static struct host *the_host(uint16_t vlan)
{
	const struct host_config config = {
		.mac = {2, 0, 0, 0, 0, 1},
		.vlan = vlan,
		.address = {{IPV4(1), 120}, {IPV6(1), 64}},
		.n_addresses = 2,
	};
	static struct host host;
	char error[HOST_ERROR_MAX];

	assert(!host_init(&host, &config, error));
	for (unsigned i = 0; i < 2; i++) {
		host_want(&host, peers[i], 0);
		host_want(&host, config.address[i].ip, 0);
	}
	return &host;
}

// ---- Checksums put right, so that the fuzzer need not find them

static void sum_ipv4(uint8_t *h, unsigned len)
{
	const unsigned header = 4 * (h[0] & 15u), total = load16_be(h + 2);

	if (header < 20 || header > len || total < header || total > len)
		return;
	store16_be(h + 10, 0);
	store16_be(h + 10, (uint16_t)~packet_sum(0, h, header));
	if (h[9] != 1 || total < header + 8)
		return;
	store16_be(h + header + 2, 0);
	store16_be(h + header + 2, (uint16_t)~packet_sum(0, h + header, total - header));
}

static void sum_ipv6(uint8_t *h, unsigned len)
{
	const unsigned body = load16_be(h + 4);

	if (body < 8 || body > len - 40 || h[6] != 58)
		return;
	store16_be(h + 42, 0);
	store16_be(h + 42, (uint16_t)~packet_sum(packet_sum(body + 58, h + 8, 32), h + 40, body));
}

static void sum(uint8_t *frame, unsigned len, uint16_t vlan)
{
	const unsigned at = vlan ? PACKET_ETHERNET + PACKET_VLAN : PACKET_ETHERNET;

	if (len >= at + 20 && load16_be(frame + at - 2) == 0x0800)
		sum_ipv4(frame + at, len - at);
	if (len >= at + 40 && load16_be(frame + at - 2) == 0x86dd)
		sum_ipv6(frame + at, len - at);
}

// ---- What must hold

static void check_answer(const struct host *host, const struct packet *question,
			 const uint8_t *answer, unsigned len)
{
	static const uint8_t all_nodes[PACKET_MAC] = {0x33, 0x33, [5] = 1}, nobody[16];
	uint8_t *const exact = malloc(len); // so that a sanitizer sees a read beyond the end
	struct packet packet;
	enum packet_kind kind;

	assert(exact && len >= HOST_FRAME_MIN && len <= HOST_FRAME_MAX);
	memcpy(exact, answer, len);
	kind = packet_read(&packet, exact, len, host->config.vlan);
	assert(kind == PACKET_ARP || kind == PACKET_ICMPV4 || kind == PACKET_ICMPV6);
	assert(!memcmp(packet.source_mac, host->config.mac, PACKET_MAC));
	assert(kind == PACKET_ARP || host_has(host, packet.source));
	if (packet.destination_mac[0] & 1)
		assert(kind == PACKET_ICMPV6 && !memcmp(question->source, nobody, 16) &&
		       !memcmp(packet.destination_mac, all_nodes, PACKET_MAC));
	free(exact);
}

static void check_neighbours(const struct host *host)
{
	uint8_t mac[PACKET_MAC];

	for (unsigned i = 0; i < 2; i++) {
		const uint8_t *const own = host->config.address[i].ip;

		assert(neighbour_find(&host->neighbours, strangers[i], mac) == NEIGHBOUR_NONE);
		assert(neighbour_find(&host->neighbours, own, mac) == NEIGHBOUR_ASKED);
		if (neighbour_find(&host->neighbours, peers[i], mac) == NEIGHBOUR_KNOWN)
			assert(!(mac[0] & 1));
	}
}

static void give(unsigned mode, const uint8_t *frame, unsigned len, uint16_t vlan)
{
	struct host *const host = the_host(vlan);
	uint8_t answer[HOST_FRAME_MAX + ROOM];
	struct packet packet;
	const enum packet_kind kind = packet_read(&packet, frame, len, vlan);
	unsigned n;

	if (kind == PACKET_ICMPV6 && mode == MODE_NOBODY)
		memset(packet.source, 0, sizeof(packet.source));
	memset(answer, 0xee, sizeof(answer));
	n = host_input(host, kind, &packet, answer, 1);
	if (n)
		check_answer(host, &packet, answer, n);
	for (unsigned i = n; i < sizeof(answer); i++)
		assert(answer[i] == 0xee);
	check_neighbours(host);
}

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t n)
{
	uint8_t *frame;
	size_t len;
	unsigned mode;
	uint16_t vlan;

	if (n < 1 || n > 65535)
		return 0;
	len = n - 1;
	frame = malloc(len ? len : 1);
	assert(frame);
	memcpy(frame, octets + 1, len);
	mode = octets[0] % MODES;
	vlan = len >= PACKET_ETHERNET && load16_be(frame + 12) == 0x8100 ? VLAN : PACKET_NO_VLAN;
	if (mode != MODE_RAW)
		sum(frame, (unsigned)len, vlan);
	give(mode, frame, (unsigned)len, vlan);
	free(frame);
	return 0;
}
