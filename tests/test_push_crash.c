// Pushes through crashes: AFs ask, recall, replace, are suspended; devices come and go; the store
// holds batches back, refuses some, and the process dies at any moment. Whatever was answered holds
// afterwards. AKMAPUSH_STORIES sets how many worlds, AKMAPUSH_SEED the first.

#include <criterion/criterion.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "control/push/push_id.h"
#include "control/push/push_registry.h"
#include "tests/kit/push_world.h"

enum { STORIES = 60, STEPS = 400, DEVICES = 12, OUT_MAX = 24, PUSHES_MAX = 600 };

static const char af_path[] = "/akma-push/v1/afs/meters.example.com";
static const char pushes_path[] = "/akma-push/v1/meters.example.com/pushes";

enum what { PUSH, REPLACE, RECALL, SUSPEND, RESUME };

// A request that may not have been answered yet.
struct out {
	bool is_used;
	enum what what;
	char path[200], body[300], key[16];
	char id[37]; // of the push that it is about
	struct answer answer;
};

// A push whose acceptance was answered.
struct known {
	char id[37], key[16], body[300];
	time_t expiry;
	bool is_stopped; // before it was over
};

struct story {
	struct world *world;
	struct random random;
	struct out out[OUT_MAX];
	struct known known[PUSHES_MAX];
	unsigned n_known, n_keys;
	bool is_suspended;
};

#define EXPECT(story, condition)                                                                   \
	cr_assert(condition, "seed %#" PRIx64 ": %s", (story)->random.seed,                        \
		  world_answer.body ? world_answer.body : "")

static unsigned roll(struct story *story, unsigned n)
{
	return (unsigned)(random_next(&story->random) % n);
}

// ---- Requests

static struct out *free_out(struct story *story)
{
	for (unsigned i = 0; i < OUT_MAX; i++) {
		if (!story->out[i].is_used)
			return &story->out[i];
	}
	return NULL;
}

static void send(struct story *story, struct out *out, enum what what, enum http_method method)
{
	struct ask ask = {.method = method, .path = out->path, .body = out->body};

	if (out->key[0])
		ask.idempotency_key = out->key;
	out->is_used = true;
	out->what = what;
	world_start_ask(story->world, &ask, &out->answer);
}

static void some_body(struct story *story, char *body, bool with_target)
{
	static const char *const groups[] = {"{\"all\":true}", "{\"externalGroupId\":\"half\"}"};
	char target[100];
	unsigned kind = roll(story, 4);

	if (kind < 2)
		snprintf(target, sizeof(target), "%s", groups[kind]);
	else
		snprintf(target, sizeof(target), "{\"gpsi\":\"%s\"}",
			 story->world->devices[roll(story, DEVICES + 2)].gpsi);
	sprintf(body, "{%s%s%s\"payload\":\"aGVsbG8=\",\"validityPeriod\":%u,\"ackRequested\":%s}",
		with_target ? "\"target\":" : "", with_target ? target : "", with_target ? "," : "",
		20 + roll(story, 60), roll(story, 5) ? "true" : "false");
}

static void ask_push(struct story *story, struct out *out)
{
	strcpy(out->path, pushes_path);
	some_body(story, out->body, true);
	if (roll(story, 3) == 0)
		sprintf(out->key, "key-%u", story->n_keys++);
	send(story, out, PUSH, HTTP_POST);
}

static void ask_about(struct story *story, struct out *out, enum what what)
{
	struct known *known;

	if (!story->n_known)
		return;
	known = &story->known[roll(story, story->n_known)];
	sprintf(out->path, "%s/%s", pushes_path, known->id);
	strcpy(out->id, known->id);
	if (what == REPLACE)
		some_body(story, out->body, roll(story, 2));
	send(story, out, what, what == REPLACE ? HTTP_PUT : HTTP_DELETE);
}

