#include "bench/chains.h"

#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/cpu_list.h"
#include "bench/chain.h"

struct link {
	pthread_t thread;
	bool has_thread;
	struct chain *chain;
	struct chain_walk walk;
	sem_t go;
	sem_t *done; // all of them post it
	bool stop;   // with the next go
};

struct chains {
	sem_t done;
	unsigned n, messages; // of a thread in a round
	struct link link[];   // [n]
};

static void protect_all(struct link *l, unsigned messages)
{
	uint32_t made[2 * CHAIN_BURST];

	for (unsigned n = 0; n < messages; n += CHAIN_BURST)
		chain_protect(l->chain, &l->chain->protect,
			      chain_walk(&l->walk, &l->chain->table, CHAIN_BURST, made),
			      CHAIN_BURST);
}

static void *run(void *arg)
{
	struct link *const l = arg;

	for (;;) {
		while (sem_wait(&l->go))
			;
		if (l->stop)
			return NULL;
		protect_all(l, l->chain->table.ues);
		sem_post(l->done);
	}
}

static bool start(struct link *l, unsigned cpu)
{
	pthread_attr_t how;
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (pthread_attr_init(&how))
		return false;
	l->has_thread = !pthread_attr_setaffinity_np(&how, sizeof(set), &set) &&
			!pthread_create(&l->thread, &how, run, l);
	pthread_attr_destroy(&how);
	if (!l->has_thread)
		fprintf(stderr, "akmapush-bench: no thread on CPU %u\n", cpu);
	return l->has_thread;
}

struct chains *chains_open(const struct bench_options *options, const char *cpus, unsigned n)
{
	struct chains *const c = calloc(1, sizeof(*c) + n * sizeof(c->link[0]));
	struct bench_options part = *options;

	if (!c)
		return NULL;
	part.ues = options->destinations / n;
	if (part.ues < TABLE_UES_MIN)
		part.ues = TABLE_UES_MIN;
	c->n = n;
	sem_init(&c->done, 0, 0);
	for (unsigned i = 0; i < n; i++) {
		c->link[i].done = &c->done;
		c->link[i].walk.in_order = true;
		sem_init(&c->link[i].go, 0, 0);
		c->link[i].chain = chain_open(&part);
		if (!c->link[i].chain || !start(&c->link[i], cpu_list_at(cpus, i))) {
			chains_close(c);
			return NULL;
		}
	}
	c->messages = (part.ues + CHAIN_BURST - 1) / CHAIN_BURST * CHAIN_BURST;
	return c;
}

unsigned chains_run(struct chains *c, unsigned n, uint64_t *ns)
{
	const uint64_t from = clock_mono_ns(&clock_system);

	for (unsigned i = 0; i < n; i++)
		sem_post(&c->link[i].go);
	for (unsigned i = 0; i < n; i++) {
		while (sem_wait(&c->done))
			;
	}
	*ns = clock_mono_ns(&clock_system) - from;
	return n * c->messages;
}

static void end(struct link *l)
{
	if (l->has_thread) {
		l->stop = true;
		sem_post(&l->go);
		pthread_join(l->thread, NULL);
	}
	if (l->chain)
		chain_close(l->chain);
}

void chains_close(struct chains *c)
{
	for (unsigned i = 0; i < c->n; i++)
		end(&c->link[i]);
	free(c);
}
