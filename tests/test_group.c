// Groups: the set against a naive twin under random changes; groups kept over a restart.

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/apply.h"
#include "control/registry/group.h"
#include "control/registry/group_registry.h"
#include "control/registry/group_set.h"
#include "control/registry/record.h"
#include "control/registry/ue.h"
#include "tests/kit/random.h"
#include "tests/kit/service_world.h"

enum { HANDLES = 5000 };

static void compare(struct group_set *set, const bool *twin, const struct random *random)
{
	const uint32_t *all = group_set_all(set);
	uint32_t n = 0;

	for (uint32_t h = 0; h < HANDLES; h++) {
		if (!twin[h])
			continue;
		cr_assert(n < set->n, "seed %#" PRIx64, random->seed);
		cr_assert_eq(all[n], h, "seed %#" PRIx64, random->seed);
		n++;
	}
	cr_assert_eq(n, set->n, "seed %#" PRIx64, random->seed);
}

Test(group, set_is_what_its_twin_is)
{
	struct random random = random_start();
	struct group_set set = {0};
	bool twin[HANDLES] = {0};

	for (int i = 0; i < 200000; i++) {
		uint64_t dice = random_next(&random);
		uint32_t h = (uint32_t)(dice >> 32) % HANDLES;

		if (dice % 1000 == 0)
			compare(&set, twin, &random);
		cr_assert_eq(group_set_has(&set, h), twin[h], "seed %#" PRIx64, random.seed);
		if (dice & 1 << 20) {
			cr_assert_eq(group_set_add(&set, h), !twin[h], "seed %#" PRIx64,
				     random.seed);
			twin[h] = true;
		} else {
			cr_assert_eq(group_set_del(&set, h), twin[h], "seed %#" PRIx64,
				     random.seed);
			twin[h] = false;
		}
	}
	compare(&set, twin, &random);
	group_set_free(&set);
	cr_expect_null(group_set_all(&set));
}

static unsigned naive_firsts(const struct app *app, const struct group *group, uint32_t *firsts)
{
	const struct group_set *members = &((const struct group_entry *)group)->members;
	unsigned n = 0;

	for (uint32_t h = 0; h < HANDLES; h++) {
		uint32_t twin = ue_twin(app, h);
		bool is_in = group_set_has(members, h) ||
			     (twin != DP_NONE && group_set_has(members, twin));

		if (is_in && ue_first(app, h) == h)
			firsts[n++] = h;
	}
	return n;
}

Test(group, twins_are_listed_once_by_the_first)
{
	struct random random = random_start();
	uint32_t firsts[HANDLES], n_firsts, n;
	struct service_world world;
	struct group_entry *entry;
	const uint32_t *all;

	service_world_open(&world, HANDLES);
	entry = group_entry_new(world.app.groups, "g", 0);
	for (uint32_t h = 0; h < HANDLES; h++) {
		cr_assert_eq(dp_new(world.app.dp), h);
		if (random_next(&random) % 3)
			group_add(entry, h);
	}
	for (int round = 0; round < 20; round++) {
		for (int i = 0; i < 100; i++) {
			uint32_t a = (uint32_t)(random_next(&random) % HANDLES),
				 b = (uint32_t)(random_next(&random) % HANDLES);

			ue_unlink(&world.app, a);
			ue_unlink(&world.app, b);
			if (a != b)
				ue_link(&world.app, a, b);
		}
		n_firsts = naive_firsts(&world.app, &entry->group, firsts);
		all = group_members(&world.app, &entry->group, &n);
		cr_assert_eq(n, n_firsts, "seed %#" PRIx64, random.seed);
		cr_assert_arr_eq(all, firsts, n * sizeof(*all), "seed %#" PRIx64, random.seed);
	}
	service_world_close(&world);
}

Test(group, handles_in_order_are_appended)
{
	struct group_set set = {0};

	for (uint32_t h = 0; h < 1000000; h++)
		cr_assert_eq(group_set_add(&set, h), 1);
	cr_expect_eq(set.n_delta, 0);
	cr_expect_eq(group_set_all(&set)[999999], 999999);
	group_set_free(&set);
}

// A group of this id with these members, as if made long ago.
static void write_group(const char *id, uint32_t number, uint32_t from, uint32_t to)
{
	struct group group = {.number = number};
	uint8_t value[RECORD_GROUP_MAX], key[8];

	fake_store_write(STORE_GROUP, id, strlen(id), value, record_group_write(value, &group));
	for (uint32_t h = from; h < to; h++) {
		record_member_key(key, number, h);
		fake_store_write(STORE_MEMBER, key, sizeof(key), NULL, 0);
	}
}

