// The fleet, over loopback sockets, against a sender that seals by crypto/: the other
// implementation of the protocol.
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "crypto/aead.h"
#include "crypto/message.h"
#include "dataplane/frame.h"
#include "tools/fleet/fleet.h"

enum { WAIT_MS = 3000, REF = 0x01020304, TEXT = 40 };

static const char AF[] = "utility.example";
static const uint8_t UA[] = {0xff, 0x41, 0x4b, 0x50, 0x01};

// ---- The sender

struct sender {
	int fd;
	int family;
	uint16_t port; // its own
	struct subscribers subscribers;
	struct aead *aead;
};

static void sender_open(struct sender *s, int family)
{
	struct sockaddr_in6 own = {0};
	socklen_t len = sizeof(own);

	s->family = family;
	s->fd = socket(family, SOCK_DGRAM, 0);
	cr_assert(s->fd >= 0);
	own.sin6_family = (sa_family_t)family;
	if (family == AF_INET6)
		own.sin6_addr = in6addr_loopback;
	else
		((struct sockaddr_in *)&own)->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	cr_assert_eq(bind(s->fd, (struct sockaddr *)&own,
			  family == AF_INET6 ? sizeof(own) : sizeof(struct sockaddr_in)),
		     0);
	getsockname(s->fd, (struct sockaddr *)&own, &len);
	s->port = ntohs(own.sin6_port);
	subscribers_init(&s->subscribers, "akmapush");
	s->aead = aead_best()->open(AEAD_AAD);
}

static void sender_close(struct sender *s)
{
	aead_best()->close(s->aead);
	close(s->fd);
}

static void derive_kaf(const struct sender *s, uint64_t i, uint32_t registration,
		       uint8_t kaf[1][AKMA_KEY])
{
	uint8_t kakma[1][AKMA_KEY];
	struct akma_af_id af_id;
	struct hmac_message message;
	struct hmac_key key;
	const struct hmac_key *const keys[] = {&key};

	subscriber_kakma(&s->subscribers, i, registration, kakma[0]);
	hmac_key_init(s->subscribers.sha, kakma, 1, &key);
	akma_af_id_init(&af_id, AF, UA);
	akma_kaf_message(&message, &af_id);
	akma_kaf(s->subscribers.sha, keys, &message, 1, kaf);
}

static void derive_block(const struct sender *s, uint64_t i, uint32_t registration, unsigned type,
			 const uint8_t push_id[16], struct message_block *block)
{
	struct message_info info;
	uint8_t kaf[1][AKMA_KEY];

	derive_kaf(s, i, registration, kaf);
	message_info_init(&info, message_suite_find(1), type, push_id);
	message_blocks(s->subscribers.sha, &info, kaf, 1, block);
}

static void new_push_id(uint8_t push_id[16])
{
	static uint8_t counter;

	store64_be(push_id, clock_unix_ms(&clock_system) << 16 | 0x7000 | ++counter);
	memset(push_id + 8, 0x99, 8);
}

struct segment {
	unsigned index, count, len;
};

static unsigned seal(const struct sender *s, uint64_t i, uint32_t registration,
		     const uint8_t push_id[16], struct segment segment, uint8_t *out)
{
	static uint8_t text[1184];
	struct message_block block;
	struct frame_header header;
	struct aead_item item = {
		.key = message_key(&block, message_suite_find(1)),
		.aad = out,
		.in = text,
		.out = out + FRAME_HEADER,
		.len = (uint16_t)segment.len,
	};

	derive_block(s, i, registration, MESSAGE_TYPE_PUSH, push_id, &block);
	frame_header_init(&header, 1, true, false, segment.count, push_id,
			  clock_unix_s(&clock_system) + 60);
	frame_write_header(out, &header, segment.index, block.selector, REF);
	message_push_nonce(item.nonce, &block, REF, segment.index);
	aead_best()->seal(s->aead, 16, &item, 1);
	return FRAME_MIN + segment.len;
}

static void send_to(const struct sender *s, const struct fleet *fleet, uint64_t i,
		    const uint8_t *octets, unsigned len)
{
	struct sockaddr_in6 to = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	struct sockaddr_in *v4 = (struct sockaddr_in *)&to;
	struct subscriber_address address;

	subscriber_address(&fleet->options.net, i, &address);
	if (s->family == AF_INET) {
		memset(&to, 0, sizeof(to));
		v4->sin_family = AF_INET;
		memcpy(&v4->sin_addr, address.ip + 12, 4);
	}
	to.sin6_port = htons(address.port); // the same place in both
	cr_assert_eq(sendto(s->fd, octets, len, 0, (struct sockaddr *)&to,
			    s->family == AF_INET ? sizeof(*v4) : sizeof(to)),
		     len);
}

