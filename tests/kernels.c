// Every SHA-256 kernel and every AEAD implementation that this CPU runs, against published answers,
// the scalar kernel and plain EVP calls. A plain program, so that it runs where Criterion does not:
// under an emulator of another CPU (tools/aarch64.ini).
//
// usage: kernels [NAME…]    names that must be among those that ran

#include <assert.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <string.h>

#include "crypto/hmac.h"
#include "tests/kit/gcm_message.h"
#include "tests/kit/gcm_nist.h"
#include "tests/kit/sha256_answers.h"
#include "tests/kit/sha256_tail.h"

enum {
	SHA256_LENGTH_MAX = 300,
	STATES_MAX = 3 * 32 + 1,
	SHIFTS = 8,
	MAC_STRIDE = 45,
	BURST_MAX = 70,
	FEW = 5, // more than a vector has lanes anywhere: a group of several vectors, and what is
		 // left
	GUARD = 0xa5,
	GUARD_LEN = 8,
};

static struct random random_source;

static bool report(const char *kind, const char *name, const char *test, bool good)
{
	printf("%s %s: %s: %s\n", kind, name, test, good ? "ok" : "WRONG");
	return good;
}

static bool wrong(const char *what, unsigned at)
{
	printf("  %s %u, seed %#" PRIx64 "\n", what, at, random_source.seed);
	return false;
}

// ---- SHA-256

static bool published_examples(const struct sha256_ops *sha)
{
	const unsigned first = sha256_examples_wrong(sha);

	return !first || wrong("example", first);
}

static bool published_macs(const struct sha256_ops *sha)
{
	const unsigned first = rfc4231_wrong(sha);

	return !first || wrong("case", first);
}

static bool digests(const struct sha256_ops *sha)
{
	uint8_t data[SHA256_LENGTH_MAX + SHIFTS], ours[SHA256_DIGEST], theirs[SHA256_DIGEST];

	random_fill(&random_source, data, sizeof(data));
	for (unsigned len = 0; len <= SHA256_LENGTH_MAX; len++) {
		const uint8_t *const at = data + len % SHIFTS;

		sha256(sha, at, len, ours);
		SHA256(at, len, theirs);
		if (memcmp(ours, theirs, sizeof(ours)))
			return wrong("octets", len);
	}
	return true;
}

// States with a guard behind the last; at an odd word, since no kernel may ask for alignment.
struct states {
	_Alignas(64) uint32_t shift;
	uint32_t at[STATES_MAX + 1][8];
};

static void states_fill(struct states *ours, struct states *scalar, unsigned n)
{
	memset(ours, GUARD, sizeof(*ours));
	random_fill(&random_source, ours->at, n * sizeof(ours->at[0]));
	*scalar = *ours;
}

static bool same_block(const struct sha256_ops *sha)
{
	const struct sha256_ops *const scalar = sha256_find("scalar");
	struct sha256_schedule schedule;
	struct states ours, theirs;
	uint8_t block[SHA256_BLOCK];

	for (unsigned n = 0; n <= 3 * sha->lanes + 1; n++) {
		random_fill(&random_source, block, sizeof(block));
		sha256_expand(&schedule, block);
		states_fill(&ours, &theirs, n);
		sha->compress_same(ours.at, &schedule, n);
		scalar->compress_same(theirs.at, &schedule, n);
		if (memcmp(&ours, &theirs, sizeof(ours)))
			return wrong("states", n);
	}
	return true;
}

static bool own_blocks(const struct sha256_ops *sha)
{
	const struct sha256_ops *const scalar = sha256_find("scalar");
	uint8_t data[STATES_MAX * SHA256_BLOCK + SHIFTS];
	struct states ours, theirs;

	random_fill(&random_source, data, sizeof(data));
	for (unsigned i = 0; i < (3 * sha->lanes + 2) * SHIFTS; i++) {
		const unsigned n = i / SHIFTS;
		const uint8_t(*const block)[SHA256_BLOCK] = (const void *)(data + i % SHIFTS);

		states_fill(&ours, &theirs, n);
		sha->compress_each(ours.at, block, n);
		scalar->compress_each(theirs.at, block, n);
		if (memcmp(&ours, &theirs, sizeof(ours)))
			return wrong("states", n);
	}
	return true;
}

// Halves of their own beside a half that all share: the blocks that both make.
static bool halves(const struct sha256_ops *sha)
{
	const struct sha256_ops *const scalar = sha256_find("scalar");
	uint8_t block[STATES_MAX][SHA256_BLOCK];
	uint32_t half[STATES_MAX][8], rest[8];
	struct states ours, theirs;
	struct sha256_tail tail;

	for (unsigned n = 0; n <= 3 * sha->lanes + 1; n++) {
		random_fill(&random_source, half, sizeof(half));
		random_fill(&random_source, rest, sizeof(rest));
		tail = tail_of(rest);
		for (unsigned i = 0; i < n; i++) {
			sha256_digest_write(block[i], half[i]);
			sha256_digest_write(block[i] + SHA256_BLOCK / 2, rest);
		}
		states_fill(&ours, &theirs, n);
		sha->compress_half(ours.at, (const uint32_t(*)[8])half, &tail, n);
		scalar->compress_each(theirs.at, (const uint8_t(*)[SHA256_BLOCK])block, n);
		if (memcmp(&ours, &theirs, sizeof(ours)))
			return wrong("states", n);
	}
	return true;
}

