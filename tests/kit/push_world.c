#include "tests/kit/push_world.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "control/api/naanf.h"
#include "control/api/push_ask.h"
#include "control/api/routes.h"
#include "control/apply.h"
#include "control/push/push_id.h"
#include "control/registry/af.h"
#include "control/registry/group.h"
#include "control/registry/ue.h"

enum { SCRATCH = AKMAPUSH_UE_SEGMENT_MAX, ANSWER_TURNS = 2000, EVENTFD_NONE = -1 };

struct answer world_answer;

static const struct http_route *const tables[] = {
	naanf_routes, af_routes, group_routes, ue_routes, push_routes, push_admin_routes, NULL};

static struct akmapush_ue_address push_functions[1]; // any
static const struct akmapush_ue_af afs[] = {
	{"meters.example.com", {0xff, 0x41, 0x4b, 0x50, 0x01}, push_functions, 1},
	{"locks.example.com", {0xff, 0x41, 0x4b, 0x50, 0x01}, push_functions, 1},
};

// ---- The clock

static uint64_t mono_ns(const struct clock *clock)
{
	return ((const struct world *)(const void *)clock)->mono_ns;
}

static uint64_t unix_ms(const struct clock *clock)
{
	return ((const struct world *)(const void *)clock)->unix_ms;
}

static struct akmapush_ue_now ue_now(const struct world *world)
{
	return (struct akmapush_ue_now){.ms = world->mono_ns / 1000000,
					.unix_s = (uint32_t)(world->unix_ms / 1000),
					.trusted = true};
}

// ---- Devices

static void tap(void *ctx, const struct io_mem_datagram *d)
{
	struct world *world = ctx;

	world->n_datagrams++;
	for (unsigned i = 0; i < world->n_stopped; i++)
		world->sent_after_stop |= !memcmp(world->stopped[i], d->data + 8, 16);
}

static void deliver(struct world *world, unsigned number, const struct akmapush_ue_push *push,
		    const struct akmapush_ue_now *now)
{
	struct device *device = &world->devices[number];
	struct delivery *delivery = &world->deliveries[world->n_deliveries++];

	assert(world->n_deliveries <= WORLD_DELIVERIES);
	delivery->device = number;
	memcpy(delivery->push_id, push->id.octets, 16);
	if (device->status)
		akmapush_ue_answer(device->ue, &push->id, device->status, device->reply,
				   device->reply ? strlen(device->reply) : 0, now);
}

static void on_datagram(void *ctx, struct io_mem *net, const struct io_mem_datagram *d)
{
	struct world *world = ctx;
	unsigned number = d->ip[15] - 1u;
	struct device *device = &world->devices[number];
	uint8_t scratch[SCRATCH], out[AKMAPUSH_UE_DATAGRAM_MAX];
	struct akmapush_ue_address source = {.port = d->worker_port}, to;
	struct akmapush_ue_now now = ue_now(world);
	struct akmapush_ue_push push;
	enum akmapush_ue_outcome outcome;
	int32_t n;

	if (device->deaf)
		return;
	outcome = akmapush_ue_input(device->ue, d->data, d->len, &source, &now, scratch, &push);
	if (outcome > AKMAPUSH_UE_ANSWERED_LAST)
		return;
	if (outcome == AKMAPUSH_UE_DELIVERED)
		deliver(world, number, &push, &now);
	n = akmapush_ue_ack(device->ue, &push.id, &now, out, sizeof(out), &to);
	if (n > 0)
		io_mem_reply(net, d, out, (size_t)n);
}

static void open_device(struct world *world, unsigned number)
{
	struct device *device = &world->devices[number];
	size_t size;

	device->config = (struct akmapush_ue_config){
		.crypto = &akmapush_ue_crypto_openssl,
		.afs = afs,
		.n_afs = sizeof(afs) / sizeof(*afs),
		.n_replies = 8,
		.reply_max = 32,
	};
	size = akmapush_ue_size(&device->config);
	device->ue = akmapush_ue_init(malloc(size), size, &device->config);
	assert(device->ue);
	device->status = 1;
	snprintf(device->supi, sizeof(device->supi), "imsi-00101%05u", number);
	snprintf(device->gpsi, sizeof(device->gpsi), "msisdn-49%05u", number);
}