static void push(const struct sender *s, const struct fleet *fleet, uint64_t i,
		 uint32_t registration, const uint8_t push_id[16])
{
	uint8_t datagram[1232];
	unsigned len = seal(s, i, registration, push_id, (struct segment){0, 1, TEXT}, datagram);

	send_to(s, fleet, i, datagram, len);
}

// An ACK that comes in time, opened with the key of the UE whose address it comes from; returns the
// subscriber, or -1 when none comes.
static int64_t receive_ack(const struct sender *s, const struct fleet *fleet, uint32_t registration,
			   int wait_ms)
{
	struct pollfd readable = {.fd = s->fd, .events = POLLIN};
	struct subscriber_address address = {0};
	uint8_t datagram[1300], reply[1184];
	struct sockaddr_in6 from;
	socklen_t from_len = sizeof(from);
	struct message_block block;
	struct frame_ack ack;
	struct aead_item item;
	int64_t i;
	ssize_t n;

	if (poll(&readable, 1, wait_ms) <= 0)
		return -1;
	n = recvfrom(s->fd, datagram, sizeof(datagram), 0, (struct sockaddr *)&from, &from_len);
	cr_assert_eq(frame_parse_ack(&ack, datagram, (unsigned)n), REASON_RX);
	address.port = ntohs(from.sin6_port);
	if (s->family == AF_INET) {
		memset(address.ip + 10, 0xff, 2);
		memcpy(address.ip + 12, &((struct sockaddr_in *)&from)->sin_addr, 4);
	} else {
		memcpy(address.ip, &from.sin6_addr, 16);
	}
	i = subscriber_at(&fleet->options.net, &address);
	cr_assert(i >= 0, "an ACK from ...%x port %u", load32_be(address.ip + 12), address.port);
	derive_block(s, (uint64_t)i, registration, MESSAGE_TYPE_ACK, ack.push_id, &block);
	item = (struct aead_item){.key = message_key(&block, message_suite_find(1)),
				  .aad = ack.aad,
				  .in = ack.ciphertext,
				  .out = reply,
				  .len = ack.reply_len};
	message_ack_nonce(item.nonce, &block, ack.salt);
	aead_best()->open_burst(s->aead, 16, &item, 1);
	cr_assert(item.ok, "the ACK of %ld does not open", (long)i);
	cr_assert_eq(ack.ref, REF);
	cr_assert_eq(ack.status, fleet->options.status);
	return i;
}

// ---- The fleet

static struct fleet fleet;
static struct akmapush_ue_address anywhere[2] = {
	{.octets = {[10] = 0xff, 0xff, 127, 0, 0, 1}},
	{.octets = {[15] = 1}},
};
static struct akmapush_ue_af afs[1];

static void open_fleet(struct fleet_options options)
{
	options.port = 21000 + (uint64_t)getpid() % 600 * 16;
	subscriber_net_init(&options.net, options.net.family, (uint16_t)options.port, NULL);
	options.status = options.status ? options.status : 1;
	options.threads = options.threads ? options.threads : 1;
	options.list_max = 8;
	options.socket_buffer = options.socket_buffer ? options.socket_buffer : 1 << 20;
	fleet.options = options;
	afs[0] = (struct akmapush_ue_af){
		.fqdn = AF, .push_functions = anywhere, .n_push_functions = 2};
	memcpy(afs[0].ua_star_id, UA, sizeof(UA));
	fleet.afs = afs;
	fleet.n_afs = 1;
	fleet.crypto = fleet.crypto ? fleet.crypto : &akmapush_ue_crypto_openssl;
	subscribers_init(&fleet.subscribers, "akmapush");
	cr_assert_eq(fleet_open(&fleet, options.count), 0);
}

static void start(struct fleet_options options)
{
	open_fleet(options);
	cr_assert_eq(fleet_start(&fleet), 0);
}

static void stop(void)
{
	fleet_stop(&fleet);
	fleet_close(&fleet);
}

static bool wait_for(enum fleet_counter counter, uint64_t n)
{
	const struct timespec tick = {.tv_nsec = 5000000};

	for (unsigned i = 0; i < WAIT_MS / 5 && fleet_sum(&fleet, counter) < n; i++)
		nanosleep(&tick, NULL);
	return fleet_sum(&fleet, counter) == n;
}

