#include "tests/kit/world.h"

#include <assert.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "crypto/sha256.h"
#include "ue/protocol.h"

enum { SEALED_SLOTS = 1 << 15, PORT = 48471, SCRATCH = AKMAPUSH_UE_SEGMENT_MAX };

static const char fqdn[] = "meters.example.com";
static const uint8_t ua_star_id[5] = {0xff, 0x41, 0x4b, 0x50, 0x01};
static struct akmapush_ue_address push_functions[1]; // any address, any port: see open_device
static const struct akmapush_ue_af af = {fqdn, {0xff, 0x41, 0x4b, 0x50, 0x01}, push_functions, 1};

// ---- The clock

static uint64_t world_mono_ns(const struct clock *clock)
{
	return ((const struct world_clock *)(const void *)clock)->mono_ns;
}

static uint64_t world_unix_ms(const struct clock *clock)
{
	return ((const struct world_clock *)(const void *)clock)->unix_ms;
}

static struct akmapush_ue_now ue_now(const struct world *world)
{
	return (struct akmapush_ue_now){.ms = world->clock.mono_ns / 1000000,
					.unix_s = (uint32_t)(world->clock.unix_ms / 1000),
					.trusted = true};
}

// ---- What has been sealed

// Key, nonce, and the digest of the datagram that they sealed.
struct sealed {
	bool used;
	uint8_t key_len, key[32], nonce[12];
	uint8_t digest[SHA256_DIGEST];
};

struct sealed_table {
	struct sealed slot[SEALED_SLOTS];
	unsigned n;
};

static struct sealed *sealed_find(struct sealed_table *table, const struct apue_block *block,
				  const uint8_t nonce[12])
{
	uint32_t at = load32_be(block->key) ^ load32_be(nonce) * 0x9e3779b1u ^
		      load32_be(nonce + 8) * 0x85ebca6bu;

	for (;; at++) {
		struct sealed *slot = &table->slot[at % SEALED_SLOTS];

		if (!slot->used || (slot->key_len == block->key_len &&
				    !memcmp(slot->key, block->key, block->key_len) &&
				    !memcmp(slot->nonce, nonce, 12)))
			return slot;
	}
}

static void note(struct world *world, const char *what)
{
	if (!world->failure[0])
		snprintf(world->failure, sizeof(world->failure), "%s", what);
}

static void check_sealed(struct world *world, const struct apue_block *block,
			 const struct io_mem_datagram *d)
{
	uint8_t nonce[12], digest[SHA256_DIGEST];
	struct sealed *slot;

	sha256(sha256_best(), d->data, d->len, digest);
	// PUSH nonce = iv XOR (0^7 || ref || segment index), docs/specification.md 4
	memcpy(nonce, block->iv, 12);
	for (unsigned i = 0; i < 4; i++)
		nonce[7 + i] ^= d->data[APUE_AT_REF + i];
	nonce[11] ^= d->data[APUE_AT_SEGMENT] >> 4;
	slot = sealed_find(world->sealed, block, nonce);
	if (slot->used) {
		if (memcmp(slot->digest, digest, sizeof(digest)))
			note(world, "one key and nonce sealed two texts");
		return;
	}
	assert(++world->sealed->n < SEALED_SLOTS / 2);
	slot->used = true;
	slot->key_len = block->key_len;
	memcpy(slot->key, block->key, block->key_len);
	memcpy(slot->nonce, nonce, 12);
	memcpy(slot->digest, digest, sizeof(digest));
}

static struct world_device *device_at(struct world *world, const uint8_t ip[16])
{
	for (unsigned i = 0; i < world->n_devices; i++) {
		if (!memcmp(world->devices[i].ip, ip, 16))
			return &world->devices[i];
	}
	return NULL;
}

// Which of the device's keys the datagram is under: none is an error too.
static void tap(struct world *world, const struct io_mem_datagram *d)
{
	struct world_device *device = device_at(world, d->ip);

	world->taps++;
	if (!device)
		return note(world, "sent to an address that no device has");
	for (unsigned i = device->n_keys; i-- > 0;) {
		struct apue_block block;
		uint8_t kaf[32];

		apue_kaf(&akmapush_ue_crypto_openssl, device->kakma[i], &af, kaf);
		apue_block_derive(&akmapush_ue_crypto_openssl, kaf, d->data[APUE_AT_SUITE],
				  APUE_PUSH, d->data + 8, &block);
		if (!memcmp(block.selector, d->data + APUE_AT_SELECTOR, 4))
			return check_sealed(world, &block, d);
	}
	note(world, "sealed under a key that the device never had");
}

