#pragma once
// The data plane's public face: all that the control plane knows of it.
//
// A UE is a handle (dense, from 0), given when any identity of it is first named and never taken
// back. The directory (identity → handle) belongs to the control thread. What a handle holds, its
// context (key, address), belongs to one worker, as does that handle's share of every running push;
// so control asks for changes by commands, which are queued per worker and applied between bursts,
// in the order given. A fence tells when all that went before it has been applied.
//
// A command that finds its queue full returns false and has done nothing: poll the events and come
// again. Between dp_open and dp_start there is no worker and commands apply at once: that is how
// the store is loaded. Control thread only, all of it.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dataplane/io/port.h"
#include "dataplane/reason.h"

struct clock;

#define DP_NONE UINT32_MAX // no handle, no place

enum {
	DP_WORKERS_MAX = 64,
	DP_UE_MAX = 1000000000,
	DP_BURST_MAX = 64,
	DP_SEGMENT_MAX = 1184, // octets of payload in a datagram
	DP_SEGMENTS_MAX = 16,
	DP_PAYLOAD_MAX = DP_SEGMENT_MAX * DP_SEGMENTS_MAX,
	DP_REPLY_MAX = 1184,
	DP_IDENTITY_MAX = 255, // octets
	DP_AF_MAX = 4096,      // AFs with a pace of their own
	DP_AF_HOT_MAX = 16,    // of them with their K_AFs in the cache
	DP_TRACED_MAX = 16,    // handles traced at a time
	DP_ERROR_MAX = 256,
	DP_PORTS_MAX = 8,
};

// ---- Life cycle

// May be changed while running (dp_tune); all of it is also in the configuration.
struct dp_tuning {
	unsigned burst;            // targets in a burst, 1..DP_BURST_MAX
	uint64_t rate;             // datagrams a second in all; 0: no limit
	uint32_t lap_pause_ms;     // pause after the first lap; >= 2500 outside of tests
	uint32_t lap_pause_max_ms; // to which it doubles
};

struct dp_config {
	unsigned n_workers; // 1..DP_WORKERS_MAX
	const char *cpus;   // where they run, a list (base/cpu_list.h), a CPU each; NULL: anywhere
	uint32_t ue_max;    // handles, 1..DP_UE_MAX
	uint32_t push_max;  // pushes running at a time
	const char *io;     // back end: "kernel", "sendmmsg", "uring", "dpdk", "mem"
	const char *sha256; // kernel by name; NULL: the best
	const char *aead;   // implementation by name; NULL: the best
	const char *source[2]; // addresses to send from, IPv4 and IPv6; NULL: any
	uint16_t port;         // of worker 0; worker i uses port + i; 0: any
	uint64_t kaf_cache;    // octets for K_AFs of hot AFs, of all workers; 0: none are kept
	struct dp_tuning tuning;
	const struct clock *clock;
	void *io_arg; // for the back end, at open: io_dpdk_config; tests give io_mem its network
	int event_fd; // an eventfd of control's loop: written when there are events to poll
};

struct dp;

// Returns 0, or -errno with what was wrong in error.
int dp_open(const struct dp_config *config, struct dp **dp, char error[DP_ERROR_MAX]);
int dp_start(struct dp *dp);  // the workers run, a thread each
void dp_stop(struct dp *dp);  // they have ended; nothing is sent any more
void dp_close(struct dp *dp); // after dp_stop; secrets are wiped

// Instead of dp_start, for tests that own the clock: one round of worker i; whether it did
// anything.
bool dp_turn(struct dp *dp, unsigned worker);

// Within the bounds above. False as for every command.
bool dp_tune(struct dp *dp, const struct dp_tuning *tuning);
void dp_tuning(const struct dp *dp, struct dp_tuning *tuning);
const char *dp_io_name(const struct dp *dp); // the back end chosen
const char *dp_sha256_name(const struct dp *dp);
const char *dp_aead_name(const struct dp *dp);
// In which pages the contexts are: "reserved" or "transparent", of 2 MiB, or "small".
const char *dp_pages(const struct dp *dp);
// Octets of payload in a datagram, at most: DP_SEGMENT_MAX, or what the back end's network leaves.
unsigned dp_segment_max(const struct dp *dp);
uint16_t dp_port(const struct dp *dp, unsigned worker); // the port bound

// ---- Directory: identities of subscribers

enum dp_identity { DP_SUPI, DP_GPSI, DP_AKID, DP_IDENTITIES };

