// Subscribers: forms of identities, names that are always durable with what uses them, contexts
// that replace each other, twins, and all of it over a restart.

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "control/apply.h"
#include "control/json/json.h"
#include "control/json/problem.h"
#include "control/registry/record.h"
#include "control/registry/ue.h"
#include "tests/kit/random.h"
#include "tests/kit/service_world.h"

#define SUPI "imsi-001010000000001"
#define GPSI "msisdn-15551234567"

// ---- Forms

Test(ue, forms)
{
	static const char *const supis[] = {"imsi-00101", "imsi-001010123456789", "nai-a@b",
					    "nai-x"};
	static const char *const gpsis[] = {"msisdn-12345", "extid-a@b",
					    "extid-meter.7@example.com"};
	static const char *const neither[] = {"",
					      "imsi-",
					      "imsi-0010",
					      "imsi-0010101234567890",
					      "imsi-00101a",
					      "imsi-00101 ",
					      "nai-",
					      "nai-a b",
					      "nai-\x80",
					      "msisdn-1234",
					      "msisdn-+4912345",
					      "extid-a",
					      "extid-@b",
					      "extid-a@",
					      "extid-a@b@c",
					      "extid-a b@c",
					      "gci-1",
					      "IMSI-0010112",
					      "suci-0-1"};

	for (size_t i = 0; i < sizeof(supis) / sizeof(*supis); i++)
		cr_expect(ue_is_supi(supis[i]) && !ue_is_gpsi(supis[i]), "%s", supis[i]);
	for (size_t i = 0; i < sizeof(gpsis) / sizeof(*gpsis); i++)
		cr_expect(ue_is_gpsi(gpsis[i]) && !ue_is_supi(gpsis[i]), "%s", gpsis[i]);
	for (size_t i = 0; i < sizeof(neither) / sizeof(*neither); i++)
		cr_expect(!ue_is_gpsi(neither[i]) && !ue_is_supi(neither[i]), "%s", neither[i]);
}

Test(ue, length_of_identities)
{
	char id[300] = "nai-";

	memset(id + 4, 'a', 251);
	cr_expect(ue_is_supi(id));
	id[255] = 'a';
	cr_expect_not(ue_is_supi(id));
}

static bool read_identity(const char *text, enum problem_cause *cause)
{
	struct problem problem;
	struct json_reader reader = {.pointer = "", .problem = &problem};
	enum dp_identity kind;
	struct json *document;
	const char *id;
	bool good;

	problem_init(&problem);
	document = json_parse(text, strlen(text), &problem);
	reader.object = document;
	good = ue_read_identity(&reader, &kind, &id);
	*cause = problem.cause;
	json_free(document);
	return good;
}

Test(ue, one_identity_is_read)
{
	enum problem_cause cause;

	cr_expect(read_identity("{\"supi\":\"" SUPI "\"}", &cause));
	cr_expect(read_identity("{\"gpsi\":\"" GPSI "\"}", &cause));
	cr_expect_not(read_identity("{}", &cause));
	cr_expect_eq(cause, PROBLEM_MANDATORY_IE_MISSING);
	cr_expect_not(read_identity("{\"supi\":\"" SUPI "\",\"gpsi\":\"" GPSI "\"}", &cause));
	cr_expect_eq(cause, PROBLEM_MANDATORY_IE_INCORRECT);
	cr_expect_not(read_identity("{\"supi\":\"" GPSI "\"}", &cause));
	cr_expect_not(read_identity("{\"supi\":7}", &cause));
}

// ---- Changes, as handlers make them

struct task {
	struct change change;
	uint32_t handle;
	struct record_context context;
	bool twinned;
	int status;
};

static int apply_context(struct change *change, struct app *app)
{
	struct task *t = (struct task *)change;

	return ue_apply_context(app, t->handle, &t->context);
}

static int apply_twins(struct change *change, struct app *app)
{
	return ue_apply_twins(app, ((struct task *)change)->handle);
}

static int apply_removal(struct change *change, struct app *app)
{
	return ue_apply_no_context(app, ((struct task *)change)->handle);
}

