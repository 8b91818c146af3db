// Every kernel that runs here, on secrets that memcheck takes for undefined: it reports each branch
// and each address that depends on one. Run under valgrind by kernels_constant_time.sh; which
// kernels ran is printed, since valgrind does not know all instructions. With the argument "leak"
// it branches on a secret, which has to be seen.

#include <stdio.h>
#include <string.h>
#include <valgrind/memcheck.h>

#include "crypto/aead.h"
#include "crypto/hmac.h"
#include "crypto/message.h"

enum { UES = 37, TEXT = 100 }; // neither a multiple of any group, nor of a block

static uint8_t kakma[UES][HMAC_KEY];
static struct message_block block[UES];

static void secret(void *p, size_t n)
{
	VALGRIND_MAKE_MEM_UNDEFINED(p, n);
}

// K_AKMA to message blocks, of either suite.
static void derive(const struct sha256_ops *sha, unsigned suite)
{
	static const uint8_t s[] = "\x82meters.telemetry.operator.example\xff\x41\x4b\x50\x01",
			     push_id[16];
	const struct hmac_key *pads[UES];
	struct hmac_key key[UES];
	struct hmac_message message;
	struct message_info info;

	memset(kakma, 0x5a, sizeof(kakma));
	secret(kakma, sizeof(kakma));
	hmac_message_init(&message, s, sizeof(s));
	message_info_init(&info, message_suite_find(suite), MESSAGE_TYPE_PUSH, push_id);
	for (unsigned i = 0; i < UES; i++)
		pads[i] = &key[i];
	hmac_key_init(sha, (const uint8_t(*)[HMAC_KEY])kakma, UES, key);
	message_blocks(sha, &info, (const uint8_t(*)[HMAC_KEY])kakma, UES, block);
	message_blocks_chain(sha, hmac_text(&message), &info, pads, UES, block);
}

// Opening is the same code up to the comparison of tags, whose result is no secret.
static void seal(const struct aead_ops *ops, unsigned key_len)
{
	static const uint8_t aad[AEAD_AAD];
	static uint8_t text[TEXT], sealed[UES][TEXT + AEAD_TAG];
	struct aead *const aead = ops->open(AEAD_AAD);
	struct aead_item item[UES];

	secret(text, sizeof(text));
	for (unsigned i = 0; i < UES; i++) {
		item[i] = (struct aead_item){.key = block[i].key + MESSAGE_KEY_MAX - key_len,
					     .aad = aad,
					     .in = text,
					     .out = sealed[i],
					     .len = TEXT};
		memcpy(item[i].nonce, block[i].iv, AEAD_NONCE);
	}
	ops->seal(aead, key_len, item, UES);
	ops->close(aead);
}

static int leak(const struct sha256_ops *sha)
{
	derive(sha, 1);
	return block[0].key[MESSAGE_KEY_MAX - 1] & 1 ? puts("odd") : puts("even");
}

int main(int argc, char *argv[])
{
	(void)argv;
	if (argc > 1)
		return leak(sha256_find("scalar")) < 0;
	for (const struct sha256_ops *const *sha = sha256_kernels; *sha; sha++) {
		if (!(*sha)->usable())
			continue;
		derive(*sha, 1);
		derive(*sha, 2);
		printf("SHA-256 %s\n", (*sha)->name);
	}
	for (const struct aead_ops *const *ops = aead_implementations; *ops; ops++) {
		if (!(*ops)->usable() || !strcmp((*ops)->name, "openssl"))
			continue;
		derive(sha256_find("scalar"), 2);
		seal(*ops, 16);
		seal(*ops, 32);
		printf("AES-GCM %s\n", (*ops)->name);
	}
	return 0;
}
