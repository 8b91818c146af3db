// Changes that overtake each other while the store is slow, and fail together or not: what is in
// memory afterwards is what is durable. Through the handlers, over the real registries.

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "control/apply.h"
#include "control/config/config.h"
#include "control/registry/af_registry.h"
#include "control/registry/ue.h"
#include "control/reload.h"
#include "tests/kit/push_world.h"

#define SUPI     "imsi-001010000000001"
#define GPSI     "msisdn-15551234567"
#define BOTH     "{\"supi\":\"" SUPI "\",\"gpsi\":\"" GPSI "\"}\n"
#define UES      "/akma-push/v1/ues"
#define AFS      "/akma-push/v1/afs/"
#define REGISTER "/naanf-akma/v1/register-anchorkey"

enum { ASKS_MAX = 8 };

struct asks {
	struct world *world;
	struct answer answers[ASKS_MAX];
	unsigned n;
};

// Asked, not answered: the store holds everything back.
static void ask(struct asks *asks, enum http_method method, const char *path, const char *body)
{
	push_store_hold(asks->world->store, 0);
	world_start_ask(asks->world, &(struct ask){.method = method, .path = path, .body = body},
			&asks->answers[asks->n++]);
	world_run(asks->world, 3, 0);
}

// The outcome of all that was asked.
static void settle(struct asks *asks, int status)
{
	push_store_fail(asks->world->store, status);
	push_store_hold(asks->world->store, UINT32_MAX);
	for (unsigned i = 0; i < 20 || !apply_is_idle(&asks->world->app); i++)
		world_turn(asks->world, 0);
	push_store_fail(asks->world->store, 0);
}

static void expect_all(struct asks *asks, int status)
{
	for (unsigned i = 0; i < asks->n; i++) {
		cr_expect(asks->answers[i].is_there, "answer %u", i);
		cr_expect_eq(asks->answers[i].status, status, "%u: %d %s", i,
			     asks->answers[i].status, asks->answers[i].body);
		door_forget(&asks->answers[i]);
	}
	asks->n = 0;
}

static void do_now(struct world *world, int status, enum http_method method, const char *path,
		   const char *body)
{
	int found = world_ask(world, method, path, body);

	cr_assert_eq(found, status, "%s: %d %s", path, found, world_answer.body);
}

static void register_ue(struct world *world, const char *kind, const char *id, const char *akid)
{
	char body[300];

	snprintf(body, sizeof(body), "{\"%s\":\"%s\",\"aKId\":\"%s\",\"kAkma\":\"%064d\"}", kind,
		 id, akid, 1);
	do_now(world, 200, HTTP_POST, REGISTER, body);
}

// ---- UEs

Test(changes, removal_of_twins_overtaken_by_their_binding)
{
	struct world *world = world_new(1);
	struct asks asks = {.world = world};

	register_ue(world, "supi", SUPI, "a@x");
	register_ue(world, "gpsi", GPSI, "b@x");
	do_now(world, 200, HTTP_POST, UES, BOTH);
	ask(&asks, HTTP_DELETE, UES "/" SUPI, NULL);
	ask(&asks, HTTP_POST, UES, BOTH);
	settle(&asks, -ENOSPC);
	expect_all(&asks, 507);
	do_now(world, 200, HTTP_GET, UES "/" SUPI, NULL);
	cr_expect(world_has(GPSI), "%s", world_answer.body);
	do_now(world, 200, HTTP_GET, UES "/" GPSI, NULL);
	cr_expect(world_has(SUPI), "%s", world_answer.body);
	world_free(world);
}

Test(changes, binding_overtaken_by_a_removal)
{
	struct world *world = world_new(1);
	struct asks asks = {.world = world};

	register_ue(world, "gpsi", GPSI, "b@x");
	ask(&asks, HTTP_POST, UES, BOTH);
	ask(&asks, HTTP_DELETE, UES "/" GPSI, NULL);
	settle(&asks, -EIO);
	expect_all(&asks, 503);
	do_now(world, 200, HTTP_GET, UES "/" GPSI, NULL);
	cr_expect_not(world_has(SUPI), "%s", world_answer.body);
	world_free(world);
}

