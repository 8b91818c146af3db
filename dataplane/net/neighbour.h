#pragma once
// Next hops of a port: the MAC of each address on its link (RFC 826, RFC 4861 in short). One thread
// writes, any number read without waiting. What is not known yet is asked for three times, a second
// apart; who does not answer counts as gone for a while; who is known is asked again from time to
// time, and stays known until he fails to answer.
//
// Whoever is on the link can say that he is somebody else, and is believed: so ARP and neighbour
// discovery are. Static entries do not listen.
//
// An entry is at most NEIGHBOUR_PROBES places from where its address's hash points, so that looking
// for an unknown address costs no more in a full table. A new one is refused when those places are
// in use: hardly before half of the table is, unless addresses were chosen to collide.

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum {
	NEIGHBOURS_MAX = 4096, // a power of two
	NEIGHBOUR_PROBES = 64,
	NEIGHBOUR_ASKS = 3,
};

#define NEIGHBOUR_ASK_NS   1000000000ull  // between two asks
#define NEIGHBOUR_FRESH_NS 30000000000ull // after an answer; then he is asked again
#define NEIGHBOUR_GONE_NS  20000000000ull // after the last ask without an answer

enum neighbour_state {
	NEIGHBOUR_NONE,
	NEIGHBOUR_ASKED,
	NEIGHBOUR_KNOWN,
	NEIGHBOUR_GONE,
};

struct neighbour {
	_Atomic uint64_t word;  // state, version, MAC: what readers trust
	_Atomic uint64_t ip[2]; // in host order
	// The writer's alone.
	uint64_t next_ns; // when something has to be done
	uint8_t asks;     // since the last answer
	bool is_static;
	bool is_kept;
};

// All zero: empty.
struct neighbours {
	uint64_t due_ns; // nobody is due before; the writer's
	struct neighbour at[NEIGHBOURS_MAX];
};

// Any thread. KNOWN with his MAC, else nothing in mac. An entry that is being changed counts as
// ASKED, or as not found: the caller looks again with his next datagram.
enum neighbour_state neighbour_find(const struct neighbours *all, const uint8_t ip[16],
				    uint8_t mac[6]);

// What an entry of the table says, to show to somebody.
struct neighbour_copy {
	enum neighbour_state state;
	uint8_t ip[16];
	uint8_t mac[6]; // when KNOWN
};

// Any thread. The entry at a place below NEIGHBOURS_MAX; state NONE: it is empty. False: it was
// being changed, and the copy is undefined.
bool neighbour_read(const struct neighbours *all, unsigned at, struct neighbour_copy *copy);

// ---- The writer's

// From now on he is known, for good. False: no room.
bool neighbour_add_static(struct neighbours *all, const uint8_t ip[16], const uint8_t mac[6]);
// Somebody needs him: asked for by the next neighbour_due, unless he is known, or has not been gone
// for NEIGHBOUR_GONE_NS. An entry of somebody gone is taken over when there is need. False: no
// room.
bool neighbour_want(struct neighbours *all, const uint8_t ip[16], uint64_t now_ns);
// Likewise, for a gateway: his entry is never taken over, and while he is gone he is asked on, once
// in NEIGHBOUR_ASK_NS, so that he is back as soon as he can be.
bool neighbour_keep(struct neighbours *all, const uint8_t ip[16], uint64_t now_ns);
// He has said who he is. Only those who were wanted are learnt (and those gone are back): strangers
// do not fill the table.
void neighbour_learn(struct neighbours *all, const uint8_t ip[16], const uint8_t mac[6],
		     uint64_t now_ns);
// What is known of him is said to be so no longer: he is asked again at once, with three asks to
// answer. Nothing changes for one who is not known, or static.
void neighbour_doubt(struct neighbours *all, const uint8_t ip[16], uint64_t now_ns);

// The link is back, and who is on it may have changed: all are asked anew, those gone as soon as
// they are wanted.
void neighbour_link_up(struct neighbours *all, uint64_t now_ns);

// One who is due to be asked now, or NULL; *at (0 at first) goes on from call to call, and is
// NEIGHBOURS_MAX with NULL. Those who did not answer become GONE on the way. Nothing is walked
// through while nobody is due.
const struct neighbour *neighbour_due(struct neighbours *all, unsigned *at, uint64_t now_ns);
void neighbour_ip(const struct neighbour *neighbour, uint8_t ip[16]);
