// Protocol 1 against tests/vectors/protocol1.json, with both crypto implementations of the UE.

#include <criterion/criterion.h>
#include <jansson.h>
#include <string.h>

#include "ue/peer.h"

static const struct akmapush_ue_crypto *const cryptos[] = {&akmapush_ue_crypto_builtin,
							   &akmapush_ue_crypto_openssl};

static const char *text(const json_t *o, const char *name)
{
	const char *s = json_string_value(json_object_get(o, name));

	cr_assert_not_null(s, "%s", name);
	return s;
}

static uint32_t number(const json_t *o, const char *name)
{
	return (uint32_t)json_integer_value(json_object_get(o, name));
}

static size_t hex(const json_t *o, const char *name, uint8_t *out)
{
	const char *s = text(o, name);
	size_t n = strlen(s) / 2;

	cr_assert_leq(n, 1300);
	for (size_t i = 0; i < n; i++)
		cr_assert_eq(sscanf(s + 2 * i, "%2hhx", &out[i]), 1);
	return n;
}

static json_t *section(const char *name)
{
	json_error_t error;
	json_t *root = json_load_file(PROTOCOL1, 0, &error);

	cr_assert_not_null(root, "%s", error.text);
	cr_assert_gt(json_array_size(json_object_get(root, name)), 0);
	return json_object_get(root, name);
}

static void key_check(const struct akmapush_ue_crypto *crypto, const json_t *v, size_t i)
{
	uint8_t kausf[32], expected[32], out[32], kakma[32];
	struct akmapush_ue_af af = {.fqdn = text(v, "fqdn")};

	hex(v, "kausf", kausf);
	hex(v, "ua_star_id", af.ua_star_id);
	hex(v, "kakma", expected);
	cr_assert(apue_kakma(crypto, kausf, text(v, "supi"), kakma));
	cr_expect_arr_eq(kakma, expected, 32, "%s: kakma %zu", crypto->name, i);
	hex(v, "atid", expected);
	cr_assert(apue_atid(crypto, kausf, text(v, "supi"), out));
	cr_expect_arr_eq(out, expected, 32, "%s: atid %zu", crypto->name, i);
	hex(v, "kaf", expected);
	cr_assert(apue_kaf(crypto, kakma, &af, out));
	cr_expect_arr_eq(out, expected, 32, "%s: kaf %zu", crypto->name, i);
}

Test(ue_vectors, keys)
{
	size_t i;
	json_t *v;

	for (unsigned c = 0; c < 2; c++)
		json_array_foreach(section("keys"), i, v) key_check(cryptos[c], v, i);
}

static void block_check(const struct akmapush_ue_crypto *crypto, const json_t *v, size_t i)
{
	uint8_t kaf[32], push_id[16], expected[32];
	uint8_t suite = (uint8_t)number(v, "suite");
	struct apue_block block;

	hex(v, "kaf", kaf);
	hex(v, "push_id", push_id);
	cr_assert(apue_block_derive(crypto, kaf, suite, APUE_PUSH, push_id, &block));
	cr_assert_eq(hex(v, "key", expected), block.key_len);
	cr_expect_arr_eq(block.key, expected, block.key_len, "%s: key %zu", crypto->name, i);
	hex(v, "iv", expected);
	cr_expect_arr_eq(block.iv, expected, 12, "%s: iv %zu", crypto->name, i);
	hex(v, "selector", expected);
	cr_expect_arr_eq(block.selector, expected, 4, "%s: selector %zu", crypto->name, i);
	cr_assert(apue_block_derive(crypto, kaf, suite, APUE_ACK, push_id, &block));
	hex(v, "ack_key", expected);
	cr_expect_arr_eq(block.key, expected, block.key_len, "%s: ACK key %zu", crypto->name, i);
	hex(v, "ack_iv", expected);
	cr_expect_arr_eq(block.iv, expected, 12, "%s: ACK iv %zu", crypto->name, i);
}

