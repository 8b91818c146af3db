#include "dataplane/net/neighbour.h"

#include "base/bytes.h"

// A word: state (2 bits), version (14 bits), MAC (48 bits). Every change has a new version, so that
// a reader who finds the same word before and after he compared the address has read one entry: an
// address is stored with release behind its entry's new word, and loaded with acquire.
enum { STATE_SHIFT = 62, VERSION_SHIFT = 48, INDEX_BITS = 12 };

_Static_assert(NEIGHBOURS_MAX == 1 << INDEX_BITS, "home_of gives an index");

#define MAC_MASK ((1ull << VERSION_SHIFT) - 1)
// Of one who is ASKED and has no MAC: his address is being written.
#define MAC_IN_WORK  1
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
	return atomic_load_explicit(&n->ip[0], memory_order_acquire) == load64_be(ip) &&
	       atomic_load_explicit(&n->ip[1], memory_order_acquire) == load64_be(ip + 8);
}

static unsigned home_of(const uint8_t ip[16])
{
	const uint64_t mixed = (load64_be(ip) ^ load64_be(ip + 8)) * 0x9e3779b97f4a7c15;

	return (unsigned)(mixed >> (64 - INDEX_BITS)); // the only ones that all bits have a part in
}

// ---- Reading

enum neighbour_state neighbour_find(const struct neighbours *all, const uint8_t ip[16],
				    uint8_t mac[6])
{
	const unsigned home = home_of(ip);

	for (unsigned i = 0; i < NEIGHBOUR_PROBES; i++) {
		const struct neighbour *const n = &all->at[(home + i) % NEIGHBOURS_MAX];
		const uint64_t word = atomic_load_explicit(&n->word, memory_order_acquire);

		if (state_of(word) == NEIGHBOUR_NONE)
			return NEIGHBOUR_NONE;
		if (!is_at(n, ip))
			continue;
		if (atomic_load_explicit(&n->word, memory_order_relaxed) != word)
			return NEIGHBOUR_ASKED; // it is being written: look again
		if (state_of(word) == NEIGHBOUR_KNOWN)
			mac_store(mac, word);
		return state_of(word);
	}
	return NEIGHBOUR_NONE;
}

bool neighbour_read(const struct neighbours *all, unsigned at, struct neighbour_copy *copy)
{
	const struct neighbour *const n = &all->at[at];
	const uint64_t word = atomic_load_explicit(&n->word, memory_order_acquire);

	copy->state = state_of(word);
	store64_be(copy->ip, atomic_load_explicit(&n->ip[0], memory_order_acquire));
	store64_be(copy->ip + 8, atomic_load_explicit(&n->ip[1], memory_order_acquire));
	mac_store(copy->mac, word);
	if (copy->state == NEIGHBOUR_ASKED && (word & MAC_MASK) == MAC_IN_WORK)
		return false;
	return atomic_load_explicit(&n->word, memory_order_relaxed) == word;
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
	for (unsigned i = 0; i < NEIGHBOUR_PROBES; i++) {
		struct neighbour *const n = &all->at[(home + i) % NEIGHBOURS_MAX];

		if (state(n) == NEIGHBOUR_NONE)
			return room ? room : n;
		if (is_at(n, ip)) {
			*is_his = true;
			return n;
		}
		if (!room && state(n) == NEIGHBOUR_GONE && !n->is_kept)
			room = n;
	}
	return room;
}

// Readers of the old address find a word of the new version, or fail to find the address.
static void take(struct neighbour *n, const uint8_t ip[16])
{
	change(n, NEIGHBOUR_ASKED, MAC_IN_WORK);
	atomic_store_explicit(&n->ip[0], load64_be(ip), memory_order_release);
	atomic_store_explicit(&n->ip[1], load64_be(ip + 8), memory_order_release);
	change(n, NEIGHBOUR_ASKED, 0);
	n->is_static = n->is_kept = false;
}

static void due_at(struct neighbours *all, struct neighbour *n, uint64_t next_ns)
{
	n->next_ns = next_ns;
	if (next_ns < all->due_ns)
		all->due_ns = next_ns;
}

static void begin_to_ask(struct neighbours *all, struct neighbour *n, uint64_t now_ns)
{
	change(n, NEIGHBOUR_ASKED, 0);
	n->asks = 0;
	due_at(all, n, now_ns);
}

