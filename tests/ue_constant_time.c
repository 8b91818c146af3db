// The built-in crypto with its secrets marked as undefined: memcheck reports every branch and every
// address that depends on them. Run by ue_constant_time.sh; without valgrind it only runs.

#include <stdio.h>
#include <string.h>
#include <valgrind/memcheck.h>

#include "ue/akmapush_ue.h"
#include "ue/octets.h"

static const struct akmapush_ue_crypto *const crypto = &akmapush_ue_crypto_builtin;

enum { TEXT = 100, AAD = 32 };

static void hmac(uint8_t key[32])
{
	struct akmapush_ue_octets parts[3] = {{"akma push 1", 11}, {key, 32}, {"", 0}};
	uint8_t mac[32];

	VALGRIND_MAKE_MEM_UNDEFINED(key, 32);
	crypto->hmac_sha256(crypto->arg, key, parts, 3, mac);
}

static void seal(uint8_t key[32], size_t key_len)
{
	uint8_t text[TEXT] = {1}, nonce[12] = {2}, aad[AAD] = {3}, tag[16];

	VALGRIND_MAKE_MEM_UNDEFINED(key, 32);
	VALGRIND_MAKE_MEM_UNDEFINED(text, sizeof(text));
	VALGRIND_MAKE_MEM_UNDEFINED(nonce, sizeof(nonce));
	crypto->aead_seal(crypto->arg, key, key_len, nonce, aad, AAD, text, TEXT, text, tag);
}

// What it tells in the end, equal or not, is no secret.
static bool compare(uint8_t *selector)
{
	static const uint8_t came[4] = {1, 2, 3, 4};
	volatile bool equal;

	VALGRIND_MAKE_MEM_UNDEFINED(selector, 4);
	equal = apue_equal_ct(selector, came, 4);
	VALGRIND_MAKE_MEM_DEFINED(&equal, sizeof(equal));
	return equal;
}

int main(int argc, char **argv)
{
	uint8_t key[32] = {4};

	hmac(key);
	seal(key, 16);
	seal(key, 32);
	if (compare(key))
		puts("equal");
	if (argc > 1 && !strcmp(argv[1], "leak") && key[0] & 1) // that the tool sees one
		puts("leak");
	return 0;
}
