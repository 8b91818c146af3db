// Pushes and the registration of their AF, changed at the same moment.

#include <criterion/criterion.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/apply.h"
#include "control/push/push_id.h"
#include "control/push/push_registry.h"
#include "control/registry/af.h"
#include "tests/kit/push_world.h"

static const char af_path[] = "/akma-push/v1/afs/meters.example.com";
static const char pushes_path[] = "/akma-push/v1/meters.example.com/pushes";
static const char registration[] = "{\"allowedUes\":{\"all\":true}}";
static const char suspension[] = "{\"allowedUes\":{\"all\":true},\"suspended\":true}";
static const char body[] =
	"{\"target\":{\"all\":true},\"payload\":\"aGVsbG8=\",\"validityPeriod\":600}";

enum { TURNS = 200 };

static struct world *some_world(void)
{
	struct world *world = world_new(1);

	world_ues(world, 0, WORLD_DEVICES);
	world_af(world, "meters.example.com", registration);
	return world;
}

static void set_deaf(struct world *world, bool deaf)
{
	for (unsigned i = 0; i < WORLD_DEVICES; i++)
		world->devices[i].deaf = deaf;
}

// From an answer's Location.
static void id_of(const struct answer *answer, char text[PUSH_ID_TEXT + 1])
{
	cr_assert_eq(answer->status, 201, "%d: %s", answer->status, answer->body);
	strcpy(text, strrchr(answer->location, '/') + 1);
}

static void accept_push(struct world *world, char id[PUSH_ID_TEXT + 1])
{
	cr_assert_eq(world_ask(world, HTTP_POST, pushes_path, body), 201, "%s", world_answer.body);
	world_push_id(id);
}

static void look(struct world *world, const char *id, const char *text)
{
	char path[200];

	snprintf(path, sizeof(path), "%s/%s", pushes_path, id);
	cr_assert_eq(world_ask(world, HTTP_GET, path, NULL), 200);
	cr_assert(world_has(text), "no %s in %s", text, world_answer.body);
}

static void wait_for(struct world *world, const struct answer *answer)
{
	for (unsigned i = 0; i < TURNS && !answer->is_there; i++)
		world_turn(world, 0);
	cr_assert(answer->is_there);
}

static void set_af(struct world *world, const char *text)
{
	cr_assert_eq(world_ask(world, HTTP_PUT, af_path, text), 200);
}

// ---- A push and a suspension (or removal), one right behind the other, `n` batches a poll; then
// the AF comes back, perhaps through a crash, and nothing more is sent for the push.

struct meeting {
	bool is_removed, is_replacement, push_first, crashes;
	uint32_t n;
};

static void start_decision(struct world *world, const struct meeting *m, struct answer *answer)
{
	struct ask ask = {.method = m->is_removed ? HTTP_DELETE : HTTP_PUT,
			  .path = af_path,
			  .body = m->is_removed ? NULL : suspension};

	world_start_ask(world, &ask, answer);
}

static void start_push(struct world *world, const struct meeting *m, const char *old,
		       struct answer *answer)
{
	char path[200];
	struct ask ask = {m->is_replacement ? HTTP_PUT : HTTP_POST, path, body};

	if (m->is_replacement)
		snprintf(path, sizeof(path), "%s/%s", pushes_path, old);
	else
		strcpy(path, pushes_path);
	world_start_ask(world, &ask, answer);
}

static void come_back(struct world *world, const struct meeting *m)
{
	cr_assert_eq(world_ask(world, HTTP_PUT, af_path, registration), m->is_removed ? 201 : 200);
	if (m->crashes)
		world_crash(world);
	set_deaf(world, false);
	world_run(world, 100, 100);
}

