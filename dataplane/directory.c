#include "dataplane/directory.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include "base/bytes.h"
#include "base/hash.h"

// A packed identity: form in the highest four bits; digits: their count and value; text: its unit.
enum { FORM_DIGITS = 1, FORM_TEXT = 2, DIGITS_MIN = 5, DIGITS_MAX = 15 };
enum { TEXT_UNITS = 4, TEXT_UNITS_MIN = 256 }; // of each UE, and besides

static const char *const digit_prefix[] = {[DP_SUPI] = "imsi-", [DP_GPSI] = "msisdn-"};

_Static_assert((uint64_t)DP_UE_MAX *TEXT_UNITS + TEXT_UNITS_MIN <= UINT32_MAX &&
		       (uint64_t)DP_UE_MAX * 4 / 3 <= 1ull << 31,
	       "units of texts and slots of an index are counted in 32 bits");

// ---- Texts

static unsigned text_class(size_t len)
{
	return (unsigned)(len / DIRECTORY_TEXT_UNIT); // units - 1 of the length octet and the text
}

static uint8_t *text_at(const struct texts *texts, uint32_t unit)
{
	return texts->base + (size_t)unit * DIRECTORY_TEXT_UNIT;
}

// The unit of a copy of the text, or -ENOSPC.
static int64_t text_put(struct texts *texts, const char *text, size_t len)
{
	unsigned class = text_class(len);
	uint32_t unit = texts->used;

	if (texts->free[class]) {
		unit = texts->free[class] - 1;
		memcpy(&texts->free[class], text_at(texts, unit), sizeof(uint32_t));
	} else if (texts->n_units - texts->used <= class) {
		return -ENOSPC;
	} else {
		texts->used += class + 1;
	}
	*text_at(texts, unit) = (uint8_t)len;
	memcpy(text_at(texts, unit) + 1, text, len);
	return unit;
}

static void text_del(struct texts *texts, uint32_t unit)
{
	unsigned class = text_class(*text_at(texts, unit));

	memcpy(text_at(texts, unit), &texts->free[class], sizeof(uint32_t));
	texts->free[class] = unit + 1;
}

// ---- Packed identities

// The packed form of an identity of digits, 0 for any other.
static uint64_t pack_digits(enum dp_identity kind, const char *id, size_t len)
{
	size_t prefix = strlen(digit_prefix[kind]);
	uint64_t value = 0;

	if (len < prefix + DIGITS_MIN || len > prefix + DIGITS_MAX ||
	    memcmp(id, digit_prefix[kind], prefix))
		return 0;
	for (size_t i = prefix; i < len; i++) {
		if (id[i] < '0' || id[i] > '9')
			return 0;
		value = value * 10 + (uint64_t)(id[i] - '0');
	}
	return (uint64_t)FORM_DIGITS << 60 | (uint64_t)(len - prefix) << 56 | value;
}

// The answer of every request for a key tells an identity: no format string here.
static size_t unpack_digits(enum dp_identity kind, uint64_t packed, char id[DP_IDENTITY_MAX + 1])
{
	const size_t prefix = strlen(digit_prefix[kind]), len = prefix + (packed >> 56 & 15);
	uint64_t value = packed & 0xffffffffffffff;

	memcpy(id, digit_prefix[kind], prefix);
	for (size_t i = len; i > prefix; i--, value /= 10)
		id[i - 1] = (char)('0' + value % 10);
	id[len] = 0;
	return len;
}

static size_t unpack(const struct directory *d, enum dp_identity kind, uint64_t packed,
		     char id[DP_IDENTITY_MAX + 1])
{
	const uint8_t *text;

	if (!packed) {
		id[0] = 0;
		return 0;
	}
	if (packed >> 60 == FORM_DIGITS)
		return unpack_digits(kind, packed, id);
	text = text_at(&d->texts, (uint32_t)packed);
	memcpy(id, text + 1, *text);
	id[*text] = 0;
	return *text;
}

// ---- The index

static uint32_t hash(const struct directory *d, const void *key, size_t len)
{
	return (uint32_t)hash64(key, len, d->seed);
}

