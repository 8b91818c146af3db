// The table of neighbours: lives of entries, a table without room, and a naive twin.

#include <criterion/criterion.h>

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "dataplane/net/neighbour.h"
#include "tests/kit/random.h"

#define S 1000000000ull

static struct neighbours all;

struct ip {
	uint8_t ip[16];
};

static struct ip ipv4(uint32_t address)
{
	struct ip ip = {{[10] = 0xff, [11] = 0xff}};

	store32_be(ip.ip + 12, address);
	return ip;
}

static struct ip ipv6(uint64_t high, uint64_t low)
{
	struct ip ip;

	store64_be(ip.ip, high);
	store64_be(ip.ip + 8, low);
	return ip;
}

static enum neighbour_state find(struct ip ip)
{
	uint8_t mac[6];

	return neighbour_find(&all, ip.ip, mac);
}

static bool want(struct ip ip, uint64_t now_ns)
{
	return neighbour_want(&all, ip.ip, now_ns);
}

static void learn(struct ip ip, const char mac[6], uint64_t now_ns)
{
	neighbour_learn(&all, ip.ip, (const uint8_t *)mac, now_ns);
}

static void check_mac(struct ip ip, const char wanted[6])
{
	uint8_t mac[6] = {0};

	cr_assert_eq(neighbour_find(&all, ip.ip, mac), NEIGHBOUR_KNOWN);
	cr_assert_arr_eq(mac, wanted, 6);
}

// How many are to be asked now; `last` is one of them.
static unsigned asked(uint64_t now_ns, struct ip *last)
{
	const struct neighbour *n;
	unsigned at = 0, count = 0;

	while ((n = neighbour_due(&all, &at, now_ns))) {
		neighbour_ip(n, last->ip);
		count++;
	}
	cr_assert_eq(at, NEIGHBOURS_MAX);
	cr_assert_null(neighbour_due(&all, &at, now_ns), "nobody behind the end");
	return count;
}

// Whether that one, and nobody else, is asked now.
static bool is_asked(struct ip ip, uint64_t now_ns)
{
	struct ip last = {0};
	const unsigned n = asked(now_ns, &last);

	cr_assert(!n || (n == 1 && !memcmp(last.ip, ip.ip, 16)), "%u were asked", n);
	return n;
}

static void ask_thrice(struct ip ip, uint64_t from_ns, enum neighbour_state while_asked)
{
	for (unsigned i = 0; i < NEIGHBOUR_ASKS; i++) {
		const uint64_t now_ns = from_ns + i * NEIGHBOUR_ASK_NS;

		cr_assert(!i || !is_asked(ip, now_ns - 1), "too early, %u", i);
		cr_assert(is_asked(ip, now_ns), "%u", i);
		cr_assert_not(is_asked(ip, now_ns), "twice, %u", i);
		cr_assert_eq(find(ip), while_asked);
	}
	from_ns += NEIGHBOUR_ASKS * NEIGHBOUR_ASK_NS;
	cr_assert_not(is_asked(ip, from_ns - 1));
	cr_assert_eq(find(ip), while_asked);
	cr_assert_not(is_asked(ip, from_ns));
	cr_assert_eq(find(ip), NEIGHBOUR_GONE);
}

// ---- Lives

Test(neighbour, asked_three_times_then_gone_then_asked_again)
{
	const struct ip ip = ipv4(0x0a000002);
	const uint64_t gone = 5 * S + NEIGHBOUR_ASKS * NEIGHBOUR_ASK_NS;

	cr_assert_eq(find(ip), NEIGHBOUR_NONE);
	cr_assert(want(ip, 5 * S));
	cr_assert_eq(find(ip), NEIGHBOUR_ASKED);
	cr_assert_not(is_asked(ip, 5 * S - 1));
	ask_thrice(ip, 5 * S, NEIGHBOUR_ASKED);

	cr_assert(want(ip, gone + NEIGHBOUR_GONE_NS - 1), "there, and left alone");
	cr_assert_eq(find(ip), NEIGHBOUR_GONE);
	cr_assert_not(is_asked(ip, gone + NEIGHBOUR_GONE_NS - 1));
	cr_assert(want(ip, gone + NEIGHBOUR_GONE_NS));
	ask_thrice(ip, gone + NEIGHBOUR_GONE_NS, NEIGHBOUR_ASKED);
	cr_assert_not(is_asked(ip, UINT64_MAX / 2), "who is gone is asked for when wanted");
}

