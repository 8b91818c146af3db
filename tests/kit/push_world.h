#pragma once
// The control plane's pushes over a store, a door and a network that the test holds in its hand,
// with the real registries and data plane between, and devices of the UE library behind. The clock
// stands still unless world_turn moves it. One thread.

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "control/app.h"
#include "control/config/config.h"
#include "control/push/push.h"
#include "dataplane/dp.h"
#include "dataplane/io/io_mem.h"
#include "tests/kit/push_door.h"
#include "tests/kit/push_store.h"
#include "tests/kit/random.h"
#include "ue/akmapush_ue.h"

enum { WORLD_DEVICES = 40, WORLD_DELIVERIES = 4096 };

struct device {
	struct akmapush_ue *ue;
	struct akmapush_ue_config config;
	char supi[32], gpsi[32];
	uint8_t kakma[32];
	bool deaf;
	uint8_t status; // what its application answers; 0: nothing
	const char *reply;
};

// A push that an application got: by whom, which.
struct delivery {
	unsigned device;
	uint8_t push_id[16];
};

struct world {
	struct clock clock; // first: the functions cast
	uint64_t mono_ns, unix_ms;
	struct app app;
	struct config *config;
	struct store *store;
	struct io_mem *net;
	struct device devices[WORLD_DEVICES];
	struct delivery deliveries[WORLD_DELIVERIES];
	unsigned n_deliveries;
	uint64_t n_datagrams;    // that left
	uint8_t stopped[64][16]; // push_ids of which nothing may leave any more
	unsigned n_stopped;
	bool sent_after_stop;
};

struct world *world_new(uint64_t seed);
void world_free(struct world *world);

// Asks and waits for the answer, which is the world's until the next question. The status.
int world_ask(struct world *world, enum http_method method, const char *path, const char *body);
int world_ask_as(struct world *world, const struct ask *ask);
extern struct answer world_answer; // of the last question
// Asks only; world_turn until answer->is_there.
void world_start_ask(struct world *world, const struct ask *ask, struct answer *answer);

// A round: the store's outcomes, workers, network, events. Then `ms` pass; a second that is full
// ticks.
void world_turn(struct world *world, uint64_t ms);
void world_run(struct world *world, unsigned turns, uint64_t ms);

void world_af(struct world *world, const char *fqdn, const char *registration);
// Devices from..to-1: UE resources with both identities and an address; a registration.
void world_ues(struct world *world, unsigned from, unsigned to);
void world_register(struct world *world, unsigned device);
void world_group(struct world *world, const char *id, unsigned from, unsigned to);

// The process dies and comes back on what is durable.
void world_crash(struct world *world);
unsigned world_delivered(const struct world *world, unsigned device, const uint8_t push_id[16]);

// Of the last answer's text: the string or number behind "name":.
bool world_has(const char *text);
void world_push_id(char text[37]); // from the last answer's Location