// The handle an identity belongs to, or DP_NONE.
uint32_t dp_find(const struct dp *dp, enum dp_identity kind, const char *id, size_t len);
// A new handle without identities; DP_NONE when ue_max are given.
uint32_t dp_new(struct dp *dp);
uint32_t dp_handles(const struct dp *dp); // handles given: 0 .. dp_handles - 1
// At start: handles below n count as given.
int dp_set_handles(struct dp *dp, uint32_t n); // 0, -ENOSPC
// Gives the identity to the handle, in place of what it had of this kind. 0, -EEXIST when it
// belongs to another handle, -ENOSPC when the texts' memory is used up, -EINVAL when longer than
// 255.
int dp_bind(struct dp *dp, uint32_t handle, enum dp_identity kind, const char *id, size_t len);
void dp_unbind(struct dp *dp, uint32_t handle, enum dp_identity kind);
// The SUPI or GPSI of a handle, terminated; its length, 0 for none. A-KIDs are kept as digests.
size_t dp_identity(const struct dp *dp, uint32_t handle, enum dp_identity kind,
		   char id[DP_IDENTITY_MAX + 1]);
// The first 16 octets of SHA-256(A-KID); false without an A-KID.
bool dp_akid_digest(const struct dp *dp, uint32_t handle, uint8_t digest[16]);

// ---- Contexts

struct dp_address {
	uint8_t ip[16]; // IPv6, or IPv4 as ::ffff:a.b.c.d
	uint16_t port;
};

struct dp_context {
	bool has_key, has_address;
	uint32_t expiry; // of K_AFs from this key, Unix seconds
	struct dp_address address;
};

// Commands. A new key or address makes the UE's pending targets due at once.
bool dp_put_key(struct dp *dp, uint32_t handle, const uint8_t kakma[32], uint32_t expiry);
bool dp_del_key(struct dp *dp, uint32_t handle); // wiped
bool dp_put_address(struct dp *dp, uint32_t handle, const struct dp_address *address);
bool dp_del_address(struct dp *dp, uint32_t handle);

void dp_context(const struct dp *dp, uint32_t handle, struct dp_context *context);

// K_AF of one UE (TS 33.535 A.4) under the key that it has now. af_id: FQDN || Ua* id. Returns
// whether there is a key; its K_AFs end at *expiry, which may have passed. kaf is a secret.
bool dp_kaf(const struct dp *dp, uint32_t handle, const void *af_id, size_t af_id_len,
	    uint8_t kaf[32], uint32_t *expiry);

// ---- Pushes

// The target states of docs/specification.md, four bits each.
#define DP_STATES(X)                                                                               \
	X(PENDING)                                                                                 \
	X(SENT)                                                                                    \
	X(RECEIVED)                                                                                \
	X(DELIVERED)                                                                               \
	X(REFUSED)                                                                                 \
	X(TOO_OLD)                                                                                 \
	X(EXPIRED)                                                                                 \
	X(UNCONFIRMED)                                                                             \
	X(NO_CONTEXT)                                                                              \
	X(NO_ADDRESS)                                                                              \
	X(KEY_EXPIRED)                                                                             \
	X(NOT_ALLOWED)                                                                             \
	X(REPLACED)                                                                                \
	X(RECALLED)

enum dp_state {
#define X(name) DP_##name,
	DP_STATES(X)
#undef X
		DP_STATE_COUNT,
};
const char *dp_state_name(enum dp_state state);

// A push as accepted: nothing of it ever changes. All of it, the handles included, is copied.
struct dp_push_spec {
	uint8_t push_id[16];
	uint8_t secret[16]; // of the permutation behind `ref`
	uint8_t suite;      // 1, 2
	bool ack_wanted, ordered;
	uint32_t expiry; // Unix seconds
	const void *af_id;
	size_t af_id_len;
	unsigned af; // the AF's place among the paced ones, 0..DP_AF_MAX - 1
	const void *payload;
	size_t payload_len;      // 0..DP_PAYLOAD_MAX
	uint16_t segment_size;   // 1..DP_SEGMENT_MAX
	const uint32_t *handles; // ascending, each once
	uint32_t n_handles;      // >= 1
	// To go on after a restart: states as dp_push_states gave them, else NULL. Not sent: a
	// target whose state is final.
	const uint8_t *states;
};

struct dp_push; // in control's hands from dp_push_new to dp_push_free