Test(neighbour, wanting_again_asks_no_more)
{
	const struct ip ip = ipv6(0x20010db800000000, 2);

	cr_assert(want(ip, 0));
	cr_assert(is_asked(ip, 0));
	cr_assert(want(ip, S / 2));
	cr_assert_not(is_asked(ip, S / 2));
	cr_assert(is_asked(ip, S));
}

Test(neighbour, known_asked_again_and_known_until_he_fails)
{
	const struct ip ip = ipv6(0xfe80000000000000, 0x1234);

	want(ip, 0);
	is_asked(ip, 0);
	learn(ip, "\2\0\0\0\0\1", S / 4);
	check_mac(ip, "\2\0\0\0\0\1");
	cr_assert(want(ip, S));
	cr_assert_not(is_asked(ip, S / 4 + NEIGHBOUR_FRESH_NS - 1));
	cr_assert(is_asked(ip, S / 4 + NEIGHBOUR_FRESH_NS));
	check_mac(ip, "\2\0\0\0\0\1");
	learn(ip, "\2\0\0\0\0\1", 31 * S); // he answers
	cr_assert_not(is_asked(ip, 31 * S + NEIGHBOUR_FRESH_NS - 1));
	ask_thrice(ip, 31 * S + NEIGHBOUR_FRESH_NS, NEIGHBOUR_KNOWN);
}

// Who is said to have failed has three asks left, and may be back meanwhile.
Test(neighbour, doubted)
{
	const struct ip ip = ipv4(0x0a000003), stranger = ipv4(0x0a000004);

	want(ip, 0);
	neighbour_doubt(&all, ip.ip, 0);
	cr_assert(is_asked(ip, 0));
	neighbour_doubt(&all, ip.ip, 1); // he was not known: nothing to doubt
	cr_assert_not(is_asked(ip, S - 1));
	learn(ip, "\2\0\0\0\0\1", S);
	neighbour_doubt(&all, stranger.ip, 2 * S);
	cr_assert_not(is_asked(ip, 2 * S));
	check_mac(ip, "\2\0\0\0\0\1");
	neighbour_doubt(&all, ip.ip, 2 * S);
	cr_assert_eq(find(ip), NEIGHBOUR_ASKED);
	cr_assert(is_asked(ip, 2 * S));
	learn(ip, "\2\0\0\0\0\2", 2 * S + 1);
	check_mac(ip, "\2\0\0\0\0\2");
	neighbour_doubt(&all, ip.ip, 3 * S);
	ask_thrice(ip, 3 * S, NEIGHBOUR_ASKED);
	neighbour_doubt(&all, ip.ip, 7 * S);
	cr_assert_eq(find(ip), NEIGHBOUR_GONE);
	cr_assert_eq(find(stranger), NEIGHBOUR_NONE);
}

Test(neighbour, whoever_answers_is_believed)
{
	const struct ip ip = ipv4(0xc0a80001);

	want(ip, 0);
	learn(ip, "\2\0\0\0\0\1", 0);
	learn(ip, "\xfe\xff\xff\xff\xff\xff", 1);
	check_mac(ip, "\xfe\xff\xff\xff\xff\xff");
	learn(ip, "\0\0\0\0\0\2", 2);
	check_mac(ip, "\0\0\0\0\0\2");
}

