// A worker of the fleet: receive, open, deliver, acknowledge.
#include "base/bytes.h"
#include "base/clock.h"
#include "tools/fleet/fleet.h"
#include "tools/random.h"

enum { WAIT_MS = 500 };

static bool happens(struct fleet_worker *w, double per_cent)
{
	if (per_cent <= 0)
		return false;
	return (double)(random_next(&w->random) >> 11) * 0x1p-53 * 100 < per_cent;
}

static bool is_verified(enum akmapush_ue_outcome outcome)
{
	switch (outcome) {
	case AKMAPUSH_UE_DELIVERED:
	case AKMAPUSH_UE_SEGMENT:
	case AKMAPUSH_UE_DUPLICATE:
	case AKMAPUSH_UE_TOO_OLD:
	case AKMAPUSH_UE_OUT_OF_ORDER:
	case AKMAPUSH_UE_NO_BUFFER:
	case AKMAPUSH_UE_SUPERSEDED:
	case AKMAPUSH_UE_INCONSISTENT:
		return true;
	default:
		return false;
	}
}

// Time from the milliseconds that a push_id begins with (RFC 9562).
static void note_latency(struct fleet_worker *w, const uint8_t push_id[AKMAPUSH_UE_PUSH_ID])
{
	const uint64_t then = load64_be(push_id) >> 16, now = clock_unix_ms(&clock_system);

	histogram_add(&w->latency, now > then ? now - then : 0);
}

static void deliver(struct fleet_worker *w, struct akmapush_ue *ue, uint64_t i,
		    const struct akmapush_ue_push *push, const struct akmapush_ue_now *now)
{
	int r = deliveries_add(&w->fleet->deliveries, push->id.octets, push->id.af, i);

	fleet_add(&w->counter[FLEET_delivered], 1);
	note_latency(w, push->id.octets);
	if (r > 0)
		fleet_add(&w->counter[FLEET_delivered_again], 1);
	else if (r < 0)
		fleet_add(&w->counter[FLEET_failed], 1);
	if (w->fleet->options.status &&
	    akmapush_ue_answer(ue, &push->id, (uint8_t)w->fleet->options.status, NULL, 0, now))
		fleet_add(&w->counter[FLEET_failed], 1);
}

// One datagram; true when its ACK lies in its place.
static bool take(struct fleet_worker *w, struct fleet_datagram *in, uint64_t i,
		 const struct akmapush_ue_now *now)
{
	uint8_t scratch[AKMAPUSH_UE_SEGMENT_MAX];
	struct akmapush_ue *ue = fleet_ue(w, i, now);
	enum akmapush_ue_outcome outcome;
	struct akmapush_ue_push push;
	int32_t n;

	if (!ue) {
		fleet_add(&w->counter[FLEET_failed], 1);
		return false;
	}
	outcome = akmapush_ue_input(ue, in->octets, in->len, &in->peer, now, scratch, &push);
	fleet_add(&w->outcome[outcome], 1);
	if (is_verified(outcome))
		fleet_add(&w->counter[FLEET_verified], 1);
	if (outcome == AKMAPUSH_UE_DELIVERED)
		deliver(w, ue, i, &push, now);
	else if (outcome == AKMAPUSH_UE_DUPLICATE)
		fleet_add(&w->counter[FLEET_duplicates], 1);
	if (outcome > AKMAPUSH_UE_ANSWERED_LAST || outcome == AKMAPUSH_UE_SEGMENT)
		return false;
	n = akmapush_ue_ack(ue, &push.id, now, in->octets, AKMAPUSH_UE_ACK_MIN, &in->peer);
	if (n < 0)
		fleet_add(&w->counter[FLEET_acks_held], 1);
	in->len = n > 0 ? (uint32_t)n : 0;
	return n > 0;
}

// An ACK may be lost, or leave twice.
static unsigned copies(struct fleet_worker *w)
{
	if (happens(w, w->fleet->options.lose)) {
		fleet_add(&w->counter[FLEET_lost_acks], 1);
		return 0;
	}
	return happens(w, w->fleet->options.duplicate) ? FLEET_COPIES_MAX : 1;
}

// How often its answer leaves.
static unsigned take_one(struct fleet_worker *w, struct fleet_datagram *in,
			 const struct akmapush_ue_now *now)
{
	const struct fleet_options *o = &w->fleet->options;
	const int64_t subscriber = subscriber_at(&o->net, &in->ue);

	if (subscriber < (int64_t)o->from || (uint64_t)subscriber - o->from >= o->count) {
		fleet_add(&w->counter[FLEET_strangers], 1);
		return 0;
	}
	if (happens(w, o->lose)) {
		fleet_add(&w->counter[FLEET_lost_datagrams], 1);
		return 0;
	}
	return take(w, in, (uint64_t)subscriber - o->from, now) ? copies(w) : 0;
}

static void take_burst(struct fleet_worker *w, struct fleet_datagram *in, unsigned n)
{
	const struct akmapush_ue_now now = fleet_now(w->fleet);
	unsigned wanted = 0, sent;

	fleet_add(&w->counter[FLEET_datagrams], n);
	for (unsigned i = 0; i < n; i++) {
		in[i].copies = take_one(w, &in[i], &now);
		wanted += in[i].copies;
	}
	sent = w->fleet->links->answer(w->link, in, n);
	fleet_add(&w->counter[FLEET_acks], sent);
	fleet_add(&w->counter[FLEET_acks_failed], wanted - sent);
}

static void note_overflow(struct fleet_worker *w, bool is_end)
{
	fleet_add(&w->counter[FLEET_overflow], w->fleet->links->overflow(w->link, is_end));
}

static bool is_mine(const struct fleet_worker *w, uint64_t i)
{
	const struct fleet_options *o = &w->fleet->options;
	struct subscriber_address address;

	return subscriber_address(&o->net, o->from + i, &address) == 0 &&
	       fleet_worker_of(&o->net, (unsigned)o->threads, &address) == w->number;
}

// Makes this worker's UEs before the first datagram, so that their derivation is not in the way.
static void warm(struct fleet_worker *w)
{
	struct fleet *fleet = w->fleet;
	const struct akmapush_ue_now now = fleet_now(fleet);

	for (uint64_t i = 0; i < fleet->options.count && !atomic_load(&fleet->is_over); i++) {
		if (is_mine(w, i) && !fleet_ue(w, i, &now))
			fleet_add(&w->counter[FLEET_failed], 1);
	}
}

void *fleet_worker_run(void *arg)
{
	struct fleet_worker *w = arg;
	const struct fleet_link_ops *links = w->fleet->links;
	struct fleet_datagram in[FLEET_BURST];

	if (w->fleet->options.warm)
		warm(w);
	while (!atomic_load_explicit(&w->fleet->is_over, memory_order_relaxed)) {
		unsigned n = links->receive(w->link, in);

		if (n) {
			take_burst(w, in, n);
			continue;
		}
		note_overflow(w, false);
		links->wait(w->link, WAIT_MS);
	}
	note_overflow(w, true); // what came to nobody at the end
	return NULL;
}
