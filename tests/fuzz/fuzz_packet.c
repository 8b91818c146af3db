// Frames of any octets: once as they are, once with checksums made right, so that what is behind
// them is reached. What is read lies within the frame; what is UDP can be written again, and is
// read back as the same.
//
//   input: VLAN of the port (2), frame

#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "dataplane/net/packet_stamp.h"
#include "tests/kit/packet_twin.h"

enum { HEAD = 2, VLANS = 4095 };

static void must(bool condition)
{
	if (!condition)
		abort();
}

static void must_be_same(const struct packet *a, const struct packet *b)
{
	must(!memcmp(a->source_mac, b->source_mac, PACKET_MAC));
	must(!memcmp(a->destination_mac, b->destination_mac, PACKET_MAC));
	must(!memcmp(a->source, b->source, PACKET_IP));
	must(!memcmp(a->destination, b->destination, PACKET_IP));
	must(a->source_port == b->source_port && a->destination_port == b->destination_port);
	must(a->len == b->len && !memcmp(a->data, b->data, a->len));
}

static void write_again(const struct packet *packet, uint16_t vlan, bool udp_checksum)
{
	struct packet_source source = {
		.port = packet->source_port, .vlan = vlan, .udp_checksum = udp_checksum};
	struct packet_path path;
	struct packet again;
	uint8_t *frame;

	memcpy(source.mac, packet->source_mac, PACKET_MAC);
	memcpy(source.ip, packet->source, PACKET_IP);
	packet_path_init(&path, &source);
	frame = malloc(path.len + packet->len); // so that a sanitizer sees a write beyond the end
	must(frame != NULL);
	memcpy(frame + path.len, packet->data, packet->len);
	packet_write(&path, packet->destination_mac, packet->destination, packet->destination_port,
		     frame + path.len, packet->len);
	must(packet_read(&again, frame, path.len + packet->len, vlan) == PACKET_UDP);
	must(again.hop_limit == 64);
	must_be_same(packet, &again);
	free(frame);
}

static bool is_whole(enum packet_kind kind)
{
	return kind == PACKET_UDP || kind == PACKET_ARP || kind == PACKET_ICMPV4 ||
	       kind == PACKET_ICMPV6;
}

static void read_frame(const uint8_t *frame, unsigned len, uint16_t vlan)
{
	struct packet packet;
	const enum packet_kind kind = packet_read(&packet, frame, len, vlan);

	must(packet_kind_name(kind) != NULL);
	if (!is_whole(kind))
		return;
	must(packet.destination_mac == frame && packet.source_mac == frame + PACKET_MAC);
	must(packet.data >= frame + PACKET_ETHERNET && packet.data + packet.len <= frame + len);
	must(kind != PACKET_ARP || packet.len == 28);
	if (kind != PACKET_UDP || packet.len > PACKET_PAYLOAD_MAX)
		return;
	write_again(&packet, vlan, false);
	write_again(&packet, vlan, true);
}

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t n)
{
	uint8_t *repaired;
	uint16_t vlan;

	if (n <= HEAD)
		return 0;
	vlan = (uint16_t)(twin_get16(octets) % VLANS);
	n -= HEAD;
	read_frame(octets + HEAD, (unsigned)n, vlan);
	repaired = malloc(n);
	must(repaired != NULL);
	memcpy(repaired, octets + HEAD, n);
	twin_repair(repaired, (unsigned)n);
	read_frame(repaired, (unsigned)n, vlan);
	free(repaired);
	return 0;
}
