// The octets that enter the KDF, decided here and nowhere else in the daemon.
//
//   KDF(key, FC, P0, P1, …) = HMAC-SHA-256(key, FC || P0 || L0 || P1 || L1 …)      TS 33.220 B.2

#include "crypto/akma.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "base/bytes.h"

enum { LABEL_MAX = 63, S_MAX = 1 + AKMA_AF_ID_MAX + 2, NAME_S_MAX = 1 + 5 + 2 + AKMA_SUPI_MAX + 2 };

static_assert((int)S_MAX <= (int)HMAC_MESSAGE_MAX, "every AF_ID makes a prepared message");

// What is put together for the KDF: FC, then parameters with their lengths behind them.
struct s {
	uint16_t len;
	uint8_t octets[NAME_S_MAX];
};

static_assert((int)S_MAX <= (int)NAME_S_MAX, "S of K_AF fits as well");

static void s_start(struct s *s, uint8_t fc)
{
	s->octets[0] = fc;
	s->len = 1;
}

static void s_add(struct s *s, const void *parameter, size_t len)
{
	assert(s->len + len + 2 <= sizeof(s->octets));
	memcpy(s->octets + s->len, parameter, len);
	store16_be(s->octets + s->len + len, (uint16_t)len);
	s->len += len + 2;
}

static bool is_label_octet(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

// Octets of the label at the front of text, or 0 when there is no good one.
static size_t label_len(const char *text, size_t len)
{
	size_t n = 0;

	while (n < len && is_label_octet(text[n]))
		n++;
	if (!n || n > LABEL_MAX || text[0] == '-' || text[n - 1] == '-')
		return 0;
	return n;
}

static bool is_fqdn(const char *text, size_t len)
{
	unsigned labels = 0;

	for (size_t at = 0; at <= len; labels++) {
		const size_t n = label_len(text + at, len - at);

		if (!n || (at + n < len && text[at + n] != '.'))
			return false;
		at += n + 1;
	}
	return labels >= 2;
}

int akma_fqdn_parse(const char *fqdn, size_t len, char out[AKMA_FQDN_MAX + 1])
{
	char text[AKMA_FQDN_MAX + 1];

	if (len && fqdn[len - 1] == '.')
		len--;
	if (len < AKMA_FQDN_MIN || len > AKMA_FQDN_MAX)
		return -EBADMSG;
	for (size_t i = 0; i < len; i++)
		text[i] = lower(fqdn[i]);
	text[len] = '\0';
	if (!is_fqdn(text, len))
		return -EBADMSG;

	memcpy(out, text, len + 1);
	return (int)len;
}

void akma_af_id_init(struct akma_af_id *af_id, const char *fqdn,
		     const uint8_t ua_star_id[AKMA_UA_STAR_ID])
{
	const size_t len = strlen(fqdn);

	assert(AKMA_FQDN_MIN <= len && len <= AKMA_FQDN_MAX);
	memcpy(af_id->octets, fqdn, len);
	memcpy(af_id->octets + len, ua_star_id, AKMA_UA_STAR_ID);
	af_id->len = (uint16_t)(len + AKMA_UA_STAR_ID);
}

// The identity without "imsi-" or "nai-", as it enters the KDF (TS 33.501 A.7.0); NULL for another
// prefix, an empty identity or one that is too long.
static const char *identity(const char *supi)
{
	static const char *const prefixes[] = {"imsi-", "nai-", NULL};

	if (strnlen(supi, AKMA_SUPI_MAX + 1) > AKMA_SUPI_MAX)
		return NULL;
	for (const char *const *prefix = prefixes; *prefix; prefix++) {
		const size_t n = strlen(*prefix);

		if (!strncmp(supi, *prefix, n))
			return supi[n] ? supi + n : NULL;
	}
	return NULL;
}

// out = KDF(K_AUSF, fc, name, SUPI): TS 33.535 A.2, A.3.
static int derive(const struct sha256_ops *sha, const uint8_t kausf[AKMA_KEY], uint8_t fc,
		  const char *name, const char *supi, uint8_t out[AKMA_KEY])
{
	const char *const id = identity(supi);
	struct hmac_key key;
	struct s s;

	if (!id)
		return -EBADMSG;
	s_start(&s, fc);
	s_add(&s, name, strlen(name));
	s_add(&s, id, strlen(id));
	hmac_key_init(sha, (const uint8_t(*)[HMAC_KEY])kausf, 1, &key);
	hmac_one(sha, &key, s.octets, s.len, out);
	mem_wipe(&key, sizeof(key));
	return 0;
}

int akma_kakma(const struct sha256_ops *sha, const uint8_t kausf[AKMA_KEY], const char *supi,
	       uint8_t kakma[AKMA_KEY])
{
	return derive(sha, kausf, AKMA_FC_KAKMA, "AKMA", supi, kakma);
}

int akma_atid(const struct sha256_ops *sha, const uint8_t kausf[AKMA_KEY], const char *supi,
	      uint8_t atid[AKMA_KEY])
{
	return derive(sha, kausf, AKMA_FC_ATID, "A-TID", supi, atid);
}

// TS 33.535 A.4
static void kaf_s(struct s *s, const struct akma_af_id *af_id)
{
	assert(af_id->len <= AKMA_AF_ID_MAX);
	s_start(s, AKMA_FC_KAF);
	s_add(s, af_id->octets, af_id->len);
}

void akma_kaf_one(const struct sha256_ops *sha, const struct hmac_key *kakma,
		  const struct akma_af_id *af_id, uint8_t kaf[AKMA_KEY])
{
	struct s s;

	kaf_s(&s, af_id);
	hmac_one(sha, kakma, s.octets, s.len, kaf);
}

void akma_kaf_message(struct hmac_message *message, const struct akma_af_id *af_id)
{
	struct s s;

	kaf_s(&s, af_id);

	const int ret = hmac_message_init(message, s.octets, s.len);

	assert(!ret);
	(void)ret;
}

void akma_kaf(const struct sha256_ops *sha, const struct hmac_key *const kakma[],
	      const struct hmac_message *kaf_message, unsigned n, uint8_t kaf[][AKMA_KEY])
{
	hmac_same(sha, kakma, kaf_message, n, kaf);
}
