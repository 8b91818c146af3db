// akmapush-load push: an AF that pushes.
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/clock.h"
#include "base/text.h"
#include "control/json/json.h"
#include "crypto/akma.h"
#include "tools/load/load.h"
#include "tools/load/load_pushes.h"
#include "tools/load/reply.h"

enum { PAYLOAD_MAX = 18944, HEAD_MAX = 512, TARGET_MAX = 40 };

static const char *af = "utility.example", *group, *text, *key_prefix;
static bool to_all, to_list, by_supi, no_ack, ordered, wait;
static uint64_t repeat = 1, payload_len = 64, validity = 300, suite = 1, segment_size;

static const struct arg args[] = {
	{ARG_TITLE, 0, "Targets (without these: one push for each subscriber)", NULL, NULL, NULL, 0,
	 0},
	{ARG_TEXT, 0, "group", "ID", "the members of a group", &group, 0, 0},
	{ARG_FLAG, 0, "all", NULL, "every UE", &to_all, 0, 0},
	{ARG_FLAG, 0, "list", NULL, "one push that lists the subscribers", &to_list, 0, 0},
	{ARG_UINT, 0, "repeat", "N", "as many pushes to the same (default 1)", &repeat, 1, 1000000},
	{ARG_FLAG, 0, "supi", NULL, "name subscribers by SUPI (trusted AFs), not by GPSI", &by_supi,
	 0, 0},
	{ARG_TITLE, 0, "Push", NULL, NULL, NULL, 0, 0},
	{ARG_TEXT, 0, "af", "FQDN", "the AF (default utility.example)", &af, 0, 0},
	{ARG_UINT, 0, "payload", "N", "octets of payload (default 64)", &payload_len, 0,
	 PAYLOAD_MAX},
	{ARG_TEXT, 0, "text", "TEXT", "this payload instead", &text, 0, 0},
	{ARG_UINT, 0, "validity", "S", "seconds until it expires (default 300)", &validity, 1,
	 INT32_MAX},
	{ARG_UINT, 0, "suite", "1|2", "AES-128-GCM or AES-256-GCM (default 1)", &suite, 1, 2},
	{ARG_UINT, 0, "segment-size", "N", "octets of payload in a datagram (default 1184)",
	 &segment_size, 1, 1184},
	{ARG_FLAG, 0, "no-ack", NULL, "no acknowledgement wanted: each is sent once", &no_ack, 0,
	 0},
	{ARG_FLAG, 0, "ordered", NULL, "a UE takes it only if it is newer than all before",
	 &ordered, 0, 0},
	{ARG_TEXT, 0, "key", "TEXT",
	 "Idempotency-Keys are TEXT-0, TEXT-1 and so on (default:\n"
	 "a new TEXT in each run)",
	 &key_prefix, 0, 0},
	{ARG_FLAG, 0, "wait", NULL,
	 "wait until all pushes are over; exit code 1 unless every\n"
	 "target succeeded",
	 &wait, 0, 0},
	{0},
};

static const struct args_command command = {
	"akmapush-load push [OPTION...]",
	"Pushes as an AF that is registered (akmapush-load af). With --wait it shows how many\n"
	"devices have acknowledged, and tells at the end what became of all targets.",
	"  akmapush-load push --af utility.example --group meters --wait\n"
	"  akmapush-load push --af utility.example --count 10k --rate 500    one UE at a time",
	args,
	load_args,
};

struct work {
	char payload[PAYLOAD_MAX / 3 * 4 + 8]; // base64
	char prefix[40];
	struct load_pushes pushes;
};

static char *write_target(char *p, uint64_t i)
{
	char identity[SUBSCRIBER_SUPI];

	if (by_supi)
		subscriber_supi(i, identity);
	else
		subscriber_gpsi(i, identity);
	return p + sprintf(p, "{\"%s\":\"%s\"}", by_supi ? "supi" : "gpsi", identity);
}

static char *write_targets(char *p, uint64_t item)
{
	if (to_all)
		return p + sprintf(p, "{\"all\":true}");
	if (group)
		return p + sprintf(p, "{\"externalGroupId\":\"%s\"}", group);
	if (!to_list)
		return write_target(p, load_options.from + item / repeat);
	p += sprintf(p, "{\"list\":[");
	for (uint64_t i = 0; i < load_options.count; i++) {
		if (i)
			*p++ = ',';
		p = write_target(p, load_options.from + i);
	}
	return p + sprintf(p, "]}");
}

static size_t write_body(void *arg, uint64_t item, char *body)
{
	const struct work *work = arg;
	char *p = body;

	p += sprintf(p, "{\"target\":");
	p = write_targets(p, item);
	p += sprintf(p,
		     ",\"validityPeriod\":%" PRIu64 ",\"suite\":%" PRIu64
		     ",\"ackRequested\":%s,\"ordered\":%s",
		     validity, suite, no_ack ? "false" : "true", ordered ? "true" : "false");
	if (segment_size)
		p += sprintf(p, ",\"segmentSize\":%" PRIu64, segment_size);
	p += sprintf(p, ",\"payload\":\"%s\"}", work->payload);
	return (size_t)(p - body);
}