// NULL with -errno in *error: -EINVAL (a rule above), -EMSGSIZE (more than 16 segments), -ENOMEM.
struct dp_push *dp_push_new(struct dp *dp, const struct dp_push_spec *spec, int *error);
// Before dp_push_start, after its DP_EVENT_DONE, or after dp_stop.
void dp_push_free(struct dp_push *push);

// Commands. After start the push runs until DP_EVENT_DONE, push_max of them at a time and no two of
// one push_id. Stop makes what is not final `state` (RECALLED, REPLACED, NOT_ALLOWED); a fence
// after it tells that no more datagram leaves.
bool dp_push_start(struct dp *dp, struct dp_push *push);
bool dp_push_stop(struct dp *dp, struct dp_push *push, enum dp_state state);
bool dp_af_rate(struct dp *dp, unsigned af, uint64_t rate); // datagrams a second; 0: no limit

// K_AFs of a hot AF are kept, as far as the cache has room: its next message to a UE costs two
// compressions instead of six. At most DP_AF_HOT_MAX AFs; one more is not hot. A command.
bool dp_af_hot(struct dp *dp, unsigned af, bool hot);
uint64_t dp_kaf_cache(const struct dp *dp); // octets of the cache; 0: there is none

// A target is known by its place in the list: 0 .. dp_push_places - 1. A place may be empty
// (DP_NONE). The places of a list are a function of its handles alone, whatever the workers.
uint32_t dp_places(const uint32_t *handles, uint32_t n_handles);
uint32_t dp_push_places(const struct dp_push *push);
uint32_t dp_push_handle(const struct dp_push *push, uint32_t place);
uint32_t dp_push_place(const struct dp_push *push, uint32_t handle); // or DP_NONE
// While it runs these are a moment's view.
enum dp_state dp_push_state(const struct dp_push *push, uint32_t place);
void dp_push_counts(const struct dp_push *push, uint64_t counts[DP_STATE_COUNT]);
uint64_t dp_push_sent(const struct dp_push *push); // datagrams, repetitions included
// Packed states, two places an octet (low nibble first); (places + 1) / 2 octets. To be stored: a
// target whose reply dp_poll has not given yet counts as SENT, so that a state that is final never
// comes before its reply.
void dp_push_states(const struct dp *dp, const struct dp_push *push, uint8_t *states);

// ---- Events: what workers tell control

enum dp_event_kind {
	DP_EVENT_FENCE, // token: all commands before the fence are applied by all workers
	DP_EVENT_DONE,  // push: every target is final and no worker knows the push any more
	DP_EVENT_REPLY, // push, place, status (1, 2), reply
};

struct dp_event {
	enum dp_event_kind kind;
	uint64_t token;
	struct dp_push *push;
	uint32_t place;
	uint8_t status;
	uint16_t reply_len;
	const uint8_t *reply; // until the next dp_poll
};

bool dp_fence(struct dp *dp, uint64_t token); // a command
// The next event, if any.
bool dp_poll(struct dp *dp, struct dp_event *event);

// ---- Traces: datagrams of single UEs, for an operator to look at

// A command. From here on, or no longer, the datagrams of this handle are copied: each handle once,
// at most DP_TRACED_MAX of them. What was copied before may still come afterwards.
bool dp_trace(struct dp *dp, uint32_t handle, bool on);

// A datagram as it is on the wire; what is sealed stays sealed.
struct dp_datagram {
	uint32_t handle;
	// REASON_SENT: the back end took it. Received, its ref leads to the handle: REASON_RX, its
	// tag verified, or why it was dropped; who sent it then is not known.
	enum reason reason;
	uint64_t time_ns; // of dp_config.clock, monotonic; of those sent just before
	uint16_t own_port;
	struct dp_address peer;
	uint16_t len;
	const uint8_t *octets; // until the next dp_poll_trace
};

// The next one, if any; those that found no room (REASON_TRACE_LOST) never come. event_fd is
// written when there are some.
bool dp_poll_trace(struct dp *dp, struct dp_datagram *datagram);

// ---- Counters

// Sums over the workers, by reason; worker DP_NONE: all.
void dp_counters(const struct dp *dp, unsigned worker, uint64_t counts[REASON_COUNT]);
unsigned dp_workers(const struct dp *dp);

// Ports that the back end has of its own, 0 for sockets. A port's counters are summed as above.
unsigned dp_ports(const struct dp *dp);
void dp_port_counters(const struct dp *dp, unsigned port, unsigned worker,
		      uint64_t counts[PORT_COUNT_COUNT]);
void dp_port_status(const struct dp *dp, unsigned port, struct port_status *status);
