#include <criterion/criterion.h>

#include <string.h>

#include "control/store/store_log_format.h"

// As RocksDB wrote it into a list of files: checksum, length, type, nine octets.
static const uint8_t fragment[] = {0x4a, 0x74, 0xcc, 0xca, 0x09, 0x00, 0x01, 0x09,
				   0x00, 0x03, 0x17, 0x0a, 0x13, 0x04, 0xa3, 0x1f};

enum { LEN = sizeof(fragment), FRAGMENTS = 5, LENGTH_AT = 4, TYPE_AT = 6, LAST_TYPE = 4 };

static uint8_t block[STORE_LOG_BLOCK];

static void fill(unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		memcpy(block + i * LEN, fragment, LEN);
}

Test(store_log_format, whole_fragments)
{
	for (unsigned n = 0; n <= STORE_LOG_BLOCK / LEN; n++) {
		fill(n);
		cr_assert_eq(store_log_format_damage(block, n * LEN), n * LEN);
	}
}

Test(store_log_format, what_a_crash_cut_off_is_no_damage)
{
	fill(FRAGMENTS);
	for (size_t len = 0; len <= FRAGMENTS * LEN; len++)
		cr_assert_eq(store_log_format_damage(block, len), len, "%zu", len);
}

// The end of a block that has no room for a header is zeros, and so is what was never written.
Test(store_log_format, zeros)
{
	const size_t used = (STORE_LOG_BLOCK / LEN - 1) * LEN;

	fill(STORE_LOG_BLOCK / LEN - 1);
	cr_assert_eq(store_log_format_damage(block, used + 6), used + 6);
	cr_assert_eq(store_log_format_damage(block, STORE_LOG_BLOCK), (size_t)STORE_LOG_BLOCK);
}

Test(store_log_format, a_length_past_the_end)
{
	enum { END = FRAGMENTS * LEN };

	for (size_t start = 0; start < END; start += LEN) {
		for (unsigned len = END - (unsigned)start - 7 + 1; len < 65536; len += 251) {
			fill(FRAGMENTS);
			block[start + LENGTH_AT] = (uint8_t)len;
			block[start + LENGTH_AT + 1] = (uint8_t)(len >> 8);
			cr_assert_eq(store_log_format_damage(block, END), start, "%u at %zu", len,
				     start);
		}
	}
}

// One that claims too much is damaged only where its checksum says that it is whole.
Test(store_log_format, a_length_past_the_end_of_a_fragment_that_is_not_whole)
{
	fill(FRAGMENTS);
	block[LENGTH_AT + 1] = 0x10;
	block[LEN - 1] ^= 1;
	cr_assert_eq(store_log_format_damage(block, FRAGMENTS * LEN), FRAGMENTS * LEN);
}

Test(store_log_format, types_of_no_file_of_ours)
{
	for (unsigned type = 0; type < 256; type++) {
		fill(FRAGMENTS);
		block[2 * LEN + TYPE_AT] = (uint8_t)type;
		cr_assert_eq(store_log_format_damage(block, FRAGMENTS * LEN),
			     type > LAST_TYPE ? 2 * LEN : FRAGMENTS * LEN, "%u", type);
	}
}