// Every UE gets a push, and every ACK comes from the right address.
static void reach_all(struct sender *s, uint64_t from, uint64_t count)
{
	static bool heard[1000];
	uint8_t push_id[16];

	new_push_id(push_id);
	memset(heard, 0, sizeof(heard));
	for (uint64_t i = 0; i < count; i++)
		push(s, &fleet, from + i, 0, push_id);
	for (uint64_t n = 0; n < count; n++) {
		const int64_t i = receive_ack(s, &fleet, 0, WAIT_MS);

		cr_assert(i >= (int64_t)from, "ACK %lu did not come", n);
		cr_assert_not(heard[(uint64_t)i - from]);
		heard[(uint64_t)i - from] = true;
	}
	cr_assert_eq(deliveries_sums(&fleet.deliveries).complete, 1);
}

Test(tools_fleet, delivers_and_acknowledges_from_its_address)
{
	struct sender s;

	sender_open(&s, AF_INET);
	start((struct fleet_options){.from = 250, .count = 100});
	reach_all(&s, 250, 100);
	cr_assert_eq(fleet_sum(&fleet, FLEET_datagrams), 100);
	cr_assert_eq(fleet_sum(&fleet, FLEET_verified), 100);
	cr_assert_eq(fleet_sum(&fleet, FLEET_delivered_again), 0);
	stop();
	sender_close(&s);
	cr_assert_eq(fleet.workers[0].latency.n, 100);
}

Test(tools_fleet, threads_share_the_addresses)
{
	struct sender s;

	sender_open(&s, AF_INET);
	start((struct fleet_options){.count = 90, .threads = 3, .warm = true});
	cr_assert(wait_for(FLEET_made, 90));
	reach_all(&s, 0, 90);
	for (unsigned i = 0; i < 3; i++)
		cr_assert_eq(atomic_load(&fleet.workers[i].counter[FLEET_delivered].n), 30,
			     "worker %u", i);
	stop();
	sender_close(&s);
}

Test(tools_fleet, ipv6_and_builtin_crypto)
{
	struct sender s;

	sender_open(&s, AF_INET6);
	fleet.crypto = &akmapush_ue_crypto_builtin;
	start((struct fleet_options){
		.count = 8, .net.family = SUBSCRIBER_V6, .threads = 2, .status = 2});
	reach_all(&s, 0, 8);
	stop();
	sender_close(&s);
}

Test(tools_fleet, a_copy_is_no_delivery)
{
	uint8_t push_id[16];
	struct sender s;

	sender_open(&s, AF_INET);
	start((struct fleet_options){.count = 3});
	new_push_id(push_id);
	for (unsigned i = 0; i < 3; i++)
		push(&s, &fleet, 1, 0, push_id);
	cr_assert(wait_for(FLEET_duplicates, 2));
	cr_assert(wait_for(FLEET_acks, 1));      // counted when it has left
	cr_assert(wait_for(FLEET_acks_held, 2)); // 2 s have not gone by
	cr_assert_eq(fleet_sum(&fleet, FLEET_delivered), 1);
	cr_assert_eq(fleet_sum(&fleet, FLEET_acks), 1);
	cr_assert_eq(fleet_sum(&fleet, FLEET_acks_held), 2);
	stop();
	sender_close(&s);
}

Test(tools_fleet, junk_and_strangers_are_counted_and_not_answered)
{
	uint8_t junk[100] = {0x11, 1}, push_id[16];
	struct sender s;

	sender_open(&s, AF_INET);
	start((struct fleet_options){.from = 10, .count = 3});
	new_push_id(push_id);
	send_to(&s, &fleet, 11, junk, sizeof(junk));
	send_to(&s, &fleet, 11, junk, 3);
	push(&s, &fleet, 9, 0, push_id);  // no UE of this fleet
	push(&s, &fleet, 13, 0, push_id); // nor this
	push(&s, &fleet, 12, 7, push_id); // a key it never had
	cr_assert(wait_for(FLEET_datagrams, 5));
	cr_assert_eq(receive_ack(&s, &fleet, 0, 100), -1);
	cr_assert_eq(fleet_sum(&fleet, FLEET_strangers), 2);
	cr_assert_eq(fleet_sum(&fleet, FLEET_verified), 0);
	cr_assert_eq(fleet_outcome_sum(&fleet, AKMAPUSH_UE_BAD_LENGTH), 1);
	cr_assert_eq(fleet_outcome_sum(&fleet, AKMAPUSH_UE_NO_KEY), 1);
	stop();
	sender_close(&s);
}