static void write_ue(uint32_t handle, const char *supi, const char *gpsi, uint32_t twin)
{
	struct record_identity identity = {.twin = twin};
	uint8_t value[RECORD_IDENTITY_MAX], key[4];

	strcpy(identity.supi, supi);
	strcpy(identity.gpsi, gpsi);
	record_handle_key(key, handle);
	fake_store_write(STORE_IDENTITY, key, sizeof(key), value,
			 record_identity_write(value, &identity));
}

Test(group, loaded)
{
	struct service_world world;
	struct group *group;
	uint32_t n;

	service_world_open(&world, 1000);
	write_ue(9, "imsi-00101000000009", "", DP_NONE);
	write_group("b@example", 3, 2, 8);
	write_group("a@example", 7, 0, 0);
	write_group("left", 5, 0, 3);
	fake_store_write(STORE_MEMBER, "\0\0\0\x09\0\0\0\1", 8, NULL, 0); // of no group
	cr_assert_eq(service_world_restart(&world), 0);
	group = group_find(&world.app, "b@example");
	cr_assert_not_null(group);
	cr_expect_eq(group->n_members, 6);
	cr_expect_eq(group_members(&world.app, group, &n)[5], 7);
	cr_expect(group_has(&world.app, group, 2));
	cr_expect_not(group_has(&world.app, group, 8));
	cr_expect_eq(group_next(&world.app, 0), 3);
	cr_expect_eq(group_next(&world.app, 6), 7);
	cr_expect_eq(group_next(&world.app, 8), UINT32_MAX);
	cr_expect_eq(group_at(&world.app, 7)->n_members, 0);
	cr_expect_null(group_at(&world.app, 4));
	cr_expect_null(group_find(&world.app, "c@example"));
	service_world_close(&world);
}

Test(group, twins_count_once)
{
	struct service_world world;
	struct group *group;
	uint32_t n;

	service_world_open(&world, 1000);
	write_ue(1, "imsi-00101000000001", "", 6);
	write_ue(6, "", "msisdn-15550000001", 1);
	write_ue(9, "imsi-00101000000009", "", DP_NONE);
	write_group("g", 0, 4, 8);
	cr_assert_eq(service_world_restart(&world), 0);
	group = group_find(&world.app, "g");
	cr_assert_eq(group_members(&world.app, group, &n)[0], 1); // 6 by the first of twins
	cr_expect_eq(n, 4);
	cr_expect(group_has(&world.app, group, 1));
	group_add((struct group_entry *)group, 1); // both of them
	group_members(&world.app, group, &n);
	cr_expect_eq(n, 4);
	ue_unlink(&world.app, 1);
	group_members(&world.app, group, &n);
	cr_expect_eq(n, 5);
	service_world_close(&world);
}

Test(group, damaged_records_are_refused)
{
	struct service_world world;
	uint8_t key[8];

	service_world_open(&world, 100);
	write_group("g", 0, 0, 0);
	record_member_key(key, 0, 5); // a handle that none has
	fake_store_write(STORE_MEMBER, key, sizeof(key), NULL, 0);
	cr_expect_eq(service_world_restart(&world), -EBADMSG);
	service_world_close(&world);
	service_world_open(&world, 100);
	fake_store_write(STORE_GROUP, "g", 1, "\x02\0\0\0\0\0\0", 7); // of a later version
	cr_expect_eq(service_world_restart(&world), -EBADMSG);
	service_world_close(&world);
}

Test(group, ids_hidden_and_shown)
{
	struct group_registry *groups = calloc(1, sizeof(*groups));
	struct group_entry *entries[64], *again;
	char id[8];

	for (uint32_t i = 0; i < 16; i++) { // as many as there is room for at first
		snprintf(id, sizeof(id), "g%02u", (i * 7) % 16);
		entries[i] = group_entry_new(groups, id, i);
	}
	group_entry_hide(groups, entries[3]);
	group_entry_hide(groups, entries[3]);
	cr_expect_null(group_entry_find(groups, entries[3]->group.id));
	again = group_entry_new(groups, entries[3]->group.id, 16);
	group_entry_new(groups, "x", 17);
	cr_expect_eq(group_entry_find(groups, entries[3]->group.id), again);
	group_entry_show(groups, entries[3]);
	cr_expect_eq(group_entry_find(groups, entries[3]->group.id), entries[3]);
	for (uint32_t i = 1; i < groups->n_ids; i++)
		cr_expect_lt(strcmp(groups->by_id[i - 1]->group.id, groups->by_id[i]->group.id), 0);
	group_registry_free(groups);
}
