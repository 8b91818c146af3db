#pragma once
// Naanf_AKMA (TS 29.535): the anchor's service towards AUSF and AFs, as its OpenAPI has it. Members
// that are not known are ignored. Control thread only.

#include <stdint.h>

// Counts since the start.
struct naanf_stats {
	uint64_t registered, removed;
	uint64_t served;          // K_AFs handed out
	uint64_t without_context; // 204: no such A-KID
	uint64_t expired;         // 204: K_AF lifetime over
};
void naanf_stats(struct naanf_stats *stats);
