#pragma once
// The body of a push from options: target, payload, manner. One thread.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tools/ctl/ctl_call.h"

enum { CTL_PAYLOAD_MAX = 18944 }; // 16 segments

struct ctl_push_options {
	const char *af, *idempotency_key, *validity;
	const char *ue, *list, *group; // target: one of these, or all
	bool all;
	const char *payload_hex, *payload_text, *payload_file; // one of these
	bool no_ack, ordered, wait;
	uint64_t suite, segment_size; // 0: default
};

// Writes the body. CTL_OK, or CTL_USAGE and it is said what is wrong; the body is to be freed then
// too. A replacement may go without a target.
int ctl_push_body(const struct ctl_push_options *options, bool is_replacement,
		  struct ctl_body *body);
