// Datagrams as the push function gets them: raw octets, octets with the push_id of a running push,
// and genuine acknowledgements with octets changed. Whatever comes, nothing is sent, nothing but a
// genuine acknowledgement changes a target's state, and every datagram is counted once.
//
//   input: mode, device, status, changes, then changes × (place, place, mask), then reply or octets

#include "fuzz.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "dataplane/push.h"
#include "tests/kit/world.h"
#include "ue/protocol.h"

enum { MODE_RAW, MODE_PUSH_ID, MODE_GENUINE, MODES, HEAD = 4, DEVICES = 4, CHANGE = 3 };

static struct world *world;

static struct world *the_world(void)
{
	static const struct world_config config = {.seed = 1, .n_devices = DEVICES, .n_workers = 1};

	if (world)
		return world;
	world = malloc(sizeof(*world));
	world_open(world, &config);
	for (unsigned i = 0; i < DEVICES; i++)
		world->devices[i].deaf = true;
	world_push_new(world, 0, DEVICES, 1000, true, 64, 1184);
	return world;
}

// A genuine acknowledgement of the device; its octets.
static size_t genuine(const uint8_t *head, const uint8_t *reply, size_t reply_len, uint8_t *out)
{
	static const struct akmapush_ue_af af = {.fqdn = "meters.example.com",
						 .ua_star_id = {0xff, 0x41, 0x4b, 0x50, 0x01}};
	struct world_push *push = &world->pushes[0];
	struct world_device *device = &world->devices[head[1] % DEVICES];
	struct apue_ack_fields fields = {.suite = push->spec.suite, .status = head[2] % 4};
	uint8_t kaf[32];

	if (fields.status == 1 || fields.status == 2) {
		fields.reply = reply;
		fields.reply_len = reply_len < 1184 ? reply_len : 1184;
	}
	memcpy(fields.push_id, push->spec.push_id, 16);
	store32_be(fields.ref,
		   ref_of_place(&push->push->ref_key, dp_push_place(push->push, device->handle)));
	apue_kaf(&akmapush_ue_crypto_openssl, device->kakma[0], &af, kaf);
	return apue_ack_seal(&akmapush_ue_crypto_openssl, kaf, &fields, out);
}

// Returns the datagram's length; *is_genuine: no octet of it was changed.
static size_t make(const uint8_t *octets, size_t n, uint8_t *out, bool *is_genuine)
{
	size_t skip = HEAD + (size_t)(octets[3] % 8) * CHANGE, len;
	uint8_t before[1232];

	*is_genuine = false;
	if (octets[0] % MODES != MODE_GENUINE || n < skip) {
		len = n - HEAD < 2000 ? n - HEAD : 2000;
		memcpy(out, octets + HEAD, len);
		if (octets[0] % MODES == MODE_PUSH_ID && len >= 24)
			memcpy(out + 8, world->pushes[0].spec.push_id, 16);
		return len;
	}
	len = genuine(octets, octets + skip, n - skip, out);
	memcpy(before, out, len);
	for (size_t at = HEAD; at < skip; at += CHANGE) {
		size_t place = (size_t)(octets[at] << 8 | octets[at + 1]) % len;

		out[place] ^= octets[at + 2];
	}
	*is_genuine = mem_equal_ct(before, out, len); // memcmp would tell the fuzzer what it forges
	return len;
}

static uint64_t reason_sum(const uint64_t counts[REASON_COUNT])
{
	uint64_t sum = 0;

	for (int reason = REASON_RX_SHORT; reason <= REASON_ACK_TOO_OLD; reason++)
		sum += counts[reason];
	return sum;
}

static void inject(const uint8_t *datagram, size_t len, bool is_genuine)
{
	struct io_mem_datagram d = {
		.data = datagram, .len = len, .port = 1, .worker_port = dp_port(world->dp, 0)};
	uint64_t before[REASON_COUNT], after[REASON_COUNT], states[DP_STATE_COUNT];
	uint64_t taps = world->taps;

	dp_counters(world->dp, DP_NONE, before);
	assert(io_mem_inject(world->net, &d));
	world_step(world, 0);
	dp_counters(world->dp, DP_NONE, after);
	dp_push_counts(world->pushes[0].push, states);
	assert(world->taps == taps);
	assert(reason_sum(after) == reason_sum(before) + 1);
	assert(is_genuine || states[DP_SENT] == DEVICES);
	assert(!is_genuine || states[DP_SENT] == DEVICES - 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t n)
{
	struct world_push *push = &the_world()->pushes[0];
	uint8_t datagram[2048];
	bool is_genuine;
	size_t len;

	if (n < HEAD)
		return 0;
	push->done = push->stopped = false;
	world_push_start(world, 0);
	for (unsigned i = 0; i < 2 * DEVICES; i++)
		world_step(world, 0); // the first lap: all are SENT
	len = make(octets, n, datagram, &is_genuine);
	inject(datagram, len, is_genuine);
	world_push_stop(world, 0, DP_RECALLED);
	while (!push->done)
		world_step(world, 0);
	dp_push_free(push->push);
	push->push = NULL;
	assert(!world->failure[0]);
	return 0;
}
