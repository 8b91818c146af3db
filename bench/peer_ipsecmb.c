// Intel's ipsec-mb, as fast as it goes here: for each stage the manager (a set of instructions)
// that a short measurement at open finds fastest, because its own choice is not always that.
//
//   K_AF     HMAC jobs, a burst of them, from pad states
//   OKM      K_AF is new, and pad states come from its one-block function alone, which is twice as
//            slow as hashing key and message anew: two passes of whole SHA-256 jobs
//   AES-GCM  its direct functions, key set-up for every message; jobs are a tenth slower

#define NO_COMPAT_IMB_API_053 // its old names collide

#include <assert.h>
#include <intel-ipsec-mb.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "bench/peer_list.h"

enum {
	MANAGERS = 5,
	LENGTHS = 3, // classes of texts, each with a manager of its own for AES-GCM
	TRIALS = 30,
	IPAD = 0x36,
	OPAD = 0x5c,
	BLOCKS = 2 * SHA256_BLOCK,
};

static_assert(PEER_BURST_MAX <= IMB_MAX_BURST_SIZE, "a burst is one of the library's");

static const struct {
	const char *name;
	void (*init)(IMB_MGR *manager);
	uint64_t features, flags;
} managers[MANAGERS] = {
	{"sse", init_mb_mgr_sse, IMB_CPUFLAGS_SSE, 0},
	{"avx2", init_mb_mgr_avx2, IMB_CPUFLAGS_AVX2, 0},
	{"avx512", init_mb_mgr_avx512, IMB_CPUFLAGS_AVX512, 0},
	{"avx2 without SHA-NI", init_mb_mgr_avx2, IMB_CPUFLAGS_AVX2, IMB_FLAG_SHANI_OFF},
	{"avx512 without SHA-NI", init_mb_mgr_avx512, IMB_CPUFLAGS_AVX512, IMB_FLAG_SHANI_OFF},
};

static const unsigned text_max[LENGTHS] = {128, 512, AEAD_TEXT_MAX};
static const unsigned text_tried[LENGTHS] = {64, 256, 1024};

// Key and message as they are hashed: key ^ pad, then up to a block.
struct padded {
	uint8_t octets[BLOCKS];
};

struct peer {
	struct gcm_key_data gcm_key;
	struct gcm_context_data gcm_context;
	IMB_JOB job[PEER_BURST_MAX];
	struct padded inner[PEER_BURST_MAX], outer[PEER_BURST_MAX];
	IMB_MGR *manager[MANAGERS]; // NULL: not on this CPU
	IMB_MGR *mac, *digest, *gcm[LENGTHS];
};

// ---- Stages, by a manager

static void macs(struct peer *peer, IMB_MGR *manager, const struct hmac_key *const key[],
		 const uint8_t *data, unsigned len, unsigned n, uint8_t mac[][HMAC_MAC])
{
	for (unsigned i = 0; i < n; i++) {
		IMB_JOB *const job = &peer->job[i];

		job->src = data;
		job->msg_len_to_hash_in_bytes = len;
		job->auth_tag_output = mac[i];
		job->auth_tag_output_len_in_bytes = HMAC_MAC;
		job->u.HMAC._hashed_auth_key_xor_ipad = (const uint8_t *)key[i]->inner;
		job->u.HMAC._hashed_auth_key_xor_opad = (const uint8_t *)key[i]->outer;
		job->hash_alg = IMB_AUTH_HMAC_SHA_256;
	}
	n -= IMB_SUBMIT_HASH_BURST_NOCHECK(manager, peer->job, n, IMB_AUTH_HMAC_SHA_256);
	assert(n == 0);
}

static void digest_job(IMB_JOB *job, const uint8_t *data, unsigned len, uint8_t *digest)
{
	job->src = data;
	job->hash_start_src_offset_in_bytes = 0;
	job->msg_len_to_hash_in_bytes = len;
	job->msg_len_to_cipher_in_bytes = 0;
	job->auth_tag_output = digest;
	job->auth_tag_output_len_in_bytes = SHA256_DIGEST;
	job->hash_alg = IMB_AUTH_SHA_256;
	job->cipher_mode = IMB_CIPHER_NULL;
	job->cipher_direction = IMB_DIR_ENCRYPT;
	job->chain_order = IMB_ORDER_HASH_CIPHER;
}

// digest [n], `stride` octets apart.
static void digests(IMB_MGR *manager, const struct padded data[], unsigned len, unsigned n,
		    uint8_t *digest, size_t stride)
{
	unsigned left = n;

	for (unsigned i = 0; i < n; i++) {
		digest_job(IMB_GET_NEXT_JOB(manager), data[i].octets, len, digest + i * stride);
		for (IMB_JOB *job = IMB_SUBMIT_JOB_NOCHECK(manager); job;
		     job = IMB_GET_COMPLETED_JOB(manager))
			left--;
	}
	while (IMB_FLUSH_JOB(manager))
		left--;
	assert(left == 0);
}

