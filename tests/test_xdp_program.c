// The program that diverts datagrams, run by the kernel on frames of ours: it diverts what is a UDP
// datagram to one of the keys, and passes all else, at every length and in any disorder; a naive
// reader says what is what. Needs CAP_BPF; skipped otherwise.

#include <criterion/criterion.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/bytes.h"
#include "dataplane/io/dpdk/xdp.h"
#include "dataplane/net/packet_stamp.h"
#include "tests/kit/random.h"

enum { PASS = 2, REDIRECT = 4, LEN_MAX = 256, OUR_PORT = 48471, PAYLOAD = 40, PROGRAM_MIN = 14 };

static const uint8_t ours[2][16] = {{[10] = 0xff, [11] = 0xff, [12] = 10, [15] = 1},
				    {0xfd, [15] = 1}};
static const uint8_t others[2][16] = {{[10] = 0xff, [11] = 0xff, [12] = 10, [15] = 2},
				      {0xfd, [15] = 2}};

static struct bpf_object *object;
static int program, keys, sockets, xsk;

static void put(const uint8_t ip[16], uint16_t port, uint16_t vlan)
{
	struct xdp_key key;
	const uint32_t yes = 1;

	memcpy(key.ip, ip, 16);
	store16_be(key.port, port);
	store16_be(key.vlan, vlan);
	cr_assert_eq(bpf_map_update_elem(keys, &key, &yes, BPF_ANY), 0);
}

static void start(void)
{
	size_t len;
	const void *const octets = xdp_object(&len);
	const uint32_t queue = 0;

	libbpf_set_print(NULL);
	object = bpf_object__open_mem(octets, len, NULL);
	cr_assert(object);
	if (bpf_object__load(object))
		cr_skip_test("the kernel does not load it: %s", strerror(errno));
	program = bpf_program__fd(bpf_object__next_program(object, NULL));
	keys = bpf_object__find_map_fd_by_name(object, XDP_OURS);
	sockets = bpf_object__find_map_fd_by_name(object, XDP_SOCKETS);
	xsk = socket(AF_XDP, SOCK_RAW, 0);
	if (xsk < 0)
		cr_skip_test("no sockets of AF_XDP");
	cr_assert_eq(bpf_map_update_elem(sockets, &queue, &xsk, BPF_ANY), 0);
	for (unsigned f = 0; f < 2; f++) {
		put(ours[f], OUR_PORT, 0);
		put(ours[f], OUR_PORT, 100);
	}
}

static void stop(void)
{
	bpf_object__close(object);
	close(xsk);
}

TestSuite(xdp_program, .init = start, .fini = stop);

static unsigned run(const uint8_t *frame, unsigned len)
{
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = frame, .data_size_in = len, .repeat = 1);

	cr_assert_eq(bpf_prog_test_run_opts(program, &options), 0, "length %u", len);
	return options.retval;
}

// ---- Frames

struct made {
	uint8_t octets[LEN_MAX];
	unsigned len;
};

static struct made make(const uint8_t ip[16], uint16_t port, uint16_t vlan)
{
	const bool is_ipv6 = ip[10] != 0xff;
	struct packet_source source = {.mac = {2, 0, 0, 0, 0, 2}, .port = 4000, .vlan = vlan};
	static const uint8_t mac[6] = {2, 0, 0, 0, 0, 1};
	uint8_t room[LEN_MAX] = {0};
	struct packet_path path;
	struct made made = {.len = 0};

	memcpy(source.ip, others[is_ipv6], 16);
	packet_path_init(&path, &source);
	packet_write(&path, mac, ip, port, room + PACKET_HEADERS_MAX, PAYLOAD);
	made.len = path.len + PAYLOAD;
	memcpy(made.octets, room + PACKET_HEADERS_MAX - path.len, made.len);
	return made;
}

// n octets come in between.
static void insert(struct made *m, unsigned at, const void *octets, unsigned n)
{
	memmove(m->octets + at + n, m->octets + at, m->len - at);
	memcpy(m->octets + at, octets, n);
	m->len += n;
}