bool neighbour_add_static(struct neighbours *all, const uint8_t ip[16], const uint8_t mac[6])
{
	bool is_his;
	struct neighbour *const n = entry(all, ip, &is_his);

	if (!n)
		return false;
	if (!is_his)
		take(n, ip);
	n->is_static = true;
	n->next_ns = UINT64_MAX;
	change(n, NEIGHBOUR_KNOWN, mac_load(mac));
	return true;
}

static struct neighbour *want(struct neighbours *all, const uint8_t ip[16], uint64_t now_ns)
{
	bool is_his;
	struct neighbour *const n = entry(all, ip, &is_his);

	if (!n || (is_his && (state(n) != NEIGHBOUR_GONE || n->is_kept || now_ns < n->next_ns)))
		return n;
	if (!is_his)
		take(n, ip);
	begin_to_ask(all, n, now_ns);
	return n;
}

bool neighbour_want(struct neighbours *all, const uint8_t ip[16], uint64_t now_ns)
{
	return want(all, ip, now_ns);
}

bool neighbour_keep(struct neighbours *all, const uint8_t ip[16], uint64_t now_ns)
{
	struct neighbour *const n = want(all, ip, now_ns);

	if (!n)
		return false;
	n->is_kept = true;
	if (state(n) == NEIGHBOUR_GONE)
		due_at(all, n, now_ns);
	return true;
}

// Who says what is known already changes nothing that readers have in their caches.
void neighbour_learn(struct neighbours *all, const uint8_t ip[16], const uint8_t mac[6],
		     uint64_t now_ns)
{
	bool is_his;
	struct neighbour *const n = entry(all, ip, &is_his);
	uint64_t word;

	if (!is_his || n->is_static)
		return;
	word = atomic_load_explicit(&n->word, memory_order_relaxed);
	if (state_of(word) != NEIGHBOUR_KNOWN || (word & MAC_MASK) != mac_load(mac))
		change(n, NEIGHBOUR_KNOWN, mac_load(mac));
	n->asks = 0;
	due_at(all, n, now_ns + NEIGHBOUR_FRESH_NS);
}

void neighbour_doubt(struct neighbours *all, const uint8_t ip[16], uint64_t now_ns)
{
	bool is_his;
	struct neighbour *const n = entry(all, ip, &is_his);

	if (is_his && !n->is_static && state(n) == NEIGHBOUR_KNOWN)
		begin_to_ask(all, n, now_ns);
}

void neighbour_link_up(struct neighbours *all, uint64_t now_ns)
{
	for (struct neighbour *n = all->at; n < all->at + NEIGHBOURS_MAX; n++) {
		if (state(n) == NEIGHBOUR_NONE || n->is_static)
			continue;
		n->asks = 0;
		due_at(all, n, now_ns);
	}
}

static bool is_asked_for(const struct neighbour *n)
{
	return state(n) == NEIGHBOUR_ASKED || state(n) == NEIGHBOUR_KNOWN ||
	       (state(n) == NEIGHBOUR_GONE && n->is_kept);
}

// Whether he is to be asked (once more); else he is gone.
static bool ask(struct neighbours *all, struct neighbour *n, uint64_t now_ns)
{
	if (n->asks == NEIGHBOUR_ASKS && state(n) != NEIGHBOUR_GONE) {
		n->next_ns = now_ns + NEIGHBOUR_GONE_NS;
		change(n, NEIGHBOUR_GONE, 0);
	}
	if (!is_asked_for(n))
		return false;
	n->asks += n->asks < NEIGHBOUR_ASKS;
	due_at(all, n, now_ns + NEIGHBOUR_ASK_NS);
	return true;
}

const struct neighbour *neighbour_due(struct neighbours *all, unsigned *at, uint64_t now_ns)
{
	if (*at == 0 && now_ns < all->due_ns)
		*at = NEIGHBOURS_MAX;
	else if (*at == 0)
		all->due_ns = UINT64_MAX; // found anew by this walk
	while (*at < NEIGHBOURS_MAX) {
		struct neighbour *const n = &all->at[(*at)++];

		if (!is_asked_for(n))
			continue;
		if (now_ns < n->next_ns)
			due_at(all, n, n->next_ns);
		else if (ask(all, n, now_ns))
			return n;
	}
	return NULL;
}
