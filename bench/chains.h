#pragma once
// The chain alone by several threads at once, each on a CPU and with UEs of its own: how far a
// machine scales when nothing is shared and nothing is sent. Bench thread only.

#include "bench/bench.h"

struct chains;

// n threads, on the first CPUs of the list, that share the UEs; NULL: said why.
struct chains *chains_open(const struct bench_options *options, const char *cpus, unsigned n);
void chains_close(struct chains *chains);

// A round of the first n of them: each protects a message for every UE of its own.
unsigned chains_run(struct chains *chains, unsigned n, uint64_t *ns);
