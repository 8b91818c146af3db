// The directory against a naive twin: an array of texts per handle, searched from the front.

#include <criterion/criterion.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "dataplane/directory.h"
#include "tests/kit/random.h"

enum { HANDLES = 300, STEPS = 40000 };

struct twin {
	char id[HANDLES][DP_IDENTITIES][DP_IDENTITY_MAX + 1];
};

static struct directory directory;
static struct twin twin;

static void open_directory(void)
{
	cr_assert_eq(directory_init(&directory, sha256_best(), HANDLES), 0);
	memset(&twin, 0, sizeof(twin));
}

static void close_directory(void)
{
	directory_fini(&directory);
}

static uint32_t twin_find(enum dp_identity kind, const char *id)
{
	for (uint32_t h = 0; h < HANDLES; h++) {
		if (twin.id[h][kind][0] && !strcmp(twin.id[h][kind], id))
			return h;
	}
	return DP_NONE;
}

// One of about as many identities as there are handles, of every form.
static void some_identity(struct random *random, enum dp_identity kind, char *id)
{
	static const char *const digits[] = {"imsi-", "msisdn-", "A-KID-"};
	unsigned number = (unsigned)(random_next(random) % HANDLES);
	unsigned form = (unsigned)(random_next(random) % 3);
	char filler[DP_IDENTITY_MAX] = {0};

	memset(filler, 'x', number % 30);
	if (form == 0)
		snprintf(id, DP_IDENTITY_MAX + 1, "%s%0*u", digits[kind], 5 + (int)(number % 11),
			 number);
	else if (form == 1)
		snprintf(id, DP_IDENTITY_MAX + 1, "nai-%u%s@example.org", number, filler);
	else
		snprintf(id, DP_IDENTITY_MAX + 1, "%s%ux", digits[kind], number);
}

static void random_step(struct random *random)
{
	enum dp_identity kind = (enum dp_identity)(random_next(random) % DP_IDENTITIES);
	uint32_t handle = (uint32_t)(random_next(random) % HANDLES), holder;
	char id[DP_IDENTITY_MAX + 1];

	some_identity(random, kind, id);
	holder = twin_find(kind, id);
	cr_assert_eq(directory_find(&directory, kind, id, strlen(id)), holder, "seed %#" PRIx64,
		     random->seed);
	if (random_next(random) % 3 == 0) {
		directory_unbind(&directory, handle, kind);
		twin.id[handle][kind][0] = 0;
		return;
	}
	if (holder != DP_NONE && holder != handle) {
		cr_assert_eq(directory_bind(&directory, handle, kind, id, strlen(id)), -EEXIST);
		return;
	}
	cr_assert_eq(directory_bind(&directory, handle, kind, id, strlen(id)), 0, "seed %#" PRIx64,
		     random->seed);
	strcpy(twin.id[handle][kind], id);
}

static void compare(const struct random *random)
{
	for (uint32_t h = 0; h < HANDLES; h++) {
		for (int kind = 0; kind < DP_AKID; kind++) {
			char id[DP_IDENTITY_MAX + 1];

			directory_identity(&directory, h, (enum dp_identity)kind, id);
			cr_assert_str_eq(id, twin.id[h][kind], "seed %#" PRIx64, random->seed);
		}
	}
}

Test(directory, agrees_with_its_naive_twin, .init = open_directory, .fini = close_directory)
{
	struct random random = random_start();

	for (unsigned i = 0; i < HANDLES; i++)
		cr_assert_eq(directory_new(&directory), i);
	cr_assert_eq(directory_new(&directory), DP_NONE);
	for (unsigned i = 0; i < STEPS; i++)
		random_step(&random);
	compare(&random);
}

Test(directory, leading_zeros_are_part_of_the_identity, .init = open_directory,
     .fini = close_directory)
{
	uint32_t a = directory_new(&directory), b = directory_new(&directory);

	cr_assert_eq(directory_bind(&directory, a, DP_SUPI, "imsi-00101", 10), 0);
	cr_assert_eq(directory_bind(&directory, b, DP_SUPI, "imsi-000101", 11), 0);
	cr_assert_eq(directory_find(&directory, DP_SUPI, "imsi-00101", 10), a);
	cr_assert_eq(directory_find(&directory, DP_SUPI, "imsi-000101", 11), b);
}

Test(directory, lengths, .init = open_directory, .fini = close_directory)
{
	uint32_t handle = directory_new(&directory);
	char id[DP_IDENTITY_MAX + 2];

	memset(id, 'n', sizeof(id));
	cr_assert_eq(directory_bind(&directory, handle, DP_SUPI, id, 0), -EINVAL);
	cr_assert_eq(directory_bind(&directory, handle, DP_SUPI, id, 256), -EINVAL);
	cr_assert_eq(directory_bind(&directory, handle, DP_SUPI, id, 255), 0);
	cr_assert_eq(directory_find(&directory, DP_SUPI, id, 255), handle);
	cr_assert_eq(directory_find(&directory, DP_SUPI, id, 254), DP_NONE);
	cr_assert_eq(directory_find(&directory, DP_SUPI, id, 256), DP_NONE);
}

Test(directory, texts_run_out_without_harm, .init = open_directory, .fini = close_directory)
{
	uint32_t full = DP_NONE;
	char id[DP_IDENTITY_MAX + 1];

	for (unsigned i = 0; i < HANDLES; i++) {
		uint32_t handle = directory_new(&directory);
		int error;

		snprintf(id, sizeof(id), "nai-%0245u", i);
		error = directory_bind(&directory, handle, DP_SUPI, id, strlen(id));
		cr_assert(error == 0 || error == -ENOSPC);
		if (error && full == DP_NONE)
			full = handle;
	}
	cr_assert_neq(full, DP_NONE, "the texts of 300 handles were meant to run out");
	directory_unbind(&directory, 0, DP_SUPI);
	cr_assert_eq(directory_bind(&directory, full, DP_SUPI, id, strlen(id)), 0,
		     "freed texts serve");
}
