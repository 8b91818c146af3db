#include "control/registry/record.h"

#include <errno.h>
#include <string.h>

#include "base/bytes.h"

// ---- Cursors

// The place for n octets, or NULL and the writer has failed.
static uint8_t *writer_take(struct record_writer *w, size_t n)
{
	uint8_t *at = w->at;

	if (w->failed || (size_t)(w->end - w->at) < n) {
		w->failed = true;
		return NULL;
	}
	w->at += n;
	return at;
}

void record_put(struct record_writer *w, const void *octets, size_t n)
{
	uint8_t *at = writer_take(w, n);

	if (at && n > 0)
		memcpy(at, octets, n);
}

void record_put8(struct record_writer *w, uint8_t v)
{
	record_put(w, &v, 1);
}

void record_put16(struct record_writer *w, uint16_t v)
{
	uint8_t *at = writer_take(w, 2);

	if (at)
		store16_be(at, v);
}

void record_put32(struct record_writer *w, uint32_t v)
{
	uint8_t *at = writer_take(w, 4);

	if (at)
		store32_be(at, v);
}

void record_put64(struct record_writer *w, uint64_t v)
{
	uint8_t *at = writer_take(w, 8);

	if (at)
		store64_be(at, v);
}

void record_put_text(struct record_writer *w, const char *text, size_t len)
{
	w->failed |= len > UINT16_MAX;
	record_put16(w, (uint16_t)len);
	record_put(w, text, len);
}

size_t record_written(const struct record_writer *w, const void *start)
{
	return w->failed ? 0 : (size_t)(w->at - (const uint8_t *)start);
}

const uint8_t *record_skip(struct record_reader *r, size_t n)
{
	const uint8_t *at = r->at;

	if (r->failed || (size_t)(r->end - r->at) < n) {
		r->failed = true;
		return NULL;
	}
	r->at += n;
	return at;
}

void record_get(struct record_reader *r, void *octets, size_t n)
{
	const uint8_t *at = record_skip(r, n);

	if (at && n > 0)
		memcpy(octets, at, n);
	else
		memset(octets, 0, n);
}

uint8_t record_get8(struct record_reader *r)
{
	const uint8_t *at = record_skip(r, 1);

	return at ? *at : 0;
}

uint16_t record_get16(struct record_reader *r)
{
	const uint8_t *at = record_skip(r, 2);

	return at ? load16_be(at) : 0;
}

uint32_t record_get32(struct record_reader *r)
{
	const uint8_t *at = record_skip(r, 4);

	return at ? load32_be(at) : 0;
}

uint64_t record_get64(struct record_reader *r)
{
	const uint8_t *at = record_skip(r, 8);

	return at ? load64_be(at) : 0;
}

size_t record_get_text(struct record_reader *r, char *to, size_t max)
{
	size_t len = record_get16(r);
	const uint8_t *at;

	to[0] = 0;
	r->failed |= len > max;
	at = record_skip(r, len);
	if (!at)
		return 0;
	if (memchr(at, 0, len)) {
		r->failed = true;
		return 0;
	}
	memcpy(to, at, len);
	to[len] = 0;
	return len;
}

bool record_is_end(const struct record_reader *r)
{
	return !r->failed && r->at == r->end;
}

// ---- Keys

void record_handle_key(uint8_t key[4], uint32_t handle)
{
	store32_be(key, handle);
}

void record_member_key(uint8_t key[8], uint32_t group, uint32_t handle)
{
	store32_be(key, group);
	store32_be(key + 4, handle);
}

// ---- Values

enum { VERSION = 1, AF_SUSPENDED = 1, AF_TRUSTED = 2, AF_ALL = 4, AF_HOT = 8 };

static int end(const struct record_reader *r, uint8_t version)
{
	return version == VERSION && record_is_end(r) ? 0 : -EBADMSG;
}

size_t record_identity_write(uint8_t *to, const struct record_identity *identity)
{
	struct record_writer w = record_write(to, RECORD_IDENTITY_MAX);

	record_put8(&w, VERSION);
	record_put_text(&w, identity->supi, strlen(identity->supi));
	record_put_text(&w, identity->gpsi, strlen(identity->gpsi));
	record_put32(&w, identity->twin);
	return record_written(&w, to);
}