// Readers hold the word in their caches.
Test(neighbour, nothing_new_changes_nothing)
{
	const struct ip ip = ipv4(0xc0a80001);
	const struct neighbour *n;
	unsigned at = 0;
	uint64_t word;

	want(ip, 0);
	n = neighbour_due(&all, &at, 0);
	learn(ip, "\2\0\0\0\0\1", 0);
	word = n->word;
	learn(ip, "\2\0\0\0\0\1", S);
	cr_assert_eq(n->word, word);
	learn(ip, "\2\0\0\0\0\2", S);
	learn(ip, "\2\0\0\0\0\1", S);
	cr_assert_neq(n->word, word, "a change and back is seen");
}

Test(neighbour, who_is_gone_and_speaks_is_back)
{
	const struct ip ip = ipv4(0xc0a80001);

	want(ip, 0);
	ask_thrice(ip, 0, NEIGHBOUR_ASKED);
	learn(ip, "\2\0\0\0\0\1", 4 * S);
	check_mac(ip, "\2\0\0\0\0\1");
	cr_assert_not(is_asked(ip, 4 * S + NEIGHBOUR_FRESH_NS - 1));
	ask_thrice(ip, 4 * S + NEIGHBOUR_FRESH_NS, NEIGHBOUR_KNOWN);
}

Test(neighbour, a_link_that_is_back)
{
	const struct ip gone = ipv4(1), known = ipv4(2), fixed = ipv4(3);
	struct ip last;

	cr_assert(want(gone, 0) && want(known, 0));
	cr_assert(neighbour_add_static(&all, fixed.ip, (const uint8_t *)"fixed!"));
	for (uint64_t t = 0; t <= 3; t++) {
		asked(t * S, &last);
		learn(known, "known!", t * S);
	}
	cr_assert_eq(find(gone), NEIGHBOUR_GONE);
	cr_assert(want(gone, 4 * S));
	cr_assert_eq(asked(4 * S, &last), 0, "he was asked long enough");
	neighbour_link_up(&all, 5 * S);
	cr_assert(is_asked(known, 5 * S), "who may be another now");
	check_mac(known, "known!");
	cr_assert_eq(find(gone), NEIGHBOUR_GONE, "nobody wants him");
	cr_assert(want(gone, 5 * S));
	cr_assert_eq(find(gone), NEIGHBOUR_ASKED);
	cr_assert(is_asked(gone, 5 * S));
	cr_assert_eq(asked(8 * S, &last), 2);
	check_mac(fixed, "fixed!");
}

Test(neighbour, a_link_that_is_back_while_one_is_asked)
{
	const struct ip ip = ipv4(1);

	cr_assert(want(ip, 0));
	cr_assert(is_asked(ip, 0) && is_asked(ip, S));
	neighbour_link_up(&all, S + 1);
	ask_thrice(ip, S + 1, NEIGHBOUR_ASKED);
}

Test(neighbour, strangers_are_not_learnt)
{
	learn(ipv4(0x0a000001), "\2\0\0\0\0\1", 0);
	cr_assert_eq(find(ipv4(0x0a000001)), NEIGHBOUR_NONE);
	want(ipv4(0x0a000002), 0);
	learn(ipv4(0x0a000001), "\2\0\0\0\0\1", 0);
	cr_assert_eq(find(ipv4(0x0a000001)), NEIGHBOUR_NONE);
	cr_assert_eq(find(ipv4(0x0a000002)), NEIGHBOUR_ASKED);
}

Test(neighbour, static_ones_never_change)
{
	const struct ip ip = ipv4(0x0a000001), wanted = ipv4(0x0a000002);
	const uint8_t mac[6] = {2, 0, 0, 0, 0, 9};
	struct ip last;

	cr_assert(neighbour_add_static(&all, ip.ip, mac));
	want(wanted, 0);
	cr_assert(neighbour_add_static(&all, wanted.ip, mac), "who was wanted becomes static");
	learn(ip, "\2\0\0\0\0\1", 0);
	neighbour_doubt(&all, ip.ip, 0);
	cr_assert(want(ip, 1));
	for (unsigned hours = 0; hours < 100; hours++)
		cr_assert_eq(asked(hours * 3600 * S, &last), 0);
	check_mac(ip, (const char *)mac);
	check_mac(wanted, (const char *)mac);
	cr_assert(neighbour_add_static(&all, ip.ip, (const uint8_t *)"\2\0\0\0\0\3"));
	check_mac(ip, "\2\0\0\0\0\3");
}