static void meet(const struct meeting *m)
{
	struct world *world = some_world();
	struct answer decided = {0}, accepted = {0};
	char old[PUSH_ID_TEXT + 1], id[PUSH_ID_TEXT + 1];
	uint64_t n_datagrams;

	set_deaf(world, true);
	accept_push(world, old);
	world_run(world, 3, 50);
	push_store_hold(world->store, m->n);
	if (m->push_first)
		start_push(world, m, old, &accepted);
	start_decision(world, m, &decided);
	if (!m->push_first)
		start_push(world, m, old, &accepted);
	wait_for(world, &decided);
	cr_assert_eq(decided.status, m->is_removed ? 204 : 200);
	n_datagrams = world->n_datagrams;
	wait_for(world, &accepted);
	id_of(&accepted, id);
	come_back(world, m);
	look(world, id, "\"states\":{\"NOT_ALLOWED\":40}");
	look(world, old,
	     m->is_replacement && m->push_first ? "\"states\":{\"REPLACED\":40}"
						: "\"states\":{\"NOT_ALLOWED\":40}");
	cr_assert_eq(world->n_datagrams, n_datagrams);
	cr_assert_eq(world->app.pushes->n_live, 0);
	door_forget(&decided);
	door_forget(&accepted);
	world_free(world);
}

Test(push_races, accepted_while_the_af_is_suspended_or_removed, .timeout = 300)
{
	for (unsigned i = 0; i < 16; i++) {
		struct meeting m = {i & 1, i & 2, i & 4};

		m.n = i & 8 ? 1 : UINT32_MAX;
		m.crashes = __builtin_parity(i);
		meet(&m);
	}
}

// To all devices and some strangers: the end of a long list takes more than one batch.
static void accept_long(struct world *world, char id[PUSH_ID_TEXT + 1])
{
	enum { TARGETS = PUSH_INLINE + 1 };
	char *text = malloc(128 + TARGETS * 32), *at = text;

	at += sprintf(at,
		      "{\"payload\":\"aGVsbG8=\",\"validityPeriod\":600,\"target\":{\"list\":[");
	for (unsigned i = 0; i < TARGETS; i++)
		at += sprintf(at, "%s{\"gpsi\":\"msisdn-49%05u\"}", i ? "," : "", i);
	strcpy(at, "]}}");
	cr_assert_eq(world_ask(world, HTTP_POST, pushes_path, text), 201, "%s", world_answer.body);
	world_push_id(id);
	free(text);
}

// The recall is behind the suspension and fails: the suspension holds all the same.
Test(push_races, suspension_holds_where_a_recall_fails)
{
	struct world *world = some_world();
	struct answer decided = {0}, recalled = {0};
	char id[PUSH_ID_TEXT + 1], path[200];
	uint64_t n_datagrams;

	set_deaf(world, true);
	accept_long(world, id);
	world_run(world, 3, 50);
	snprintf(path, sizeof(path), "%s/%s", pushes_path, id);
	push_store_hold(world->store, 1);
	world_start_ask(world, &(struct ask){HTTP_PUT, af_path, suspension}, &decided);
	world_start_ask(world, &(struct ask){HTTP_DELETE, path}, &recalled);
	world_turn(world, 0);
	push_store_fail(world->store, -EIO);
	world_turn(world, 0);
	push_store_fail(world->store, 0);
	wait_for(world, &decided);
	wait_for(world, &recalled);
	cr_assert_eq(decided.status, 200);
	cr_assert_eq(recalled.status, 503);
	n_datagrams = world->n_datagrams;
	set_af(world, registration);
	world_crash(world);
	set_deaf(world, false);
	world_run(world, 100, 100);
	look(world, id, "\"states\":{\"NOT_ALLOWED\":257}");
	cr_assert_eq(world->n_datagrams, n_datagrams);
	door_forget(&decided);
	door_forget(&recalled);
	world_free(world);
}

// ---- Removal

Test(push_races, removed_twice)
{
	struct world *world = some_world();
	struct answer first = {0}, second = {0};
	char id[PUSH_ID_TEXT + 1];

	set_deaf(world, true);
	accept_push(world, id);
	world_run(world, 3, 50);
	world_start_ask(world, &(struct ask){HTTP_DELETE, af_path}, &first);
	world_start_ask(world, &(struct ask){HTTP_DELETE, af_path}, &second);
	wait_for(world, &first);
	cr_assert(second.is_there && second.status == 503, "one change at a time");
	cr_assert_eq(first.status, 204);
	cr_assert_eq(world_ask(world, HTTP_DELETE, af_path, NULL), 404);
	cr_assert(world_has("AF_NOT_FOUND"));
	cr_assert_eq(world_ask(world, HTTP_POST, pushes_path, body), 404);
	world_run(world, 20, 100);
	cr_assert_eq(world->app.pushes->n_live, 0);
	cr_assert_eq(world_ask(world, HTTP_PUT, af_path, registration), 201);
	look(world, id, "\"states\":{\"NOT_ALLOWED\":40}");
	door_forget(&first);
	door_forget(&second);
	world_free(world);
}

