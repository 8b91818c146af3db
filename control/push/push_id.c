#include "control/push/push_id.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include "base/bytes.h"
#include "base/text.h"

enum { RAND_A_MAX = 0xfff, VERSION = 7, VARIANT = 2 };

uint64_t push_id_time_ms(const uint8_t id[PUSH_ID])
{
	return load64_be(id) >> 16;
}

// Time part and rand_a as one number of 60 bits: the carry comes by itself.
static uint64_t count_of(const uint8_t id[PUSH_ID])
{
	return push_id_time_ms(id) << 12 | (load16_be(id + 6) & RAND_A_MAX);
}

int push_id_next(const uint8_t last[PUSH_ID], uint64_t unix_ms, uint8_t id[PUSH_ID])
{
	static const uint8_t none[PUSH_ID];
	uint64_t count = unix_ms << 12, random;

	if (memcmp(last, none, PUSH_ID)) {
		if (unix_ms + PUSH_ID_BEHIND_MAX_MS < push_id_time_ms(last))
			return -ETIME;
		if (count <= count_of(last))
			count = count_of(last) + 1;
	}
	if (getrandom(&random, sizeof(random), 0) != sizeof(random))
		return -EIO;
	store64_be(id, count >> 12 << 16 | VERSION << 12 | (count & RAND_A_MAX));
	store64_be(id + 8, random >> 2 | (uint64_t)VARIANT << 62);
	return 0;
}

// The octets of a UUID stand in five groups.
static const uint8_t group_len[] = {4, 2, 2, 2, 6};

void push_id_write(char text[PUSH_ID_TEXT + 1], const uint8_t id[PUSH_ID])
{
	for (unsigned i = 0; i < sizeof(group_len); i++) {
		if (i)
			*text++ = '-';
		hex_write(text, id, group_len[i]);
		text += 2 * group_len[i];
		id += group_len[i];
	}
}

bool push_id_parse(const char *text, uint8_t id[PUSH_ID])
{
	uint8_t octets[PUSH_ID], *to = octets;

	if (strlen(text) != PUSH_ID_TEXT)
		return false;
	for (unsigned i = 0; i < sizeof(group_len); i++) {
		if (i && *text++ != '-')
			return false;
		if (hex_parse(text, 2 * group_len[i], to, group_len[i]))
			return false;
		text += 2 * group_len[i];
		to += group_len[i];
	}
	memcpy(id, octets, PUSH_ID);
	return true;
}
