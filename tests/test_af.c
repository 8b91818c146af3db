// AFs: rates and quotas by a clock that the test turns, allowed UEs, places, records.

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "control/registry/af.h"
#include "control/registry/af_registry.h"
#include "control/registry/group_registry.h"
#include "control/registry/record.h"
#include "tests/kit/service_world.h"

static struct af *add_af(struct service_world *world, const char *fqdn)
{
	struct af *af = af_place(world->app.afs, fqdn);

	af_set_live(world->app.afs, af, true);
	return af;
}

Test(af, push_rate)
{
	struct service_world world;
	struct af *af;

	service_world_open(&world, 16);
	af = add_af(&world, "a.example");
	cr_expect_eq(af_admit(&world.app, af, 1000000), 0); // no limit
	cr_expect_eq(af_wait(&world.app, af, 1000000), 0);
	af->push_rate = 3;
	for (int i = 0; i < 3; i++)
		cr_expect_eq(af_admit(&world.app, af, 1), 0, "push %d", i);
	cr_expect_eq(af_wait(&world.app, af, 1), 1);
	cr_expect_eq(af_admit(&world.app, af, 1), 1);
	world.clock.mono_ns += 334000000;
	cr_expect_eq(af_admit(&world.app, af, 1), 0);
	cr_expect_eq(af_admit(&world.app, af, 1), 1);
	world.clock.mono_ns += 3600ull * 1000000000; // no more than a second's worth is saved up
	for (int i = 0; i < 3; i++)
		cr_expect_eq(af_admit(&world.app, af, 1), 0);
	cr_expect_eq(af_admit(&world.app, af, 1), 1);
	service_world_close(&world);
}

Test(af, quota_of_a_day)
{
	struct service_world world;
	struct af *af;

	service_world_open(&world, 16);
	af = add_af(&world, "a.example");
	af->quota = 100;
	cr_expect_eq(af_admit(&world.app, af, 60), 0);
	cr_expect_eq(af_admit(&world.app, af, 41), 86400); // it is midnight in the test
	cr_expect_eq(af_admit(&world.app, af, 40), 0);
	world.clock.unix_ms += 3600 * 1000;
	cr_expect_eq(af_admit(&world.app, af, 1), 23 * 3600);
	world.clock.unix_ms += 23 * 3600 * 1000;
	cr_expect_eq(af_admit(&world.app, af, 100), 0);
	service_world_close(&world);
}

Test(af, quota_made_smaller_than_what_was_used)
{
	struct service_world world;
	struct af *af;

	service_world_open(&world, 16);
	af = add_af(&world, "a.example");
	af->quota = 100;
	cr_expect_eq(af_admit(&world.app, af, 60), 0);
	af->quota = 50;
	cr_expect_eq(af_admit(&world.app, af, 1), 86400);
	af->quota = 61;
	cr_expect_eq(af_admit(&world.app, af, 1), 0);
	service_world_close(&world);
}

// What was refused takes nothing.
Test(af, refused_by_quota_keeps_the_rate)
{
	struct service_world world;
	struct af *af;

	service_world_open(&world, 16);
	af = add_af(&world, "a.example");
	af->quota = 1;
	af->push_rate = 1;
	cr_expect_neq(af_admit(&world.app, af, 2), 0);
	cr_expect_eq(af_admit(&world.app, af, 1), 0);
	service_world_close(&world);
}

Test(af, allowed_ues)
{
	struct service_world world;
	struct group_entry *group;
	struct af *af;

	service_world_open(&world, 16);
	af = add_af(&world, "a.example");
	group = group_entry_new(world.app.groups, "g", 4);
	group->is_live = true;
	group_add(group, 3);
	cr_expect_not(af_allows(&world.app, af, 3));
	af->n_groups = 2;
	af->groups[0] = 2; // deleted
	af->groups[1] = 4;
	cr_expect(af_allows(&world.app, af, 3));
	cr_expect_not(af_allows(&world.app, af, 2));
	af->all_ues = true;
	cr_expect(af_allows(&world.app, af, 2));
	service_world_close(&world);
}

Test(af, found_by_any_spelling)
{
	struct service_world world;
	struct af *b, *a;

	service_world_open(&world, 16);
	b = add_af(&world, "b.example");
	a = add_af(&world, "a.example");
	cr_expect_eq(af_find(&world.app, "B.Example.", 10), b);
	cr_expect_null(af_find(&world.app, "c.example", 9));
	cr_expect_null(af_find(&world.app, "-", 1));
	cr_expect_eq(af_at(&world.app, 0), a);
	cr_expect_eq(af_at(&world.app, 1), b);
	cr_expect_null(af_at(&world.app, 2));
	service_world_close(&world);
}

Test(af, places)
{
	struct service_world world;
	struct af *first = NULL, *af;
	char fqdn[32];

	service_world_open(&world, 16);
	for (int i = 0; i < DP_AF_MAX; i++) {
		snprintf(fqdn, sizeof(fqdn), "a%d.example", i);
		af = add_af(&world, fqdn);
		cr_assert_not_null(af);
		cr_assert_eq(af->index, (uint32_t)i);
		first = i == 0 ? af : first;
	}
	cr_expect_null(af_place(world.app.afs, "more.example"));
	memset(first->last_push_id, 7, 16);
	af_set_live(world.app.afs, first, false);
	cr_expect_eq(af_place(world.app.afs, "a0.example"), first);
	cr_expect_eq(first->last_push_id[0], 7, "its push_ids go on growing");
	cr_expect_eq(af_place(world.app.afs, "more.example"), first);
	cr_expect_eq(first->last_push_id[0], 0);
	service_world_close(&world);
}

Test(af, records)
{
	struct af af = {.index = 7,
			.suspended = true,
			.trusted = true,
			.hot = true,
			.n_groups = 2,
			.groups = {5, 9},
			.rate = 1ull << 40,
			.push_rate = 3,
			.quota = 4,
			.targets_max = 5,
			.payload_max = 6,
			.description = "d"},
		  got;
	uint8_t value[RECORD_AF_MAX];
	size_t len = record_af_write(value, &af);

	cr_assert_eq(record_af_read(value, len, &got), 0);
	cr_expect(got.suspended && got.trusted && got.hot && !got.all_ues);
	cr_expect_eq(got.groups[1], 9);
	cr_expect_eq(got.rate, 1ull << 40);
	cr_expect_str_eq(got.description, "d");
	for (size_t n = 0; n < len; n++)
		cr_expect_eq(record_af_read(value, n, &got), -EBADMSG, "%zu octets", n);
	af.n_groups = AF_GROUPS_MAX;
	memset(af.description, 'x', AF_DESCRIPTION_MAX);
	cr_expect_gt(record_af_write(value, &af), 0, "the longest fits");
}
