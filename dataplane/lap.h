#pragma once
// Laps: how a part of a push is walked. A lap visits every target that is not final; what it leaves
// open is visited again by the next one after a pause that doubles. There is no timer per target.
//
// Between laps a new key or address makes a target due at once: it is marked, and a hurry walk goes
// over the marked stretch. "At most every 2.5 s" is kept with two states of our own, shown as SENT:
//   SENT_DUE       sent by a lap, due again; a hurry walk takes it once the last lap is 2.5 s ago
//   SENT_RECENTLY  sent by a hurry walk; a lap within 2.5 s passes it over; behind the lap a
//   settling
//                  walk makes it SENT again
// When the validity ends, or the push is stopped, a sweep makes what is open final.
//
// A walk goes on in steps; each looks at a bounded number of places. Worker thread only.

#include <stdbool.h>
#include <stdint.h>

#include "dataplane/push.h"

enum {
	LAP_SCAN_MAX = 16384,               // places looked at in one step
	LAP_HURRY_GAP_NS = 20 * 1000 * 1000 // between the ends and starts of hurry walks of a part
};

struct lap_pauses {
	uint64_t first_ns,
		max_ns; // the first is also the least time between two datagrams to a target
};

// Starts a walk.
void lap_start(struct part *part, enum part_mode mode, const struct lap_pauses *pauses,
	       uint64_t now_ns);

// Up to n targets that the walk under way visits, the next ones first; 0 when there is none within
// LAP_SCAN_MAX places or the walk is over.
unsigned lap_take(struct part *part, uint32_t place[], unsigned n);
bool lap_is_over(const struct part *part);
void lap_stop(struct part *part); // the walk is over
// The walk goes on from `place`, which it gave: from there on nothing was done.
void lap_rewind(struct part *part, uint32_t place);

// PUSH_RUN targets that lap_take gave one after the other, from a place of which a run begins, have
// been sent to for the first time: the same as lap_sent of each. False, and nothing done, when they
// are no such run.
bool lap_sent_run(struct part *part, uint32_t place);
// A target has been sent to.
void lap_sent(struct part *part, uint32_t place);
// Nothing could be sent to a target that the walk visited: a mark is spent, the next key or address
// makes it due again.
void lap_not_sent(struct part *part, uint32_t place);

// A step of a walk that sends nothing: a sweep or a settling walk.
void lap_step_quietly(struct part *part);

// What a walk that is over leaves to do: sets the time of the next lap and hurry walk. Behind a lap
// the part may have a settling walk to go: it is not over then.
void lap_end(struct part *part, const struct lap_pauses *pauses, uint64_t now_ns);

// Marks a target due at once; false when it is not open or due anyway.
bool lap_make_due(struct part *part, uint32_t place, const struct lap_pauses *pauses,
		  uint64_t now_ns);
