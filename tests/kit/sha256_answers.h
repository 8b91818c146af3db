#pragma once
// Published answers for SHA-256 and HMAC-SHA-256. Each function tells the first case that a kernel
// gets wrong, counted from 1; 0: none.

#include <assert.h>
#include <string.h>

#include "base/text.h"
#include "crypto/hmac.h"

// FIPS 180-2 appendix B and NIST's example values for SHA-256.
static const struct {
	const char *message;
	const char *digest;
} sha256_examples[] = {
	{"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
	{"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
	{"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
	 "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
	{"abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmn"
	 "hijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu",
	 "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"},
};

enum { SHA256_EXAMPLES = sizeof(sha256_examples) / sizeof(sha256_examples[0]) };

static inline unsigned sha256_examples_wrong(const struct sha256_ops *sha)
{
	for (unsigned i = 0; i < SHA256_EXAMPLES; i++) {
		const char *const message = sha256_examples[i].message;
		uint8_t digest[SHA256_DIGEST];
		char text[2 * SHA256_DIGEST + 1];

		sha256(sha, message, strlen(message), digest);
		hex_write(text, digest, sizeof(digest));
		if (strcmp(text, sha256_examples[i].digest))
			return i + 1;
	}
	return 0;
}

#define X20(octet)                                                                                 \
	octet octet octet octet octet octet octet octet octet octet octet octet octet octet octet  \
		octet octet octet octet octet
#define X50(octet) X20(octet) X20(octet) octet octet octet octet octet octet octet octet octet octet
#define X131(octet)                                                                                \
	X50(octet)                                                                                 \
	X50(octet) X20(octet) octet octet octet octet octet octet octet octet octet octet octet

static const struct {
	const char *key; // hexadecimal
	const char *data;
	const char *mac; // the leading octets of it
} rfc4231_cases[] = {
	{X20("0b"), "4869205468657265", // "Hi There"
	 "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
	{"4a656665", "7768617420646f2079612077616e7420666f72206e6f7468696e673f",
	 "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
	{X20("aa"), X50("dd"), "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"},
	{"0102030405060708090a0b0c0d0e0f10111213141516171819", X50("cd"),
	 "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"},
	{X20("0c"), "546573742057697468205472756e636174696f6e", "a3b6167473100ee06e0c796c2955552b"},
	{X131("aa"),
	 "54657374205573696e67204c6172676572205468616e20426c6f636b2d53697a65204b6579202d2048617368"
	 "204b6579204669727374",
	 "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
	{X131("aa"),
	 "5468697320697320612074657374207573696e672061206c6172676572207468616e20626c6f636b2d73697a"
	 "65206b657920616e642061206c6172676572207468616e20626c6f636b2d73697a6520646174612e20546865"
	 "206b6579206e6565647320746f20626520686173686564206265666f7265206265696e672075736564206279"
	 "2074686520484d414320616c676f726974686d2e",
	 "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"},
};

enum { RFC4231_CASES = sizeof(rfc4231_cases) / sizeof(rfc4231_cases[0]) };

static inline size_t octets_of(const char *hex, uint8_t *octets, size_t max)
{
	const size_t n = strlen(hex) / 2;

	assert(n <= max && !hex_parse(hex, 2 * n, octets, n));
	return n;
}

// RFC 2104 section 2: zeros behind a short key do not change it, a key above a block is hashed.
static inline void reduced_key(const struct sha256_ops *sha, const char *hex,
			       uint8_t key[1][HMAC_KEY])
{
	uint8_t octets[131];
	const size_t n = octets_of(hex, octets, sizeof(octets));

	memset(key, 0, HMAC_KEY);
	if (n > SHA256_BLOCK)
		sha256(sha, octets, n, key[0]);
	else
		memcpy(key, octets, n);
}

// Both as one message and as one that was prepared.
static inline unsigned rfc4231_wrong(const struct sha256_ops *sha)
{
	for (unsigned i = 0; i < RFC4231_CASES; i++) {
		uint8_t key[1][HMAC_KEY], data[160], expected[HMAC_MAC], mac[2][HMAC_MAC];
		const size_t mac_len = octets_of(rfc4231_cases[i].mac, expected, HMAC_MAC);
		const size_t len = octets_of(rfc4231_cases[i].data, data, sizeof(data));
		struct hmac_message message;
		struct hmac_key state;
		const struct hmac_key *const states[] = {&state};

		reduced_key(sha, rfc4231_cases[i].key, key);
		hmac_key_init(sha, key, 1, &state);
		hmac_one(sha, &state, data, len, mac[0]);
		if (hmac_message_init(&message, data, len))
			return i + 1;
		hmac_same(sha, states, &message, 1, &mac[1]);
		if (memcmp(mac[0], expected, mac_len) || memcmp(mac[1], expected, mac_len))
			return i + 1;
	}
	return 0;
}
