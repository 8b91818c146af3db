#include "tools/ctl/ctl_traced.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "dataplane/frame.h"
#include "dataplane/net/packet_stamp.h"
#include "tools/ctl/ctl_call.h"

enum { MAPPED = 12, NS = 1000000000, UUID = 16 };

static const uint8_t mapped[MAPPED] = {[10] = 0xff, [11] = 0xff};

static bool is_ipv4(const uint8_t ip[16])
{
	return !memcmp(ip, mapped, MAPPED);
}

// ---- Read

static bool read_endpoint(const struct json_reader *line, const char *ip_name,
			  const char *port_name, uint8_t ip[16], uint16_t *port)
{
	const char *text = ctl_text(line, ip_name);
	uint64_t number = ctl_uint(line, port_name);

	if (!text || number > UINT16_MAX)
		return false;
	*port = (uint16_t)number;
	memcpy(ip, mapped, MAPPED);
	return inet_pton(AF_INET, text, ip + MAPPED) == 1 || inet_pton(AF_INET6, text, ip) == 1;
}

static bool read_octets(struct ctl_traced *traced, const char *base64)
{
	ssize_t len = base64 ? base64_parse(base64, strlen(base64), traced->octets,
					    sizeof(traced->octets))
			     : -1;

	traced->len = (uint16_t)(len < 0 ? 0 : len);
	return len >= 0;
}

// The daemon names the counter; a later one may have more of them.
static const char *reason_of(const char *metric)
{
	static const struct reason_text reasons[] = {
#define X(name, metric, help) {metric, help},
		REASONS(X)
#undef X
	};

	for (unsigned i = 0; i < REASON_COUNT; i++) {
		if (!strcmp(reasons[i].metric, metric))
			return reasons[i].help;
	}
	return "dropped";
}

bool ctl_traced_read(struct ctl_traced *traced, const struct json_reader *line)
{
	const char *event = ctl_text(line, "event"), *dropped = ctl_text(line, "dropped");
	uint64_t ns = ctl_uint(line, "nanoseconds");

	if (!event || ns >= NS)
		return false;
	traced->is_sent = !strcmp(event, "SENT");
	traced->unix_ns = ctl_uint(line, "unixSeconds") * NS + ns;
	traced->dropped = dropped ? reason_of(dropped) : NULL;
	return (traced->is_sent || !strcmp(event, "RECEIVED")) &&
	       read_endpoint(line, "source", "sourcePort", traced->source, &traced->source_port) &&
	       read_endpoint(line, "destination", "destinationPort", traced->destination,
			     &traced->destination_port) &&
	       is_ipv4(traced->source) == is_ipv4(traced->destination) &&
	       read_octets(traced, ctl_text(line, "octets"));
}

// ---- As a packet

size_t ctl_traced_packet(const struct ctl_traced *traced, uint8_t to[CTL_TRACED_PACKET_MAX])
{
	uint8_t frame[PACKET_HEADERS_MAX + CTL_TRACED_OCTETS_MAX];
	uint8_t *payload = frame + PACKET_HEADERS_MAX;
	struct packet_source source = {.port = traced->source_port, .udp_checksum = true};
	const uint8_t mac[PACKET_MAC] = {0}; // of no meaning: the packet is what is behind it
	struct packet_path path;
	size_t len;

	memcpy(source.ip, traced->source, sizeof(source.ip));
	memcpy(payload, traced->octets, traced->len);
	packet_path_init(&path, &source);
	packet_write(&path, mac, traced->destination, traced->destination_port, payload,
		     traced->len);
	len = path.len - PACKET_ETHERNET + traced->len;
	memcpy(to, payload - path.len + PACKET_ETHERNET, len);
	return len;
}

// ---- As text

char *ctl_traced_endpoint(char text[CTL_ENDPOINT_MAX], const uint8_t ip[16], uint16_t port)
{
	char address[INET6_ADDRSTRLEN];

	inet_ntop(is_ipv4(ip) ? AF_INET : AF_INET6, is_ipv4(ip) ? ip + MAPPED : ip, address,
		  sizeof(address));
	snprintf(text, CTL_ENDPOINT_MAX, is_ipv4(ip) ? "%s:%u" : "[%s]:%u", address, port);
	return text;
}

static void write_uuid(char text[2 * UUID + 5], const uint8_t id[UUID])
{
	char hex[2 * UUID + 1];

	hex_write(hex, id, UUID);
	snprintf(text, 2 * UUID + 5, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16,
		 hex + 20);
}

char *ctl_traced_text(char text[CTL_TRACED_TEXT_MAX], const struct ctl_traced *traced)
{
	static const char *const statuses[] = {"received", "acted upon", "refused", "too old"};
	const uint8_t *d = traced->octets;
	char id[2 * UUID + 5];

	if (traced->len < FRAME_HEADER) {
		snprintf(text, CTL_TRACED_TEXT_MAX, "?");
		return text;
	}
	write_uuid(id, d + FRAME_AT_PUSH_ID);
	if (traced->is_sent)
		snprintf(text, CTL_TRACED_TEXT_MAX, "PUSH %u/%u %s",
			 (d[FRAME_AT_SEGMENT] >> 4) + 1u, (d[FRAME_AT_SEGMENT] & 15) + 1u, id);
	else
		snprintf(text, CTL_TRACED_TEXT_MAX, "ACK %u %s %s", d[FRAME_AT_STATUS],
			 d[FRAME_AT_STATUS] < 4 ? statuses[d[FRAME_AT_STATUS]] : "?", id);
	return text;
}
