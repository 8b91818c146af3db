#include <criterion/criterion.h>

#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "control/push/push_id.h"
#include "tests/kit/random.h"

enum { STEPS = 200000 };

Test(push_id, is_a_uuid_of_version_7)
{
	uint8_t id[PUSH_ID] = {0};

	cr_assert_eq(push_id_next(id, 0x0123456789ab, id), 0);
	cr_assert_eq(push_id_time_ms(id), 0x0123456789ab);
	cr_assert_eq(id[6] >> 4, 7);
	cr_assert_eq(id[8] >> 6, 2);
	cr_assert_eq((load16_be(id + 6) & 0xfff), 0, "the first of its millisecond");
}

Test(push_id, counts_within_a_millisecond_and_carries)
{
	uint8_t id[PUSH_ID] = {0};
	uint64_t now = 1800000000000;

	push_id_next(id, now, id);
	for (unsigned i = 1; i < 4096; i++) {
		cr_assert_eq(push_id_next(id, now, id), 0);
		cr_assert_eq(push_id_time_ms(id), now);
		cr_assert_eq((load16_be(id + 6) & 0xfff), i);
	}
	cr_assert_eq(push_id_next(id, now, id), 0);
	cr_assert_eq(push_id_time_ms(id), now + 1);
	cr_assert_eq((load16_be(id + 6) & 0xfff), 0);
	cr_assert_eq(id[6] >> 4, 7);
}

Test(push_id, waits_for_a_clock_that_is_behind)
{
	uint8_t id[PUSH_ID] = {0}, before[PUSH_ID];
	uint64_t now = 1800000000000;

	push_id_next(id, now, id);
	memcpy(before, id, PUSH_ID);
	cr_assert_eq(push_id_next(id, now - 60000, id), 0, "60 s behind is not yet too much");
	cr_assert_gt(memcmp(id, before, PUSH_ID), 0);
	memcpy(before, id, PUSH_ID);
	cr_assert_eq(push_id_next(id, now - 60001, id), -ETIME);
	cr_assert_arr_eq(id, before, PUSH_ID);
}

Test(push_id, grows_strictly_whatever_the_clock_does)
{
	struct random random = random_start();
	uint8_t id[PUSH_ID] = {0}, before[PUSH_ID] = {0};
	uint64_t now = 1800000000000;

	for (unsigned i = 0; i < STEPS; i++) {
		int error;

		now += random_next(&random) % 100 ? random_next(&random) % 2
						  : random_next(&random) % 90000 - 45000;
		error = push_id_next(id, now, id);
		cr_assert(!error || error == -ETIME, "seed %#" PRIx64, random.seed);
		if (error) {
			now = push_id_time_ms(id);
			continue;
		}
		cr_assert_gt(memcmp(id, before, PUSH_ID), 0, "seed %#" PRIx64, random.seed);
		memcpy(before, id, PUSH_ID);
	}
}

Test(push_id, text_and_back)
{
	const char *wrong[] = {"",
			       "0188d1e2-0000-7000-8000-00000000000",
			       "0188d1e2-0000-7000-8000-0000000000000",
			       "0188d1e2-0000-7000-8000-00000000000g",
			       "0188d1e20000-7000-8000-0000-00000000",
			       "{188d1e2-0000-7000-8000-00000000000}"};
	char text[PUSH_ID_TEXT + 1];
	uint8_t id[PUSH_ID], back[PUSH_ID];

	for (unsigned i = 0; i < PUSH_ID; i++)
		id[i] = (uint8_t)(0x10 * i + 0xf);
	push_id_write(text, id);
	cr_assert_str_eq(text, "0f1f2f3f-4f5f-6f7f-8f9f-afbfcfdfefff");
	cr_assert(push_id_parse(text, back));
	cr_assert_arr_eq(back, id, PUSH_ID);
	cr_assert(push_id_parse("0F1F2F3F-4F5F-6F7F-8F9F-AFBFCFDFEFFF", back));
	for (unsigned i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		cr_assert_not(push_id_parse(wrong[i], back), "%s", wrong[i]);
}