// ---- The process

static void open_process(struct world *world)
{
	struct dp_config config = {
		.n_workers = 2,
		.ue_max = 65536,
		.push_max = world->config->dataplane.pushes,
		.io = "mem",
		.port = 48471,
		.tuning = {64, 0, 2500, 20000},
		.clock = &world->clock,
		.io_arg = world->net,
		.event_fd = EVENTFD_NONE,
	};
	char error[DP_ERROR_MAX] = "";

	world->app = (struct app){
		.config = world->config, .clock = &world->clock, .store = world->store};
	if (dp_open(&config, &world->app.dp, error)) {
		fprintf(stderr, "dp_open: %s\n", error);
		abort();
	}
	world->app.apply = apply_new(&world->app);
	if (ue_load(&world->app) || group_load(&world->app) || af_load(&world->app) ||
	    push_load(&world->app))
		abort();
	world->app.asks = push_asks_new();
	assert(world->app.asks);
	push_resume(&world->app);
}

// Nothing that is on its way becomes durable; who waits for an answer gets one that nobody reads.
static void fail_changes(struct world *world)
{
	push_store_fail(world->store, -EIO);
	push_store_hold(world->store, UINT32_MAX);
	for (unsigned i = 0; i < 100 || !apply_is_idle(&world->app); i++)
		world_turn(world, 0);
	push_store_crash(world->store);
	push_store_fail(world->store, 0);
}

static void close_process(struct world *world)
{
	fail_changes(world);
	push_close(&world->app);
	push_asks_free(world->app.asks);
	af_registry_free(world->app.afs);
	group_registry_free(world->app.groups);
	ue_registry_free(world->app.ues);
	dp_close(world->app.dp);
	apply_free(world->app.apply);
}

void world_crash(struct world *world)
{
	close_process(world);
	open_process(world);
}

static void report(void *ctx, const char *text)
{
	(void)ctx;
	fprintf(stderr, "%s\n", text);
}

struct world *world_new(uint64_t seed)
{
	struct world *world = calloc(1, sizeof(*world));
	struct io_mem_config net = {
		.seed = seed,
		.delay_max = 5,
		.in_flight_max = 65536,
		.inbox_max = 4096,
		.device = on_datagram,
		.tap = tap,
		.ctx = world,
	};

	assert(world);
	world->clock = (struct clock){mono_ns, unix_ms};
	world->mono_ns = 1000000000;
	world->unix_ms = 1800000000000;
	world->store = push_store_new();
	if (io_mem_open(&world->net, &net) || config_load(NULL, &world->config, report, NULL))
		abort();
	world->config->dataplane.pushes = 64;
	world->config->dataplane.ues = 65536;
	for (unsigned i = 0; i < WORLD_DEVICES; i++)
		open_device(world, i);
	open_process(world);
	return world;
}

void world_free(struct world *world)
{
	close_process(world);
	for (unsigned i = 0; i < WORLD_DEVICES; i++) {
		akmapush_ue_fini(world->devices[i].ue);
		free(world->devices[i].ue);
	}
	push_store_free(world->store);
	io_mem_close(world->net);
	config_free(world->config);
	door_forget(&world_answer);
	free(world);
}

// ---- Turns

static void poll_events(struct world *world)
{
	struct dp_event event;

	while (!push_is_full(&world->app) && dp_poll(world->app.dp, &event)) {
		if (event.kind == DP_EVENT_FENCE)
			apply_fence(&world->app, &event);
		else
			push_event(&world->app, &event);
	}
}

void world_turn(struct world *world, uint64_t ms)
{
	uint64_t second = world->unix_ms / 1000;

	apply_poll(&world->app);
	for (unsigned i = 0; i < dp_workers(world->app.dp); i++)
		dp_turn(world->app.dp, i);
	io_mem_step(world->net);
	poll_events(world);
	world->unix_ms += ms;
	world->mono_ns += ms * 1000000;
	if (world->unix_ms / 1000 != second)
		push_tick(&world->app);
}

