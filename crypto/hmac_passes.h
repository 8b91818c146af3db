#pragma once
// HMAC in passes: from pad states or keys to the octets of the MACs, or of MACs that are keys of
// others, without a word going through memory as octets in between. Inside crypto/ only; included
// by sha256_passes.h alone.

// MACs on their way. Secret.
struct macs {
	vec inner[WAYS][VECS];
	vec outer[WAYS][VECS]; // then the MACs
	vec key[WAYS][VECS];
};

// From pad states: a message under the inner ones, its digest under the outer ones.
INLINE void macs_end(struct macs *m, struct sha256_text text, unsigned ways)
{
	for (unsigned b = 0; b < text.n_blocks; b++)
		same_pass(m->inner, &text.block[b], ways);
	half_pass(m->outer, m->inner, &hmac_digest_end, ways);
}

// s = the hash of key ^ pad. The keys come with the last pad xored in, and flip changes it.
INLINE void macs_pad(struct macs *m, vec s[][VECS], uint32_t flip, const struct sha256_tail *pad,
		     unsigned ways)
{
	EACH_WAY(w)
	EACH_VEC(k)
	{
		m->key[w][k] ^= every(flip);
		s[w][k] = initial(k);
	}
	half_pass(s, m->key, pad, ways);
}

INLINE void macs_begin(struct macs *m, unsigned ways)
{
	macs_pad(m, m->inner, HMAC_IPAD, &hmac_ipad, ways);
	macs_pad(m, m->outer, HMAC_IPAD ^ HMAC_OPAD, &hmac_opad, ways);
}

INLINE void words_swap(vec s[][VECS], unsigned ways)
{
	EACH_WAY(w)
	EACH_VEC(k)
	s[w][k] = swap_octets(s[w][k]);
}

INLINE void macs_out(struct macs *m, const struct job *job, unsigned from, unsigned n,
		     unsigned ways)
{
	struct rows rows;

	rows_init(&rows, job->mac + from * job->stride, job->stride, n, ways);
	words_swap(m->outer, ways);
	words_out(&rows, m->outer, ways);
}

INLINE void pads_in(struct macs *m, const struct job *job, unsigned from, unsigned n, unsigned ways)
{
	const uint8_t *pads[GROUP];

	for (unsigned l = 0; l < ways * LANES; l++)
		pads[l] = (const uint8_t *)job->pads[from + (l < n ? l : n - 1)];
	words_in(m->inner, pads, offsetof(struct hmac_key, inner), ways);
	words_in(m->outer, pads, offsetof(struct hmac_key, outer), ways);
}

PASS(macs_of_pads)
{
	struct macs m;

	pads_in(&m, job, from, n, ways);
	macs_end(&m, job->text, ways);
	macs_out(&m, job, from, n, ways);
}

PASS(macs_of_keys)
{
	struct rows keys;
	struct macs m;

	rows_init(&keys, job->key + from, sizeof(job->key[0]), n, ways);
	words_in(m.key, (const uint8_t *const *)keys.at, 0, ways);
	words_swap(m.key, ways);
	macs_begin(&m, ways);
	macs_end(&m, job->text, ways);
	macs_out(&m, job, from, n, ways);
}

PASS(macs_of_macs)
{
	struct macs m;

	pads_in(&m, job, from, n, ways);
	macs_end(&m, job->text, ways);
	memcpy(m.key, m.outer, ways * sizeof(m.key[0]));
	macs_begin(&m, ways);
	macs_end(&m, job->second, ways);
	macs_out(&m, job, from, n, ways);
}

static unsigned run_pads(const struct hmac_key *const pads[], struct sha256_text text, unsigned n,
			 uint8_t *mac, size_t stride)
{
	const struct job job = {.pads = pads, .text = text, .mac = mac, .stride = stride};
	const unsigned done = RUN(&job, n, macs_of_pads);

	if (done == n || !rest_kernel()->hmac_pads)
		return done;
	return done +
	       rest_kernel()->hmac_pads(pads + done, text, n - done, mac + done * stride, stride);
}

static unsigned run_keys(const uint8_t key[][SHA256_DIGEST], struct sha256_text text, unsigned n,
			 uint8_t *mac, size_t stride)
{
	const struct job job = {.key = key, .text = text, .mac = mac, .stride = stride};
	const unsigned done = RUN(&job, n, macs_of_keys);

	if (done == n || !rest_kernel()->hmac_keys)
		return done;
	return done +
	       rest_kernel()->hmac_keys(key + done, text, n - done, mac + done * stride, stride);
}

static unsigned run_chain(const struct hmac_key *const pads[], struct sha256_text text,
			  struct sha256_text second, unsigned n, uint8_t *mac, size_t stride)
{
	const struct job job = {
		.pads = pads, .text = text, .second = second, .mac = mac, .stride = stride};
	const unsigned done = RUN(&job, n, macs_of_macs);

	if (done == n || !rest_kernel()->hmac_chain)
		return done;
	return done + rest_kernel()->hmac_chain(pads + done, text, second, n - done,
						mac + done * stride, stride);
}
