#include "dataplane/net/neighbour.h"

#include "base/bytes.h"

// A word: state (2 bits), version (14 bits), MAC (48 bits). Every change has a new version, so that
// a reader who finds the same word before and after he compared the address has read one entry.
enum { STATE_SHIFT = 62, VERSION_SHIFT = 48 };

#define MAC_MASK     ((1ull << VERSION_SHIFT) - 1)
#define VERSION_MASK ((1ull << STATE_SHIFT) - 1 - MAC_MASK)

static enum neighbour_state state_of(uint64_t word)
{
	return (enum neighbour_state)(word >> STATE_SHIFT);
}

static uint64_t mac_load(const uint8_t mac[6])
{
	return (uint64_t)load16_be(mac) << 32 | load32_be(mac + 2);
}

static void mac_store(uint8_t mac[6], uint64_t word)
{
	store16_be(mac, (uint16_t)(word >> 32));
	store32_be(mac + 2, (uint32_t)word);
}

void neighbour_ip(const struct neighbour *n, uint8_t ip[16])
{
	store64_be(ip, atomic_load_explicit(&n->ip[0], memory_order_relaxed));
	store64_be(ip + 8, atomic_load_explicit(&n->ip[1], memory_order_relaxed));
}

static bool is_at(const struct neighbour *n, const uint8_t ip[16])
{
	return atomic_load_explicit(&n->ip[0], memory_order_relaxed) == load64_be(ip) &&
	       atomic_load_explicit(&n->ip[1], memory_order_relaxed) == load64_be(ip + 8);
}

static unsigned home_of(const uint8_t ip[16])
{
	const uint64_t mixed = (load64_be(ip) ^ load64_be(ip + 8)) * 0x9e3779b97f4a7c15;

	return (unsigned)(mixed >> 40) % NEIGHBOURS_MAX;
}

// ---- Reading

enum neighbour_state neighbour_find(const struct neighbours *all, const uint8_t ip[16],
				    uint8_t mac[6])
{
	const unsigned home = home_of(ip);

	for (unsigned i = 0; i < NEIGHBOURS_MAX; i++) {
		const struct neighbour *const n = &all->at[(home + i) % NEIGHBOURS_MAX];
		const uint64_t word = atomic_load_explicit(&n->word, memory_order_acquire);

		if (state_of(word) == NEIGHBOUR_NONE)
			return NEIGHBOUR_NONE;
		if (!is_at(n, ip))
			continue;
		atomic_thread_fence(memory_order_acquire);
		if (atomic_load_explicit(&n->word, memory_order_relaxed) != word)
			return NEIGHBOUR_ASKED; // it is being written: look again
		if (state_of(word) == NEIGHBOUR_KNOWN)
			mac_store(mac, word);
		return state_of(word);
	}
	return NEIGHBOUR_NONE;
}

// ---- Writing

static void change(struct neighbour *n, enum neighbour_state state, uint64_t mac)
{
	const uint64_t before = atomic_load_explicit(&n->word, memory_order_relaxed);
	const uint64_t version = (before + (1ull << VERSION_SHIFT)) & VERSION_MASK;

	atomic_store_explicit(&n->word, (uint64_t)state << STATE_SHIFT | version | mac,
			      memory_order_release);
}

static enum neighbour_state state(const struct neighbour *n)
{
	return state_of(atomic_load_explicit(&n->word, memory_order_relaxed));
}

// His entry, or the one that a new one may take: an empty one, or that of somebody who is gone.
static struct neighbour *entry(struct neighbours *all, const uint8_t ip[16], bool *is_his)
{
	const unsigned home = home_of(ip);
	struct neighbour *room = NULL;

	*is_his = false;
	for (unsigned i = 0; i < NEIGHBOURS_MAX; i++) {
		struct neighbour *const n = &all->at[(home + i) % NEIGHBOURS_MAX];

		if (state(n) == NEIGHBOUR_NONE)
			return room ? room : n;
		if (is_at(n, ip)) {
			*is_his = true;
			return n;
		}
		if (!room && state(n) == NEIGHBOUR_GONE)
			room = n;
	}
	return room;
}

// Readers of the old address find a word of the new version, or fail to find the address.
static void take(struct neighbours *all, struct neighbour *n, const uint8_t ip[16])
{
	all->n += state(n) == NEIGHBOUR_NONE;
	change(n, NEIGHBOUR_ASKED, 0);
	atomic_thread_fence(memory_order_release);
	atomic_store_explicit(&n->ip[0], load64_be(ip), memory_order_relaxed);
	atomic_store_explicit(&n->ip[1], load64_be(ip + 8), memory_order_relaxed);
	change(n, NEIGHBOUR_ASKED, 0);
	n->asks = 0;
	n->is_static = false;
}

bool neighbour_add_static(struct neighbours *all, const uint8_t ip[16], const uint8_t mac[6])
{
	bool is_his;
	struct neighbour *const n = entry(all, ip, &is_his);

	if (!n)
		return false;
	if (!is_his)
		take(all, n, ip);
	n->is_static = true;
	n->next_ns = UINT64_MAX;
	change(n, NEIGHBOUR_KNOWN, mac_load(mac));
	return true;
}

bool neighbour_want(struct neighbours *all, const uint8_t ip[16], uint64_t now_ns)
{
	bool is_his;
	struct neighbour *const n = entry(all, ip, &is_his);

	if (!n)
		return false;
	if (is_his && (state(n) != NEIGHBOUR_GONE || now_ns < n->next_ns))
		return true;
	take(all, n, ip);
	n->next_ns = now_ns;
	return true;
}

void neighbour_learn(struct neighbours *all, const uint8_t ip[16], const uint8_t mac[6],
		     uint64_t now_ns)
{
	bool is_his;
	struct neighbour *const n = entry(all, ip, &is_his);

	if (!is_his || n->is_static)
		return;
	n->asks = 0;
	n->next_ns = now_ns + NEIGHBOUR_FRESH_NS;
	change(n, NEIGHBOUR_KNOWN, mac_load(mac));
}

// Whether he is to be asked (once more); else he is gone.
static bool ask(struct neighbour *n, uint64_t now_ns)
{
	if (n->asks < NEIGHBOUR_ASKS) {
		n->asks++;
		n->next_ns = now_ns + NEIGHBOUR_ASK_NS;
		return true;
	}
	n->next_ns = now_ns + NEIGHBOUR_GONE_NS;
	change(n, NEIGHBOUR_GONE, 0);
	return false;
}

const struct neighbour *neighbour_due(struct neighbours *all, unsigned *at, uint64_t now_ns)
{
	while (*at < NEIGHBOURS_MAX) {
		struct neighbour *const n = &all->at[(*at)++];

		if (state(n) != NEIGHBOUR_ASKED && state(n) != NEIGHBOUR_KNOWN)
			continue;
		if (n->next_ns <= now_ns && ask(n, now_ns))
			return n;
	}
	return NULL;
}