static void task_done(struct change *change, struct app *app, int status)
{
	struct task *t = (struct task *)change;

	ue_saved(app, t->handle, status);
	t->status = status;
}

static uint32_t name(struct service_world *world, enum dp_identity kind, const char *id)
{
	struct task t = {.change = {.done = task_done}};
	struct store_batch *batch = apply_begin(&world->app);

	t.handle = ue_name(&world->app, batch, kind, id);
	apply_commit(&world->app, batch, &t.change);
	service_world_settle(world);
	return t.handle;
}

static void begin_register(struct service_world *world, struct task *t, enum dp_identity kind,
			   const char *id, const char *akid, uint8_t key)
{
	struct store_batch *batch = apply_begin(&world->app);

	*t = (struct task){.change = {.apply = apply_context, .done = task_done}, .status = 1};
	t->handle = ue_name(&world->app, batch, kind, id);
	t->context.stamp = ue_stamp(&world->app);
	t->context.expiry = UINT32_MAX;
	memset(t->context.kakma, key, 32);
	strcpy(t->context.akid, akid);
	ue_store_context(&world->app, batch, t->handle, &t->context);
	apply_commit(&world->app, batch, &t->change);
}

static uint32_t enrol(struct service_world *world, enum dp_identity kind, const char *id,
		      const char *akid, uint8_t key)
{
	struct task t;

	begin_register(world, &t, kind, id, akid, key);
	service_world_settle(world);
	cr_assert_eq(t.status, 0);
	return t.handle;
}

static void link(struct service_world *world, uint32_t a, uint32_t b)
{
	struct task t = {.change = {.apply = apply_twins, .done = task_done}, .handle = a};
	struct store_batch *batch = apply_begin(&world->app);

	ue_link(&world->app, a, b);
	ue_save(&world->app, batch, a);
	apply_commit(&world->app, batch, &t.change);
	service_world_settle(world);
}

// The handle that an A-KID leads to has the key made of this octet; 0: there is none.
static void expect_key(struct service_world *world, const char *akid, uint8_t key)
{
	uint32_t handle = dp_find(world->app.dp, DP_AKID, akid, strlen(akid)), expiry, probe;
	uint8_t kaf[32], expected[32], kakma[32];

	if (!key) {
		cr_expect_eq(handle, DP_NONE, "%s is known", akid);
		return;
	}
	cr_assert_neq(handle, DP_NONE, "%s is not known", akid);
	cr_assert(dp_kaf(world->app.dp, handle, "af", 2, kaf, &expiry));
	memset(kakma, key, sizeof(kakma));
	probe = dp_new(world->app.dp);
	cr_assert(dp_put_key(world->app.dp, probe, kakma, UINT32_MAX));
	cr_assert(dp_kaf(world->app.dp, probe, "af", 2, expected, &expiry));
	cr_expect_arr_eq(kaf, expected, sizeof(kaf), "%s: another key than %u", akid, key);
}

static uint32_t registered(const struct service_world *world)
{
	struct ue_stats stats;

	ue_stats(&world->app, &stats);
	return stats.registered;
}

// ---- Registrations

Test(ue, a_new_registration_replaces_the_old)
{
	struct service_world world;

	service_world_open(&world, 100);
	cr_assert_eq(enrol(&world, DP_SUPI, SUPI, "one@r", 1), 0);
	expect_key(&world, "one@r", 1);
	cr_assert_eq(enrol(&world, DP_SUPI, SUPI, "two@r", 2), 0);
	expect_key(&world, "one@r", 0); // TS 33.537 4.2.2.1
	expect_key(&world, "two@r", 2);
	cr_expect_eq(registered(&world), 1);
	cr_assert_eq(service_world_restart(&world), 0);
	expect_key(&world, "one@r", 0);
	expect_key(&world, "two@r", 2);
	cr_expect_eq(registered(&world), 1);
	service_world_close(&world);
}

