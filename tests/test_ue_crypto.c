// The built-in crypto: published vectors, then OpenSSL as the twin at every length.

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "ue/akmapush_ue.h"
#include "ue/builtin.h"

static const struct akmapush_ue_crypto *const builtin = &akmapush_ue_crypto_builtin;
static const struct akmapush_ue_crypto *const openssl = &akmapush_ue_crypto_openssl;

static size_t hex(const char *s, uint8_t *out)
{
	size_t n = strlen(s) / 2;

	for (size_t i = 0; i < n; i++)
		cr_assert_eq(sscanf(s + 2 * i, "%2hhx", &out[i]), 1);
	return n;
}

static void sha256(const void *octets, size_t n, uint8_t digest[32])
{
	struct apue_sha256 sha;

	apue_sha256_init(&sha);
	apue_sha256_update(&sha, octets, n);
	apue_sha256_final(&sha, digest);
}

// FIPS 180-2 Appendix B, and the short messages of the NIST SHAVS set that are single octets or
// empty.
Test(ue_crypto, sha256_nist)
{
	static const struct {
		const char *message, *digest;
	} cases[] = {
		{"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
		{"d3", "28969cdfa74a12c82f3bad960b0b000aca2ac329deea5c2328ebc6f2ba9802c1"},
		{"616263", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
		{"6162636462636465636465666465666765666768666768696768696a68696a6b"
		 "696a6b6c6a6b6c6d6b6c6d6e6c6d6e6f6d6e6f706e6f7071",
		 "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
	};
	uint8_t message[64], expected[32], digest[32];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		hex(cases[i].digest, expected);
		sha256(message, hex(cases[i].message, message), digest);
		cr_expect_arr_eq(digest, expected, 32, "case %zu", i);
	}
}

Test(ue_crypto, sha256_million_a_in_odd_pieces)
{
	struct apue_sha256 sha;
	uint8_t a[997], digest[32], expected[32];

	memset(a, 'a', sizeof(a));
	apue_sha256_init(&sha);
	for (size_t left = 1000000; left > 0;) {
		size_t n = left < sizeof(a) ? left : sizeof(a);

		apue_sha256_update(&sha, a, n);
		left -= n;
	}
	apue_sha256_final(&sha, digest);
	hex("cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0", expected);
	cr_expect_arr_eq(digest, expected, 32);
}

// RFC 4231. The table takes keys of 32 octets: shorter ones are filled with zeros and longer ones
// hashed, which is the same HMAC key (RFC 2104 2).
Test(ue_crypto, hmac_rfc4231)
{
	static const struct {
		int key_octet; // repeated; -1: "Jefe"; -2: 1, 2, 3...
		size_t key_len;
		const char *data; // NULL: octet repeated 50 times
		int data_octet;
		const char *mac;
	} cases[] = {
		{0x0b, 20, "Hi There", 0,
		 "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
		{-1, 4, "what do ya want for nothing?", 0,
		 "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
		{0xaa, 20, NULL, 0xdd,
		 "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"},
		{-2, 25, NULL, 0xcd,
		 "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"},
		{0xaa, 131, "Test Using Larger Than Block-Size Key - Hash Key First", 0,
		 "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
		{0xaa, 131,
		 "This is a test using a larger than block-size key and a larger than block-size "
		 "data. The key needs to be hashed before being used by the HMAC algorithm.",
		 0, "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint8_t key[131] = {0}, data[50], mac[32], expected[32];
		struct akmapush_ue_octets part = {cases[i].data, 0};

		memset(key, cases[i].key_octet, cases[i].key_octet >= 0 ? cases[i].key_len : 0);
		if (cases[i].key_octet == -1)
			memcpy(key, "Jefe", 4);
		for (unsigned k = 0; cases[i].key_octet == -2 && k < 25; k++)
			key[k] = (uint8_t)(k + 1);
		if (cases[i].key_len > 32)
			sha256(key, cases[i].key_len, key);
		memset(data, cases[i].data_octet, sizeof(data));
		part.len = cases[i].data ? strlen(cases[i].data) : sizeof(data);
		if (!cases[i].data)
			part.octets = data;
		hex(cases[i].mac, expected);
		cr_assert(builtin->hmac_sha256(NULL, key, &part, 1, mac));
		cr_expect_arr_eq(mac, expected, 32, "case %zu", i);
		cr_assert(openssl->hmac_sha256(NULL, key, &part, 1, mac));
		cr_expect_arr_eq(mac, expected, 32, "OpenSSL, case %zu", i);
	}
}

// The test cases with 96-bit nonces of the GCM specification (McGrew, Viega, Appendix B).
static const struct gcm_case {
	const char *key, *nonce, *aad, *text, *cipher, *tag;
} gcm_cases[] = {
	{"00000000000000000000000000000000", "000000000000000000000000", "", "", "",
	 "58e2fccefa7e3061367f1d57a4e7455a"},
	{"00000000000000000000000000000000", "000000000000000000000000", "",
	 "00000000000000000000000000000000", "0388dace60b6a392f328c2b971b2fe78",
	 "ab6e47d42cec13bdf53a67b21257bddf"},
	{"feffe9928665731c6d6a8f9467308308", "cafebabefacedbaddecaf888", "",
	 "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
	 "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b391aafd255",
	 "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e"
	 "21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e091473f5985",
	 "4d5c2af327cd64a62cf35abd2ba6fab4"},
	{"feffe9928665731c6d6a8f9467308308", "cafebabefacedbaddecaf888",
	 "feedfacedeadbeeffeedfacedeadbeefabaddad2",
	 "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
	 "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
	 "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e"
	 "21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e091",
	 "5bc94fbc3221a5db94fae95ae7121a47"},
	{"0000000000000000000000000000000000000000000000000000000000000000",
	 "000000000000000000000000", "", "", "", "530f8afbc74536b9a963b4f1c4cb738b"},
	{"0000000000000000000000000000000000000000000000000000000000000000",
	 "000000000000000000000000", "", "00000000000000000000000000000000",
	 "cea7403d4d606b6e074ec5d3baf39d18", "d0d1c8a799996bf0265b98b5d48ab919"},
	{"feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308",
	 "cafebabefacedbaddecaf888", "feedfacedeadbeeffeedfacedeadbeefabaddad2",
	 "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
	 "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
	 "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
	 "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662",
	 "76fc6ece0f4e1768cddf8853bb2d551b"},
};

static void gcm_check(const struct akmapush_ue_crypto *crypto, const struct gcm_case *c)
{
	uint8_t key[32], nonce[12], aad[32], text[64], cipher[64], tag[16], out[64], got[16];
	size_t key_len = hex(c->key, key), aad_len = hex(c->aad, aad), n = hex(c->text, text);

	hex(c->nonce, nonce);
	hex(c->cipher, cipher);
	hex(c->tag, tag);
	cr_assert(crypto->aead_seal(NULL, key, key_len, nonce, aad, aad_len, text, n, out, got));
	cr_expect_arr_eq(out, cipher, n, "%s", crypto->name);
	cr_expect_arr_eq(got, tag, 16, "%s", crypto->name);
	cr_assert(crypto->aead_open(NULL, key, key_len, nonce, aad, aad_len, cipher, n, tag, out));
	cr_expect_arr_eq(out, text, n, "%s", crypto->name);
	tag[15] ^= 1;
	cr_expect_not(
		crypto->aead_open(NULL, key, key_len, nonce, aad, aad_len, cipher, n, tag, out));
}

Test(ue_crypto, gcm_specification)
{
	for (size_t i = 0; i < sizeof(gcm_cases) / sizeof(gcm_cases[0]); i++) {
		gcm_check(builtin, &gcm_cases[i]);
		gcm_check(openssl, &gcm_cases[i]);
	}
}

static void fill(uint8_t *out, size_t n, uint32_t seed)
{
	for (size_t i = 0; i < n; i++) {
		seed = seed * 1664525 + 1013904223;
		out[i] = (uint8_t)(seed >> 24);
	}
}

static void twin_check(size_t key_len, size_t n)
{
	uint8_t key[32], nonce[12], aad[32], text[1184], a[1184], b[1184], tag_a[16], tag_b[16];

	fill(key, sizeof(key), (uint32_t)n);
	fill(nonce, sizeof(nonce), (uint32_t)n + 5000);
	fill(aad, sizeof(aad), (uint32_t)n + 10000);
	fill(text, n, (uint32_t)n + 15000);
	cr_assert(builtin->aead_seal(NULL, key, key_len, nonce, aad, 32, text, n, a, tag_a));
	cr_assert(openssl->aead_seal(NULL, key, key_len, nonce, aad, 32, text, n, b, tag_b));
	cr_assert_arr_eq(a, b, n, "key %zu, %zu octets", key_len, n);
	cr_assert_arr_eq(tag_a, tag_b, 16, "key %zu, %zu octets", key_len, n);
	cr_assert(builtin->aead_open(NULL, key, key_len, nonce, aad, 32, a, n, tag_b, a));
	cr_assert_arr_eq(a, text, n, "in place, key %zu, %zu octets", key_len, n);
	cr_assert(openssl->aead_open(NULL, key, key_len, nonce, aad, 32, b, n, tag_a, b));
	cr_assert_arr_eq(b, text, n);
}

Test(ue_crypto, aead_equals_openssl_at_every_length)
{
	for (size_t n = 0; n <= 1184; n++) {
		twin_check(16, n);
		twin_check(32, n);
	}
}

Test(ue_crypto, hmac_equals_openssl_at_every_length)
{
	uint8_t key[32], data[400], a[32], b[32];

	fill(key, sizeof(key), 1);
	fill(data, sizeof(data), 2);
	for (size_t n = 0; n <= sizeof(data); n++) {
		struct akmapush_ue_octets parts[3] = {
			{data, n / 3}, {data + n / 3, 0}, {data + n / 3, n - n / 3}};

		cr_assert(builtin->hmac_sha256(NULL, key, parts, 3, a));
		cr_assert(openssl->hmac_sha256(NULL, key, parts, 3, b));
		cr_assert_arr_eq(a, b, 32, "%zu octets", n);
	}
}

// Whatever is wrong, open refuses and no octet of the text is left in the output.
static void refusal_check(const struct akmapush_ue_crypto *crypto, unsigned what)
{
	uint8_t key[32], nonce[12], aad[32], text[100], sealed[100], tag[16], out[100];
	size_t same = 0;

	fill(key, 32, 1);
	fill(nonce, 12, 2);
	fill(aad, 32, 3);
	fill(text, 100, 4);
	cr_assert(crypto->aead_seal(NULL, key, 16, nonce, aad, 32, text, 100, sealed, tag));
	(uint8_t *[]){key, nonce, aad, sealed, tag}[what][0] ^= 0x80;
	memset(out, 0, sizeof(out));
	cr_expect_not(crypto->aead_open(NULL, key, 16, nonce, aad, 32, sealed, 100, tag, out));
	for (unsigned i = 0; i < 100; i++)
		same += out[i] == text[i];
	cr_expect_lt(same, 10, "%s: text left after refusal %u", crypto->name, what);
}

Test(ue_crypto, open_refuses_and_leaves_no_text)
{
	for (unsigned what = 0; what < 5; what++) {
		refusal_check(builtin, what);
		refusal_check(openssl, what);
	}
}
