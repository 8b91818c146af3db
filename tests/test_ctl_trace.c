// Lines of a trace as packets: read strictly, headers right, told in words.

#include <criterion/criterion.h>

#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/text.h"
#include "control/json/problem.h"
#include "tests/kit/random.h"
#include "tools/ctl/ctl_traced.h"

static bool read_text(struct ctl_traced *traced, const char *text)
{
	struct problem problem;
	struct json_reader line = {.pointer = "", .problem = &problem};
	struct json *json;
	bool is_good;

	problem_init(&problem);
	json = json_parse(text, strlen(text), &problem);
	cr_assert_not_null(json, "%s", text);
	line.object = json;
	is_good = ctl_traced_read(traced, &line);
	json_free(json);
	return is_good;
}

#define TIME "\"unixSeconds\":1800000000,\"nanoseconds\":5"
#define ENDS(a)                                                                                    \
	"\"source\":\"" a                                                                          \
	"\",\"sourcePort\":48470,\"destination\":\"192.0.2.9\",\"destinationPort\":9"
#define OCTETS "\"octets\":\"AAEC\""

static const char good[] = "{\"event\":\"SENT\"," TIME "," ENDS("192.0.2.1") "," OCTETS "}";

Test(ctl_trace, a_line)
{
	static const uint8_t source[16] = {[10] = 0xff, 0xff, 192, 0, 2, 1};
	struct ctl_traced traced;

	cr_assert(read_text(&traced, good));
	cr_assert(traced.is_sent);
	cr_assert_eq(traced.unix_ns, 1800000000000000005);
	cr_assert_arr_eq(traced.source, source, 16);
	cr_assert(traced.source_port == 48470 && traced.destination_port == 9);
	cr_assert_eq(traced.destination[15], 9);
	cr_assert_null(traced.dropped);
	cr_assert_eq(traced.len, 3);
	cr_assert_arr_eq(traced.octets, "\0\1\2", 3);
}

Test(ctl_trace, why_it_was_dropped)
{
	struct ctl_traced traced;

	cr_assert(read_text(&traced, "{\"event\":\"RECEIVED\",\"dropped\":\"rx_tag\"," TIME
				     "," ENDS("192.0.2.1") "," OCTETS "}"));
	cr_assert_not(traced.is_sent);
	cr_assert_str_eq(traced.dropped, "dropped: the tag does not verify");
	cr_assert(read_text(&traced, "{\"event\":\"RECEIVED\",\"dropped\":\"of_later\"," TIME
				     "," ENDS("192.0.2.1") "," OCTETS "}"));
	cr_assert_str_eq(traced.dropped, "dropped");
}

Test(ctl_trace, lines_that_are_none)
{
	static const char *const bad[] = {
		"{}",
		"{\"event\":5}",
		"{\"event\":\"SENT\"}",
		"{\"event\":\"LOST\"," TIME "," ENDS("192.0.2.1") "," OCTETS "}",
		"{\"event\":\"SENT\",\"unixSeconds\":1,\"nanoseconds\":1000000000," ENDS(
			"192.0.2.1") "," OCTETS "}",
		"{\"event\":\"SENT\"," TIME "," ENDS("192.0.2") "," OCTETS "}",
		"{\"event\":\"SENT\"," TIME "," ENDS("host") "," OCTETS "}",
		"{\"event\":\"SENT\"," TIME "," ENDS("2001:db8::1") "," OCTETS "}", // two families
		"{\"event\":\"SENT\"," TIME
		",\"source\":\"192.0.2.1\",\"sourcePort\":65536,\"destination\":\"192.0.2.9\","
		"\"destinationPort\":9," OCTETS "}",
		"{\"event\":\"SENT\"," TIME "," ENDS("192.0.2.1") "}",
		"{\"event\":\"SENT\"," TIME "," ENDS("192.0.2.1") ",\"octets\":\"AAE\"}",
		"{\"event\":\"SENT\"," TIME "," ENDS("192.0.2.1") ",\"octets\":7}",
	};
	struct ctl_traced traced;

	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		cr_assert_not(read_text(&traced, bad[i]), "%s", bad[i]);
}

Test(ctl_trace, no_longer_than_a_datagram)
{
	static uint8_t octets[CTL_TRACED_OCTETS_MAX + 1];
	char base64[4 * (sizeof(octets) + 2) / 3 + 4], text[2 * sizeof(base64)];
	struct ctl_traced traced;

	for (unsigned more = 0; more < 2; more++) {
		base64_write(base64, octets, CTL_TRACED_OCTETS_MAX + more);
		snprintf(text, sizeof(text), "{\"event\":\"SENT\",%s,%s,\"octets\":\"%s\"}", TIME,
			 ENDS("192.0.2.1"), base64);
		cr_assert_eq(read_text(&traced, text), more == 0);
	}
}