static void akid_digest(const struct directory *d, const char *id, size_t len,
			uint8_t digest[DIRECTORY_DIGEST])
{
	uint8_t whole[SHA256_DIGEST];

	sha256(d->sha, id, len, whole);
	memcpy(digest, whole, DIRECTORY_DIGEST);
}

static bool has_akid(const struct subscriber *s)
{
	static const uint8_t none[DIRECTORY_DIGEST];

	return memcmp(s->akid, none, sizeof(none)) != 0;
}

static bool has_text(const struct directory *d, uint64_t packed, const char *id, size_t len)
{
	const uint8_t *text;

	if (packed >> 60 != FORM_TEXT)
		return false;
	text = text_at(&d->texts, (uint32_t)packed);
	return *text == len && !memcmp(text + 1, id, len);
}

// An identity as it is looked for.
struct wanted {
	enum dp_identity kind;
	const char *id;
	size_t len;
	uint64_t digits; // packed, when of digits
	uint8_t digest[DIRECTORY_DIGEST];
	uint32_t tag;
};

static void wanted_init(const struct directory *d, struct wanted *w, enum dp_identity kind,
			const char *id, size_t len)
{
	*w = (struct wanted){.kind = kind, .id = id, .len = len};
	if (kind == DP_AKID) {
		akid_digest(d, id, len, w->digest);
		w->tag = hash(d, w->digest, sizeof(w->digest));
		return;
	}
	w->digits = pack_digits(kind, id, len);
	w->tag = hash(d, id, len);
}

static bool is_wanted(const struct directory *d, const struct wanted *w, uint32_t handle)
{
	const struct subscriber *s = &d->subscribers[handle];

	if (w->kind == DP_AKID)
		return !memcmp(s->akid, w->digest, sizeof(w->digest));
	return w->digits ? s->text[w->kind] == w->digits
			 : has_text(d, s->text[w->kind], w->id, w->len);
}

static uint32_t slot_handle(uint64_t slot)
{
	return (uint32_t)slot - 1;
}

// The place of the wanted identity, or of the empty slot where it would go.
static uint32_t probe(const struct directory *d, const struct wanted *w)
{
	const struct index *index = &d->index[w->kind];
	uint32_t at = w->tag & index->mask;

	for (; index->slots[at]; at = (at + 1) & index->mask) {
		if (index->slots[at] >> 32 == w->tag &&
		    is_wanted(d, w, slot_handle(index->slots[at])))
			break;
	}
	return at;
}

// Empties a slot and moves back what had been pushed on by it.
static void index_del(struct index *index, uint32_t at)
{
	uint32_t next = at;

	for (;;) {
		uint32_t home;

		next = (next + 1) & index->mask;
		if (!index->slots[next])
			break;
		home = (uint32_t)(index->slots[next] >> 32) & index->mask;
		if (((next - home) & index->mask) < ((next - at) & index->mask))
			continue; // it stands between its home and the gap
		index->slots[at] = index->slots[next];
		at = next;
	}
	index->slots[at] = 0;
}

// ---- Public

static uint32_t slots_for(uint32_t max)
{
	uint64_t n = 64;

	while (n * 3 / 4 < max)
		n *= 2;
	return (uint32_t)n;
}

int directory_init(struct directory *d, const struct sha256_ops *sha, uint32_t max)
{
	const size_t slots = slots_for(max);
	const size_t text_octets =
		((size_t)max * TEXT_UNITS + TEXT_UNITS_MIN) * DIRECTORY_TEXT_UNIT;
	const size_t size = max * sizeof(struct subscriber) +
			    DP_IDENTITIES * slots * sizeof(uint64_t) + text_octets + 4096;
	int error;

	*d = (struct directory){.sha = sha, .max = max};
	if (getrandom(&d->seed, sizeof(d->seed), 0) != sizeof(d->seed))
		return -EIO;
	error = arena_init(&d->arena, size, ARENA_PAGES_HUGE);
	if (error)
		return error;
	d->subscribers = arena_take(&d->arena, max * sizeof(struct subscriber), 64);
	for (int kind = 0; kind < DP_IDENTITIES; kind++)
		d->index[kind] = (struct index){arena_take(&d->arena, slots * sizeof(uint64_t), 64),
						(uint32_t)slots - 1};
	d->texts.base = arena_take(&d->arena, text_octets, DIRECTORY_TEXT_UNIT);
	d->texts.n_units = (uint32_t)(text_octets / DIRECTORY_TEXT_UNIT);
	return 0;
}

