#pragma once
// Sealing of values at rest. Each start of the program is an epoch with a random salt of its own:
//
//   data key = HKDF-SHA-256(KEK, salt, info = "akmapush store 1" || epoch (4), L = 32)
//   sealed   = format (1) || epoch (4) || counter (8) || ciphertext || tag (16)     AES-256-GCM
//   nonce    = 0^4 || counter,  AAD = name of the table || 0 || key
//
// The counter starts at 0 with the epoch and never repeats in it; the salt is durable before the
// first use, and a store restored from a back-up draws another: no (data key, nonce) seals twice.
// KEK and data keys are in locked memory, wiped at the end. (OpenSSL's cipher contexts hold the
// expanded keys; it wipes them when they are released.)

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "control/store/store.h"

enum {
	STORE_SALT = 32,
	STORE_CHECK = 32,
	STORE_SEAL_HEAD = 1 + 4 + 8,
	STORE_SEAL_TAG = 16,
	STORE_SEAL_MORE = STORE_SEAL_HEAD + STORE_SEAL_TAG,
	STORE_EPOCHS_MAX = 1 << 24,
};

struct store_seal;
struct store_opener;

int store_seal_new(struct store_seal **seal); // 0, -ENOMEM, -EPERM (locking of memory)
void store_seal_free(struct store_seal *seal);
// Where the key-encryption key goes: 32 octets of locked memory.
uint8_t *store_seal_kek(struct store_seal *seal);

// A value that tells the key-encryption key: HKDF(KEK, salt, "akmapush store 1 check").
void store_seal_check(const struct store_seal *seal, const uint8_t salt[STORE_SALT],
		      uint8_t check[STORE_CHECK]);

// The salts of all epochs so far, in the order of their numbers. 0 or -ENOMEM.
int store_seal_add_epoch(struct store_seal *seal, uint32_t epoch, const uint8_t salt[STORE_SALT]);
uint32_t store_seal_last_epoch(const struct store_seal *seal); // 0: none yet
// From now on the last epoch added seals. Once.
void store_seal_start(struct store_seal *seal);

// Seals value_len octets into out[value_len + STORE_SEAL_MORE]. One thread.
void store_seal_put(struct store_seal *seal, enum store_table table, const void *key,
		    size_t key_len, const void *value, size_t value_len, uint8_t *out);

// Opens sealed values; each thread has its own. NULL: no memory.
struct store_opener *store_opener_new(struct store_seal *seal);
void store_opener_free(struct store_opener *opener);
// The value in locked memory, valid until the next call; its length. -EBADMSG when it was not
// sealed under this key-encryption key, table and key.
ssize_t store_opener_open(struct store_opener *opener, enum store_table table, const void *key,
			  size_t key_len, const uint8_t *sealed, size_t len, const uint8_t **value);