// The GPSI of a UE that is being deleted goes to another subscriber: what that one has stays.
Test(changes, removal_overtaken_by_a_binding_to_another)
{
	static const char other[] = "{\"supi\":\"imsi-001010000000002\",\"gpsi\":\"" GPSI "\"}\n";
	struct world *world = world_new(1);
	struct asks asks = {.world = world};
	struct ue_stats stats;

	register_ue(world, "supi", SUPI, "a@x");
	register_ue(world, "gpsi", GPSI, "b@x");
	register_ue(world, "supi", "imsi-001010000000002", "c@x");
	do_now(world, 200, HTTP_POST, UES, BOTH);
	ask(&asks, HTTP_DELETE, UES "/" SUPI, NULL);
	ask(&asks, HTTP_POST, UES, other);
	push_store_hold(world->store, 1); // the removal is durable, the binding fails
	world_turn(world, 0);
	settle(&asks, -ENOSPC);
	for (unsigned i = 0; i < asks.n; i++)
		door_forget(&asks.answers[i]);
	do_now(world, 200, HTTP_GET, UES "/imsi-001010000000002", NULL);
	cr_expect(world_has("\"registered\":true"), "%s", world_answer.body);
	cr_expect_neq(dp_find(world->app.dp, DP_AKID, "c@x", 3), DP_NONE);
	do_now(world, 404, HTTP_GET, UES "/" GPSI, NULL);
	do_now(world, 404, HTTP_GET, UES "/" SUPI, NULL);
	ue_stats(&world->app, &stats);
	cr_expect_eq(stats.registered, 1);
	world_free(world);
}

// Some UEs, some identities of theirs; anything may be asked at once, and fail.
enum { IDS = 3, ROUNDS = 40 };

static void random_ask(struct asks *asks, struct random *random, unsigned *serial)
{
	unsigned s = (unsigned)(random_next(random) % IDS),
		 g = (unsigned)(random_next(random) % IDS),
		 dice = (unsigned)(random_next(random) % 8);
	bool is_supi = random_next(random) & 1;
	char id[40], text[300];

	snprintf(id, sizeof(id), "%s-10000%u", is_supi ? "imsi" : "msisdn", is_supi ? s : g);
	++*serial;
	if (dice < 3) {
		snprintf(text, sizeof(text),
			 "{\"supi\":\"imsi-10000%u\",\"gpsi\":\"msisdn-10000%u\"}", s, g);
		ask(asks, HTTP_POST, UES, text);
	} else if (dice < 5) {
		snprintf(text, sizeof(text),
			 "{\"%s\":\"%s\",\"aKId\":\"a%u@x\",\"kAkma\":\"%064u\"}",
			 is_supi ? "supi" : "gpsi", id, *serial, *serial);
		ask(asks, HTTP_POST, REGISTER, text);
	} else if (dice == 5) {
		snprintf(text, sizeof(text), "{\"%s\":\"%s\",\"address\":\"10.0.0.%u\"}",
			 is_supi ? "supi" : "gpsi", id, *serial % 250 + 1);
		ask(asks, HTTP_POST, UES, text);
	} else {
		snprintf(text, sizeof(text), UES "/%s", id);
		ask(asks, HTTP_DELETE, text, NULL);
	}
}

static void look(struct world *world, char *text, size_t max)
{
	size_t at = 0;

	for (unsigned i = 0; i < 2 * IDS; i++) {
		char path[80];
		int status;

		snprintf(path, sizeof(path), UES "/%s-10000%u", i < IDS ? "imsi" : "msisdn",
			 i % IDS);
		status = world_ask(world, HTTP_GET, path, NULL);
		at += (size_t)snprintf(text + at, max - at, "%s %d %s\n", path, status,
				       status == 200 ? world_answer.body : "");
	}
}