static void ask_af(struct story *story, struct out *out, bool suspended)
{
	strcpy(out->path, af_path);
	sprintf(out->body, "{\"allowedUes\":{\"all\":true},\"suspended\":%s}",
		suspended ? "true" : "false");
	send(story, out, suspended ? SUSPEND : RESUME, HTTP_PUT);
}

// ---- Answers

static struct known *find_known(struct story *story, const char *id)
{
	for (unsigned i = 0; i < story->n_known; i++) {
		if (!strcmp(story->known[i].id, id))
			return &story->known[i];
	}
	return NULL;
}

// A stop that comes with the expiry finds the push over already.
static void note_stopped(struct story *story, const char *id)
{
	struct world *world = story->world;
	struct known *known = find_known(story, id);

	known->is_stopped |= (time_t)(world->unix_ms / 1000) + 2 < known->expiry;

	if (world->n_stopped < sizeof(world->stopped) / sizeof(*world->stopped))
		push_id_parse(id, world->stopped[world->n_stopped++]);
}

static void note_accepted(struct story *story, const struct out *out)
{
	const char *id = strrchr(out->answer.location, '/') + 1;
	struct known *known = &story->known[story->n_known++];
	struct tm expiry = {0};

	EXPECT(story, story->n_known < PUSHES_MAX && !find_known(story, id));
	strcpy(known->id, id);
	strcpy(known->key, out->key);
	strcpy(known->body, out->body);
	strptime(strstr(out->answer.body, "\"expiry\":") + 9, "\"%Y-%m-%dT%H:%M:%S", &expiry);
	known->expiry = timegm(&expiry);
	if (out->what == REPLACE)
		note_stopped(story, out->id);
}

static void note_answer(struct story *story, struct out *out)
{
	int status = out->answer.status;

	EXPECT(story, status != 500 && status != 400);
	if (status == 201)
		note_accepted(story, out);
	if (out->what == RECALL && status == 204)
		note_stopped(story, out->id);
	if (status == 200 && (out->what == SUSPEND || out->what == RESUME))
		story->is_suspended = out->what == SUSPEND;
	door_forget(&out->answer);
	*out = (struct out){0};
}

static void note_answers(struct story *story)
{
	for (unsigned i = 0; i < OUT_MAX; i++) {
		if (story->out[i].is_used && story->out[i].answer.is_there)
			note_answer(story, &story->out[i]);
	}
}

// What was under way may have happened or not: nobody knows.
static void crash(struct story *story)
{
	note_answers(story);
	world_crash(story->world);
	for (unsigned i = 0; i < OUT_MAX; i++) {
		door_forget(&story->out[i].answer);
		story->out[i] = (struct out){0};
	}
}

// ---- The story

static void step(struct story *story)
{
	struct world *world = story->world;
	struct out *out = free_out(story);
	unsigned dice = roll(story, 100);

	if (dice < 12 && out)
		ask_push(story, out);
	else if (dice < 15 && out)
		ask_about(story, out, REPLACE);
	else if (dice < 18 && out)
		ask_about(story, out, RECALL);
	else if (dice < 20 && out)
		ask_af(story, out, !roll(story, 3));
	else if (dice < 24)
		world->devices[roll(story, DEVICES)].deaf ^= 1;
	else if (dice < 27)
		push_store_hold(world->store, roll(story, 4) ? UINT32_MAX : roll(story, 3));
	else if (dice < 28)
		push_store_fail(world->store, -ENOSPC);
	else if (dice < 33)
		push_store_fail(world->store, 0);
	else if (dice < 35)
		crash(story);
	else
		world_run(world, 1 + roll(story, 3), roll(story, 4) ? 20 : 1100);
	note_answers(story);
}

static void settle(struct story *story)
{
	struct world *world = story->world;

	push_store_fail(world->store, 0);
	push_store_hold(world->store, UINT32_MAX);
	world_run(world, 20, 1000);
	note_answers(story);
	for (unsigned i = 0; i < 400 && world->app.pushes->n_live; i++)
		world_turn(world, 1000);
	EXPECT(story, world->app.pushes->n_live == 0);
}

