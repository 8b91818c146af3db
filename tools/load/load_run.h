#pragma once
// A job: n items that are each one request. load_run asks them all: closed loop, so many at a time
// and the next when one is answered; or open loop, item k at its time start + k / rate whether or
// not the server keeps up, its latency counted from that time. One thread.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "tools/h2.h"
#include "tools/histogram.h"

enum { LOAD_KEY = 80, LOAD_PATH = 320, LOAD_PROBLEMS_MAX = 8, LOAD_PROBLEM = 200 };

struct load_job {
	const char *what; // "register"
	uint64_t n;       // items
	double seconds;   // stop after so long; 0: no limit
	const char *method, *path, *content_type;
	bool is_upload; // few large requests: one connection, four at a time
	bool is_open;   // --rate goes for this job
	bool is_quiet;  // no progress
	size_t body_max;
	// Instead of `path`.
	void (*path_of)(void *arg, uint64_t item, char path[LOAD_PATH]);
	// Octets written, at most body_max; the same for an item whenever it is asked again. NULL:
	// no body.
	size_t (*write)(void *arg, uint64_t item, char *body);
	void (*key)(void *arg, uint64_t item, char key[LOAD_KEY]); // Idempotency-Key; may be NULL
	// What is wrong with an answer of 200 to 299: a static text, NULL for nothing. May be NULL.
	const char *(*check)(void *arg, uint64_t item, const struct h2_response *response);
	// A line for the file of what was acknowledged. May be NULL.
	void (*acknowledge)(void *arg, uint64_t item, FILE *file);
	void *arg;
};

struct load_problem {
	uint64_t n;
	char text[LOAD_PROBLEM];
};

struct load_result {
	const char *what;
	uint64_t wanted, asked, done, failed;
	uint64_t retried; // requests asked once more
	uint64_t started_ns, ended_ns;
	bool is_stopped;          // by a signal, a dead server or the timeout
	struct histogram latency; // ns, of all that were answered at last
	unsigned n_problems;
	struct load_problem problems[LOAD_PROBLEMS_MAX]; // the first kinds
};

// Asks all items. 0 or -errno when it could not start (said). What went wrong is in the result.
int load_run(const struct load_job *job, struct load_result *result);
bool load_good(const struct load_result *result); // everything wanted was done

void load_note(struct load_result *result, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

// Whether SIGINT or SIGTERM came.
bool load_interrupted(void);
