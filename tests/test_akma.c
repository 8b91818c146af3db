// AKMA derivations against the vectors of protocol 1 and an example computed apart; FQDNs as they
// enter the KDF, good and bad.

#include <errno.h>
#include <string.h>

#include "crypto/akma.h"
#include "tests/kit/kernels.h"
#include "tests/kit/protocol1.h"
#include "tests/kit/random.h"

static void assert_octets(const uint8_t *octets, const char *hex, const char *what)
{
	char text[2 * AKMA_KEY + 1];

	hex_write(text, octets, AKMA_KEY);
	cr_assert_str_eq(text, hex, "%s: %s, expected %s", what, text, hex);
}

// K_AF for one UE, the way a burst goes.
static void kaf_of(const struct sha256_ops *sha, const uint8_t kakma[1][AKMA_KEY], const char *fqdn,
		   const char *ua_star_id, uint8_t kaf[1][AKMA_KEY])
{
	uint8_t id[AKMA_UA_STAR_ID], one[AKMA_KEY];
	struct akma_af_id af_id;
	struct hmac_message message;
	struct hmac_key state;
	const struct hmac_key *const states[] = {&state};

	cr_assert_eq(hex_parse(ua_star_id, strlen(ua_star_id), id, sizeof(id)), 0);
	akma_af_id_init(&af_id, fqdn, id);
	akma_kaf_message(&message, &af_id);
	hmac_key_init(sha, kakma, 1, &state);
	akma_kaf(sha, states, &message, 1, kaf);
	akma_kaf_one(sha, &state, &af_id, one);
	cr_assert_arr_eq(one, kaf[0], AKMA_KEY, "one by one as in a burst");
}

KERNEL_TEST(akma, vectors)
{
	json_t *const root = protocol1_load();
	const json_t *entry;
	size_t i;

	json_array_foreach(protocol1_entries(root, "keys"), i, entry)
	{
		const char *const supi = protocol1_text(entry, "supi");
		uint8_t kausf[AKMA_KEY], kakma[1][AKMA_KEY], atid[AKMA_KEY], kaf[1][AKMA_KEY];

		cr_assert_eq(protocol1_octets(entry, "kausf", kausf, AKMA_KEY), AKMA_KEY);
		cr_assert_eq(akma_kakma(sha, kausf, supi, kakma[0]), 0);
		assert_octets(kakma[0], protocol1_text(entry, "kakma"), "K_AKMA");
		cr_assert_eq(akma_atid(sha, kausf, supi, atid), 0);
		assert_octets(atid, protocol1_text(entry, "atid"), "A-TID");
		kaf_of(sha, kakma, protocol1_text(entry, "fqdn"),
		       protocol1_text(entry, "ua_star_id"), kaf);
		assert_octets(kaf[0], protocol1_text(entry, "kaf"), "K_AF");
	}
	json_decref(root);
}

// From the outputs of TS 35.208 test set 1, serving network 5G:mnc001.mcc001.3gppnetwork.org.
static const char example_kausf[] =
	"474698caf02cc715db2ec0726510cfee6caa5bb1a649cb01224f2e23af94de1b";
static const char example_supi[] = "imsi-001010000000001";

static void example_kakma(const struct sha256_ops *sha, uint8_t kakma[AKMA_KEY])
{
	uint8_t kausf[AKMA_KEY];

	cr_assert_eq(hex_parse(example_kausf, 2 * AKMA_KEY, kausf, AKMA_KEY), 0);
	cr_assert_eq(akma_kakma(sha, kausf, example_supi, kakma), 0);
}

