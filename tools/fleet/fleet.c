// Life of the fleet: memory, links, threads.
#include "tools/fleet/fleet.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/bytes.h"
#include "base/clock.h"

enum { PAYLOAD_MAX = AKMAPUSH_UE_PAYLOAD_MAX };

struct akmapush_ue_now fleet_now(const struct fleet *fleet)
{
	return (struct akmapush_ue_now){
		.ms = clock_mono_ns(&clock_system) / 1000000,
		.unix_s = clock_unix_s(&clock_system),
		.trusted = !fleet->options.clock_untrusted,
	};
}

unsigned fleet_worker_of(const struct subscriber_net *net, unsigned threads,
			 const struct subscriber_address *ue)
{
	const uint32_t end = load32_be(ue->ip + 12);

	return (net->per_port == 1 ? (uint32_t)(ue->port - net->port) : end) % threads;
}

// Gives the UE the keys of its latest authentications: the current and the one before are all that
// it can hold.
static int authenticate(struct fleet *fleet, struct akmapush_ue *ue, uint64_t i, uint32_t to,
			const struct akmapush_ue_now *now)
{
	uint8_t kausf[AKMA_KEY];
	char supi[SUBSCRIBER_SUPI];
	uint32_t from = fleet->registered[i]; // the first number that is new to it
	int r = 0;

	if (from < to && to - from > 1)
		from = to - 1;
	subscriber_supi(fleet->options.from + i, supi);
	for (uint32_t number = from; number <= to && r == 0; number++) {
		subscriber_kausf(&fleet->subscribers, fleet->options.from + i, number, kausf);
		r = akmapush_ue_set_kausf(ue, kausf, supi, now);
	}
	mem_wipe(kausf, sizeof(kausf));
	if (r == 0)
		fleet->registered[i] = to + 1;
	return r;
}

struct akmapush_ue *fleet_ue(struct fleet_worker *worker, uint64_t i,
			     const struct akmapush_ue_now *now)
{
	struct fleet *fleet = worker->fleet;
	uint32_t to = atomic_load_explicit(&fleet->registration, memory_order_relaxed);
	void *memory = fleet->ues + i * fleet->stride;

	if (fleet->registered[i] == to + 1)
		return memory;
	if (fleet->registered[i] == 0) {
		if (!akmapush_ue_init(memory, fleet->stride, &worker->config))
			return NULL;
		fleet_add(&worker->counter[FLEET_made], 1);
		// As if it had been there all the time: with the authentication before, too.
		fleet->registered[i] = to > fleet->options.registration ? to - 1 : to;
	}
	return authenticate(fleet, memory, i, to, now) ? NULL : memory;
}

static int worker_memory(struct fleet_worker *w)
{
	const struct fleet *fleet = w->fleet;
	const unsigned n = (unsigned)fleet->options.segment_buffers;
	const size_t size = n ? akmapush_ue_pool_size(n, PAYLOAD_MAX) : 0;

	w->pool_memory = size ? malloc(size) : NULL;
	if (size && !w->pool_memory)
		return -ENOMEM;
	w->random = fleet->options.random + w->number + 1;
	w->config = (struct akmapush_ue_config){
		.crypto = fleet->crypto,
		.afs = fleet->afs,
		.n_afs = (uint16_t)fleet->n_afs,
		.list_max = (uint8_t)fleet->options.list_max,
		.pool = size ? akmapush_ue_pool_init(w->pool_memory, size, n, PAYLOAD_MAX) : NULL,
	};
	return 0;
}

static int memory_open(struct fleet *fleet)
{
	const uint64_t count = fleet->options.count;
	void *ues;
	int r = 0;

	for (unsigned i = 0; i < fleet->options.threads && r == 0; i++) {
		fleet->workers[i].fleet = fleet;
		fleet->workers[i].number = i;
		r = worker_memory(&fleet->workers[i]);
	}
	if (r)
		return r;
	fleet->stride = akmapush_ue_size(&fleet->workers[0].config);
	if (fleet->stride == 0)
		return -EINVAL;
	// Pages come when UEs are made.
	ues = mmap(NULL, fleet->stride * count, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (ues == MAP_FAILED)
		return -ENOMEM;
	fleet->ues = ues;
	madvise(ues, fleet->stride * count, MADV_DONTDUMP);
	fleet->registered = calloc(count, sizeof(*fleet->registered));
	return fleet->registered ? 0 : -ENOMEM;
}

static int links_open(struct fleet *fleet)
{
	const struct fleet_options *o = &fleet->options;
	const struct fleet_link_config config = {
		.net = &o->net,
		.from = o->from,
		.count = o->count,
		.threads = (unsigned)o->threads,
		.buffer = o->socket_buffer,
		.port = o->dpdk,
	};
	struct fleet_link *link[FLEET_THREADS_MAX] = {0};
	int r;

	fleet->links = o->dpdk ? &fleet_port : &fleet_sockets;
	r = fleet->links->open(link, &config);
	for (unsigned i = 0; i < o->threads; i++)
		fleet->workers[i].link = link[i];
	return r;
}

int fleet_open(struct fleet *fleet, uint64_t expect)
{
	int r = deliveries_init(&fleet->deliveries, fleet->options.count, expect);

	if (r == 0)
		r = memory_open(fleet);
	if (r)
		fprintf(stderr, "akmapush-ue: %s\n", strerror(-r));
	return r ? r : links_open(fleet);
}

int fleet_start(struct fleet *fleet)
{
	for (unsigned i = 0; i < fleet->options.threads; i++) {
		int r = pthread_create(&fleet->workers[i].thread, NULL, fleet_worker_run,
				       &fleet->workers[i]);

		if (r)
			return -r;
	}
	return 0;
}

void fleet_stop(struct fleet *fleet)
{
	atomic_store(&fleet->is_over, true);
	for (unsigned i = 0; i < fleet->options.threads; i++)
		fleet->links->wake(fleet->workers[i].link);
	for (unsigned i = 0; i < fleet->options.threads; i++)
		pthread_join(fleet->workers[i].thread, NULL);
}

void fleet_close(struct fleet *fleet)
{
	for (uint64_t i = 0; fleet->registered && i < fleet->options.count; i++) {
		if (fleet->registered[i])
			akmapush_ue_fini((void *)(fleet->ues + i * fleet->stride));
	}
	for (unsigned i = 0; i < fleet->options.threads; i++) {
		if (fleet->workers[i].link)
			fleet->links->close(fleet->workers[i].link);
		free(fleet->workers[i].pool_memory);
	}
	if (fleet->ues)
		munmap(fleet->ues, fleet->stride * fleet->options.count);
	free(fleet->registered);
	deliveries_fini(&fleet->deliveries);
}

uint64_t fleet_sum(const struct fleet *fleet, enum fleet_counter counter)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < fleet->options.threads; i++)
		sum += atomic_load_explicit(&fleet->workers[i].counter[counter].n,
					    memory_order_relaxed);
	return sum;
}

uint64_t fleet_outcome_sum(const struct fleet *fleet, enum akmapush_ue_outcome outcome)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < fleet->options.threads; i++)
		sum += atomic_load_explicit(&fleet->workers[i].outcome[outcome].n,
					    memory_order_relaxed);
	return sum;
}