static void check_stopped(struct world *world, const struct io_mem_datagram *d)
{
	for (unsigned i = 0; i < world->n_pushes; i++) {
		if (world->pushes[i].stopped &&
		    !memcmp(world->pushes[i].spec.push_id, d->data + 8, 16))
			note(world, "sent after the stop was told");
	}
}

static void tap_all(void *ctx, const struct io_mem_datagram *d)
{
	struct world *world = ctx;

	pthread_mutex_lock(&world->lock);
	check_stopped(world, d);
	tap(world, d);
	pthread_mutex_unlock(&world->lock);
}

// ---- Devices

static unsigned push_number(const struct world *world, const uint8_t push_id[16])
{
	for (unsigned i = 0; i < world->n_pushes; i++) {
		if (!memcmp(world->pushes[i].spec.push_id, push_id, 16))
			return i;
	}
	assert(!"a device accepted a push that was never made");
	return 0;
}

static void deliver(struct world *world, struct world_device *device,
		    const struct akmapush_ue_push *push, const struct akmapush_ue_now *now)
{
	unsigned number = push_number(world, push->id.octets);
	const struct dp_push_spec *spec = &world->pushes[number].spec;

	device->delivered[number]++;
	if (push->payload_len != spec->payload_len ||
	    memcmp(push->payload, spec->payload, push->payload_len))
		note(world, "a device got another payload");
	if (device->status)
		akmapush_ue_answer(device->ue, &push->id, device->status, "done", 4, now);
}

static void on_datagram(void *ctx, struct io_mem *net, const struct io_mem_datagram *d)
{
	struct world *world = ctx;
	struct world_device *device = device_at(world, d->ip);
	uint8_t scratch[SCRATCH], out[AKMAPUSH_UE_DATAGRAM_MAX];
	struct akmapush_ue_address source = {.port = d->worker_port}, to;
	struct akmapush_ue_now now = ue_now(world);
	struct akmapush_ue_push push;
	enum akmapush_ue_outcome outcome;
	int32_t n;

	if (!device || device->deaf)
		return;
	outcome = akmapush_ue_input(device->ue, d->data, d->len, &source, &now, scratch, &push);
	if (outcome > AKMAPUSH_UE_ANSWERED_LAST)
		return;
	if (outcome == AKMAPUSH_UE_DELIVERED)
		deliver(world, device, &push, &now);
	n = akmapush_ue_ack(device->ue, &push.id, &now, out, sizeof(out), &to);
	if (n > 0)
		io_mem_reply(net, d, out, (size_t)n);
}

static void open_device(struct world *world, unsigned number)
{
	struct world_device *device = &world->devices[number];
	size_t pool_size = akmapush_ue_pool_size(1, AKMAPUSH_UE_PAYLOAD_MAX), size;

	device->pool_memory = malloc(pool_size);
	device->pool =
		akmapush_ue_pool_init(device->pool_memory, pool_size, 1, AKMAPUSH_UE_PAYLOAD_MAX);
	device->config = (struct akmapush_ue_config){
		.crypto = &akmapush_ue_crypto_openssl,
		.afs = &af,
		.n_afs = 1,
		.n_replies = 4,
		.reply_max = 16,
		.pool = device->pool,
	};
	size = akmapush_ue_size(&device->config);
	device->ue = akmapush_ue_init(malloc(size), size, &device->config);
	assert(device->ue);
	device->status = 1;
	device->ip[10] = device->ip[11] = 0xff;
	device->ip[12] = 127;
	device->ip[14] = (uint8_t)(number >> 8);
	device->ip[15] = (uint8_t)(number + 1);
}

void world_authenticate(struct world *world, unsigned number)
{
	struct world_device *device = &world->devices[number];
	struct akmapush_ue_now now = ue_now(world);

	assert(device->n_keys < WORLD_KEYS_MAX);
	pthread_mutex_lock(&world->lock);
	random_fill(&world->random, device->kakma[device->n_keys++], 32);
	pthread_mutex_unlock(&world->lock);
	akmapush_ue_set_kakma(device->ue, device->kakma[device->n_keys - 1], &now);
}

void world_register(struct world *world, unsigned number)
{
	struct world_device *device = &world->devices[number];
	bool given = dp_put_key(world->dp, device->handle, device->kakma[device->n_keys - 1],
				UINT32_MAX);

	assert(given);
}

static void give_address(struct world *world, unsigned number)
{
	struct world_device *device = &world->devices[number];
	struct dp_address address = {.port = 48470};
	bool given;

	memcpy(address.ip, device->ip, 16);
	given = dp_put_address(world->dp, device->handle, &address);
	assert(given);
}

// ---- The data plane

// The AF is hot: without a cache, with one in which entries push one another out, with one for all.
static const uint64_t kaf_caches[] = {0, 2000, 4 << 20};

