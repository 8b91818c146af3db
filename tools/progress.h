#pragma once
// How far a long job is, on standard error: a bar that is redrawn on a terminal, else a line now
// and then. Cheap to call often. One thread.

#include <stdbool.h>
#include <stdint.h>

struct progress {
	const char *what; // "register"
	uint64_t total;   // 0: not known
	uint64_t started_ns, drawn_ns;
	uint64_t first; // of `done` when it began
	bool is_tty, is_quiet;
};

void progress_begin(struct progress *p, const char *what, uint64_t total, bool is_quiet);
// `note` goes behind the figures; NULL for none. Draws at most ten times a second on a terminal,
// every two seconds elsewhere.
void progress_update(struct progress *p, uint64_t done, const char *note);
void progress_end(struct progress *p, uint64_t done, const char *note);
