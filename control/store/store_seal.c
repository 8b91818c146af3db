#include "control/store/store_seal.h"

#include <assert.h>
#include <errno.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/bytes.h"
#include "control/store/store_kek.h"

enum {
	FORMAT = 1,
	NONCE = 12,
	DATA_KEY = 32,
	KEYS_CACHED = 1024, // of epochs, by the low bits of their numbers
	OPEN_EPOCHS = 16,   // cipher contexts with their key set, in one opener
};

struct salt {
	uint32_t epoch;
	uint8_t octets[STORE_SALT];
};

struct data_key {
	uint32_t epoch; // 0: none
	uint8_t octets[DATA_KEY];
};

struct store_seal {
	struct arena arena; // kek and keys
	uint8_t *kek;
	struct data_key *keys;
	pthread_mutex_t lock; // of keys
	struct salt *salts;   // ascending; not changed after the start
	size_t n_salts, max_salts;
	EVP_CIPHER *cipher;
	EVP_CIPHER_CTX *sealing;
	uint64_t counter;
};

struct store_opener {
	struct store_seal *seal;
	struct arena arena; // value
	uint8_t *value;
	uint32_t epoch[OPEN_EPOCHS]; // whose key the context at its place has
	EVP_CIPHER_CTX *ctx[OPEN_EPOCHS];
};

static const char info_label[] = "akmapush store 1", check_label[] = "akmapush store 1 check";

static const struct {
	const char *name;
	size_t len; // with its terminator
} tables[STORE_TABLE_COUNT] = {
#define X(table, name, sealed) {name, sizeof(name)},
	STORE_TABLES(X)
#undef X
};

// Every length was checked before, so a call that OpenSSL refuses is a bug or the end of memory.
static void must(int ok)
{
	assert(ok == 1);
}

// ---- Keys

static void derive(const struct store_seal *seal, const uint8_t salt[STORE_SALT], const void *info,
		   size_t info_len, uint8_t out[DATA_KEY])
{
	EVP_KDF *const hkdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
	EVP_KDF_CTX *const ctx = hkdf ? EVP_KDF_CTX_new(hkdf) : NULL;
	const OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, (char *)"SHA256", 0),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, seal->kek, STORE_KEK),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT, (void *)salt, STORE_SALT),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, (void *)info, info_len),
		OSSL_PARAM_construct_end(),
	};

	must(ctx && EVP_KDF_derive(ctx, out, DATA_KEY, params) == 1);
	EVP_KDF_CTX_free(ctx);
	EVP_KDF_free(hkdf);
}

static int compare_epoch(const void *epoch, const void *salt)
{
	const uint32_t a = *(const uint32_t *)epoch, b = ((const struct salt *)salt)->epoch;

	return (a > b) - (a < b);
}

static const uint8_t *find_salt(const struct store_seal *seal, uint32_t epoch)
{
	const struct salt *const salt = seal->n_salts ? bsearch(&epoch, seal->salts, seal->n_salts,
								sizeof(*salt), compare_epoch)
						      : NULL;

	return salt ? salt->octets : NULL;
}

// Gives an epoch's data key to the context. False for an epoch that never was. Any thread.
static bool set_key(struct store_seal *seal, uint32_t epoch, EVP_CIPHER_CTX *ctx)
{
	struct data_key *const key = &seal->keys[epoch % KEYS_CACHED];
	const uint8_t *const salt = find_salt(seal, epoch);
	uint8_t info[sizeof(info_label) - 1 + 4];

	if (!salt)
		return false;
	memcpy(info, info_label, sizeof(info_label) - 1);
	store32_be(info + sizeof(info_label) - 1, epoch);
	pthread_mutex_lock(&seal->lock);
	if (key->epoch != epoch)
		derive(seal, salt, info, sizeof(info), key->octets);
	key->epoch = epoch;
	must(EVP_CipherInit_ex2(ctx, NULL, key->octets, NULL, -1, NULL));
	pthread_mutex_unlock(&seal->lock);
	return true;
}

static EVP_CIPHER_CTX *new_context(const struct store_seal *seal, int is_sealing)
{
	EVP_CIPHER_CTX *const ctx = EVP_CIPHER_CTX_new();

	if (ctx && EVP_CipherInit_ex2(ctx, seal->cipher, NULL, NULL, is_sealing, NULL) == 1)
		return ctx;
	EVP_CIPHER_CTX_free(ctx);
	return NULL;
}

// ---- Life

int store_seal_new(struct store_seal **seal)
{
	struct store_seal *const s = calloc(1, sizeof(*s));
	int status;

	if (!s)
		return -ENOMEM;
	pthread_mutex_init(&s->lock, NULL);
	status = arena_init(&s->arena, STORE_KEK + KEYS_CACHED * sizeof(*s->keys) + 64,
			    ARENA_PAGES_SMALL);
	if (status)
		goto fail;
	s->kek = arena_take(&s->arena, STORE_KEK, 32);
	s->keys = arena_take(&s->arena, KEYS_CACHED * sizeof(*s->keys), 32);
	s->cipher = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
	s->sealing = s->cipher ? new_context(s, 1) : NULL;
	if (!s->sealing) {
		status = -ENOMEM;
		goto fail;
	}
	*seal = s;
	return 0;
fail:
	store_seal_free(s);
	return status;
}

void store_seal_free(struct store_seal *seal)
{
	EVP_CIPHER_CTX_free(seal->sealing);
	EVP_CIPHER_free(seal->cipher);
	free(seal->salts);
	arena_fini(&seal->arena);
	pthread_mutex_destroy(&seal->lock);
	free(seal);
}