// All places taken: one is not given away under a registration that is on its way.
Test(push_races, removed_and_registered_where_all_places_are_taken, .timeout = 120)
{
	struct world *world = some_world();
	struct ask more = {HTTP_PUT, "/akma-push/v1/afs/more.example", registration};
	struct answer removed = {0}, again = {0}, other = {0};
	char fqdn[32];

	for (unsigned i = 1; i < DP_AF_MAX; i++) {
		snprintf(fqdn, sizeof(fqdn), "a%u.example", i);
		world_af(world, fqdn, registration);
	}
	push_store_hold(world->store, 1);
	world_start_ask(world, &(struct ask){HTTP_DELETE, af_path}, &removed);
	world_start_ask(world, &(struct ask){HTTP_PUT, af_path, registration}, &again);
	world_start_ask(world, &more, &other);
	wait_for(world, &removed);
	cr_assert(removed.status == 204 && again.status == 503 && other.status == 507);
	cr_assert_eq(world_ask_as(world, &more), 201);
	cr_assert_eq(world_ask(world, HTTP_PUT, af_path, registration), 507);
	world_crash(world); // would not start with two AFs in one place
	cr_assert_eq(world_ask(world, HTTP_GET, af_path, NULL), 404);
	door_forget(&removed);
	door_forget(&again);
	door_forget(&other);
	world_free(world);
}

// ---- push_ids

static void expect_growth(struct world *world, char last[PUSH_ID_TEXT + 1])
{
	char id[PUSH_ID_TEXT + 1];

	accept_push(world, id);
	cr_assert(strcmp(last, id) < 0, "%s is not above %s", id, last);
	strcpy(last, id);
}

static void remove_and_register(struct world *world)
{
	cr_assert_eq(world_ask(world, HTTP_DELETE, af_path, NULL), 204);
	cr_assert_eq(world_ask(world, HTTP_PUT, af_path, registration), 201);
}

// The clock goes back before each of them.
Test(push_races, push_ids_grow_over_removal_and_restart)
{
	struct world *world = some_world();
	char last[PUSH_ID_TEXT + 1] = "";

	set_deaf(world, true);
	expect_growth(world, last);
	world->unix_ms -= 9000;
	remove_and_register(world);
	expect_growth(world, last);
	world->unix_ms -= 9000;
	world_crash(world);
	expect_growth(world, last);
	world->unix_ms -= 9000;
	cr_assert_eq(world_ask(world, HTTP_DELETE, af_path, NULL), 204);
	world_crash(world);
	cr_assert_eq(world_ask(world, HTTP_PUT, af_path, registration), 201);
	expect_growth(world, last);
	expect_growth(world, last);
	world_free(world);
}

// Pushes on their way when the AF is removed count too.
Test(push_races, push_ids_grow_over_a_removal_under_way)
{
	struct world *world = some_world();
	struct answer accepted = {0}, removed = {0};
	char last[PUSH_ID_TEXT + 1];

	push_store_hold(world->store, 1);
	world_start_ask(world, &(struct ask){HTTP_DELETE, af_path}, &removed);
	world_start_ask(world, &(struct ask){HTTP_POST, pushes_path, body}, &accepted);
	wait_for(world, &accepted);
	id_of(&accepted, last);
	world->unix_ms -= 9000;
	cr_assert_eq(world_ask(world, HTTP_PUT, af_path, registration), 201);
	expect_growth(world, last);
	world_crash(world);
	expect_growth(world, last);
	door_forget(&accepted);
	door_forget(&removed);
	world_free(world);
}

// Without the last push_id there is no next one.
Test(push_races, last_push_id_that_cannot_be_read)
{
	struct world *world = some_world();
	char id[PUSH_ID_TEXT + 1];

	accept_push(world, id);
	world_crash(world);
	push_store_fail_reads(world->store, -EIO);
	cr_assert_eq(world_ask(world, HTTP_POST, pushes_path, body), 503);
	cr_assert(world_has("STORE_UNAVAILABLE"));
	push_store_fail_reads(world->store, 0);
	expect_growth(world, id);
	world_free(world);
}
