#include "tests/kit/service_world.h"

#include <assert.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "control/apply.h"
#include "control/config/config.h"
#include "control/push/push.h"
#include "control/registry/af.h"
#include "control/registry/group.h"
#include "control/registry/ue.h"
#include "dataplane/io/io_mem.h"

static uint64_t mono_ns(const struct clock *clock)
{
	return ((const struct service_clock *)clock)->mono_ns;
}

static uint64_t unix_ms(const struct clock *clock)
{
	return ((const struct service_clock *)clock)->unix_ms;
}

static void report(void *ctx, const char *text)
{
	(void)ctx;
	(void)text;
}

static void nobody(void *ctx, struct io_mem *net, const struct io_mem_datagram *datagram)
{
	(void)ctx;
	(void)net;
	(void)datagram;
}

static int make(struct service_world *world)
{
	struct dp_config config = {
		.n_workers = 2,
		.ue_max = world->config->dataplane.ues,
		.push_max = 16,
		.io = "mem",
		.io_arg = world->net,
		.port = 48471,
		.tuning = {.burst = 64, .lap_pause_ms = 2500, .lap_pause_max_ms = 60000},
		.clock = &world->clock.clock,
		.event_fd = world->event_fd};
	char error[DP_ERROR_MAX];
	int status;

	status = dp_open(&config, &world->app.dp, error);
	assert(!status);
	world->app.apply = apply_new(&world->app);
	status = ue_load(&world->app);
	if (!status)
		status = group_load(&world->app);
	return status ? status : af_load(&world->app);
}

static void unmake(struct service_world *world)
{
	apply_free(world->app.apply);
	af_registry_free(world->app.afs);
	group_registry_free(world->app.groups);
	ue_registry_free(world->app.ues);
	dp_close(world->app.dp);
	world->app.afs = NULL;
	world->app.groups = NULL;
	world->app.ues = NULL;
}

void service_world_open(struct service_world *world, unsigned ues)
{
	struct io_mem_config net = {.in_flight_max = 64, .inbox_max = 64, .device = nobody};
	char error[STORE_ERROR_MAX];
	int status = 0;

	*world = (struct service_world){.clock = {{mono_ns, unix_ms}, 1000000000, 1767225600000},
					.event_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)};
	status |= config_load(NULL, &world->config, report, NULL);
	status |= store_open(NULL, &world->app.store, error);
	status |= io_mem_open(&world->net, &net);
	assert(!status);
	world->config->dataplane.ues = ues;
	world->app.config = world->config;
	world->app.clock = &world->clock.clock;
	fake_store_fail(0);
	fake_store_refuse(false);
	status = make(world);
	assert(!status);
}

void service_world_close(struct service_world *world)
{
	unmake(world);
	store_close(world->app.store);
	io_mem_close(world->net);
	config_free(world->config);
	close(world->event_fd);
}

int service_world_restart(struct service_world *world)
{
	unmake(world);
	return make(world);
}

void service_world_settle(struct service_world *world)
{
	struct dp_event event;

	do {
		apply_poll(&world->app);
		while (dp_poll(world->app.dp, &event)) {
			assert(event.kind == DP_EVENT_FENCE);
			apply_fence(&world->app, &event);
		}
	} while (!apply_is_idle(&world->app));
}