static void gcm_expand(IMB_MGR *manager, unsigned key_len, const uint8_t *key,
		       struct gcm_key_data *expanded)
{
	if (key_len == 32)
		IMB_AES256_GCM_PRE(manager, key, expanded);
	else
		IMB_AES128_GCM_PRE(manager, key, expanded);
}

static void seals(struct peer *peer, IMB_MGR *manager, unsigned key_len, struct aead_item *item,
		  unsigned n)
{
	const aes_gcm_enc_dec_t enc = key_len == 32 ? manager->gcm256_enc : manager->gcm128_enc;

	for (unsigned i = 0; i < n; i++) {
		gcm_expand(manager, key_len, item[i].key, &peer->gcm_key);
		enc(&peer->gcm_key, &peer->gcm_context, item[i].out, item[i].in, item[i].len,
		    item[i].nonce, item[i].aad, AEAD_AAD, item[i].out + item[i].len, AEAD_TAG);
	}
}

static void opens(struct peer *peer, IMB_MGR *manager, unsigned key_len, struct aead_item *item,
		  unsigned n)
{
	const aes_gcm_enc_dec_t dec = key_len == 32 ? manager->gcm256_dec : manager->gcm128_dec;

	for (unsigned i = 0; i < n; i++) {
		uint8_t right[AEAD_TAG], tag[AEAD_TAG];

		memcpy(tag, item[i].in + item[i].len, AEAD_TAG);
		gcm_expand(manager, key_len, item[i].key, &peer->gcm_key);
		dec(&peer->gcm_key, &peer->gcm_context, item[i].out, item[i].in, item[i].len,
		    item[i].nonce, item[i].aad, AEAD_AAD, right, AEAD_TAG);
		item[i].ok = mem_equal_ct(right, tag, AEAD_TAG);
		if (!item[i].ok)
			mem_wipe(item[i].out, item[i].len);
	}
}

// ---- The fastest manager of a stage

struct trial {
	const struct hmac_key *key[PEER_BURST_MAX];
	uint8_t mac[PEER_BURST_MAX][HMAC_MAC];
	struct aead_item item[PEER_BURST_MAX];
	struct hmac_key zeros;
	uint8_t in[AEAD_TEXT_MAX], out[AEAD_TEXT_MAX + AEAD_TAG];
};

static void trial_init(struct trial *trial, unsigned text_len)
{
	for (unsigned i = 0; i < PEER_BURST_MAX; i++) {
		trial->key[i] = &trial->zeros;
		trial->item[i] = (struct aead_item){
			.key = trial->in,
			.aad = trial->in,
			.in = trial->in,
			.out = trial->out,
			.len = (uint16_t)text_len,
		};
	}
}

static void try_macs(struct peer *peer, IMB_MGR *manager, struct trial *trial)
{
	macs(peer, manager, trial->key, trial->in, 41, PEER_BURST_MAX, trial->mac);
}

static void try_digests(struct peer *peer, IMB_MGR *manager, struct trial *trial)
{
	digests(manager, peer->inner, 94, PEER_BURST_MAX, trial->mac[0], HMAC_MAC);
}

static void try_seals(struct peer *peer, IMB_MGR *manager, struct trial *trial)
{
	seals(peer, manager, 16, trial->item, PEER_BURST_MAX);
}

typedef void stage_fn(struct peer *peer, IMB_MGR *manager, struct trial *trial);

// In turns, the least counts.
static IMB_MGR *fastest(struct peer *peer, stage_fn *stage, struct trial *trial, const char *what)
{
	uint64_t least[MANAGERS] = {0};
	unsigned best = 0;

	for (unsigned t = 0; t < TRIALS * MANAGERS; t++) {
		const unsigned m = t % MANAGERS;
		const uint64_t start = clock_mono_ns(&clock_system);
		uint64_t ns;

		if (!peer->manager[m])
			continue;
		stage(peer, peer->manager[m], trial);
		ns = clock_mono_ns(&clock_system) - start;
		if (!least[m] || ns < least[m])
			least[m] = ns;
	}
	for (unsigned m = 1; m < MANAGERS; m++) {
		if (least[m] && (!least[best] || least[m] < least[best]))
			best = m;
	}
	fprintf(stderr, "akmapush-bench: ipsec-mb: %s: %s\n", what, managers[best].name);
	return peer->manager[best];
}