static void open_dp(struct world *world)
{
	char error[DP_ERROR_MAX] = "";
	int status = dp_open(&world->config, &world->dp, error);

	if (status)
		fprintf(stderr, "dp_open: %s\n", error);
	assert(!status);
	dp_af_hot(world->dp, 0, true);
	for (unsigned i = 0; i < world->n_devices; i++) {
		uint32_t handle = world->devices[i].handle;

		dp_set_handles(world->dp, handle + 1);
		if (world->devices[i].n_keys)
			world_register(world, i);
		give_address(world, i);
	}
	if (world->threads && dp_start(world->dp))
		abort();
}

void world_open(struct world *world, const struct world_config *config)
{
	struct io_mem_config net = {
		.seed = config->seed,
		.lost = config->lost,
		.twice = config->twice,
		.delayed = config->delayed,
		.delay_max = 20,
		.in_flight_max = 2048,
		.inbox_max = 256,
		.device = on_datagram,
		.tap = tap_all,
		.ctx = world,
	};
	uint32_t handle = 0;

	memset(world, 0, sizeof(*world));
	world->random = (struct random){config->seed, config->seed};
	world->clock =
		(struct world_clock){{world_mono_ns, world_unix_ms}, 1000000000, 1800000000000};
	world->sealed = calloc(1, sizeof(*world->sealed));
	world->n_devices = config->n_devices;
	world->threads = config->threads;
	pthread_mutex_init(&world->lock, NULL);
	if (io_mem_open(&world->net, &net))
		abort();
	world->config = (struct dp_config){
		.n_workers = config->n_workers,
		.ue_max = 16384,
		.push_max = 64,
		.io = "mem",
		.port = PORT,
		.tuning = {.burst = 1 + (unsigned)(random_next(&world->random) % 64),
			   .lap_pause_ms = 2500,
			   .lap_pause_max_ms = 20000},
		.clock = &world->clock.clock,
		.io_arg = world->net,
		.kaf_cache = kaf_caches[config->seed % 3],
		.event_fd = -1,
	};
	for (unsigned i = 0; i < config->n_devices; i++) {
		handle += 1 + (uint32_t)(random_next(&world->random) % 100);
		open_device(world, i);
		world->devices[i].handle = handle;
		world_authenticate(world, i);
	}
	open_dp(world);
}

void world_close(struct world *world)
{
	dp_stop(world->dp);
	for (unsigned i = 0; i < world->n_pushes; i++) {
		dp_push_free(world->pushes[i].push);
		free(world->pushes[i].payload);
		free(world->pushes[i].handles);
		free(world->pushes[i].checkpoint);
	}
	dp_close(world->dp);
	for (unsigned i = 0; i < world->n_devices; i++) {
		akmapush_ue_fini(world->devices[i].ue);
		free(world->devices[i].ue);
		free(world->devices[i].pool_memory);
	}
	io_mem_close(world->net);
	free(world->sealed);
	pthread_mutex_destroy(&world->lock);
}

// ---- Pushes

static void make_push_id(struct world *world, uint8_t id[16])
{
	random_fill(&world->random, id, 16);
	store32_be(id, (uint32_t)(world->clock.unix_ms >> 16));
	store16_be(id + 4, (uint16_t)world->clock.unix_ms);
	id[6] = 0x70 | (id[6] & 15);
	id[8] = 0x80 | (id[8] & 63);
}

unsigned world_push_new(struct world *world, unsigned first, unsigned n, uint32_t validity_s,
			bool ack_wanted, size_t payload_len, uint16_t segment_size)
{
	static uint8_t af_id[sizeof(fqdn) - 1 + sizeof(ua_star_id)];
	unsigned number = world->n_pushes;
	struct world_push *push = &world->pushes[number];

	assert(number < WORLD_PUSHES_MAX && first + n <= world->n_devices);
	memcpy(af_id, fqdn, sizeof(fqdn) - 1);
	memcpy(af_id + sizeof(fqdn) - 1, ua_star_id, sizeof(ua_star_id));
	push->handles = malloc(n * sizeof(*push->handles));
	for (unsigned i = 0; i < n; i++)
		push->handles[i] = world->devices[first + i].handle;
	push->payload = malloc(payload_len + 1);
	random_fill(&world->random, push->payload, payload_len);
	push->spec = (struct dp_push_spec){
		.suite = (uint8_t)(1 + random_next(&world->random) % 2),
		.ack_wanted = ack_wanted,
		.expiry = (uint32_t)(world->clock.unix_ms / 1000) + validity_s,
		.af_id = af_id,
		.af_id_len = sizeof(af_id),
		.payload = push->payload,
		.payload_len = payload_len,
		.segment_size = segment_size,
		.handles = push->handles,
		.n_handles = n,
	};
	make_push_id(world, push->spec.push_id);
	random_fill(&world->random, push->spec.secret, 16);
	pthread_mutex_lock(&world->lock);
	world->n_pushes++; // from here on the tap sees it
	pthread_mutex_unlock(&world->lock);
	return number;
}