// ---- To show

// What the table's entry for an address says; each address has one.
static struct neighbour_copy copy_of(struct ip ip)
{
	struct neighbour_copy copy, found = {.state = NEIGHBOUR_NONE};
	unsigned n = 0;

	for (unsigned i = 0; i < NEIGHBOURS_MAX; i++) {
		cr_assert(neighbour_read(&all, i, &copy), "nobody writes");
		if (copy.state == NEIGHBOUR_NONE || memcmp(copy.ip, ip.ip, sizeof(copy.ip)))
			continue;
		found = copy;
		n++;
	}
	cr_assert_leq(n, 1);
	return found;
}

Test(neighbour, entries_are_read_by_their_places)
{
	const struct ip known = ipv6(0xfd00000000000000, 1), asked_for = ipv4(0x0a000002);
	const uint8_t mac[6] = {2, 0, 0, 0xab, 0xcd, 9};
	struct neighbour_copy copy;

	cr_assert_eq(copy_of(known).state, NEIGHBOUR_NONE);
	want(known, 0);
	want(asked_for, 0);
	cr_assert_eq(copy_of(known).state, NEIGHBOUR_ASKED);
	neighbour_learn(&all, known.ip, mac, 0);
	copy = copy_of(known);
	cr_assert_eq(copy.state, NEIGHBOUR_KNOWN);
	cr_assert_arr_eq(copy.mac, mac, 6);
	cr_assert_eq(copy_of(asked_for).state, NEIGHBOUR_ASKED);
	ask_thrice(asked_for, 0, NEIGHBOUR_ASKED);
	cr_assert_eq(copy_of(asked_for).state, NEIGHBOUR_GONE);
}

// ---- No room

static void everybody_goes(uint64_t from_ns)
{
	struct ip last;

	for (unsigned i = 0; i <= NEIGHBOUR_ASKS; i++)
		asked(from_ns + i * NEIGHBOUR_ASK_NS, &last);
}

// Random addresses of one family or the other, until one is refused; how many were not.
static unsigned fill(struct random *random, struct ip list[NEIGHBOURS_MAX], bool is_ipv6)
{
	for (unsigned n = 0;; n++) {
		const uint64_t low = random_next(random);
		const struct ip ip = is_ipv6 ? ipv6(0x20010db8000a0000, low) : ipv4((uint32_t)low);

		if (!want(ip, 0))
			return n;
		cr_assert_lt(n, NEIGHBOURS_MAX);
		list[n] = ip;
	}
}

Test(neighbour, half_fit_at_least)
{
	static struct ip list[NEIGHBOURS_MAX];
	struct random random = random_start();

	for (unsigned round = 0; round < 100; round++) {
		unsigned n;

		memset(&all, 0, sizeof(all));
		n = fill(&random, list, round & 1);
		cr_assert_gt(n, NEIGHBOURS_MAX / 2, "%u, seed %#" PRIx64, n, random.seed);
		for (unsigned i = 0; i < n; i++)
			cr_assert_eq(find(list[i]), NEIGHBOUR_ASKED);
	}
}

Test(neighbour, a_network_of_ipv4_fits)
{
	for (uint32_t i = 0; i < NEIGHBOURS_MAX * 2 / 3; i++)
		cr_assert(want(ipv4(0x0a010000 + i), 0), "%u", i);
	memset(&all, 0, sizeof(all));
	for (uint32_t i = 0; i < 256 * 8; i++) // an upper octet alone
		cr_assert(want(ipv6(0x20010db800000000, (uint64_t)i << 53), 0), "%u", i);
}