KERNEL_TEST(akma, example)
{
	uint8_t kausf[AKMA_KEY], kakma[1][AKMA_KEY], atid[AKMA_KEY], kaf[1][AKMA_KEY];

	cr_assert_eq(hex_parse(example_kausf, 2 * AKMA_KEY, kausf, AKMA_KEY), 0);
	example_kakma(sha, kakma[0]);
	assert_octets(kakma[0], "176cdc89b8bc8634d912bf84cb7ed7b85afe1b8802afa110d1100a881df659a3",
		      "K_AKMA");
	cr_assert_eq(akma_atid(sha, kausf, example_supi, atid), 0);
	assert_octets(atid, "a4763ff6a5427c58fa51f62e036c2aa33c88343cdda5f17db86cf1ab7b5661b6",
		      "A-TID");
	kaf_of(sha, kakma, "af.example.com", "0100000005", kaf);
	assert_octets(kaf[0], "a0bba61ba7949c3f2e536cccc4277e791681888c679dfa46fabdf225e0f22288",
		      "K_AF, generic push layer");
	kaf_of(sha, kakma, "af.example.com", "0100010001", kaf);
	assert_octets(kaf[0], "421407106a81964774c5ef75ac28bbecfd8b8e009fbf73fdce036428a263c311",
		      "K_AF, TLS 1.2");
	kaf_of(sha, kakma, "af.example.com", "0100011301", kaf);
	assert_octets(kaf[0], "90b4177278c4f3ed6969c0f2d23955933140db5235b6a7da341ea5309ea5f521",
		      "K_AF, TLS 1.3");
}

// What an implementation gets that lets the prefix into P1: this shall not come out, unless the
// prefix is itself a part of the identity.
KERNEL_TEST(akma, prefix_is_not_part_of_the_supi)
{
	static const char wrong[] =
		"a9e5223a68bbecaa8491f15cd2b4f869d9d715f363fa0ea29b9a2d755d7eab0d";
	uint8_t kausf[AKMA_KEY], kakma[AKMA_KEY], other[AKMA_KEY];

	example_kakma(sha, kakma);
	cr_assert_eq(hex_parse(wrong, 2 * AKMA_KEY, other, AKMA_KEY), 0);
	cr_assert_arr_neq(kakma, other, AKMA_KEY);
	cr_assert_eq(hex_parse(example_kausf, 2 * AKMA_KEY, kausf, AKMA_KEY), 0);
	cr_assert_eq(akma_kakma(sha, kausf, "nai-imsi-001010000000001", kakma), 0);
	cr_assert_arr_eq(kakma, other, AKMA_KEY);
	cr_assert_eq(akma_kakma(sha, kausf, "nai-001010000000001", kakma), 0);
	example_kakma(sha, other);
	cr_assert_arr_eq(kakma, other, AKMA_KEY);
}

Test(akma, bad_supi_is_refused)
{
	static const char *const bad[] = {"",           "001010000000001", "imsi",          "imsi-",
					  "nai-",       "IMSI-00101",      "suci-0-001-01", "gci-1",
					  " imsi-00101"};
	const struct sha256_ops *const sha = sha256_best();
	static const uint8_t kausf[AKMA_KEY];
	uint8_t out[AKMA_KEY], before[AKMA_KEY];

	memset(before, 0xa5, sizeof(before));
	memcpy(out, before, sizeof(out));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		cr_assert_eq(akma_kakma(sha, kausf, bad[i], out), -EBADMSG, "'%s'", bad[i]);
		cr_assert_eq(akma_atid(sha, kausf, bad[i], out), -EBADMSG, "'%s'", bad[i]);
	}
	cr_assert_arr_eq(out, before, sizeof(out));
}

Test(akma, supi_length_has_a_limit)
{
	const struct sha256_ops *const sha = sha256_best();
	static const uint8_t kausf[AKMA_KEY];
	char supi[AKMA_SUPI_MAX + 2];
	uint8_t out[AKMA_KEY];

	memset(supi, 'a', sizeof(supi));
	memcpy(supi, "nai-", 4);
	supi[AKMA_SUPI_MAX + 1] = '\0';
	cr_assert_eq(akma_kakma(sha, kausf, supi, out), -EBADMSG);
	supi[AKMA_SUPI_MAX] = '\0';
	cr_assert_eq(akma_kakma(sha, kausf, supi, out), 0);
	cr_assert_eq(akma_atid(sha, kausf, supi, out), 0);
}