// The number behind "name": in the last answer, 0 without.
static unsigned number_of(const char *name)
{
	char text[40];
	const char *at;

	snprintf(text, sizeof(text), "\"%s\":", name);
	at = strstr(world_answer.body, text);
	return at ? (unsigned)atoi(at + strlen(text)) : 0;
}

static unsigned sum_of_states(void)
{
	unsigned sum = 0;

	for (int state = 0; state < DP_STATE_COUNT; state++)
		sum += number_of(dp_state_name((enum dp_state)state));
	return sum;
}

static void check_results(struct story *story, const struct known *known)
{
	char path[200];
	uint8_t id[PUSH_ID];

	push_id_parse(known->id, id);
	sprintf(path, "%s/%s/results?state=DELIVERED", pushes_path, known->id);
	EXPECT(story, world_ask(story->world, HTTP_GET, path, NULL) == 200);
	for (unsigned i = 0; i < DEVICES; i++) {
		unsigned delivered = world_delivered(story->world, i, id);

		EXPECT(story, delivered <= 1);
		if (world_has(story->world->devices[i].gpsi))
			EXPECT(story, delivered == 1);
	}
}

static void check(struct story *story, const struct known *known)
{
	char path[200];

	sprintf(path, "%s/%s", pushes_path, known->id);
	EXPECT(story, world_ask(story->world, HTTP_GET, path, NULL) == 200);
	EXPECT(story, world_has("\"state\":\"FINISHED\""));
	EXPECT(story, !number_of("PENDING"));
	// deliveryResults has REPLACED and UNCONFIRMED too, but behind the states.
	EXPECT(story, sum_of_states() == number_of("targets"));
	if (known->is_stopped)
		EXPECT(story, !number_of("UNCONFIRMED") && !number_of("EXPIRED"));
	check_results(story, known);
	if (known->key[0]) {
		struct ask again = {HTTP_POST, pushes_path, known->body,
				    .idempotency_key = known->key};

		EXPECT(story, world_ask_as(story->world, &again) == 201);
		EXPECT(story, !strcmp(strrchr(world_answer.location, '/') + 1, known->id));
	}
}

static void check_store(struct story *story)
{
	struct store *store = story->world->store;

	EXPECT(story, push_store_count(store, STORE_PROGRESS) == 0);
	EXPECT(story, push_store_count(store, STORE_TARGET) == 0);
	EXPECT(story, push_store_count(store, STORE_PUSH) % 3 == 0);
	EXPECT(story, push_store_count(store, STORE_PUSH) / 3 >= story->n_known);
}

static void tell(uint64_t seed)
{
	struct story *story = calloc(1, sizeof(*story));

	story->random = (struct random){seed, seed};
	story->world = world_new(random_next(&story->random));
	world_ues(story->world, 0, DEVICES);
	world_group(story->world, "half", 0, DEVICES / 2);
	world_af(story->world, "meters.example.com", "{\"allowedUes\":{\"all\":true}}");
	io_mem_set_dice(story->world->net, roll(story, 300000), roll(story, 100000),
			roll(story, 300000), 0);
	for (unsigned i = 0; i < STEPS; i++)
		step(story);
	settle(story);
	for (unsigned i = 0; i < story->n_known; i++)
		check(story, &story->known[i]);
	check_store(story);
	EXPECT(story, !story->world->sent_after_stop);
	world_free(story->world);
	free(story);
}

Test(push_crash, what_was_answered_holds, .timeout = 900)
{
	const char *given = getenv("AKMAPUSH_STORIES");
	unsigned stories = given ? (unsigned)strtoul(given, NULL, 0) : STORIES;
	struct random random = random_start();

	for (unsigned i = 0; i < stories; i++)
		tell(i ? random_next(&random) : random.seed);
}
