#pragma once
// akmapush-ue: a fleet of simulated UEs in one process. UE i of the fleet is the subscriber
// from + i of the seed, at that subscriber's address, on top of libakmapush-ue.
//
// Workers share nothing but the book of deliveries and the registration number: a UE belongs to the
// worker that its address leads to. The main thread starts, watches, reports and ends them. UEs are
// made when their first datagram comes, unless asked otherwise.

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "tools/fleet/deliveries.h"
#include "tools/fleet/fleet_link.h"
#include "tools/histogram.h"
#include "tools/subscriber.h"
#include "ue/akmapush_ue.h"

enum { FLEET_THREADS_MAX = 64, FLEET_PUSH_FUNCTIONS_MAX = AKMAPUSH_UE_PUSH_FUNCTIONS_MAX };

struct fleet_options {
	uint64_t from, count, port, threads;
	struct subscriber_net net; // port is of it too
	bool clock_untrusted, warm;
	double lose, duplicate; // per cent
	uint64_t random;        // where their randomness starts
	uint64_t status;        // that the application answers
	uint64_t registration;  // at start
	uint64_t list_max, segment_buffers, socket_buffer;
	const struct io_dpdk_config *dpdk; // the port in place of sockets, or NULL
};

// Counted by one worker, read by any thread.
#define FLEET_COUNTERS(X)                                                                          \
	X(datagrams, "datagrams received")                                                         \
	X(verified, "of these verified")                                                           \
	X(delivered, "deliveries to an application")                                               \
	X(delivered_again, "of these more than once")                                              \
	X(duplicates, "copies seen and answered again")                                            \
	X(acks, "acknowledgements sent")                                                           \
	X(acks_held, "acknowledgements not due yet")                                               \
	X(acks_failed, "acknowledgements the network refused")                                     \
	X(lost_datagrams, "datagrams lost on purpose")                                             \
	X(lost_acks, "acknowledgements lost on purpose")                                           \
	X(overflow, "datagrams lost for want of buffer")                                           \
	X(strangers, "datagrams for no UE of the fleet")                                           \
	X(made, "UEs made")                                                                        \
	X(failed, "failures of memory or crypto")

enum fleet_counter {
#define X(name, text) FLEET_##name,
	FLEET_COUNTERS(X)
#undef X
		FLEET_COUNTERS_CNT,
};

struct fleet_count {
	_Atomic uint64_t n;
};

struct fleet_worker {
	struct fleet *fleet;
	unsigned number;
	pthread_t thread;
	struct fleet_link *link;
	struct akmapush_ue_config config; // with a pool of its own
	uint64_t *pool_memory;
	uint64_t random;
	struct fleet_count counter[FLEET_COUNTERS_CNT];
	struct fleet_count outcome[AKMAPUSH_UE_OUTCOME_CNT];
	struct histogram latency; // ms from the push_id's time to delivery; read after the end
};

struct fleet {
	struct fleet_options options;
	struct subscribers subscribers;
	const struct akmapush_ue_crypto *crypto;
	struct akmapush_ue_af *afs;
	unsigned n_afs;
	struct deliveries deliveries;
	uint8_t *ues; // [count], `stride` octets each, made when needed
	size_t stride;
	uint32_t *registered; // [count] registration number + 1 that a UE has; 0: not made
	_Atomic uint32_t registration;
	atomic_bool is_over;
	const struct fleet_link_ops *links;
	struct fleet_worker workers[FLEET_THREADS_MAX];
};

// The fleet's options, subscribers, crypto and afs are filled in. Opens everything. 0 or -errno
// (said).
int fleet_open(struct fleet *fleet, uint64_t expect);
int fleet_start(struct fleet *fleet); // 0 or -errno
void fleet_stop(struct fleet *fleet); // returns when the workers have ended
void fleet_close(struct fleet *fleet);

// A UE with the keys of the current registration; NULL when crypto failed. Its worker only.
struct akmapush_ue *fleet_ue(struct fleet_worker *worker, uint64_t i,
			     const struct akmapush_ue_now *now);
struct akmapush_ue_now fleet_now(const struct fleet *fleet);

void *fleet_worker_run(void *worker);

static inline void fleet_add(struct fleet_count *c, uint64_t n)
{
	uint64_t v = atomic_load_explicit(&c->n, memory_order_relaxed);

	atomic_store_explicit(&c->n, v + n, memory_order_relaxed);
}

uint64_t fleet_sum(const struct fleet *fleet, enum fleet_counter counter);
uint64_t fleet_outcome_sum(const struct fleet *fleet, enum akmapush_ue_outcome outcome);

// Reports, to `file`: a JSON line of how it stands; the summary at the end, as JSON or as lines.
void fleet_report_line(struct fleet *fleet, FILE *file, double seconds);
void fleet_summary(struct fleet *fleet, FILE *file, bool json, double seconds);