static void choose(struct peer *peer)
{
	static struct trial trial;
	char what[32];

	trial_init(&trial, 0);
	peer->mac = fastest(peer, try_macs, &trial, "HMAC");
	peer->digest = fastest(peer, try_digests, &trial, "SHA-256");
	for (unsigned i = 0; i < LENGTHS; i++) {
		trial_init(&trial, text_tried[i]);
		snprintf(what, sizeof(what), "AES-GCM to %u octets", text_max[i]);
		peer->gcm[i] = fastest(peer, try_seals, &trial, what);
	}
}

// ---- The peer

// NULL when the CPU lacks its instructions.
static IMB_MGR *manager_open(unsigned m)
{
	IMB_MGR *const manager = alloc_mb_mgr(managers[m].flags);

	if (manager && (manager->features & managers[m].features) == managers[m].features) {
		managers[m].init(manager);
		if (!imb_get_errno(manager))
			return manager;
	}
	if (manager)
		free_mb_mgr(manager);
	return NULL;
}

static void close_ipsecmb(struct peer *peer)
{
	for (unsigned m = 0; m < MANAGERS; m++) {
		if (peer->manager[m])
			free_mb_mgr(peer->manager[m]);
	}
	free(peer);
}

static struct peer *open_ipsecmb(void)
{
	struct peer *const peer = aligned_alloc(_Alignof(struct peer), sizeof(*peer));

	if (!peer)
		return NULL;
	memset(peer, 0, sizeof(*peer));
	memset(peer->inner, IPAD, sizeof(peer->inner));
	memset(peer->outer, OPAD, sizeof(peer->outer));
	for (unsigned m = 0; m < MANAGERS; m++)
		peer->manager[m] = manager_open(m);
	if (!peer->manager[0]) { // every other needs more
		fputs("akmapush-bench: ipsec-mb: not for this CPU\n", stderr);
		close_ipsecmb(peer);
		return NULL;
	}
	choose(peer);
	return peer;
}

static void kaf_ipsecmb(struct peer *peer, const uint8_t *const kakma[],
			const struct hmac_key *const pads[], const uint8_t *s, unsigned s_len,
			unsigned n, uint8_t kaf[][HMAC_MAC])
{
	(void)kakma;
	macs(peer, peer->mac, pads, s, s_len, n, kaf);
}

// The first 32 octets of the block; the pad behind them stands there since open.
static void key_write(struct padded *padded, const uint8_t key[HMAC_KEY], uint8_t pad)
{
	const uint64_t pads = pad * 0x0101010101010101;

	for (unsigned i = 0; i < HMAC_KEY; i += sizeof(pads)) {
		uint64_t word;

		memcpy(&word, key + i, sizeof(word));
		word ^= pads;
		memcpy(padded->octets + i, &word, sizeof(word));
	}
}

static void okm_ipsecmb(struct peer *peer, const uint8_t kaf[][HMAC_KEY], const uint8_t *info,
			unsigned info_len, unsigned n, uint8_t okm[][HMAC_MAC])
{
	assert(info_len <= BLOCKS - SHA256_BLOCK);
	for (unsigned i = 0; i < n; i++) {
		key_write(&peer->inner[i], kaf[i], IPAD);
		key_write(&peer->outer[i], kaf[i], OPAD);
		memcpy(peer->inner[i].octets + SHA256_BLOCK, info, info_len);
	}
	digests(peer->digest, peer->inner, SHA256_BLOCK + info_len, n,
		peer->outer[0].octets + SHA256_BLOCK, sizeof(peer->outer[0]));
	digests(peer->digest, peer->outer, SHA256_BLOCK + SHA256_DIGEST, n, okm[0], HMAC_MAC);
}

// By the first of the burst: texts of a burst are alike.
static IMB_MGR *gcm_manager(const struct peer *peer, const struct aead_item *item)
{
	unsigned i = 0;

	while (item->len > text_max[i])
		i++;
	return peer->gcm[i];
}

static void seal_ipsecmb(struct peer *peer, unsigned key_len, struct aead_item *item, unsigned n)
{
	seals(peer, gcm_manager(peer, item), key_len, item, n);
}

static void open_burst_ipsecmb(struct peer *peer, unsigned key_len, struct aead_item *item,
			       unsigned n)
{
	opens(peer, gcm_manager(peer, item), key_len, item, n);
}

const struct peer_ops peer_ipsecmb = {
	.name = "ipsec-mb",
	.burst_max = PEER_BURST_MAX,
	.open = open_ipsecmb,
	.close = close_ipsecmb,
	.kaf = kaf_ipsecmb,
	.okm = okm_ipsecmb,
	.seal = seal_ipsecmb,
	.open_burst = open_burst_ipsecmb,
};
