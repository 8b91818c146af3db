#include "control/push/push_record.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "control/registry/record.h"

enum { VERSION = 1, FLAG_ACK = 1, FLAG_ORDERED = 2 };

// ---- Parts of values

static void put_facts(struct record_writer *w, const struct push_facts *facts)
{
	record_put(w, facts->id, PUSH_ID);
	record_put_text(w, facts->fqdn, strlen(facts->fqdn));
	record_put64(w, facts->created_ms);
	record_put32(w, facts->expiry);
	record_put32(w, facts->n_targets);
	record_put32(w, facts->n_barred);
	record_put8(w, facts->suite);
	record_put8(w, (uint8_t)((facts->ack_wanted ? FLAG_ACK : 0) |
				 (facts->ordered ? FLAG_ORDERED : 0)));
	record_put16(w, facts->segment_size);
	record_put16(w, facts->payload_len);
}

static void get_facts(struct record_reader *r, struct push_facts *facts)
{
	uint8_t flags;

	record_get(r, facts->id, PUSH_ID);
	record_get_text(r, facts->fqdn, AKMA_FQDN_MAX);
	facts->created_ms = record_get64(r);
	facts->expiry = record_get32(r);
	facts->n_targets = record_get32(r);
	facts->n_barred = record_get32(r);
	facts->suite = record_get8(r);
	flags = record_get8(r);
	facts->ack_wanted = flags & FLAG_ACK;
	facts->ordered = flags & FLAG_ORDERED;
	facts->segment_size = record_get16(r);
	facts->payload_len = record_get16(r);
	r->failed |= !facts->n_targets || facts->n_barred > facts->n_targets ||
		     facts->payload_len > DP_PAYLOAD_MAX;
}

static void put_counts(struct record_writer *w, const struct push_counts *counts)
{
	for (unsigned state = 0; state < DP_STATE_COUNT; state++)
		record_put32(w, counts->of[state]);
	record_put64(w, counts->sent);
}

static void get_counts(struct record_reader *r, struct push_counts *counts)
{
	for (unsigned state = 0; state < DP_STATE_COUNT; state++)
		counts->of[state] = record_get32(r);
	counts->sent = record_get64(r);
}

static void put_octets(struct record_writer *w, const uint8_t *octets, size_t len)
{
	record_put32(w, (uint32_t)len);
	record_put(w, octets, len);
}

// NULL when there are none.
static const uint8_t *get_octets(struct record_reader *r, size_t *len)
{
	*len = record_get32(r);
	return *len ? record_skip(r, *len) : NULL;
}

// ---- Values

size_t push_live_write(uint8_t to[PUSH_LIVE_MAX], const struct push_live *live)
{
	struct record_writer w = record_write(to, PUSH_LIVE_MAX);

	record_put8(&w, VERSION);
	put_facts(&w, &live->facts);
	record_put(&w, live->secret, PUSH_SECRET);
	record_put(&w, live->payload, live->facts.payload_len);
	put_octets(&w, live->chunk, live->chunk_len);
	return record_written(&w, to);
}

int push_live_read(const void *value, size_t len, struct push_live *live)
{
	struct record_reader r = record_read(value, len);
	uint8_t version = record_get8(&r);

	get_facts(&r, &live->facts);
	record_get(&r, live->secret, PUSH_SECRET);
	live->payload = record_skip(&r, live->facts.payload_len);
	live->chunk = get_octets(&r, &live->chunk_len);
	return version == VERSION && record_is_end(&r) ? 0 : -EBADMSG;
}

size_t push_over_write(uint8_t to[PUSH_OVER_MAX], const struct push_over *over)
{
	struct record_writer w = record_write(to, PUSH_OVER_MAX);

	record_put8(&w, VERSION);
	put_facts(&w, &over->facts);
	put_counts(&w, &over->counts);
	record_put64(&w, over->ended_ms);
	record_put8(&w, over->has_replies);
	put_octets(&w, over->chunk, over->chunk_len);
	put_octets(&w, over->states, over->states_len);
	return record_written(&w, to);
}