void world_push_start(struct world *world, unsigned number)
{
	struct world_push *push = &world->pushes[number];
	bool given;
	int error;

	push->push = dp_push_new(world->dp, &push->spec, &error);
	assert(push->push);
	given = dp_push_start(world->dp, push->push);
	assert(given);
}

static void give_stop(struct world *world, unsigned number, enum dp_state state)
{
	struct world_push *push = &world->pushes[number];
	bool given = dp_push_stop(world->dp, push->push, state);

	assert(given);
	push->stop = state;
}

void world_push_stop(struct world *world, unsigned number, enum dp_state state)
{
	give_stop(world, number, state);
	world_fence(world);
	pthread_mutex_lock(&world->lock);
	world->pushes[number].stopped = true;
	pthread_mutex_unlock(&world->lock);
}

enum dp_state world_state(const struct world *world, unsigned push, unsigned device)
{
	const struct dp_push *p = world->pushes[push].push;

	return dp_push_state(p, dp_push_place(p, world->devices[device].handle));
}

// ---- Steps

static struct world_push *push_of(struct world *world, const struct dp_push *push)
{
	for (unsigned i = 0; i < world->n_pushes; i++) {
		if (world->pushes[i].push == push)
			return &world->pushes[i];
	}
	abort();
}

static void take_reply(struct world *world, const struct dp_event *event)
{
	struct world_push *push = push_of(world, event->push);
	uint32_t handle = dp_push_handle(push->push, event->place);

	for (unsigned i = 0; i < push->spec.n_handles; i++)
		push->replies[i] += push->spec.handles[i] == handle;
	world->other_replies += event->reply_len != 4 || memcmp(event->reply, "done", 4) != 0;
}

static void take_events(struct world *world)
{
	struct dp_event event;

	while (dp_poll(world->dp, &event)) {
		if (event.kind == DP_EVENT_FENCE)
			world->fence_passed = event.token;
		else if (event.kind == DP_EVENT_DONE)
			push_of(world, event.push)->done = true;
		else
			take_reply(world, &event);
	}
}

static void turn_workers(struct world *world)
{
	if (world->threads) {
		sched_yield();
		return;
	}
	for (unsigned i = 0; i < world->config.n_workers; i++)
		dp_turn(world->dp, i);
}

void world_step(struct world *world, uint64_t ms)
{
	turn_workers(world);
	io_mem_step(world->net);
	take_events(world);
	world->clock.mono_ns += ms * 1000000;
	world->clock.unix_ms += ms;
}

static bool all_done(const struct world *world)
{
	for (unsigned i = 0; i < world->n_pushes; i++) {
		if (world->pushes[i].push && !world->pushes[i].done)
			return false;
	}
	return true;
}

bool world_run(struct world *world, uint64_t ms, unsigned steps)
{
	for (unsigned i = 0; i < steps && !all_done(world); i++)
		world_step(world, random_next(&world->random) % (2 * ms + 1));
	return all_done(world);
}

void world_fence(struct world *world)
{
	static uint64_t token;
	bool given = dp_fence(world->dp, ++token);

	assert(given);
	while (world->fence_passed != token) {
		turn_workers(world);
		take_events(world);
	}
}

// ---- Ends and beginnings

void world_checkpoint(struct world *world)
{
	for (unsigned i = 0; i < world->n_pushes; i++) {
		struct world_push *push = &world->pushes[i];

		if (!push->push || push->done)
			continue;
		free(push->checkpoint);
		push->checkpoint = malloc((dp_push_places(push->push) + 1) / 2);
		dp_push_states(world->dp, push->push, push->checkpoint);
	}
}

void world_restart(struct world *world)
{
	dp_stop(world->dp);
	dp_close(world->dp);
	for (unsigned i = 0; i < world->n_pushes; i++) {
		if (!world->pushes[i].done) {
			dp_push_free(world->pushes[i].push);
			world->pushes[i].push = NULL;
		}
	}
	world->config.n_workers = 1 + (unsigned)(random_next(&world->random) % 3);
	open_dp(world);
	for (unsigned i = 0; i < world->n_pushes; i++) {
		struct world_push *push = &world->pushes[i];

		if (push->done || !push->payload)
			continue;
		memset(push->replies, 0, sizeof(push->replies)); // the store keeps one per target
		push->spec.states = push->checkpoint;
		world_push_start(world, i);
		if (push->stopped) // the store has it; before the workers' next turn
			give_stop(world, i, push->stop);
	}
}
