#pragma once
// Acknowledgements as an attacker makes them, who has no key: each kind comes as far as one of the
// push function's checks. Pure functions. Any thread.

#include <stdint.h>

// kind: name, the counter of the push function that it adds to, what it is
#define FLOOD_KINDS(X)                                                                             \
	X(JUNK, "junk", "random octets (rx_header)")                                               \
	X(UNKNOWN, "unknown", "well-formed, of pushes that nobody made (rx_unknown_push)")         \
	X(REF, "ref", "of a push that runs, with random refs (rx_ref); needs --push")              \
	X(TAG, "tag", "with a ref of its list, and wrong tags (rx_tag);\nneeds --push and --ref")

enum flood_kind {
#define X(name, text, help) FLOOD_##name,
	FLOOD_KINDS(X)
#undef X
		FLOOD_KINDS_CNT,
};

enum { FLOOD_PUSH_ID = 16 };

struct flood {
	enum flood_kind kind;
	uint8_t suite;
	uint8_t push_id[FLOOD_PUSH_ID]; // of REF and TAG
	uint32_t ref;                   // of TAG
	unsigned len;                   // octets, 48 to 1232
	uint64_t random;                // its state
};

// The next datagram: flood->len octets. `to` has room for 7 more.
void flood_write(struct flood *flood, uint8_t *to);