static unsigned run_made(const struct made *m)
{
	return run(m->octets, m->len);
}

// ---- The naive reader: from the front, each thing once more.

static bool is_ours(const uint8_t *ip, unsigned n, unsigned port, unsigned vlan)
{
	uint8_t whole[16] = {[10] = 0xff, [11] = 0xff};

	memcpy(whole + 16 - n, ip, n);
	return !memcmp(whole, ours[n == 16], 16) && port == OUR_PORT && (vlan == 0 || vlan == 100);
}

static bool is_diverted(const uint8_t *f, unsigned len)
{
	unsigned at = 14, vlan = 0, type, header;

	type = f[12] * 256u + f[13];
	if (type == 0x8100) {
		if (len < 18)
			return false;
		vlan = (f[14] * 256u + f[15]) % 4096;
		type = f[16] * 256u + f[17];
		at = 18;
	}
	if (type == 0x0800 && len >= at + 20) {
		header = f[at] % 16 * 4;
		return f[at] / 16 == 4 && header >= 20 && len >= at + header + 8 &&
		       f[at + 9] == 17 && (f[at + 6] * 256u + f[at + 7]) % 16384 == 0 &&
		       is_ours(f + at + 16, 4, f[at + header + 2] * 256u + f[at + header + 3],
			       vlan);
	}
	return type == 0x86dd && len >= at + 48 && f[at] / 16 == 6 && f[at + 6] == 17 &&
	       is_ours(f + at + 24, 16, f[at + 42] * 256u + f[at + 43], vlan);
}

// ---- Tests

Test(xdp_program, ours_are_diverted)
{
	static const uint16_t vlans[] = {0, 100};

	for (unsigned f = 0; f < 2; f++) {
		for (unsigned v = 0; v < 2; v++) {
			struct made m = make(ours[f], OUR_PORT, vlans[v]);

			cr_assert_eq(run_made(&m), REDIRECT, "family %u, VLAN %u", f, vlans[v]);
			cr_assert(is_diverted(m.octets, m.len));
		}
	}
}

Test(xdp_program, others_are_not)
{
	for (unsigned f = 0; f < 2; f++) {
		struct made m = make(ours[f], OUR_PORT + 1, 0);

		cr_expect_eq(run_made(&m), PASS, "another port");
		m = make(others[f], OUR_PORT, 0);
		cr_expect_eq(run_made(&m), PASS, "another address");
		m = make(ours[f], OUR_PORT, 101);
		cr_expect_eq(run_made(&m), PASS, "another VLAN");
		m = make(ours[f], OUR_PORT, 0);
		m.octets[f ? 14 + 6 : 14 + 9] = 6;
		cr_expect_eq(run_made(&m), PASS, "TCP");
		m = make(ours[f], OUR_PORT, 100);
		insert(&m, 12, "\x88\xa8\0\0", 4);
		cr_expect_eq(run_made(&m), PASS, "two tags");
		m = make(ours[f], OUR_PORT, 0);
		m.octets[12] = 8;
		m.octets[13] = 6;
		cr_expect_eq(run_made(&m), PASS, "ARP");
	}
}

// Until there are keys, and where a queue has no socket, all goes to the kernel.
Test(xdp_program, nothing_is_diverted_without_a_key_or_a_socket)
{
	const struct made m = make(ours[0], OUR_PORT, 0);
	const uint32_t queue = 0;
	struct xdp_key key = {.port = {OUR_PORT >> 8, OUR_PORT & 255}};

	memcpy(key.ip, ours[0], 16);
	cr_assert_eq(bpf_map_delete_elem(keys, &key), 0);
	cr_assert_eq(run_made(&m), PASS);
	put(ours[0], OUR_PORT, 0);
	cr_assert_eq(run_made(&m), REDIRECT);
	cr_assert_eq(bpf_map_delete_elem(sockets, &queue), 0);
	cr_assert_eq(run_made(&m), PASS);
}

