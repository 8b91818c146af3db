#pragma once
// The pushes that akmapush-load has submitted, and how far they are. One thread.

#include <stdbool.h>
#include <stdint.h>

struct json_writer;

enum { LOAD_PUSH_ID = 37, LOAD_STATES = 14 };

// Sums over pushes.
struct load_sums {
	uint64_t targets, sent, success; // DeliveryResult SUCCESS
	uint64_t state[LOAD_STATES];     // as load_state_names
};

struct load_push {
	char id[LOAD_PUSH_ID];
	bool is_over;
};

struct load_pushes {
	const char *af;
	struct load_push *push; // [n]; id "" where it was not accepted
	uint64_t n;
	uint64_t n_open;             // accepted and not over
	struct load_sums over, open; // of those that are over; of the others, when last looked at
	uint64_t *round;             // the pushes that the round under way asks for
};

extern const char *const load_state_names[LOAD_STATES];

int load_pushes_init(struct load_pushes *pushes, const char *af, uint64_t n); // 0 or -ENOMEM
void load_pushes_fini(struct load_pushes *pushes);

// Asks for all that are not over, again and again, until none is left, the time is over, or a
// signal came. Shows progress. Returns whether all are over.
bool load_pushes_wait(struct load_pushes *pushes, double seconds);

// What came out, as lines or as members of the open object.
void load_pushes_print(const struct load_pushes *pushes);
void load_pushes_put(const struct load_pushes *pushes, struct json_writer *w);