Test(changes, memory_is_what_is_durable)
{
	struct random random = random_start();
	struct world *world = world_new(1);
	struct asks asks = {.world = world};
	char before[4096], after[4096];
	unsigned serial = 0;

	for (unsigned round = 0; round < ROUNDS; round++) {
		for (unsigned n = 1 + random_next(&random) % 4; n; n--)
			random_ask(&asks, &random, &serial);
		settle(&asks, random_next(&random) % 3 ? 0 : -ENOSPC);
		for (unsigned i = 0; i < asks.n; i++)
			door_forget(&asks.answers[i]);
		asks.n = 0;
		world_turn(world, 1000);
		look(world, before, sizeof(before));
		world_crash(world);
		look(world, after, sizeof(after));
		cr_assert_str_eq(before, after, "seed %#" PRIx64 " round %u\n%s\n%s", random.seed,
				 round, before, after);
	}
	world_free(world);
}

// ---- AFs

static const char registration[] = "{\"allowedUes\":{\"all\":true}}";

// All places but the last are taken.
static void fill_places(struct world *world)
{
	char fqdn[40];

	for (int i = 0; i < DP_AF_MAX - 1; i++) {
		snprintf(fqdn, sizeof(fqdn), "a%d.example", i);
		af_set_live(world->app.afs, af_place(world->app.afs, fqdn), true);
	}
}

Test(changes, a_registration_that_failed_keeps_no_place)
{
	struct world *world = world_new(1);
	struct asks asks = {.world = world};

	fill_places(world);
	ask(&asks, HTTP_PUT, AFS "one.example", registration);
	settle(&asks, -ENOSPC);
	expect_all(&asks, 507);
	do_now(world, 201, HTTP_PUT, AFS "two.example", registration);
	do_now(world, 507, HTTP_PUT, AFS "one.example", registration);
	world_free(world);
}

Test(changes, an_af_on_its_way_back_keeps_its_place)
{
	struct world *world = world_new(1);
	struct asks asks = {.world = world};

	fill_places(world);
	do_now(world, 201, HTTP_PUT, AFS "one.example", registration);
	do_now(world, 204, HTTP_DELETE, AFS "one.example", NULL);
	ask(&asks, HTTP_PUT, AFS "one.example", registration);
	do_now(world, 507, HTTP_PUT, AFS "two.example", registration);
	settle(&asks, 0);
	expect_all(&asks, 201);
	do_now(world, 200, HTTP_GET, AFS "one.example", NULL);
	do_now(world, 404, HTTP_GET, AFS "two.example", NULL);
	world_free(world);
}

// ---- Reload

Test(changes, a_reload_that_was_refused_can_be_tried_again)
{
	char name[] = "/tmp/akmapush-test-reload-XXXXXX";
	int fd = mkstemp(name);
	struct world *world = world_new(1);
	struct reload *reload = reload_new(world->config, name);
	struct dp_tuning tuning;

	cr_assert(dprintf(fd, "dataplane: {burst: 7}\n") > 0);
	world_turn(world, 0); // from now on commands are queued
	dp_tuning(world->app.dp, &tuning);
	while (dp_tune(world->app.dp, &tuning))
		;
	reload_now(reload, &world->app);
	dp_tuning(world->app.dp, &tuning);
	cr_expect_neq(tuning.burst, 7);
	world_run(world, 10, 0);
	reload_now(reload, &world->app);
	dp_tuning(world->app.dp, &tuning);
	cr_expect_eq(tuning.burst, 7);
	tuning.burst = 9; // as the admin socket has it: until the next reload
	cr_expect(dp_tune(world->app.dp, &tuning));
	reload_now(reload, &world->app);
	dp_tuning(world->app.dp, &tuning);
	cr_expect_eq(tuning.burst, 7);
	reload_free(reload);
	unlink(name);
	close(fd);
	world_free(world);
}