// All but DF make a fragment.
Test(xdp_program, fragments_are_the_kernels)
{
	for (unsigned bit = 0; bit < 16; bit++) {
		struct made m = make(ours[0], OUR_PORT, 0);

		store16_be(m.octets + 14 + 6, (uint16_t)(1u << bit));
		cr_assert_eq(run_made(&m), bit >= 14 ? REDIRECT : PASS, "bit %u", bit);
	}
}

Test(xdp_program, options_of_ipv4_are_passed_over)
{
	static const uint8_t none[40];

	for (unsigned words = 0; words < 16; words++) {
		struct made m = make(ours[0], OUR_PORT, 0);

		if (words > 5)
			insert(&m, 14 + 20, none, 4 * (words - 5));
		m.octets[14] = (uint8_t)(4 << 4 | words);
		cr_assert_eq(run_made(&m), words >= 5 ? REDIRECT : PASS, "%u words", words);
	}
}

Test(xdp_program, extension_headers_of_ipv6_are_the_kernels)
{
	static const uint8_t types[] = {0, 43, 44, 50, 51, 59, 60, 135, 139, 140};
	const uint8_t header[8] = {17};

	for (unsigned i = 0; i < sizeof(types); i++) {
		struct made m = make(ours[1], OUR_PORT, 0);

		insert(&m, 14 + 40, header, sizeof(header));
		m.octets[14 + 6] = types[i];
		cr_assert_eq(run_made(&m), PASS, "type %u", types[i]);
	}
}

Test(xdp_program, ipv4_in_ipv6_is_not_ours)
{
	struct made m = make(ours[1], OUR_PORT, 0);

	memcpy(m.octets + 14 + 24, ours[0], 16);
	cr_assert_eq(run_made(&m), PASS);
}

Test(xdp_program, cut_at_every_length)
{
	for (unsigned f = 0; f < 2; f++) {
		for (unsigned vlan = 0; vlan <= 100; vlan += 100) {
			const struct made m = make(ours[f], OUR_PORT, (uint16_t)vlan);
			const unsigned least = 14 + (vlan ? 4 : 0) + (f ? 40 : 20) + 8;

			for (unsigned len = PROGRAM_MIN; len <= m.len; len++)
				cr_assert_eq(run(m.octets, len), len < least ? PASS : REDIRECT,
					     "family %u, VLAN %u, length %u", f, vlan, len);
		}
	}
}

// What the data plane would take is diverted, too.
Test(xdp_program, does_what_a_naive_reader_does, .timeout = 120)
{
	static const uint16_t vlans[] = {0, 0, 100, 101};
	struct random random = random_start();
	unsigned n = 0;

	for (unsigned i = 0; i < 100000; i++) {
		const uint16_t vlan = vlans[random_next(&random) % 4];
		struct made m = make(ours[random_next(&random) % 2], OUR_PORT, vlan);
		struct packet packet;
		bool wanted;

		for (unsigned k = random_next(&random) % 3; k; k--)
			m.octets[random_next(&random) % 70] ^=
				(uint8_t)(1u << random_next(&random) % 8);
		if (random_next(&random) % 4 == 0)
			m.len = PROGRAM_MIN + random_next(&random) % (m.len - PROGRAM_MIN);
		wanted = is_diverted(m.octets, m.len);
		cr_assert_eq(run_made(&m), wanted ? REDIRECT : PASS, "seed %#" PRIx64, random.seed);
		if (packet_read(&packet, m.octets, m.len, vlan) == PACKET_UDP && vlan <= 100 &&
		    !memcmp(packet.destination, ours[packet.destination[10] != 0xff], 16) &&
		    packet.destination_port == OUR_PORT)
			cr_assert(wanted, "seed %#" PRIx64, random.seed);
		n += wanted;
	}
	cr_assert(n > 10000 && n < 90000, "%u of 100000 were diverted", n);
}
