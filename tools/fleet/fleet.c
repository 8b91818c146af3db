// Life of the fleet: memory, sockets, threads.
#include "tools/fleet/fleet.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

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

unsigned fleet_worker_of(const struct fleet *fleet, uint64_t i)
{
	const uint64_t subscriber = fleet->options.from + i;
	struct subscriber_address address;

	if (fleet->options.net.family == SUBSCRIBER_V6)
		return (unsigned)(subscriber % fleet->options.threads);
	subscriber_address(&fleet->options.net, subscriber, &address);
	return (unsigned)(address.ipv4 % fleet->options.threads);
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

	w->in = fleet_burst_new();
	w->out = fleet_burst_new();
	w->acks = malloc(FLEET_BURST * sizeof(*w->acks));
	w->pool_memory = size ? malloc(size) : NULL;
	w->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (w->epoll < 0)
		return -errno;
	if (!w->in || !w->out || !w->acks || (size && !w->pool_memory))
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

static int worker_add_socket(struct fleet_worker *w, uint16_t port, unsigned share, bool is_last)
{
	struct epoll_event event = {.events = EPOLLIN, .data.u32 = w->n_sockets};
	struct fleet_socket *s = &w->sockets[w->n_sockets];
	int r = fleet_socket_open(s, w->fleet->options.net.family, port, share, is_last,
				  w->fleet->options.socket_buffer);

	if (r)
		return r;
	w->n_sockets++;
	return epoll_ctl(w->epoll, EPOLL_CTL_ADD, s->fd, &event) ? -errno : 0;
}

// Every thread listens on every port (IPv4), or each port is one thread's (IPv6).
static int sockets_open_port(struct fleet *fleet, uint16_t port)
{
	const unsigned threads = (unsigned)fleet->options.threads;
	int r = 0;

	if (fleet->options.net.family == SUBSCRIBER_V6)
		return worker_add_socket(&fleet->workers[(port - fleet->options.port) % threads],
					 port, 1, true);
	for (unsigned i = 0; i < threads && r == 0; i++)
		r = worker_add_socket(&fleet->workers[i], port, threads, i + 1 == threads);
	return r;
}

static int sockets_open(struct fleet *fleet)
{
	const struct fleet_options *o = &fleet->options;
	struct subscriber_address first, last;
	int r = 0;

	if (subscriber_address(&o->net, o->from, &first) ||
	    subscriber_address(&o->net, o->from + o->count - 1, &last))
		return -ERANGE;
	for (unsigned i = 0; i < o->threads; i++) {
		fleet->workers[i].sockets = calloc((size_t)(last.port - first.port) + 1,
						   sizeof(*fleet->workers[i].sockets));
		if (!fleet->workers[i].sockets)
			return -ENOMEM;
	}
	for (unsigned port = first.port; port <= last.port && r == 0; port++) {
		r = sockets_open_port(fleet, (uint16_t)port);
		if (r)
			fprintf(stderr, "UDP port %u: %s\n", port, strerror(-r));
	}
	return r;
}

static int wake_open(struct fleet *fleet)
{
	struct epoll_event event = {.events = EPOLLIN, .data.u32 = UINT32_MAX};

	fleet->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (fleet->wake < 0)
		return -errno;
	for (unsigned i = 0; i < fleet->options.threads; i++) {
		if (epoll_ctl(fleet->workers[i].epoll, EPOLL_CTL_ADD, fleet->wake, &event))
			return -errno;
	}
	return 0;
}

int fleet_open(struct fleet *fleet, uint64_t expect)
{
	int r = deliveries_init(&fleet->deliveries, fleet->options.count, expect);

	if (r == 0)
		r = memory_open(fleet);
	if (r == 0)
		r = wake_open(fleet);
	if (r == 0)
		r = sockets_open(fleet);
	if (r)
		fprintf(stderr, "akmapush-ue: %s\n", strerror(-r));
	return r;
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
	const uint64_t one = 1;

	atomic_store(&fleet->is_over, true);
	if (write(fleet->wake, &one, sizeof(one)) < 0)
		perror("eventfd");
	for (unsigned i = 0; i < fleet->options.threads; i++)
		pthread_join(fleet->workers[i].thread, NULL);
}

static void worker_close(struct fleet_worker *w)
{
	for (unsigned i = 0; i < w->n_sockets; i++)
		fleet_socket_close(&w->sockets[i]);
	free(w->sockets);
	fleet_burst_free(w->in);
	fleet_burst_free(w->out);
	free(w->acks);
	free(w->pool_memory);
	if (w->fleet)
		close(w->epoll);
}

void fleet_close(struct fleet *fleet)
{
	for (uint64_t i = 0; fleet->registered && i < fleet->options.count; i++) {
		if (fleet->registered[i])
			akmapush_ue_fini((void *)(fleet->ues + i * fleet->stride));
	}
	for (unsigned i = 0; i < fleet->options.threads; i++)
		worker_close(&fleet->workers[i]);
	if (fleet->ues)
		munmap(fleet->ues, fleet->stride * fleet->options.count);
	free(fleet->registered);
	deliveries_fini(&fleet->deliveries);
	close(fleet->wake);
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
