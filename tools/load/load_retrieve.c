// akmapush-load retrieve: an AF of AKMA (Naanf_AKMA retrieve-applicationkey, TS 29.535).
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/text.h"
#include "control/json/json.h"
#include "tools/load/load.h"
#include "tools/load/reply.h"

enum { BODY_MAX = 640 };

static const char *af = "utility.example", *ua_star_id = "0100011301";
static uint64_t requests, registration;
static double seconds;
static bool no_check;

static struct hmac_message kaf_message;
static char fqdn[AKMA_FQDN_MAX + 1];

static const struct arg args[] = {
	{ARG_TITLE, 0, "Retrieval", NULL, NULL, NULL, 0, 0},
	{ARG_TEXT, 0, "af", "FQDN", "the AF that asks (default utility.example)", &af, 0, 0},
	{ARG_TEXT, 0, "ua", "HEX",
	 "its Ua* protocol identifier, ten digits (default\n"
	 "0100011301, TLS 1.3 with AES-128-GCM)",
	 &ua_star_id, 0, 0},
	{ARG_UINT, 0, "again", "K", "registration number that is current (default 0)",
	 &registration, 0, UINT32_MAX},
	{ARG_UINT, 0, "requests", "N", "how many in all (default: one for each subscriber)",
	 &requests, 1, INT64_MAX},
	{ARG_REAL, 0, "seconds", "S", "instead: for so long", &seconds, 0, 1000000},
	{ARG_FLAG, 0, "no-check", NULL, "do not compare the keys with what they should be",
	 &no_check, 0, 0},
	{0},
};

static const struct args_command command = {
	"akmapush-load retrieve [OPTION...]",
	"Asks for K_AF by A-KID, one subscriber after the other and round again, and compares "
	"each\n"
	"key with its own derivation.",
	"  akmapush-load retrieve --count 100k --seconds 10 -c 8 -m 100",
	args,
	load_args,
};

static uint64_t subscriber_of(uint64_t item)
{
	return load_options.from + item % load_options.count;
}

static size_t write_body(void *arg, uint64_t item, char *body)
{
	char akid[SUBSCRIBER_AKID];

	(void)arg;
	subscriber_akid(&load_options.subscribers, subscriber_of(item), (uint32_t)registration,
			akid);
	return (size_t)snprintf(body, BODY_MAX, "{\"afId\":\"%s%s\",\"aKId\":\"%s\"}", fqdn,
				ua_star_id, akid);
}

static void derive(uint64_t i, uint8_t kaf[1][AKMA_KEY])
{
	const struct sha256_ops *sha = load_options.subscribers.sha;
	const struct hmac_key *keys[1];
	uint8_t kakma[1][AKMA_KEY];
	struct hmac_key key;

	subscriber_kakma(&load_options.subscribers, i, (uint32_t)registration, kakma[0]);
	hmac_key_init(sha, kakma, 1, &key);
	keys[0] = &key;
	akma_kaf(sha, keys, &kaf_message, 1, kaf);
	mem_wipe(&key, sizeof(key));
	mem_wipe(kakma, sizeof(kakma));
}

static const char *check(void *arg, uint64_t item, const struct h2_response *response)
{
	uint8_t got[AKMA_KEY], expected[1][AKMA_KEY];
	struct json *answer;
	bool is_there, is_equal;

	(void)arg;
	if (response->status != 200)
		return "no key for this A-KID";
	if (no_check)
		return NULL;
	answer = reply_parse(response->body, response->body_len);
	is_there = reply_hex(answer, "kaf", got, sizeof(got));
	json_free(answer);
	derive(subscriber_of(item), expected);
	is_equal = is_there && mem_equal_ct(got, expected[0], sizeof(got));
	mem_wipe(got, sizeof(got));
	mem_wipe(expected, sizeof(expected));
	return !is_there ? "the answer has no kaf" : is_equal ? NULL : "the key is wrong";
}

int load_retrieve(int argc, char **argv)
{
	static struct load_result result;
	struct akma_af_id af_id;
	uint8_t ua[AKMA_UA_STAR_ID];
	struct load_job job = {
		.what = "retrieve",
		.method = "POST",
		.path = "/naanf-akma/v1/retrieve-applicationkey",
		.content_type = "application/json",
		.is_open = true,
		.body_max = BODY_MAX,
		.write = write_body,
		.check = check,
	};

	if (load_options_parse(&command, argc, argv, 0) < 0)
		return 2;
	if (akma_fqdn_parse(af, strlen(af), fqdn) < 0 ||
	    hex_parse(ua_star_id, strlen(ua_star_id), ua, sizeof(ua))) {
		fputs("--af takes a full name, --ua ten hexadecimal digits\n", stderr);
		return 2;
	}
	akma_af_id_init(&af_id, fqdn, ua);
	akma_kaf_message(&kaf_message, &af_id);
	job.seconds = seconds;
	job.n = seconds > 0 ? UINT64_MAX : requests ? requests : load_options.count;
	return load_run(&job, &result) ? 1 : load_finish(&result);
}