static void write_key(void *arg, uint64_t item, char key[LOAD_KEY])
{
	const struct work *work = arg;

	snprintf(key, LOAD_KEY, "%s-%" PRIu64, work->prefix, item);
}

static const char *accepted(void *arg, uint64_t item, const struct h2_response *response)
{
	struct work *work = arg;
	struct json *resource = reply_parse(response->body, response->body_len);
	bool is_there = reply_text(resource, "pushId", work->pushes.push[item].id, LOAD_PUSH_ID);

	json_free(resource);
	if (response->status != 201 || !is_there)
		return "the answer is no push";
	work->pushes.n_open++;
	return NULL;
}

static void acknowledge(void *arg, uint64_t item, FILE *file)
{
	const struct work *work = arg;

	fprintf(file, "push %s %s-%" PRIu64 "\n", work->pushes.push[item].id, work->prefix, item);
}

// Octets that differ from each other, but are the same in every run.
static void payload_fill(uint8_t *octets, size_t n)
{
	for (size_t i = 0; i < n; i++)
		octets[i] = (uint8_t)(i * 167 + (i >> 8) * 13);
}

static bool work_prepare(struct work *work)
{
	static uint8_t octets[PAYLOAD_MAX];
	uint8_t random[8];

	if (text) {
		payload_len = strlen(text);
		if (payload_len > PAYLOAD_MAX)
			return false;
		memcpy(octets, text, payload_len);
	} else {
		payload_fill(octets, payload_len);
	}
	base64_write(work->payload, octets, payload_len);
	if (key_prefix) {
		snprintf(work->prefix, sizeof(work->prefix), "%s", key_prefix);
		return true;
	}
	if (getrandom(random, sizeof(random), 0) != sizeof(random))
		return false;
	strcpy(work->prefix, "load-");
	hex_write(work->prefix + 5, random, sizeof(random));
	return true;
}

static int report(const struct work *work, const struct load_result *result, double seconds)
{
	const struct load_sums *sums = &work->pushes.over;
	struct json_writer *w;

	if (load_options.json) {
		w = json_write();
		load_put(result, w);
		json_put_string(w, "af", work->pushes.af);
		json_put_real(w, "finished_after_seconds", seconds);
		load_pushes_put(&work->pushes, w);
		load_write_json(w);
	} else {
		load_print(result);
		if (wait)
			load_pushes_print(&work->pushes);
	}
	if (wait && (work->pushes.n_open || sums->success != sums->targets))
		return 1;
	return load_good(result) ? 0 : 1;
}

static int usage_wrong(const char *fqdn_is_bad)
{
	if (fqdn_is_bad) {
		fputs("--af: a full name is needed, such as utility.example\n", stderr);
		return -1;
	}
	if ((group != NULL) + to_all + to_list > 1) {
		fputs("one of --group, --all and --list only\n", stderr);
		return -1;
	}
	if (group && (strpbrk(group, "\"\\") || strlen(group) > HEAD_MAX / 2)) {
		fputs("--group: no such name\n", stderr);
		return -1;
	}
	if (key_prefix && strlen(key_prefix) > 39) {
		fputs("--key: 39 characters at most\n", stderr);
		return -1;
	}
	return 0;
}

static int push(struct work *work, const char *path)
{
	static struct load_result result;
	const bool is_one = group || to_all || to_list;
	const struct load_job job = {
		.what = "push",
		.n = (is_one ? 1 : load_options.count) * repeat,
		.method = "POST",
		.path = path,
		.content_type = "application/json",
		.is_open = true,
		.is_upload = to_list, // its bodies are large
		.body_max = sizeof(work->payload) + HEAD_MAX +
			    (to_list ? load_options.count : 1) * (TARGET_MAX + HEAD_MAX / 64),
		.write = write_body,
		.key = write_key,
		.check = accepted,
		.acknowledge = acknowledge,
		.arg = work,
	};
	double seconds = 0;

	if (load_pushes_init(&work->pushes, af, job.n) || load_run(&job, &result))
		return 1;
	if (wait) {
		load_pushes_wait(&work->pushes, (double)(validity + load_options.timeout_s));
		seconds = (double)(clock_mono_ns(&clock_system) - result.started_ns) / 1e9;
	}
	return report(work, &result, seconds);
}

int load_push(int argc, char **argv)
{
	static struct work work;
	char fqdn[AKMA_FQDN_MAX + 1], path[LOAD_PATH];
	int r;

	if (load_options_parse(&command, argc, argv, 0) < 0)
		return 2;
	if (usage_wrong(akma_fqdn_parse(af, strlen(af), fqdn) < 0 ? af : NULL))
		return 2;
	if (!work_prepare(&work)) {
		fputs("--text: the payload is too long\n", stderr);
		return 2;
	}
	af = fqdn;
	snprintf(path, sizeof(path), "/akma-push/v1/%s/pushes", fqdn);
	r = push(&work, path);
	load_pushes_fini(&work.pushes);
	return r;
}
