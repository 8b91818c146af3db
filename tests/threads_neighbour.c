// Neighbours read while they are written: 200 addresses that all want the same 64 places, so that
// entries are taken over all the time. Each has a MAC that tells whose it is: no reader ever finds
// another's. The moment in which one could is a few instructions long: what is shown is for the
// most part that ThreadSanitizer has nothing to say.

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "dataplane/net/neighbour.h"
#include "tests/kit/random.h"

enum { PEOPLE = 200, STEPS = 40000, WALK = 16, READERS = 2 };

struct reader {
	pthread_t thread;
	const struct neighbours *all;
	const atomic_bool *stop;
	uint64_t seed, known, shown, wrong;
};

// Halves that are alike cancel out in the hash.
static void ip_of(unsigned who, uint8_t ip[16])
{
	store64_be(ip, 0x20010db800000000 + who);
	store64_be(ip + 8, (0x20010db800000000 + who) ^ 0xfedcba);
}

// An entry shows one address, and the MAC of whose it is.
static bool is_whole(const struct neighbour_copy *copy)
{
	const uint64_t high = load64_be(copy->ip), low = load64_be(copy->ip + 8);
	const bool is_his =
		load16_be(copy->mac) == 0x0200 && load16_be(copy->mac + 4) == (high & 0xffff);

	return (high ^ low) == 0xfedcba && (copy->state != NEIGHBOUR_KNOWN || is_his);
}

static void read_places(struct reader *r)
{
	struct neighbour_copy copy;

	for (unsigned i = 0; i < NEIGHBOURS_MAX; i++) {
		if (!neighbour_read(r->all, i, &copy) || copy.state == NEIGHBOUR_NONE)
			continue;
		r->shown++;
		r->wrong += !is_whole(&copy);
	}
}

static void *read_all(void *arg)
{
	struct reader *const r = arg;
	struct random random = {.state = r->seed};
	uint8_t ip[16], mac[6];

	while (!atomic_load(r->stop) || !r->known || !r->shown) {
		const unsigned who = random_next(&random) % PEOPLE;

		if (who < PEOPLE / 8)
			read_places(r);
		ip_of(who, ip);
		if (neighbour_find(r->all, ip, mac) != NEIGHBOUR_KNOWN)
			continue;
		r->known++;
		r->wrong += load16_be(mac) != 0x0200 || load16_be(mac + 4) != who;
	}
	return NULL;
}

static void write_one(struct neighbours *all, struct random *random, uint64_t now_ns)
{
	const unsigned who = random_next(random) % PEOPLE;
	uint8_t ip[16], mac[6] = {2};
	unsigned at = 0;

	ip_of(who, ip);
	store16_be(mac + 2, (uint16_t)random_next(random));
	store16_be(mac + 4, (uint16_t)who);
	if (neighbour_want(all, ip, now_ns))
		neighbour_learn(all, ip, mac, now_ns);
	while (now_ns / NEIGHBOUR_ASK_NS % WALK == 0 && neighbour_due(all, &at, now_ns))
		;
}

int main(void)
{
	static struct neighbours all;
	struct random random = random_start();
	struct reader reader[READERS];
	atomic_bool stop = false;
	uint64_t known = 0, wrong = 0;

	for (unsigned i = 0; i < READERS; i++) {
		reader[i] = (struct reader){.all = &all, .stop = &stop, .seed = random.seed + i};
		pthread_create(&reader[i].thread, NULL, read_all, &reader[i]);
	}
	for (unsigned i = 0; i < STEPS; i++)
		write_one(&all, &random, i * NEIGHBOUR_ASK_NS);
	atomic_store(&stop, true);
	for (unsigned i = 0; i < READERS; i++) {
		pthread_join(reader[i].thread, NULL);
		known += reader[i].known;
		wrong += reader[i].wrong;
	}
	printf("%" PRIu64 " found, %" PRIu64 " of them another's, seed %#" PRIx64 "\n", known,
	       wrong, random.seed);
	return wrong != 0;
}