// 4096 entries in use: every place is a candidate of somebody, and nobody gets one.
static void fill_all(struct random *random)
{
	unsigned in_use = 0;

	for (unsigned i = 0; in_use < NEIGHBOURS_MAX; i++) {
		cr_assert_lt(i, 10000000, "%u in use", in_use);
		in_use += want(ipv6(1, random_next(random)), 0);
	}
}

Test(neighbour, a_full_table_refuses)
{
	struct random random = random_start();
	struct ip last;

	fill_all(&random);
	for (unsigned i = 0; i < 1000; i++) {
		const struct ip ip = ipv6(2, random_next(&random));

		cr_assert_not(want(ip, 0), "seed %#" PRIx64, random.seed);
		cr_assert_not(neighbour_keep(&all, ip.ip, 0));
		cr_assert_not(neighbour_add_static(&all, ip.ip, (const uint8_t *)"\2\0\0\0\0\1"));
		learn(ip, "\2\0\0\0\0\1", 0);
		cr_assert_eq(find(ip), NEIGHBOUR_NONE);
	}
	cr_assert_eq(asked(0, &last), NEIGHBOURS_MAX);
	cr_assert_eq(asked(S - 1, &last), 0);
	cr_assert_eq(asked(S, &last), NEIGHBOURS_MAX);
}

Test(neighbour, entries_of_those_gone_are_taken_over)
{
	const struct ip kept = ipv4(0x0a000001);
	struct random random = random_start();

	neighbour_keep(&all, kept.ip, 0);
	for (unsigned in_use = 1, i = 0; in_use < NEIGHBOURS_MAX && i < 10000000; i++)
		in_use += want(ipv6(1, random_next(&random)), 0);
	everybody_goes(0);
	for (unsigned i = 0; i < NEIGHBOURS_MAX / 2; i++) {
		const struct ip ip = ipv6(2, random_next(&random));

		cr_assert(want(ip, 4 * S), "%u, seed %#" PRIx64, i, random.seed);
		cr_assert_eq(find(ip), NEIGHBOUR_ASKED);
		learn(ip, "\2\0\0\0\0\1", 4 * S);
		check_mac(ip, "\2\0\0\0\0\1");
	}
	for (unsigned i = 0; i < 100000; i++)
		want(ipv6(3, random_next(&random)), 5 * S);
	cr_assert_eq(find(kept), NEIGHBOUR_GONE, "a gateway keeps its entry");
}

Test(neighbour, a_gateway_that_is_gone_is_asked_on)
{
	const struct ip ip = ipv4(0x0a000001);
	uint64_t now = 0;

	cr_assert(neighbour_keep(&all, ip.ip, now));
	for (; now < 3 * S; now += S)
		cr_assert(is_asked(ip, now));
	for (; now < 300 * S; now += S) {
		cr_assert(is_asked(ip, now));
		cr_assert_not(is_asked(ip, now + S - 1), "not twice a second");
		cr_assert_eq(find(ip), NEIGHBOUR_GONE);
		cr_assert(want(ip, now), "wanting changes nothing");
		cr_assert_eq(find(ip), NEIGHBOUR_GONE, "his datagrams are not held again");
	}
	learn(ip, "\2\0\0\0\0\1", now);
	check_mac(ip, "\2\0\0\0\0\1");
	cr_assert_not(is_asked(ip, now + NEIGHBOUR_FRESH_NS - 1));
	cr_assert(is_asked(ip, now + NEIGHBOUR_FRESH_NS));
	check_mac(ip, "\2\0\0\0\0\1");
}

// ---- Collisions

static unsigned place_of(struct ip ip)
{
	struct neighbours *const empty = calloc(1, sizeof(*empty));
	const struct neighbour *n;
	unsigned at = 0, place;

	neighbour_want(empty, ip.ip, 0);
	n = neighbour_due(empty, &at, 0);
	place = (unsigned)(n - empty->at);
	free(empty);
	return place;
}