KERNEL_TEST(akma, bursts_are_single_derivations)
{
	enum { UES = 150 };
	struct random random = random_start();
	static uint8_t kakma[UES][AKMA_KEY], kaf[UES + 1][AKMA_KEY], one[1][AKMA_KEY];
	static struct hmac_key state[UES];
	static const struct hmac_key *states[UES];
	static const uint8_t id[AKMA_UA_STAR_ID] = {0xff, 0x41, 0x4b, 0x50, 0x01};
	struct hmac_message message;
	struct akma_af_id af_id;

	akma_af_id_init(&af_id, "meter.example.org", id);
	akma_kaf_message(&message, &af_id);
	random_fill(&random, kakma, sizeof(kakma));
	hmac_key_init(sha, kakma, UES, state);
	for (unsigned n = 0; n <= UES; n += 1 + n / 8) {
		memset(kaf, 0xa5, sizeof(kaf));
		for (unsigned i = 0; i < n; i++)
			states[i] = &state[n - 1 - i];
		akma_kaf(sha, states, &message, n, kaf);
		cr_assert(kaf[n][0] == 0xa5 && kaf[n][AKMA_KEY - 1] == 0xa5);
		for (unsigned i = 0; i < n; i++) {
			kaf_of(sha, &kakma[n - 1 - i], "meter.example.org", "ff414b5001", one);
			cr_assert_arr_eq(kaf[i], one[0], AKMA_KEY, "%u of %u, seed %#" PRIx64, i, n,
					 random.seed);
		}
	}
}

#define X9(label) label label label label label label label label label
#define LABEL63   X9("abcdefg")
#define LABEL61   "a" X9("bcdefg") "hijklm"

struct name {
	const char *in;
	const char *out;
};

static const struct name good_names[] = {
	{"a.bc", "a.bc"},
	{"AF.Example.COM", "af.example.com"},
	{"af.example.com.", "af.example.com"},
	{"xn--bcher-kva.example", "xn--bcher-kva.example"},
	{"a-b.c--d.e0", "a-b.c--d.e0"},
	{"0.1.2.3", "0.1.2.3"},
	{"ab.c.", "ab.c"},
	{LABEL63 ".xy", LABEL63 ".xy"},
	{LABEL63 "." LABEL63 "." LABEL63 "." LABEL61, LABEL63 "." LABEL63 "." LABEL63 "." LABEL61},
	{LABEL63 "." LABEL63 "." LABEL63 "." LABEL61 ".",
	 LABEL63 "." LABEL63 "." LABEL63 "." LABEL61},
};

static const char *const bad_names[] = {
	"",
	".",
	"..",
	"...",
	"....",
	"a",
	"a.b",
	"a.b.",
	"abc.",
	"abcd",
	"localhost",
	"localhost.",
	".example.com",
	"af..example.com",
	"af.example.com..",
	"-af.example.com",
	"af-.example.com",
	"af.-example.com",
	"af.example.com-",
	"af.example.-",
	"a_f.example.com",
	"af.example.com ",
	" af.example.com",
	"af example.com",
	"af.example.com\n",
	"af.example.com\t.",
	"af.example.com/x",
	"af.example.com:443",
	"user@example.com",
	"*.example.com",
	"b\xc3\xbc"
	"cher.example",
	"af\xe3\x80\x82"
	"example.com",
	"af.\xef\xbd\x85xample.com",
	"\xff\xfe\xfd.example",
	"[::1]",
	"af.exam%70le.com",
	"x" LABEL63 ".xy",
	"af." LABEL63 "x",
	LABEL63 "." LABEL63 "." LABEL63 ".x" LABEL61,
	LABEL63 "." LABEL63 "." LABEL63 "." LABEL63 ".com",
};

Test(akma, fqdn_is_normalised)
{
	for (size_t i = 0; i < sizeof(good_names) / sizeof(good_names[0]); i++) {
		const struct name *const name = &good_names[i];
		char out[AKMA_FQDN_MAX + 1];

		cr_assert_eq(akma_fqdn_parse(name->in, strlen(name->in), out), strlen(name->out),
			     "'%s'", name->in);
		cr_assert_str_eq(out, name->out);
		cr_assert_eq(akma_fqdn_parse(out, strlen(out), out), strlen(name->out),
			     "not stable");
	}
}

