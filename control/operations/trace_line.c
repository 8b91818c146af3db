#include "control/operations/trace_line.h"

#include <arpa/inet.h>
#include <string.h>

#include "control/json/json.h"

enum { NS = 1000000000 };

static size_t take(char line[TRACE_LINE_MAX], struct json_writer *w)
{
	size_t len;
	char *text = json_take(w, &len);

	if (!text)
		return 0;
	if (len < TRACE_LINE_MAX) {
		memcpy(line, text, len);
		line[len] = '\n';
	}
	json_text_free(text, len);
	return len < TRACE_LINE_MAX ? len + 1 : 0;
}

size_t trace_line_begin(char line[TRACE_LINE_MAX], const struct trace_begin *begin)
{
	struct json_writer *w = json_write();

	json_put_string(w, "event", "BEGIN");
	if (begin->supi)
		json_put_string(w, "supi", begin->supi);
	if (begin->gpsi)
		json_put_string(w, "gpsi", begin->gpsi);
	json_put_uint(w, "seconds", begin->seconds);
	if (begin->count)
		json_put_uint(w, "count", begin->count);
	return take(line, w);
}

static void put_end(struct json_writer *w, const char *ip_name, const uint8_t ip[16],
		    const char *port_name, uint16_t port)
{
	static const uint8_t v4[12] = {[10] = 0xff, [11] = 0xff};
	char text[INET6_ADDRSTRLEN];

	if (!memcmp(ip, v4, sizeof(v4)))
		inet_ntop(AF_INET, ip + 12, text, sizeof(text));
	else
		inet_ntop(AF_INET6, ip, text, sizeof(text));
	json_put_string(w, ip_name, text);
	json_put_uint(w, port_name, port);
}

size_t trace_line_datagram(char line[TRACE_LINE_MAX], const struct dp_datagram *d,
			   const uint8_t own[16], uint64_t unix_ns)
{
	const bool is_sent = d->reason == REASON_SENT;
	struct json_writer *w = json_write();

	json_put_string(w, "event", is_sent ? "SENT" : "RECEIVED");
	json_put_uint(w, "unixSeconds", unix_ns / NS);
	json_put_uint(w, "nanoseconds", unix_ns % NS);
	put_end(w, "source", is_sent ? own : d->peer.ip, "sourcePort",
		is_sent ? d->own_port : d->peer.port);
	put_end(w, "destination", is_sent ? d->peer.ip : own, "destinationPort",
		is_sent ? d->peer.port : d->own_port);
	if (!is_sent && d->reason != REASON_RX)
		json_put_string(w, "dropped", reason_texts[d->reason].metric);
	json_put_base64(w, "octets", d->octets, d->len);
	return take(line, w);
}

size_t trace_line_end(char line[TRACE_LINE_MAX], const struct trace_end *end)
{
	struct json_writer *w = json_write();

	json_put_string(w, "event", "END");
	json_put_string(w, "cause", end->cause);
	json_put_uint(w, "datagrams", end->datagrams);
	json_put_uint(w, "lost", end->lost);
	return take(line, w);
}
