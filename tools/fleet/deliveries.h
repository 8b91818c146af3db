#pragma once
// The fleet's own book of what an application was given: for each push, which UEs. It knows nothing
// of how the UE library finds duplicates, and so shows when that ever lets one through. Grows with
// the pushes: a few octets for a push to one UE, a bit for each UE of the fleet otherwise. Any
// thread.

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

enum { DELIVERIES_PUSH_ID = 16 };

struct delivery {
	uint8_t push_id[DELIVERIES_PUSH_ID];
	uint16_t af;
	uint64_t first_ue;
	uint64_t *bits;    // NULL as long as first_ue is the only one
	uint64_t distinct; // UEs
	uint64_t again;    // deliveries beyond the first to one UE: never, that is
};

struct deliveries {
	pthread_mutex_t lock;
	uint64_t n_ues, expect;
	struct delivery *pushes; // [n], in the order of their first delivery
	uint32_t *table;         // [capacity * 2], open addressing, 0 is empty, else index + 1
	uint64_t n, capacity;
	uint64_t distinct, again; // of all pushes
	uint64_t complete;        // pushes that have reached `expect` UEs
};

// UEs are numbered 0..n_ues - 1. 0 or -ENOMEM.
int deliveries_init(struct deliveries *d, uint64_t n_ues, uint64_t expect);
void deliveries_fini(struct deliveries *d);

// One delivery. 0; 1 if this UE had this push already; -ENOMEM.
int deliveries_add(struct deliveries *d, const uint8_t push_id[DELIVERIES_PUSH_ID], uint16_t af,
		   uint64_t ue);

struct deliveries_sums {
	uint64_t pushes, distinct, again, complete;
};

struct deliveries_sums deliveries_sums(struct deliveries *d);
// The push of number i, 0 being the latest; false when there are not so many.
bool deliveries_latest(struct deliveries *d, uint64_t i, struct delivery *push);