// A naive sum of 16-bit words, RFC 1071; 0xffff when its own checksum is in it and right.
static unsigned sum(unsigned sum, const uint8_t *octets, size_t len)
{
	for (size_t i = 0; i < len; i++)
		sum += i % 2 ? octets[i] : (unsigned)octets[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

static void check_ipv4(const struct ctl_traced *traced, const uint8_t *packet, size_t len)
{
	cr_assert_eq(len, 28u + traced->len);
	cr_assert_eq(packet[0], 0x45);
	cr_assert_eq(load16_be(packet + 2), len);
	cr_assert_eq(packet[9], 17);
	cr_assert_eq(sum(0, packet, 20), 0xffff);
	cr_assert_arr_eq(packet + 12, traced->source + 12, 4);
	cr_assert_arr_eq(packet + 16, traced->destination + 12, 4);
	cr_assert_eq(sum(17 + traced->len + 8, packet + 12, len - 12), 0xffff);
}

static void check_ipv6(const struct ctl_traced *traced, const uint8_t *packet, size_t len)
{
	cr_assert_eq(len, 48u + traced->len);
	cr_assert_eq(packet[0], 0x60);
	cr_assert_eq(load16_be(packet + 4), len - 40);
	cr_assert_eq(packet[6], 17);
	cr_assert_arr_eq(packet + 8, traced->source, 16);
	cr_assert_arr_eq(packet + 24, traced->destination, 16);
	cr_assert_eq(sum(17 + traced->len + 8, packet + 8, len - 8), 0xffff);
}

Test(ctl_trace, packets_of_every_length)
{
	struct random random = random_start();
	uint8_t packet[CTL_TRACED_PACKET_MAX];
	struct ctl_traced traced;

	for (unsigned i = 0; i <= 2 * CTL_TRACED_OCTETS_MAX; i++) {
		const unsigned header = i % 2 ? 40 : 20;
		size_t len;

		random_fill(&random, &traced, sizeof(traced));
		traced.len = (uint16_t)(i / 2);
		if (header == 20) {
			memcpy(traced.source, "\0\0\0\0\0\0\0\0\0\0\xff\xff", 12);
			memcpy(traced.destination, traced.source, 12);
		} else {
			traced.source[0] = traced.destination[0] = 0x20;
		}
		len = ctl_traced_packet(&traced, packet);
		(header == 20 ? check_ipv4 : check_ipv6)(&traced, packet, len);
		cr_assert_eq(load16_be(packet + header), traced.source_port);
		cr_assert_eq(load16_be(packet + header + 2), traced.destination_port);
		cr_assert_eq(load16_be(packet + header + 4), traced.len + 8);
		cr_assert_arr_eq(packet + header + 8, traced.octets, traced.len, "seed %#" PRIx64,
				 random.seed);
	}
}

Test(ctl_trace, in_words)
{
	struct ctl_traced traced = {.is_sent = true, .len = 48};
	char text[CTL_TRACED_TEXT_MAX], endpoint[CTL_ENDPOINT_MAX];

	for (unsigned i = 0; i < 16; i++)
		traced.octets[8 + i] = (uint8_t)(i * 17);
	traced.octets[3] = 0x12;
	cr_assert_str_eq(ctl_traced_text(text, &traced),
			 "PUSH 2/3 00112233-4455-6677-8899-aabbccddeeff");
	traced.is_sent = false;
	traced.octets[28] = 2;
	cr_assert_str_eq(ctl_traced_text(text, &traced),
			 "ACK 2 refused 00112233-4455-6677-8899-aabbccddeeff");
	traced.octets[28] = 255;
	cr_assert_str_eq(ctl_traced_text(text, &traced),
			 "ACK 255 ? 00112233-4455-6677-8899-aabbccddeeff");
	traced.len = 31;
	cr_assert_str_eq(ctl_traced_text(text, &traced), "?");
	traced.source[15] = 1;
	cr_assert_str_eq(ctl_traced_endpoint(endpoint, traced.source, 9), "[::1]:9");
	memset(traced.source, 0xff, 16);
	cr_assert_str_eq(ctl_traced_endpoint(endpoint, traced.source, 65535),
			 "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535");
	memset(traced.source, 0, 10);
	cr_assert_str_eq(ctl_traced_endpoint(endpoint, traced.source, 1), "255.255.255.255:1");
}