void directory_fini(struct directory *d)
{
	arena_fini(&d->arena);
}

uint32_t directory_find(const struct directory *d, enum dp_identity kind, const char *id,
			size_t len)
{
	struct wanted w;
	uint64_t slot;

	if (len == 0 || len > DP_IDENTITY_MAX)
		return DP_NONE;
	wanted_init(d, &w, kind, id, len);
	slot = d->index[kind].slots[probe(d, &w)];
	return slot ? slot_handle(slot) : DP_NONE;
}

uint32_t directory_new(struct directory *d)
{
	return d->n < d->max ? d->n++ : DP_NONE;
}

// The packed form of a SUPI or GPSI, its text stored where it needs one; -ENOSPC.
static int pack(struct directory *d, const struct wanted *w, uint64_t *packed)
{
	int64_t unit;

	*packed = w->digits;
	if (w->digits || w->kind == DP_AKID)
		return 0;
	unit = text_put(&d->texts, w->id, w->len);
	if (unit < 0)
		return (int)unit;
	*packed = (uint64_t)FORM_TEXT << 60 | (uint64_t)unit;
	return 0;
}

int directory_bind(struct directory *d, uint32_t handle, enum dp_identity kind, const char *id,
		   size_t len)
{
	struct subscriber *s = &d->subscribers[handle];
	struct index *index = &d->index[kind];
	uint64_t slot, packed;
	struct wanted w;
	int error;

	assert(handle < d->n);
	if (len == 0 || len > DP_IDENTITY_MAX)
		return -EINVAL;
	wanted_init(d, &w, kind, id, len);
	slot = index->slots[probe(d, &w)];
	if (slot)
		return slot_handle(slot) == handle ? 0 : -EEXIST;
	error = pack(d, &w, &packed);
	if (error)
		return error;
	directory_unbind(d, handle, kind);
	if (kind == DP_AKID)
		memcpy(s->akid, w.digest, sizeof(s->akid));
	else
		s->text[kind] = packed;
	index->slots[probe(d, &w)] = (uint64_t)w.tag << 32 | (handle + 1);
	return 0;
}

// The tag under which a handle's identity stands; false when it has none of this kind.
static bool tag_of(const struct directory *d, uint32_t handle, enum dp_identity kind, uint32_t *tag)
{
	const struct subscriber *s = &d->subscribers[handle];
	char id[DP_IDENTITY_MAX + 1];
	size_t len;

	if (kind == DP_AKID) {
		*tag = hash(d, s->akid, sizeof(s->akid));
		return has_akid(s);
	}
	len = unpack(d, kind, s->text[kind], id);
	*tag = hash(d, id, len);
	return len != 0;
}

void directory_unbind(struct directory *d, uint32_t handle, enum dp_identity kind)
{
	struct subscriber *s = &d->subscribers[handle];
	struct index *index = &d->index[kind];
	uint32_t tag, at;

	assert(handle < d->n);
	if (!tag_of(d, handle, kind, &tag))
		return;
	at = tag & index->mask;
	while (slot_handle(index->slots[at]) != handle)
		at = (at + 1) & index->mask;
	index_del(index, at);
	if (kind == DP_AKID) {
		memset(s->akid, 0, sizeof(s->akid));
		return;
	}
	if (s->text[kind] >> 60 == FORM_TEXT)
		text_del(&d->texts, (uint32_t)s->text[kind]);
	s->text[kind] = 0;
}

size_t directory_identity(const struct directory *d, uint32_t handle, enum dp_identity kind,
			  char id[DP_IDENTITY_MAX + 1])
{
	assert(handle < d->n && kind != DP_AKID);
	return unpack(d, kind, d->subscribers[handle].text[kind], id);
}

bool directory_akid(const struct directory *d, uint32_t handle, uint8_t digest[DIRECTORY_DIGEST])
{
	assert(handle < d->n);
	memcpy(digest, d->subscribers[handle].akid, DIRECTORY_DIGEST);
	return has_akid(&d->subscribers[handle]);
}
