#include "dataplane/net/packet_stamp.h"

#include "dataplane/net/packet_sum.h"

void packet_stamp_checksum(const struct packet_template *t, const uint8_t ip[PACKET_IP],
			   uint16_t port, uint8_t *payload)
{
	const uint64_t sum = t->udp_sum + packet_sum_ip(ip) + port;
	const uint16_t checksum =
		(uint16_t)~packet_sum_fold(sum + packet_sum(0, payload, t->payload_len));

	store16_be(payload - PACKET_BACK_CHECKSUM, checksum ? checksum : 0xffff);
}

void packet_write(const struct packet_path *path, const uint8_t mac[PACKET_MAC],
		  const uint8_t ip[PACKET_IP], uint16_t port, uint8_t *payload, unsigned len)
{
	struct packet_template template;

	packet_template_init(&template, path, mac, len);
	packet_stamp(&template, ip, port, payload);
}
