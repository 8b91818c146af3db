#pragma once
// The directory of a daemon that knows N UEs: handle h has a SUPI and an A-KID made from h. Bench
// thread only.

#include <stdbool.h>
#include <stdint.h>

#include "dataplane/directory.h"

// Contexts and a directory of as many take 13 GB.
enum { SUBSCRIBERS_MAX = 50000000, SUBSCRIBER_TEXT_MAX = 112 };

struct subscribers {
	struct directory directory;
	bool has[DP_IDENTITIES];
	bool is_open;
};

struct subscriber_text {
	char id[SUBSCRIBER_TEXT_MAX];
	unsigned len;
};

// The identity of a UE; kind: DP_SUPI or DP_AKID.
void subscriber_text(struct subscriber_text *text, enum dp_identity kind, uint32_t handle);

// Gives each of n UEs its identity of a kind, in a directory for n UEs, which the first call makes.
// `subscribers` is zero at first. Above SUBSCRIBERS_MAX it says that it leaves this out, and is
// true; false without memory (said). Takes seconds for tens of millions.
bool subscribers_put(struct subscribers *subscribers, enum dp_identity kind, uint32_t n);
bool subscribers_has(const struct subscribers *subscribers, enum dp_identity kind);
uint32_t subscribers_find(const struct subscribers *subscribers, enum dp_identity kind,
			  const struct subscriber_text *text);
void subscribers_close(struct subscribers *subscribers);