Test(ue, an_akid_goes_to_the_newest_subscriber)
{
	struct service_world world;
	uint32_t b;

	service_world_open(&world, 100);
	enrol(&world, DP_SUPI, "imsi-00101000000001", "same@r", 1);
	b = enrol(&world, DP_SUPI, "imsi-00101000000002", "same@r", 2);
	expect_key(&world, "same@r", 2);
	cr_expect_eq(dp_find(world.app.dp, DP_AKID, "same@r", 6), b);
	cr_expect_eq(registered(&world), 1);
	cr_expect_eq(fake_store_count(STORE_CONTEXT), 1);
	service_world_close(&world);
}

// The second was under way before the first was applied: the store has both, the newest holds.
Test(ue, an_akid_registered_twice_at_once)
{
	struct service_world world;
	struct task a, b;

	service_world_open(&world, 100);
	begin_register(&world, &a, DP_SUPI, "imsi-00101000000001", "same@r", 1);
	begin_register(&world, &b, DP_SUPI, "imsi-00101000000002", "same@r", 2);
	service_world_settle(&world);
	expect_key(&world, "same@r", 2);
	cr_expect_eq(registered(&world), 1);
	cr_assert_eq(service_world_restart(&world), 0);
	expect_key(&world, "same@r", 2);
	cr_expect_eq(registered(&world), 1);
	service_world_close(&world);
}

Test(ue, removal)
{
	struct task t = {.change = {.apply = apply_removal, .done = task_done}};
	struct service_world world;
	struct store_batch *batch;

	service_world_open(&world, 100);
	t.handle = enrol(&world, DP_SUPI, SUPI, "one@r", 1);
	batch = apply_begin(&world.app);
	ue_store_no_context(&world.app, batch, t.handle);
	apply_commit(&world.app, batch, &t.change);
	service_world_settle(&world);
	expect_key(&world, "one@r", 0);
	cr_expect_not(ue_is_registered(&world.app, t.handle));
	cr_expect_eq(fake_store_count(STORE_CONTEXT), 0);
	service_world_close(&world);
}

// ---- Names

// A name that was not made durable comes with what uses it next.
Test(ue, names_follow_their_users)
{
	struct service_world world;
	uint32_t handle;

	service_world_open(&world, 100);
	fake_store_fail(-ENOSPC);
	handle = name(&world, DP_SUPI, SUPI);
	cr_assert_eq(handle, 0);
	cr_expect_eq(fake_store_count(STORE_IDENTITY), 0);
	fake_store_fail(0);
	cr_expect_eq(name(&world, DP_SUPI, SUPI), handle);
	cr_expect_eq(fake_store_count(STORE_IDENTITY), 1);
	cr_assert_eq(service_world_restart(&world), 0);
	cr_expect_eq(ue_find(&world.app, DP_SUPI, SUPI), handle);
	service_world_close(&world);
}

Test(ue, full_table)
{
	struct service_world world;
	char id[32];

	service_world_open(&world, 3);
	for (int i = 0; i < 3; i++) {
		snprintf(id, sizeof(id), "imsi-0010100000%d", i);
		cr_assert_eq(name(&world, DP_SUPI, id), i);
	}
	struct store_batch *batch = apply_begin(&world.app);

	cr_expect_eq(ue_name(&world.app, batch, DP_SUPI, SUPI), DP_NONE);
	cr_expect_eq(ue_name(&world.app, batch, DP_SUPI, "imsi-00101000001"), 1);
	store_abort(batch);
	service_world_close(&world);
}

// ---- Twins