int push_over_read(const void *value, size_t len, struct push_over *over)
{
	struct record_reader r = record_read(value, len);
	uint8_t version = record_get8(&r);

	get_facts(&r, &over->facts);
	get_counts(&r, &over->counts);
	over->ended_ms = record_get64(&r);
	over->has_replies = record_get8(&r);
	over->chunk = get_octets(&r, &over->chunk_len);
	over->states = get_octets(&r, &over->states_len);
	return version == VERSION && record_is_end(&r) ? 0 : -EBADMSG;
}

size_t push_counts_write(uint8_t to[PUSH_COUNTS_OCTETS], const struct push_counts *counts)
{
	struct record_writer w = record_write(to, PUSH_COUNTS_OCTETS);

	record_put8(&w, VERSION);
	put_counts(&w, counts);
	return record_written(&w, to);
}

int push_counts_read(const void *value, size_t len, struct push_counts *counts)
{
	struct record_reader r = record_read(value, len);
	uint8_t version = record_get8(&r);

	get_counts(&r, counts);
	return version == VERSION && record_is_end(&r) ? 0 : -EBADMSG;
}

// ---- Keys

static size_t put_inverted(uint8_t *to, const uint8_t id[PUSH_ID])
{
	for (unsigned i = 0; i < PUSH_ID; i++)
		to[i] = (uint8_t)~id[i];
	return PUSH_ID;
}

void push_key_id(uint8_t id[PUSH_ID], const uint8_t *key, size_t key_len)
{
	put_inverted(id, key + key_len - PUSH_ID);
}

size_t push_key_live(uint8_t *key, const uint8_t id[PUSH_ID])
{
	key[0] = 'L';
	memcpy(key + 1, id, PUSH_ID);
	return 1 + PUSH_ID;
}

size_t push_key_over(uint8_t *key, const uint8_t id[PUSH_ID])
{
	key[0] = 'O';
	return 1 + put_inverted(key + 1, id);
}

size_t push_key_af(uint8_t *key, const char *fqdn)
{
	size_t len = strlen(fqdn) + 1; // with the zero behind it

	key[0] = 'A';
	memcpy(key + 1, fqdn, len);
	return 1 + len;
}

size_t push_key_of_af(uint8_t *key, const char *fqdn, const uint8_t id[PUSH_ID])
{
	size_t len = push_key_af(key, fqdn);

	return len + put_inverted(key + len, id);
}

size_t push_key_ended(uint8_t *key, uint64_t ended_ms, const uint8_t id[PUSH_ID])
{
	key[0] = 'R';
	store32_be(key + 1, (uint32_t)(ended_ms / 1000));
	memcpy(key + 5, id, PUSH_ID);
	return 5 + PUSH_ID;
}

size_t push_key_target(uint8_t *key, const uint8_t id[PUSH_ID], uint32_t chunk)
{
	memcpy(key, id, PUSH_ID);
	store32_be(key + PUSH_ID, chunk);
	return PUSH_ID + 4;
}

size_t push_key_progress(uint8_t *key, const uint8_t id[PUSH_ID], char kind)
{
	memcpy(key, id, PUSH_ID);
	key[PUSH_ID] = (uint8_t)kind;
	return PUSH_ID + 1;
}

size_t push_key_states(uint8_t *key, const uint8_t id[PUSH_ID], char kind, uint32_t chunk)
{
	size_t len = push_key_progress(key, id, kind);

	store32_be(key + len, chunk);
	return len + 4;
}

size_t push_key_reply(uint8_t *key, const uint8_t id[PUSH_ID], uint32_t handle)
{
	return push_key_target(key, id, handle);
}

size_t push_key_last(char key[64 + AKMA_FQDN_MAX], const char *fqdn)
{
	return (size_t)snprintf(key, 64 + AKMA_FQDN_MAX, "push_id %s", fqdn);
}