static void assert_refused(const char *fqdn, size_t len)
{
	char out[AKMA_FQDN_MAX + 1], before[AKMA_FQDN_MAX + 1];

	memset(before, 0xa5, sizeof(before));
	memcpy(out, before, sizeof(out));
	cr_assert_eq(akma_fqdn_parse(fqdn, len, out), -EBADMSG, "'%.*s'", (int)len, fqdn);
	cr_assert_arr_eq(out, before, sizeof(out), "'%.*s'", (int)len, fqdn);
}

Test(akma, bad_fqdn_is_refused)
{
	for (size_t i = 0; i < sizeof(bad_names) / sizeof(bad_names[0]); i++)
		assert_refused(bad_names[i], strlen(bad_names[i]));
	assert_refused("af\0.example", 11);
	assert_refused("af.example\0", 11);
	assert_refused("\0\0\0\0\0", 5);
}

Test(akma, every_other_octet_is_refused)
{
	for (unsigned octet = 0; octet < 256; octet++) {
		char fqdn[] = "af.ex?mple.org";
		char out[AKMA_FQDN_MAX + 1];
		const bool letter =
			(octet >= 'a' && octet <= 'z') || (octet >= 'A' && octet <= 'Z');
		const bool good =
			letter || (octet >= '0' && octet <= '9') || octet == '-' || octet == '.';

		fqdn[5] = (char)octet;
		if (good)
			cr_assert_eq(akma_fqdn_parse(fqdn, 14, out), 14, "octet %#x", octet);
		else
			assert_refused(fqdn, 14);
	}
}

// Only the given length is read: the name lies at the very end of its allocation, unterminated.
Test(akma, fqdn_needs_no_terminator)
{
	static const char name[] = "af.example.org.";

	for (size_t len = 0; len <= strlen(name); len++) {
		char *const fqdn = malloc(len ? len : 1);
		char out[AKMA_FQDN_MAX + 1];
		const size_t expected = name[len - !!len] == '.' && len ? len - 1 : len;

		memcpy(fqdn, name, len);
		cr_assert_eq(akma_fqdn_parse(fqdn, len, out), len < 4 ? -EBADMSG : (int)expected,
			     "%zu octets", len);
		free(fqdn);
	}
}

KERNEL_TEST(akma, af_ids_of_every_length)
{
	struct random random = random_start();
	static const uint8_t id[AKMA_UA_STAR_ID] = {1, 2, 3, 4, 5};
	uint8_t key[1][AKMA_KEY], kaf[1][AKMA_KEY], whole[AKMA_KEY];
	struct hmac_key state;
	const struct hmac_key *const states[] = {&state};

	random_fill(&random, key, sizeof(key));
	hmac_key_init(sha, key, 1, &state);
	for (size_t len = AKMA_FQDN_MIN; len <= AKMA_FQDN_MAX; len++) {
		char fqdn[AKMA_FQDN_MAX + 1] = {0};
		uint8_t s[1 + AKMA_AF_ID_MAX + 2];
		struct akma_af_id af_id;
		struct hmac_message message;

		memset(fqdn, 'f', len);
		akma_af_id_init(&af_id, fqdn, id);
		cr_assert_eq(af_id.len, len + AKMA_UA_STAR_ID);
		akma_kaf_message(&message, &af_id);
		akma_kaf(sha, states, &message, 1, kaf);

		s[0] = 0x82; // spelt out here: FC || FQDN || Ua* identifier || two octets of length
		memcpy(s + 1, fqdn, len);
		memcpy(s + 1 + len, id, sizeof(id));
		s[1 + len + 5] = (uint8_t)((len + 5) >> 8);
		s[1 + len + 6] = (uint8_t)(len + 5);
		hmac_one(sha, &state, s, len + 8, whole);
		cr_assert_arr_eq(kaf[0], whole, AKMA_KEY, "FQDN of %zu octets", len);
	}
}