// Halves that are alike cancel out: these addresses all point to one place.
static struct ip colliding(uint64_t i)
{
	return ipv6(0x20010db800000000 + i, (0x20010db800000000 + i) ^ 0xfedcba);
}

Test(neighbour, collisions_are_bounded)
{
	struct ip ip[NEIGHBOUR_PROBES];

	for (unsigned i = 0; i < NEIGHBOUR_PROBES; i++) {
		ip[i] = colliding(i);
		cr_assert_eq(place_of(ip[i]), place_of(ip[0]));
		cr_assert(want(ip[i], 0));
	}
	cr_assert_not(want(colliding(NEIGHBOUR_PROBES), 0));
	for (unsigned i = 0; i < NEIGHBOUR_PROBES; i++) {
		char mac[6] = {2, 0, 0, 0, 0, (char)i};

		cr_assert_eq(find(ip[i]), NEIGHBOUR_ASKED);
		learn(ip[i], mac, 0);
		check_mac(ip[i], mac);
	}
	cr_assert_eq(find(colliding(NEIGHBOUR_PROBES)), NEIGHBOUR_NONE);
	cr_assert(want(ipv4(0x0a000001), 0), "elsewhere there is room");
}

// ---- A naive twin

enum { PEOPLE = 40, STEPS = 200000 };

struct twin {
	enum neighbour_state state;
	uint8_t mac[6];
	uint64_t next_ns;
	unsigned asks;
	bool is_static, is_kept;
};

struct pair {
	struct random random;
	uint64_t now_ns;
	struct ip ip[PEOPLE];
	struct twin twin[PEOPLE];
};

static void twin_want(struct pair *p, unsigned who)
{
	struct twin *const t = &p->twin[who];

	if (t->state == NEIGHBOUR_ASKED || t->state == NEIGHBOUR_KNOWN ||
	    (t->state == NEIGHBOUR_GONE && (t->is_kept || p->now_ns < t->next_ns)))
		return;
	t->state = NEIGHBOUR_ASKED;
	t->asks = 0;
	t->next_ns = p->now_ns;
}

static void twin_learn(struct pair *p, unsigned who, const uint8_t mac[6])
{
	struct twin *const t = &p->twin[who];

	if (t->state == NEIGHBOUR_NONE || t->is_static)
		return;
	t->state = NEIGHBOUR_KNOWN;
	t->asks = 0;
	t->next_ns = p->now_ns + NEIGHBOUR_FRESH_NS;
	memcpy(t->mac, mac, 6);
}

static void twin_doubt(struct pair *p, unsigned who)
{
	struct twin *const t = &p->twin[who];

	if (t->state != NEIGHBOUR_KNOWN || t->is_static)
		return;
	t->state = NEIGHBOUR_ASKED;
	t->asks = 0;
	t->next_ns = p->now_ns;
}

// Whether he is asked now.
static bool twin_due(struct pair *p, unsigned who)
{
	struct twin *const t = &p->twin[who];

	if (t->is_static || t->state == NEIGHBOUR_NONE || p->now_ns < t->next_ns ||
	    (t->state == NEIGHBOUR_GONE && !t->is_kept))
		return false;
	if (t->asks < NEIGHBOUR_ASKS || t->is_kept) {
		if (t->asks == NEIGHBOUR_ASKS)
			t->state = NEIGHBOUR_GONE;
		t->asks += t->asks < NEIGHBOUR_ASKS;
		t->next_ns = p->now_ns + NEIGHBOUR_ASK_NS;
		return true;
	}
	t->state = NEIGHBOUR_GONE;
	t->next_ns = p->now_ns + NEIGHBOUR_GONE_NS;
	return false;
}

static void twin_keep(struct pair *p, unsigned who)
{
	struct twin *const t = &p->twin[who];

	twin_want(p, who);
	t->is_kept = true;
	if (t->state == NEIGHBOUR_GONE)
		t->next_ns = p->now_ns;
}

