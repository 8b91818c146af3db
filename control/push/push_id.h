#pragma once
// push_ids: UUIDv7 (RFC 9562 5.7), strictly growing per AF whatever the clock does, so that pushes
// of an AF have an order that its UEs can see. Any thread.

#include <stdbool.h>
#include <stdint.h>

enum {
	PUSH_ID = 16,
	PUSH_ID_TEXT = 36,                // characters, without the terminator
	PUSH_ID_BEHIND_MAX_MS = 60 * 1000 // how far the clock may be behind the last one
};

// The push_id after `last` (zeros: there was none): time part = max(now, last), rand_a counts
// within the millisecond and carries into the time part, the rest is random (docs/specification.md
// 3). 0, -ETIME when the clock is more than 60 s behind, -EIO without randomness; `id` untouched
// then. id may be last.
int push_id_next(const uint8_t last[PUSH_ID], uint64_t unix_ms, uint8_t id[PUSH_ID]);

uint64_t push_id_time_ms(const uint8_t id[PUSH_ID]);

// 8-4-4-4-12 lower-case digits and a terminator.
void push_id_write(char text[PUSH_ID_TEXT + 1], const uint8_t id[PUSH_ID]);
// False when the text is no UUID in that form; either case.
bool push_id_parse(const char *text, uint8_t id[PUSH_ID]);