// MACs further apart than they are long, at odd addresses.
struct macs {
	uint8_t shift, at[STATES_MAX * MAC_STRIDE];
};

// Under pad states, under keys, and under MACs: what scalar makes out of the shapes.
static void macs_make(const struct sha256_ops *sha, const struct hmac_key *const pads[],
		      const uint8_t key[][HMAC_KEY], struct sha256_text text[2], unsigned n,
		      struct macs macs[3])
{
	memset(macs, GUARD, 3 * sizeof(macs[0]));
	hmac_blocks(sha, pads, text[0], n, macs[0].at, MAC_STRIDE);
	hmac_keys(sha, key, text[1], n, macs[1].at, MAC_STRIDE);
	hmac_chain(sha, pads, text[0], text[1], n, macs[2].at, MAC_STRIDE);
}

static bool whole_macs(const struct sha256_ops *sha)
{
	static struct macs ours[3], theirs[3];
	static struct hmac_message message[2];
	const struct sha256_ops *const scalar = sha256_find("scalar");
	uint8_t key[STATES_MAX][HMAC_KEY], data[2 * SHA256_BLOCK];
	struct hmac_key pads[STATES_MAX];
	const struct hmac_key *at[STATES_MAX];
	struct sha256_text text[2];

	random_fill(&random_source, key, sizeof(key));
	random_fill(&random_source, data, sizeof(data));
	hmac_key_init(scalar, (const uint8_t(*)[HMAC_KEY])key, STATES_MAX, pads);
	for (unsigned i = 0; i < STATES_MAX; i++)
		at[i] = &pads[i * 7 % STATES_MAX];
	for (unsigned k = 0; k < 2; k++) {
		hmac_message_init(&message[k], data, (k + 1) * 50);
		text[k] = hmac_text(&message[k]);
	}
	for (unsigned n = 0; n <= 3 * sha->lanes + 1; n++) {
		macs_make(sha, at, (const uint8_t(*)[HMAC_KEY])key, text, n, ours);
		macs_make(scalar, at, (const uint8_t(*)[HMAC_KEY])key, text, n, theirs);
		if (memcmp(ours, theirs, sizeof(ours)))
			return wrong("keys", n);
	}
	return true;
}

