// Changes: durable, then applied, then done, in the order of their commits.

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "control/apply.h"
#include "dataplane/dp.h"
#include "tests/kit/random.h"
#include "tests/kit/service_world.h"

struct step {
	struct change change;
	struct service_world *world;
	unsigned number;
	unsigned again; // times that apply finds its queue full
	bool applied;
	int status; // 1: not done
};

static unsigned applied_last, done_last;

static int apply_step(struct change *change, struct app *app)
{
	struct step *s = (struct step *)change;

	(void)app;
	cr_assert_not(s->applied);
	if (s->again > 0) {
		s->again--;
		return -EAGAIN;
	}
	cr_assert_gt(s->number, applied_last);
	applied_last = s->number;
	s->applied = true;
	return 0;
}

static void step_done(struct change *change, struct app *app, int status)
{
	struct step *s = (struct step *)change;

	(void)app;
	cr_assert_eq(s->status, 1);
	cr_assert_gt(s->number, done_last);
	cr_assert_eq(s->applied, status == 0 && s->change.apply);
	done_last = s->number;
	s->status = status;
}

static void commit(struct service_world *world, struct step *s, unsigned number)
{
	struct store_batch *batch = apply_begin(&world->app);

	cr_assert_not_null(batch);
	s->world = world;
	s->number = number;
	s->status = 1;
	s->change.done = step_done;
	apply_commit(&world->app, batch, &s->change);
}

static void start(struct service_world *world)
{
	applied_last = done_last = 0;
	service_world_open(world, 16);
}

// What waits for a fence is done when it comes, not before.
Test(apply, waits_for_its_fence)
{
	struct step a = {.change.apply = apply_step}, b = {.change.apply = apply_step};
	struct service_world world;
	struct dp_event event;

	start(&world);
	commit(&world, &a, 1);
	cr_expect_not(a.applied);
	apply_poll(&world.app);
	cr_expect(a.applied);
	cr_expect_eq(a.status, 1);
	commit(&world, &b, 2);
	cr_assert(dp_poll(world.app.dp, &event));
	apply_fence(&world.app, &event);
	cr_expect_eq(a.status, 0);
	cr_expect_eq(b.status, 1);
	cr_expect_not(apply_is_idle(&world.app));
	service_world_settle(&world);
	cr_expect_eq(b.status, 0);
	service_world_close(&world);
}

Test(apply, nothing_to_apply_keeps_its_place)
{
	struct step a = {.change.apply = apply_step}, b = {0}, c = {0};
	struct service_world world;

	start(&world);
	commit(&world, &c, 1);
	apply_poll(&world.app);
	cr_expect_eq(c.status, 0); // no fence is under way
	commit(&world, &a, 2);
	commit(&world, &b, 3);
	apply_poll(&world.app);
	cr_expect_eq(b.status, 1);
	service_world_settle(&world);
	cr_expect_eq(a.status, 0);
	cr_expect_eq(b.status, 0);
	service_world_close(&world);
}

Test(apply, full_queues_hold_back_all_behind)
{
	struct step a = {.change.apply = apply_step, .again = 3}, b = {.change.apply = apply_step};
	struct service_world world;

	start(&world);
	commit(&world, &a, 1);
	commit(&world, &b, 2);
	cr_expect(apply_poll(&world.app), "it wants to come again");
	cr_expect_not(b.applied);
	service_world_settle(&world);
	cr_expect(a.applied && b.applied);
	cr_expect_not(apply_poll(&world.app));
	service_world_close(&world);
}

Test(apply, what_failed_is_never_applied)
{
	struct step a = {.change.apply = apply_step}, b = {.change.apply = apply_step},
		    c = {.change.apply = apply_step};
	struct service_world world;

	start(&world);
	commit(&world, &a, 1);
	apply_poll(&world.app);
	fake_store_fail(-ENOSPC);
	commit(&world, &b, 2);
	apply_poll(&world.app);
	cr_expect_eq(apply_status(&world.app), -ENOSPC);
	fake_store_fail(0);
	commit(&world, &c, 3);
	service_world_settle(&world);
	cr_expect_eq(a.status, 0);
	cr_expect_eq(b.status, -ENOSPC);
	cr_expect_not(b.applied);
	cr_expect_eq(c.status, 0);
	cr_expect_eq(apply_status(&world.app), 0);
	service_world_close(&world);
}

// Without requests the end of the trouble is seen all the same.
Test(apply, a_tick_tries_the_store)
{
	struct step a = {.change.apply = apply_step};
	struct service_world world;

	start(&world);
	fake_store_fail(-EIO);
	commit(&world, &a, 1);
	service_world_settle(&world);
	apply_tick(&world.app);
	service_world_settle(&world);
	cr_expect_eq(apply_status(&world.app), -EIO);
	fake_store_fail(0);
	apply_tick(&world.app);
	service_world_settle(&world);
	cr_expect_eq(apply_status(&world.app), 0);
	service_world_close(&world);
}

Test(apply, any_mixture_ends_in_order)
{
	enum { STEPS = 2000 };
	struct random random = random_start();
	struct step *steps = calloc(STEPS, sizeof(*steps));
	struct service_world world;
	struct dp_event event;

	start(&world);
	for (unsigned i = 0; i < STEPS; i++) {
		uint64_t dice = random_next(&random);

		fake_store_fail(dice % 7 == 0 ? -ENOSPC : 0);
		steps[i].change.apply = dice & 1 << 8 ? apply_step : NULL;
		steps[i].again = dice >> 12 & 3;
		commit(&world, &steps[i], i + 1);
		if (dice & 1 << 16)
			apply_poll(&world.app);
		if (dice & 1 << 17 && dp_poll(world.app.dp, &event))
			apply_fence(&world.app, &event);
	}
	service_world_settle(&world);
	for (unsigned i = 0; i < STEPS; i++)
		cr_assert_neq(steps[i].status, 1, "seed %#" PRIx64, random.seed);
	service_world_close(&world);
	free(steps);
}
