#pragma once
// akmapush-bench: a bench compares variants of one thing. All of them run in one process, pinned,
// a short round each in turns, so that a busy neighbour slows all alike; figures are nanoseconds an
// operation over the rounds, and a ratio to the reference taken round by round. Compare ratios,
// never today's nanoseconds with yesterday's.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { BENCH_ROUNDS_MAX = 10000, BENCH_ROUNDS_MIN = 5, BENCH_VARIANTS_MAX = 16 };

struct bench_options {
	bool json;             // a line of JSON a variant, else a table
	unsigned rounds;       // 0: as many as `seconds` allow
	double seconds;        // no round begins after these
	unsigned payload;      // octets
	unsigned destinations; // of io
	unsigned ues;          // in the table of contexts
	const char *device;    // of dpdk, workers; NULL: one that takes all and does nothing
	const char *cpus;      // of the workers, a list; NULL: all
	const char *only;      // the variants whose names contain this; NULL: all
};

struct bench {
	const char *name;
	const char *help;
	int (*run)(const struct bench_options *options); // 0 or -errno, said why
};

extern const struct bench bench_io;
extern const struct bench bench_dpdk;    // where built: HAVE_DPDK
extern const struct bench bench_workers; // likewise
extern const struct bench bench_ack;
extern const struct bench bench_chain;
extern const struct bench bench_kaf;
extern const struct bench bench_seal;
extern const struct bench bench_open;
extern const struct bench bench_table;

// ---- Variants, in turns

struct bench_variant {
	const char *name;
	void *state;
	// One round; how many operations it did, 0 when it failed. *ns: the time they took.
	unsigned (*run)(void *state, uint64_t *ns);
	double ns[BENCH_ROUNDS_MAX]; // an operation; out
};

// After a round of each to warm up: rounds as the options want. The order is a new one in every
// round. Returns how many, 0 when a variant failed (said which).
unsigned bench_rounds(struct bench_variant *const variant[], unsigned n,
		      const struct bench_options *options);

// ---- Figures

struct bench_figures {
	double median, p10, min; // ns
	double rate;             // of the reference's rate, median over the rounds; 1: as fast
};

void bench_figures(struct bench_figures *figures, const struct bench_variant *variant,
		   const struct bench_variant *reference, unsigned rounds);

// Prints all variants; the first is the reference. `what` is the members of the JSON line that are
// the bench's own, as they stand there: "\"payload\":64".
void bench_print(const char *bench, const char *what, struct bench_variant *const variant[],
		 unsigned n, unsigned rounds, bool json);