int record_identity_read(const void *value, size_t len, struct record_identity *identity)
{
	struct record_reader r = record_read(value, len);
	uint8_t version = record_get8(&r);

	record_get_text(&r, identity->supi, DP_IDENTITY_MAX);
	record_get_text(&r, identity->gpsi, DP_IDENTITY_MAX);
	identity->twin = record_get32(&r);
	return end(&r, version);
}

size_t record_context_write(uint8_t *to, const struct record_context *context)
{
	struct record_writer w = record_write(to, RECORD_CONTEXT_MAX);

	record_put8(&w, VERSION);
	record_put64(&w, context->stamp);
	record_put32(&w, context->expiry);
	record_put(&w, context->kakma, sizeof(context->kakma));
	record_put_text(&w, context->akid, strlen(context->akid));
	return record_written(&w, to);
}

int record_context_read(const void *value, size_t len, struct record_context *context)
{
	struct record_reader r = record_read(value, len);
	uint8_t version = record_get8(&r);

	context->stamp = record_get64(&r);
	context->expiry = record_get32(&r);
	record_get(&r, context->kakma, sizeof(context->kakma));
	record_get_text(&r, context->akid, RECORD_AKID_MAX);
	return end(&r, version);
}

size_t record_address_write(uint8_t *to, const struct dp_address *address)
{
	struct record_writer w = record_write(to, RECORD_ADDRESS_MAX);

	record_put8(&w, VERSION);
	record_put(&w, address->ip, sizeof(address->ip));
	record_put16(&w, address->port);
	return record_written(&w, to);
}

int record_address_read(const void *value, size_t len, struct dp_address *address)
{
	struct record_reader r = record_read(value, len);
	uint8_t version = record_get8(&r);

	record_get(&r, address->ip, sizeof(address->ip));
	address->port = record_get16(&r);
	return end(&r, version);
}

size_t record_af_write(uint8_t *to, const struct af *af)
{
	struct record_writer w = record_write(to, RECORD_AF_MAX);

	record_put8(&w, VERSION);
	record_put32(&w, af->index);
	record_put8(&w,
		    (uint8_t)((af->suspended ? AF_SUSPENDED : 0) | (af->trusted ? AF_TRUSTED : 0) |
			      (af->all_ues ? AF_ALL : 0) | (af->hot ? AF_HOT : 0)));
	record_put64(&w, af->rate);
	record_put32(&w, af->push_rate);
	record_put64(&w, af->quota);
	record_put32(&w, af->targets_max);
	record_put32(&w, af->payload_max);
	record_put_text(&w, af->description, strlen(af->description));
	record_put32(&w, af->n_groups);
	for (unsigned i = 0; i < af->n_groups; i++)
		record_put32(&w, af->groups[i]);
	return record_written(&w, to);
}

int record_af_read(const void *value, size_t len, struct af *af)
{
	struct record_reader r = record_read(value, len);
	uint8_t version = record_get8(&r), flags;

	af->index = record_get32(&r);
	flags = record_get8(&r);
	af->suspended = flags & AF_SUSPENDED;
	af->trusted = flags & AF_TRUSTED;
	af->all_ues = flags & AF_ALL;
	af->hot = flags & AF_HOT;
	af->rate = record_get64(&r);
	af->push_rate = record_get32(&r);
	af->quota = record_get64(&r);
	af->targets_max = record_get32(&r);
	af->payload_max = record_get32(&r);
	record_get_text(&r, af->description, AF_DESCRIPTION_MAX);
	af->n_groups = record_get32(&r);
	if (af->n_groups > AF_GROUPS_MAX)
		return -EBADMSG;
	for (unsigned i = 0; i < af->n_groups; i++)
		af->groups[i] = record_get32(&r);
	return end(&r, version);
}

size_t record_group_write(uint8_t *to, const struct group *group)
{
	struct record_writer w = record_write(to, RECORD_GROUP_MAX);

	record_put8(&w, VERSION);
	record_put32(&w, group->number);
	record_put_text(&w, group->description, strlen(group->description));
	return record_written(&w, to);
}

int record_group_read(const void *value, size_t len, struct group *group)
{
	struct record_reader r = record_read(value, len);
	uint8_t version = record_get8(&r);

	group->number = record_get32(&r);
	record_get_text(&r, group->description, GROUP_DESCRIPTION_MAX);
	return end(&r, version);
}