static void push_check(const struct akmapush_ue_crypto *crypto, const json_t *v, size_t i)
{
	uint8_t kaf[32], push_id[16], payload[1300], datagram[1300], sealed[1232], opened[1184];
	struct apue_push_fields fields = {
		.suite = (uint8_t)number(v, "suite"),
		.flags = (uint8_t)number(v, "flags"),
		.segment_index = (uint8_t)number(v, "segment_index"),
		.segment_cnt = (uint8_t)number(v, "segment_count"),
		.push_id = push_id,
		.ref = number(v, "ref"),
		.expiry = number(v, "expiry"),
		.payload = payload,
	};
	struct apue_push push;
	size_t len = hex(v, "push", datagram);

	hex(v, "kaf", kaf);
	hex(v, "push_id", push_id);
	fields.payload_len = hex(v, "payload", payload);
	cr_assert_eq(apue_push_seal(crypto, kaf, &fields, sealed), len);
	cr_expect_arr_eq(sealed, datagram, len, "%s: PUSH %zu", crypto->name, i);
	cr_assert_eq(apue_push_parse(datagram, len, &push), AKMAPUSH_UE_DELIVERED);
	cr_assert_eq(push.n, fields.payload_len);
	cr_assert_eq(push.expiry, fields.expiry);
	cr_assert(apue_push_open(crypto, kaf, &push, opened), "%s: PUSH %zu", crypto->name, i);
	cr_expect_arr_eq(opened, payload, push.n);
}

static void ack_check(const struct akmapush_ue_crypto *crypto, const json_t *v, size_t i)
{
	uint8_t kaf[32], reply[1300], datagram[1300], sealed[1232], opened[1184];
	uint32_t ref = number(v, "ref");
	struct apue_ack_fields fields = {
		.suite = (uint8_t)number(v, "suite"),
		.status = (uint8_t)number(v, "ack_status"),
		.ref = {(uint8_t)(ref >> 24), (uint8_t)(ref >> 16), (uint8_t)(ref >> 8),
			(uint8_t)ref},
		.reply = reply,
	};
	struct apue_ack_fields got;
	size_t len = hex(v, "ack", datagram);

	hex(v, "kaf", kaf);
	hex(v, "push_id", fields.push_id);
	fields.reply_len = hex(v, "reply", reply);
	cr_assert_eq(apue_ack_seal(crypto, kaf, &fields, sealed), len);
	cr_expect_arr_eq(sealed, datagram, len, "%s: ACK %zu", crypto->name, i);
	cr_assert(apue_ack_open(crypto, kaf, datagram, len, &got, opened), "%s: ACK %zu",
		  crypto->name, i);
	cr_expect_eq(got.status, fields.status);
	cr_expect_eq(got.reply_len, fields.reply_len);
	cr_expect_arr_eq(got.push_id, fields.push_id, 16);
	cr_expect_arr_eq(opened, reply, fields.reply_len);
}

Test(ue_vectors, messages)
{
	size_t i;
	json_t *v;

	for (unsigned c = 0; c < 2; c++)
		json_array_foreach(section("messages"), i, v)
		{
			block_check(cryptos[c], v, i);
			push_check(cryptos[c], v, i);
			ack_check(cryptos[c], v, i);
		}
}

static bool accepted(const struct akmapush_ue_crypto *crypto, const json_t *v)
{
	uint8_t kaf[32], datagram[1300], out[1184];
	size_t len = hex(v, "datagram", datagram);
	struct apue_ack_fields fields;
	struct apue_push push;

	hex(v, "kaf", kaf);
	if (strcmp(text(v, "to"), "ue"))
		return apue_ack_open(crypto, kaf, datagram, len, &fields, out);
	return apue_push_parse(datagram, len, &push) == AKMAPUSH_UE_DELIVERED &&
	       apue_push_open(crypto, kaf, &push, out);
}

Test(ue_vectors, rejects)
{
	size_t i;
	json_t *v;

	for (unsigned c = 0; c < 2; c++)
		json_array_foreach(section("rejects"), i, v)
			cr_expect_not(accepted(cryptos[c], v), "%s: %s takes %s", cryptos[c]->name,
				      text(v, "to"), text(v, "why"));
}
