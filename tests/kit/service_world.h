#pragma once
// The control plane's services without door and disk: a store in memory whose outcomes come when
// the test polls, and a real data plane without workers, whose commands apply at once and whose
// fences come back as events.

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "control/app.h"
#include "control/store/store.h"
#include "dataplane/dp.h"

struct service_clock {
	struct clock clock; // first: the functions cast
	uint64_t mono_ns, unix_ms;
};

struct service_world {
	struct app app;
	struct service_clock clock;
	struct config *config;
	struct io_mem *net;
	int event_fd;
};

// `ues`: handles. Clean store.
void service_world_open(struct service_world *world, unsigned ues);
void service_world_close(struct service_world *world);
// The same store, everything else made anew and loaded: 0 or what loading gave.
int service_world_restart(struct service_world *world);
// Applies and ends all that is under way.
void service_world_settle(struct service_world *world);

// ---- The store of the world: one at a time

void fake_store_fail(int status); // outcomes from now on: 0 or -errno
void fake_store_refuse(bool full);
unsigned fake_store_count(enum store_table table);
bool fake_store_has(enum store_table table, const void *key, size_t key_len);
void fake_store_write(enum store_table table, const void *key, size_t key_len, const void *value,
		      size_t value_len); // behind everyone's back