void world_run(struct world *world, unsigned turns, uint64_t ms)
{
	while (turns--)
		world_turn(world, ms);
}

void world_start_ask(struct world *world, const struct ask *ask, struct answer *answer)
{
	door_ask(tables, &world->app, ask, answer);
}

int world_ask_as(struct world *world, const struct ask *ask)
{
	door_forget(&world_answer);
	world_start_ask(world, ask, &world_answer);
	for (unsigned i = 0; i < ANSWER_TURNS && !world_answer.is_there; i++)
		world_turn(world, 0);
	assert(world_answer.is_there);
	return world_answer.status;
}

int world_ask(struct world *world, enum http_method method, const char *path, const char *body)
{
	return world_ask_as(world, &(struct ask){.method = method, .path = path, .body = body});
}

// ---- Onboarding

static void expect(struct world *world, int status, enum http_method method, const char *path,
		   const char *body)
{
	int found = world_ask(world, method, path, body);

	if (found == status)
		return;
	fprintf(stderr, "%s: %d instead of %d: %s\n", path, found, status, world_answer.body);
	abort();
}

void world_af(struct world *world, const char *fqdn, const char *registration)
{
	char path[300];

	snprintf(path, sizeof(path), "/akma-push/v1/afs/%s", fqdn);
	expect(world, 201, HTTP_PUT, path, registration);
}

void world_register(struct world *world, unsigned number)
{
	struct device *device = &world->devices[number];
	struct akmapush_ue_now now = ue_now(world);
	char body[400], key[65];

	device->kakma[0]++;
	device->kakma[1] = (uint8_t)number;
	hex_write(key, device->kakma, 32);
	snprintf(body, sizeof(body),
		 "{\"supi\":\"%s\",\"aKId\":\"akid%u.%u@example.com\",\"kAkma\":\"%s\"}",
		 device->supi, number, device->kakma[0], key);
	akmapush_ue_set_kakma(device->ue, device->kakma, &now);
	expect(world, 200, HTTP_POST, "/naanf-akma/v1/register-anchorkey", body);
}

void world_ues(struct world *world, unsigned from, unsigned to)
{
	char *text = calloc(to - from + 1, 160);

	for (unsigned i = from; i < to; i++)
		sprintf(text + strlen(text),
			"{\"supi\":\"%s\",\"gpsi\":\"%s\",\"address\":\"127.0.0.%u\"}\n",
			world->devices[i].supi, world->devices[i].gpsi, i + 1);
	expect(world, 200, HTTP_POST, "/akma-push/v1/ues", text);
	assert(world_has("\"failed\":0"));
	free(text);
	for (unsigned i = from; i < to; i++)
		world_register(world, i);
}

void world_group(struct world *world, const char *id, unsigned from, unsigned to)
{
	char *text = calloc(to - from + 1, 160), path[400];

	snprintf(path, sizeof(path), "/akma-push/v1/groups/%s", id);
	expect(world, 201, HTTP_PUT, path, "{}");
	for (unsigned i = from; i < to; i++)
		sprintf(text + strlen(text), "{\"gpsi\":\"%s\"}\n", world->devices[i].gpsi);
	strcat(path, "/members");
	expect(world, 200, HTTP_POST, path, text);
	free(text);
}

// ---- Looking

unsigned world_delivered(const struct world *world, unsigned device, const uint8_t push_id[16])
{
	unsigned n = 0;

	for (unsigned i = 0; i < world->n_deliveries; i++)
		n += world->deliveries[i].device == device &&
		     !memcmp(world->deliveries[i].push_id, push_id, 16);
	return n;
}

bool world_has(const char *text)
{
	return world_answer.body && strstr(world_answer.body, text);
}

void world_push_id(char text[37])
{
	const char *at = strrchr(world_answer.location, '/');

	assert(at && strlen(at + 1) == PUSH_ID_TEXT);
	strcpy(text, at + 1);
}