Test(tools_fleet, new_keys_and_the_ones_before)
{
	uint8_t push_id[16];
	struct sender s;

	sender_open(&s, AF_INET);
	start((struct fleet_options){.count = 4});
	new_push_id(push_id);
	push(&s, &fleet, 0, 0, push_id);
	cr_assert_eq(receive_ack(&s, &fleet, 0, WAIT_MS), 0);
	atomic_store(&fleet.registration, 1);
	new_push_id(push_id);
	push(&s, &fleet, 0, 0, push_id); // on its way while it authenticated
	cr_assert_eq(receive_ack(&s, &fleet, 0, WAIT_MS), 0);
	push(&s, &fleet, 1, 0, push_id); // the same for one that is made only now
	cr_assert_eq(receive_ack(&s, &fleet, 0, WAIT_MS), 1);
	new_push_id(push_id);
	push(&s, &fleet, 0, 1, push_id);
	cr_assert_eq(receive_ack(&s, &fleet, 1, WAIT_MS), 0);
	push(&s, &fleet, 0, 0, push_id); // the same push once more, sealed before: a duplicate
	cr_assert(wait_for(FLEET_duplicates, 1));
	cr_assert_eq(fleet_sum(&fleet, FLEET_delivered_again), 0);
	stop();
	sender_close(&s);
}

Test(tools_fleet, segments)
{
	uint8_t push_id[16], datagram[1232];
	struct sender s;

	sender_open(&s, AF_INET);
	start((struct fleet_options){.count = 2, .segment_buffers = 2});
	new_push_id(push_id);
	for (unsigned i = 0; i < 3; i++) {
		const struct segment segment = {i, 3, i < 2 ? 1184 : 7};
		const unsigned len = seal(&s, 1, 0, push_id, segment, datagram);

		cr_assert_eq(fleet_sum(&fleet, FLEET_delivered), 0);
		send_to(&s, &fleet, 1, datagram, len);
	}
	cr_assert_eq(receive_ack(&s, &fleet, 0, WAIT_MS), 1);
	cr_assert_eq(fleet_sum(&fleet, FLEET_delivered), 1);
	cr_assert_eq(fleet_outcome_sum(&fleet, AKMAPUSH_UE_SEGMENT), 2);
	stop();
	sender_close(&s);
}

Test(tools_fleet, loses_and_doubles_what_it_is_told_to)
{
	uint8_t push_id[16];
	struct sender s;

	sender_open(&s, AF_INET);
	start((struct fleet_options){.count = 400, .lose = 30, .duplicate = 50, .random = 5});
	new_push_id(push_id);
	for (uint64_t i = 0; i < 400; i++)
		push(&s, &fleet, i, 0, push_id);
	cr_assert(wait_for(FLEET_datagrams, 400));
	for (unsigned i = 0;
	     i < 50 &&
	     fleet_sum(&fleet, FLEET_lost_datagrams) + fleet_sum(&fleet, FLEET_delivered) < 400;
	     i++)
		poll(NULL, 0, 10);
	stop();
	sender_close(&s);
	// Six standard deviations of a binomial distribution either way.
	cr_assert(abs((int)fleet_sum(&fleet, FLEET_lost_datagrams) - 120) < 55);
	cr_assert(abs((int)fleet_sum(&fleet, FLEET_lost_acks) - 84) < 50);
	cr_assert(abs((int)fleet_sum(&fleet, FLEET_acks) - 294) < 90);
}

Test(tools_fleet, what_the_kernel_drops_is_counted)
{
	uint8_t push_id[16];
	struct sender s;

	sender_open(&s, AF_INET);
	open_fleet((struct fleet_options){.count = 300, .socket_buffer = 8192});
	new_push_id(push_id);
	for (uint64_t i = 0; i < 300; i++)
		push(&s, &fleet, i, 0, push_id);
	cr_assert_eq(fleet_start(&fleet), 0);
	poll(NULL, 0, 100);
	stop();
	sender_close(&s);
	cr_assert_gt(fleet_sum(&fleet, FLEET_overflow), 0);
	cr_assert_eq(fleet_sum(&fleet, FLEET_overflow) + fleet_sum(&fleet, FLEET_datagrams), 300);
}
