// Changes of AFs at the same time: a suspension builds on the registration in force, never on one
// that is being replaced; what others change is not lost, now or after a crash.

#include <criterion/criterion.h>

#include "tests/kit/push_world.h"

static const char path[] = "/akma-push/v1/afs/meters.example.com";
static const char suspension[] = "/akma-push/v1/afs/meters.example.com/suspension";

static struct world *some_world(void)
{
	struct world *world = world_new(1);

	world_af(world, "meters.example.com",
		 "{\"allowedUes\":{\"all\":true},\"rate\":7,\"description\":\"old\"}");
	return world;
}

// A second change while another is under way: it is put off, the other counts.
static void ask_during(struct world *world, struct ask ask, int status, struct ask late)
{
	struct answer first = {0}, second = {0};

	world_start_ask(world, &ask, &first);
	world_start_ask(world, &late, &second);
	world_run(world, 5, 0);
	cr_assert(first.is_there && second.is_there);
	cr_expect_eq(first.status, status, "%d", first.status);
	cr_expect_eq(second.status, 503, "%d", second.status);
	cr_expect_str_eq(second.retry_after, "1");
	door_forget(&first);
	door_forget(&second);
}

static void suspend_during(struct world *world, struct ask ask, int status)
{
	ask_during(world, ask, status, (struct ask){HTTP_PUT, suspension});
}

static void expect_registration(struct world *world, const char *description, bool suspended)
{
	cr_assert_eq(world_ask(world, HTTP_GET, path, NULL), 200);
	cr_expect(world_has(description), "%s", world_answer.body);
	cr_expect(world_has(suspended ? "\"suspended\":true" : "\"suspended\":false"), "%s",
		  world_answer.body);
	cr_expect(world_has("\"rate\":7"), "%s", world_answer.body);
}

Test(af_change, a_suspension_changes_nothing_else)
{
	struct world *world = some_world();

	cr_assert_eq(world_ask(world, HTTP_PUT, suspension, NULL), 200);
	expect_registration(world, "\"description\":\"old\"", true);
	cr_assert_eq(world_ask(world, HTTP_DELETE, suspension, NULL), 200);
	expect_registration(world, "\"description\":\"old\"", false);
	world_free(world);
}

Test(af_change, a_registration_under_way_is_not_lost)
{
	struct world *world = some_world();

	suspend_during(world,
		       (struct ask){HTTP_PUT, path,
				    "{\"allowedUes\":{\"all\":true},\"rate\":7,"
				    "\"description\":\"new\"}"},
		       200);
	expect_registration(world, "\"description\":\"new\"", false);
	cr_assert_eq(world_ask(world, HTTP_PUT, suspension, NULL), 200);
	expect_registration(world, "\"description\":\"new\"", true);
	world_crash(world);
	expect_registration(world, "\"description\":\"new\"", true);
	world_free(world);
}

// What resumes an AF has to see that its suspension ended the pushes.
Test(af_change, registrations_do_not_overtake_each_other)
{
	static const char suspended[] =
		"{\"allowedUes\":{\"all\":true},\"rate\":7,\"suspended\":true}";
	static const char resumed[] = "{\"allowedUes\":{\"all\":true},\"rate\":7}";
	const struct ask suspend = {HTTP_PUT, path, suspended}, resume = {HTTP_PUT, path, resumed};
	const struct ask delete = {HTTP_DELETE, path};
	struct world *world = some_world();

	ask_during(world, suspend, 200, resume);
	expect_registration(world, "\"allowedUes\"", true);
	ask_during(world, resume, 200, delete);
	expect_registration(world, "\"allowedUes\"", false);
	ask_during(world, delete, 204, delete);
	cr_expect_eq(world_ask(world, HTTP_GET, path, NULL), 404);
	ask_during(world, resume, 201, suspend);
	expect_registration(world, "\"allowedUes\"", false);
	world_free(world);
}

Test(af_change, what_is_being_deleted_does_not_come_back)
{
	struct world *world = some_world();

	suspend_during(world, (struct ask){HTTP_DELETE, path}, 204);
	cr_expect_eq(world_ask(world, HTTP_PUT, suspension, NULL), 404);
	world_crash(world);
	cr_expect_eq(world_ask(world, HTTP_GET, path, NULL), 404);
	world_free(world);
}

// Nothing is held for good: a change that ended lets the next one pass.
Test(af_change, one_after_another)
{
	struct world *world = some_world();

	for (unsigned i = 0; i < 5; i++) {
		cr_assert_eq(world_ask(world, HTTP_PUT, suspension, NULL), 200);
		cr_assert_eq(world_ask(world, HTTP_DELETE, suspension, NULL), 200);
	}
	cr_assert_eq(world_ask(world, HTTP_DELETE, path, NULL), 204);
	world_af(world, "meters.example.com", "{\"allowedUes\":{\"all\":true}}");
	cr_assert_eq(world_ask(world, HTTP_PUT, suspension, NULL), 200);
	world_free(world);
}