static bool check_sha256(const struct sha256_ops *sha)
{
	static const struct {
		const char *name;
		bool (*run)(const struct sha256_ops *sha);
	} tests[] = {
		{"NIST's examples", published_examples},
		{"RFC 4231", published_macs},
		{"every length as OpenSSL", digests},
		{"one block for all states as scalar", same_block},
		{"a block for each state as scalar", own_blocks},
		{"half a block for each state as scalar", halves},
		{"whole MACs as scalar", whole_macs},
	};
	bool good = true;

	assert(3 * sha->lanes + 1 <= STATES_MAX);
	for (unsigned i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
		good &= report("SHA-256", sha->name, tests[i].name, tests[i].run(sha));
	return good;
}

// ---- AES-GCM

struct burst {
	struct message message[BURST_MAX];
	struct aead_item item[BURST_MAX];
	uint8_t out[BURST_MAX][SHIFTS + SEALED_MAX + GUARD_LEN];
	uint8_t spoilt[SEALED_MAX];
	unsigned n;
};

static bool filled(const uint8_t *octets, size_t n, uint8_t value)
{
	for (size_t i = 0; i < n; i++) {
		if (octets[i] != value)
			return false;
	}
	return true;
}

static bool guarded(const uint8_t *octets)
{
	return filled(octets, GUARD_LEN, GUARD);
}

// Item i takes `in` to octets at any address; in place: from there.
static void item_set(struct burst *b, unsigned i, const uint8_t *in, unsigned in_len, bool in_place)
{
	uint8_t *const out = b->out[i] + i % SHIFTS;

	memset(b->out[i], GUARD, sizeof(b->out[i]));
	if (in_place)
		memcpy(out, in, in_len);
	b->item[i] = item_of(&b->message[i], in_place ? out : in, out);
}

static bool seals(const struct aead_ops *ops, struct aead *aead, unsigned key_len, struct burst *b,
		  bool in_place)
{
	for (unsigned i = 0; i < b->n; i++)
		item_set(b, i, b->message[i].text, b->message[i].len, in_place);
	ops->seal(aead, key_len, b->item, b->n);
	for (unsigned i = 0; i < b->n; i++) {
		const unsigned len = b->message[i].len + AEAD_TAG;

		if (memcmp(b->item[i].out, b->message[i].sealed, len) ||
		    !guarded(b->item[i].out + len))
			return wrong("sealed: octets", b->message[i].len);
	}
	return true;
}

static bool opened_well(const struct burst *b, unsigned i, bool spoilt, bool in_place)
{
	const struct aead_item *const item = &b->item[i];
	const unsigned len = b->message[i].len;

	if (item->ok == spoilt || !guarded(item->out + len + (in_place ? AEAD_TAG : 0)))
		return false;
	return spoilt ? filled(item->out, len, 0) : !memcmp(item->out, b->message[i].text, len);
}

// One message, `which`, has a bit of its tag turned and is refused alone; b->n: none.
static bool opens(const struct aead_ops *ops, struct aead *aead, unsigned key_len, struct burst *b,
		  unsigned which, bool in_place)
{
	for (unsigned i = 0; i < b->n; i++) {
		const struct message *const m = &b->message[i];
		const unsigned bit = random_next(&random_source) % (8 * AEAD_TAG);

		if (i == which) {
			memcpy(b->spoilt, m->sealed, m->len + AEAD_TAG);
			b->spoilt[m->len + bit / 8] ^= (uint8_t)(1 << bit % 8);
		}
		item_set(b, i, i == which ? b->spoilt : m->sealed, m->len + AEAD_TAG, in_place);
		b->item[i].ok = i == which;
	}
	ops->open_burst(aead, key_len, b->item, b->n);
	for (unsigned i = 0; i < b->n; i++) {
		if (!opened_well(b, i, i == which, in_place))
			return wrong(i == which ? "spoilt: octets" : "opened: octets",
				     b->message[i].len);
	}
	return true;
}

static bool passes(const struct aead_ops *ops, struct aead *aead, unsigned key_len, struct burst *b)
{
	const unsigned which = random_next(&random_source) % b->n;

	return seals(ops, aead, key_len, b, false) && seals(ops, aead, key_len, b, true) &&
	       opens(ops, aead, key_len, b, b->n, false) &&
	       opens(ops, aead, key_len, b, which, false) &&
	       opens(ops, aead, key_len, b, which, true);
}

static bool lengths(const struct aead_ops *ops, struct aead *aead, unsigned key_len)
{
	static struct burst b;

	for (unsigned len = 0; len <= AEAD_TEXT_MAX; len++) {
		for (unsigned i = 0; i < FEW; i++)
			message_make(&b.message[i], key_len, len, &random_source);
		b.n = FEW;
		if (!passes(ops, aead, key_len, &b))
			return false;
		b.n = 1;
		if (!passes(ops, aead, key_len, &b))
			return false;
	}
	return true;
}

// Of one length and of many.
static bool counts(const struct aead_ops *ops, struct aead *aead, unsigned key_len)
{
	static struct burst b;

	for (b.n = 1; b.n <= BURST_MAX; b.n++) {
		unsigned len = random_next(&random_source) % (AEAD_TEXT_MAX + 1);

		for (unsigned i = 0; i < b.n; i++) {
			if (b.n % 2)
				len = random_next(&random_source) % (AEAD_TEXT_MAX + 1);
			message_make(&b.message[i], key_len, len, &random_source);
		}
		if (!passes(ops, aead, key_len, &b))
			return wrong("messages", b.n);
	}
	return true;
}

static bool known_answers(const struct aead_ops *ops)
{
	const unsigned first = gcm_nist_wrong(ops);

	return !first || wrong("vector", first);
}

static bool check_aead(const struct aead_ops *ops)
{
	struct aead *const aead = ops->open(AEAD_AAD);
	bool good;

	assert(aead);
	good = report("AES-GCM", ops->name, "NIST's known answers", known_answers(ops));
	good &= report("AES-GCM", ops->name, "every length as EVP, AES-128",
		       lengths(ops, aead, 16));
	good &= report("AES-GCM", ops->name, "every length as EVP, AES-256",
		       lengths(ops, aead, 32));
	good &= report("AES-GCM", ops->name, "bursts of every count, AES-128",
		       counts(ops, aead, 16));
	good &= report("AES-GCM", ops->name, "bursts of every count, AES-256",
		       counts(ops, aead, 32));
	ops->close(aead);
	return good;
}

// ---- All of them

static bool not_here(const char *kind, const char *name)
{
	printf("%s %s: not run, this CPU does not have it\n", kind, name);
	return true;
}

int main(int argc, char **argv)
{
	bool good = true;

	random_source = random_start();
	for (unsigned i = 0; sha256_kernels[i]; i++) {
		const struct sha256_ops *const sha = sha256_kernels[i];

		good &= sha->usable() ? check_sha256(sha) : not_here("SHA-256", sha->name);
	}
	for (unsigned i = 0; aead_implementations[i]; i++) {
		const struct aead_ops *const ops = aead_implementations[i];

		good &= ops->usable() ? check_aead(ops) : not_here("AES-GCM", ops->name);
	}
	for (int i = 1; i < argc; i++) {
		if (!sha256_find(argv[i]) || !aead_find(argv[i]))
			good = report("kernels", argv[i], "wanted, as both", false);
	}
	return good ? 0 : 1;
}