static void twin_link_up(struct pair *p)
{
	for (struct twin *t = p->twin; t < p->twin + PEOPLE; t++) {
		t->asks = 0;
		t->next_ns = p->now_ns;
	}
}

// Of who is gone and not kept the entry may have been taken over; then he is nobody. Nothing else
// may differ.
static void compare(struct pair *p)
{
	for (unsigned who = 0; who < PEOPLE; who++) {
		struct twin *const t = &p->twin[who];
		uint8_t mac[6];
		const enum neighbour_state found = neighbour_find(&all, p->ip[who].ip, mac);

		if (found == NEIGHBOUR_NONE && t->state == NEIGHBOUR_GONE && !t->is_kept)
			t->state = NEIGHBOUR_NONE;
		cr_assert_eq(found, t->state, "%u: %d, not %d, seed %#" PRIx64, who, found,
			     t->state, p->random.seed);
		if (found == NEIGHBOUR_KNOWN)
			cr_assert_arr_eq(mac, t->mac, 6);
	}
}

static void ask_all(struct pair *p)
{
	uint64_t wanted = 0, found = 0;
	const struct neighbour *n;
	unsigned at = 0, who;
	struct ip ip;

	while ((n = neighbour_due(&all, &at, p->now_ns))) {
		neighbour_ip(n, ip.ip);
		for (who = 0; memcmp(p->ip[who].ip, ip.ip, 16); who++)
			cr_assert_lt(who, PEOPLE - 1);
		cr_assert_not(found >> who & 1);
		found |= 1ull << who;
	}
	for (who = 0; who < PEOPLE; who++)
		wanted |= (uint64_t)twin_due(p, who) << who;
	cr_assert_eq(found, wanted, "%#" PRIx64 ", not %#" PRIx64 ", seed %#" PRIx64, found, wanted,
		     p->random.seed);
}

static void step(struct pair *p)
{
	const unsigned who = random_next(&p->random) % PEOPLE;
	uint8_t mac[6];

	store16_be(mac, 0x0200);
	store32_be(mac + 2, (uint32_t)random_next(&p->random) % 3);
	switch (random_next(&p->random) % 64) {
	case 0 ... 19:
		cr_assert(want(p->ip[who], p->now_ns));
		twin_want(p, who);
		break;
	case 20 ... 27:
		neighbour_learn(&all, p->ip[who].ip, mac, p->now_ns);
		twin_learn(p, who, mac);
		break;
	case 29 ... 31:
		neighbour_doubt(&all, p->ip[who].ip, p->now_ns);
		twin_doubt(p, who);
		break;
	case 28:
		if (who > PEOPLE / 4)
			break;
		cr_assert(neighbour_keep(&all, p->ip[who].ip, p->now_ns));
		twin_keep(p, who);
		break;
	case 32:
		if (random_next(&p->random) % 16)
			break;
		neighbour_link_up(&all, p->now_ns);
		twin_link_up(p);
		break;
	default:
		p->now_ns += random_next(&p->random) % (S / 4);
		ask_all(p);
	}
}

// Half of the addresses point to one place, so that chains and their ends are walked.
Test(neighbour, does_what_a_naive_twin_does, .timeout = 300)
{
	struct pair p = {.random = random_start()};

	for (unsigned who = 0; who < PEOPLE; who++)
		p.ip[who] = who & 1 ? colliding(who) : ipv4(0x0a000000 + who);
	for (unsigned who = 0; who < 4; who++) {
		cr_assert(neighbour_add_static(&all, p.ip[who].ip, (uint8_t *)"\2\0\0\0\0\7"));
		p.twin[who] = (struct twin){NEIGHBOUR_KNOWN, "\2\0\0\0\0\7", .is_static = true};
	}
	for (unsigned i = 0; i < STEPS; i++) {
		step(&p);
		compare(&p);
	}
}
