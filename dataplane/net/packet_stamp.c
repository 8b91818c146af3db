#include "dataplane/net/packet_stamp.h"

#include <assert.h>

#include "dataplane/net/packet_sum.h"

void packet_stamp_checksum(const struct packet_template *t, const uint8_t ip[PACKET_IP],
			   uint16_t port, uint8_t *payload)
{
	const uint64_t sum = t->udp_sum + packet_sum_ip(ip);
	uint16_t checksum;

	if (t->checksum == PACKET_CHECKSUM_PORT) {
		store16_be(payload - PACKET_BACK_CHECKSUM, packet_sum_fold(sum));
		return;
	}
	checksum = (uint16_t)~packet_sum_fold(sum + port + packet_sum(0, payload, t->payload_len));
	store16_be(payload - PACKET_BACK_CHECKSUM, checksum ? checksum : 0xffff);
}

void packet_write(const struct packet_path *path, const uint8_t mac[PACKET_MAC],
		  const uint8_t ip[PACKET_IP], uint16_t port, uint8_t *payload, unsigned len)
{
	struct packet_template template;

	packet_template_init(&template, path, mac, len);
	packet_stamp(&template, ip, port, payload);
	if (template.checksum)
		packet_stamp_checksum(&template, ip, port, payload);
}

unsigned packet_reply(const struct packet *packet, uint16_t vlan, const uint8_t ip[PACKET_IP],
		      uint16_t port, uint8_t *payload, unsigned len)
{
	struct packet_source source = {
		.port = packet->destination_port,
		.vlan = vlan,
		.udp_checksum = load16_be(payload - PACKET_BACK_CHECKSUM) != 0,
	};
	struct packet_path path;
	uint8_t to[PACKET_MAC];

	assert(payload == packet->data);
	assert(packet_is_ipv6(ip) == packet_is_ipv6(packet->destination));
	memcpy(source.mac, packet->destination_mac, PACKET_MAC);
	memcpy(source.ip, packet->destination, PACKET_IP);
	memcpy(to, packet->source_mac, PACKET_MAC); // it lies where the headers will
	packet_path_init(&path, &source);
	packet_write(&path, to, ip, port, payload, len);
	return path.len;
}