uint8_t *store_seal_kek(struct store_seal *seal)
{
	return seal->kek;
}

void store_seal_check(const struct store_seal *seal, const uint8_t salt[STORE_SALT],
		      uint8_t check[STORE_CHECK])
{
	derive(seal, salt, check_label, sizeof(check_label) - 1, check);
}

int store_seal_add_epoch(struct store_seal *seal, uint32_t epoch, const uint8_t salt[STORE_SALT])
{
	struct salt *place;

	assert(epoch > store_seal_last_epoch(seal));
	if (seal->n_salts == seal->max_salts) {
		const size_t max = seal->max_salts ? 2 * seal->max_salts : 64;
		struct salt *const salts = realloc(seal->salts, max * sizeof(*salts));

		if (!salts)
			return -ENOMEM;
		seal->salts = salts;
		seal->max_salts = max;
	}
	place = &seal->salts[seal->n_salts++];
	place->epoch = epoch;
	memcpy(place->octets, salt, STORE_SALT);
	return 0;
}

uint32_t store_seal_last_epoch(const struct store_seal *seal)
{
	return seal->n_salts ? seal->salts[seal->n_salts - 1].epoch : 0;
}

void store_seal_start(struct store_seal *seal)
{
	const bool known = set_key(seal, store_seal_last_epoch(seal), seal->sealing);

	assert(known);
}

// ---- Sealing

// Nonce and associated data go in.
static void begin(EVP_CIPHER_CTX *ctx, uint64_t counter, enum store_table table, const void *key,
		  size_t key_len)
{
	uint8_t nonce[NONCE] = {0};
	int n;

	store64_be(nonce + NONCE - 8, counter);
	must(EVP_CipherInit_ex2(ctx, NULL, NULL, nonce, -1, NULL));
	must(EVP_CipherUpdate(ctx, NULL, &n, (const uint8_t *)tables[table].name,
			      (int)tables[table].len));
	if (key_len)
		must(EVP_CipherUpdate(ctx, NULL, &n, key, (int)key_len));
}

void store_seal_put(struct store_seal *seal, enum store_table table, const void *key,
		    size_t key_len, const void *value, size_t value_len, uint8_t *out)
{
	uint8_t *const text = out + STORE_SEAL_HEAD;
	int n;

	assert(seal->counter < UINT64_MAX);
	out[0] = FORMAT;
	store32_be(out + 1, store_seal_last_epoch(seal));
	store64_be(out + 5, seal->counter);
	begin(seal->sealing, seal->counter++, table, key, key_len);
	if (value_len)
		must(EVP_CipherUpdate(seal->sealing, text, &n, value, (int)value_len));
	must(EVP_CipherFinal_ex(seal->sealing, text + value_len, &n));
	must(EVP_CIPHER_CTX_ctrl(seal->sealing, EVP_CTRL_AEAD_GET_TAG, STORE_SEAL_TAG,
				 text + value_len));
}

// ---- Opening

struct store_opener *store_opener_new(struct store_seal *seal)
{
	struct store_opener *const opener = calloc(1, sizeof(*opener));

	if (!opener)
		return NULL;
	if (arena_init(&opener->arena, STORE_VALUE_MAX, ARENA_PAGES_SMALL)) {
		free(opener);
		return NULL;
	}
	opener->seal = seal;
	opener->value = arena_take(&opener->arena, STORE_VALUE_MAX, 64);
	return opener;
}

void store_opener_free(struct store_opener *opener)
{
	for (unsigned i = 0; i < OPEN_EPOCHS; i++)
		EVP_CIPHER_CTX_free(opener->ctx[i]);
	arena_fini(&opener->arena);
	free(opener);
}

// A context with the key of the epoch; NULL when there is no such epoch, or no memory.
static EVP_CIPHER_CTX *context_of(struct store_opener *opener, uint32_t epoch)
{
	const unsigned i = epoch % OPEN_EPOCHS;

	if (!epoch)
		return NULL;
	if (!opener->ctx[i])
		opener->ctx[i] = new_context(opener->seal, 0);
	if (!opener->ctx[i])
		return NULL;
	if (opener->epoch[i] != epoch && !set_key(opener->seal, epoch, opener->ctx[i]))
		return NULL;
	opener->epoch[i] = epoch;
	return opener->ctx[i];
}

ssize_t store_opener_open(struct store_opener *opener, enum store_table table, const void *key,
			  size_t key_len, const uint8_t *sealed, size_t len, const uint8_t **value)
{
	uint8_t tag[STORE_SEAL_TAG];
	EVP_CIPHER_CTX *ctx;
	size_t value_len;
	int n;

	if (len < STORE_SEAL_MORE || len > STORE_VALUE_MAX + STORE_SEAL_MORE || sealed[0] != FORMAT)
		return -EBADMSG;
	ctx = context_of(opener, load32_be(sealed + 1));
	if (!ctx)
		return -EBADMSG;
	value_len = len - STORE_SEAL_MORE;
	memcpy(tag, sealed + STORE_SEAL_HEAD + value_len, STORE_SEAL_TAG);
	begin(ctx, load64_be(sealed + 5), table, key, key_len);
	if (value_len)
		must(EVP_CipherUpdate(ctx, opener->value, &n, sealed + STORE_SEAL_HEAD,
				      (int)value_len));
	must(EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, STORE_SEAL_TAG, tag));
	if (EVP_CipherFinal_ex(ctx, opener->value + value_len, &n) != 1) {
		mem_wipe(opener->value, value_len);
		return -EBADMSG;
	}
	*value = opener->value;
	return (ssize_t)value_len;
}