Test(ue, twins_have_the_newest_key)
{
	struct service_world world;
	uint32_t a, b;

	service_world_open(&world, 100);
	b = enrol(&world, DP_GPSI, GPSI, "old@r", 1);
	a = enrol(&world, DP_SUPI, SUPI, "new@r", 2);
	cr_assert_eq(b, 0);
	cr_assert_eq(a, 1);
	cr_expect_eq(registered(&world), 2);
	link(&world, a, b);
	cr_expect_eq(registered(&world), 1);
	cr_expect_eq(ue_find(&world.app, DP_SUPI, SUPI), 0);
	expect_key(&world, "new@r", 2);
	expect_key(&world, "old@r", 0);
	for (int i = 0; i < 2; i++) { // also after a restart
		struct dp_context context;
		char id[DP_IDENTITY_MAX + 1];

		for (uint32_t h = 0; h < 2; h++) {
			dp_context(world.app.dp, h, &context);
			cr_expect(context.has_key, "handle %u", h);
			cr_expect(ue_identity(&world.app, h, DP_SUPI, id) && !strcmp(id, SUPI));
			cr_expect(ue_identity(&world.app, h, DP_GPSI, id) && !strcmp(id, GPSI));
		}
		expect_key(&world, "new@r", 2);
		expect_key(&world, "old@r", 0);
		cr_assert_eq(service_world_restart(&world), 0);
	}
	enrol(&world, DP_GPSI, GPSI, "third@r", 3);
	expect_key(&world, "new@r", 0);
	expect_key(&world, "third@r", 3);
	cr_expect_eq(fake_store_count(STORE_CONTEXT), 1);
	cr_expect_eq(registered(&world), 1);
	service_world_close(&world);
}

// Registered while the twins were being made: the order of the commits decides.
Test(ue, twins_made_over_a_registration)
{
	struct task t, made = {.change = {.apply = apply_twins, .done = task_done}, .handle = 0};
	struct service_world world;
	struct store_batch *batch;

	service_world_open(&world, 100);
	name(&world, DP_SUPI, SUPI);
	name(&world, DP_GPSI, GPSI);
	begin_register(&world, &t, DP_GPSI, GPSI, "a@r", 1);
	batch = apply_begin(&world.app);
	ue_link(&world.app, 0, 1);
	ue_save(&world.app, batch, 0);
	apply_commit(&world.app, batch, &made.change);
	service_world_settle(&world);
	expect_key(&world, "a@r", 1);
	for (uint32_t h = 0; h < 2; h++) {
		struct dp_context context;

		dp_context(world.app.dp, h, &context);
		cr_expect(context.has_key, "handle %u", h);
	}
	cr_assert_eq(service_world_restart(&world), 0);
	expect_key(&world, "a@r", 1);
	service_world_close(&world);
}

// ---- Damage

Test(ue, damaged_records_are_refused)
{
	static const char *const bad[] = {"", "\x02", "\1\0\5abc", "\1\0\0\0\0\xff\xff\xff\xff+"};
	struct service_world world;

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		service_world_open(&world, 100);
		fake_store_write(STORE_IDENTITY, "\0\0\0\0", 4, bad[i], strlen(bad[i]));
		cr_expect_eq(service_world_restart(&world), -EBADMSG, "record %zu", i);
		service_world_close(&world);
	}
	service_world_open(&world, 100);
	fake_store_write(STORE_CONTEXT, "\0\0\0\7", 4, "", 0);
	cr_expect_eq(service_world_restart(&world), -EBADMSG);
	service_world_close(&world);
}

Test(ue, more_ues_than_configured)
{
	struct record_identity identity = {.supi = SUPI, .twin = DP_NONE};
	uint8_t value[RECORD_IDENTITY_MAX];
	struct service_world world;

	service_world_open(&world, 100);
	fake_store_write(STORE_IDENTITY, "\0\0\0\x64", 4, value,
			 record_identity_write(value, &identity));
	cr_expect_eq(service_world_restart(&world), -ENOSPC);
	service_world_close(&world);
}

Test(ue, records_cut_short)
{
	struct record_context context = {.stamp = 1, .expiry = 2, .akid = "a@b"}, got;
	uint8_t value[RECORD_CONTEXT_MAX];
	size_t len = record_context_write(value, &context);

	cr_assert_eq(record_context_read(value, len, &got), 0);
	cr_expect_str_eq(got.akid, "a@b");
	for (size_t n = 0; n < len; n++)
		cr_expect_eq(record_context_read(value, n, &got), -EBADMSG, "%zu octets", n);
	value[len] = 0;
	cr_expect_eq(record_context_read(value, len + 1, &got), -EBADMSG);
}
