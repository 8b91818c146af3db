// akmapush-load provision: who is who, where, and in which group (the parts of UDM and SMF).
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "control/json/json.h"
#include "tools/load/load.h"
#include "tools/load/reply.h"

enum { LINES = 10000, LINE_MAX_ = 160, PATH = 400 };

static const char *group;
static bool no_gpsi, no_address, is_v6, members_only;
static uint64_t port = SUBSCRIBER_PORT;
static const char *first_address;
static struct subscriber_net net;

static const struct arg args[] = {
	{ARG_TITLE, 0, "Provisioning", NULL, NULL, NULL, 0, 0},
	{ARG_TEXT, 0, "group", "ID", "make this group too, and put all of them into it", &group, 0,
	 0},
	{ARG_FLAG, 0, "members-only", NULL, "the group only: nothing of binding and address",
	 &members_only, 0, 0},
	{ARG_UINT, 0, "port", "N", "UDP port of the UEs (default 48470)", &port, 1, UINT16_MAX},
	{ARG_FLAG, 0, "ipv6", NULL,
	 "on ::1, a port each from --port on: subscribers 0 to\n"
	 "9,999; with --first an address each",
	 &is_v6, 0, 0},
	{ARG_TEXT, 0, "first", "ADDRESS",
	 "of the first subscriber, in place of 127.1.0.0 or ::1;\n"
	 "the others' follow",
	 &first_address, 0, 0},
	{ARG_FLAG, 0, "no-gpsi", NULL, "SUPI alone", &no_gpsi, 0, 0},
	{ARG_FLAG, 0, "no-address", NULL, "bind SUPI and GPSI, say nothing of addresses",
	 &no_address, 0, 0},
	{0},
};

static const struct args_command command = {
	"akmapush-load provision [OPTION...]",
	"Binds SUPI and GPSI of each subscriber and tells where its UE is: 127.1.0.0 and up,\n"
	"all on one port, where akmapush-ue answers for them. Uploads are lines of JSON, 10,000 "
	"in\n"
	"a request; --connections, --streams and --rate have no meaning here, and latencies are\n"
	"those of whole uploads.",
	"  akmapush-load provision --count 100k --group meters",
	args,
	load_args,
};

static uint64_t n_lines(uint64_t chunk)
{
	uint64_t left = load_options.count - chunk * LINES;

	return left < LINES ? left : LINES;
}

static int write_address(char *to, uint64_t i)
{
	struct subscriber_address address;
	char text[SUBSCRIBER_ADDRESS];

	if (no_address || subscriber_address(&net, i, &address))
		return 0;
	subscriber_address_text(&address, text);
	return sprintf(to, ",\"address\":\"%s\",\"port\":%u", text, address.port);
}

static size_t write_ues(void *arg, uint64_t chunk, char *body)
{
	const uint64_t first = load_options.from + chunk * LINES;
	char supi[SUBSCRIBER_SUPI], gpsi[SUBSCRIBER_GPSI], *p = body;

	(void)arg;
	for (uint64_t i = first; i < first + n_lines(chunk); i++) {
		subscriber_supi(i, supi);
		subscriber_gpsi(i, gpsi);
		p += sprintf(p, "{\"supi\":\"%s\"", supi);
		if (!no_gpsi)
			p += sprintf(p, ",\"gpsi\":\"%s\"", gpsi);
		p += write_address(p, i);
		p += sprintf(p, "}\n");
	}
	return (size_t)(p - body);
}

static size_t write_members(void *arg, uint64_t chunk, char *body)
{
	const uint64_t first = load_options.from + chunk * LINES;
	char supi[SUBSCRIBER_SUPI], *p = body;

	(void)arg;
	for (uint64_t i = first; i < first + n_lines(chunk); i++) {
		subscriber_supi(i, supi);
		p += sprintf(p, "{\"supi\":\"%s\"}\n", supi);
	}
	return (size_t)(p - body);
}

static const char *check(void *arg, uint64_t chunk, const struct h2_response *response)
{
	struct json *summary = reply_parse(response->body, response->body_len);
	uint64_t failed = reply_uint(summary, NULL, "failed", UINT64_MAX);

	(void)arg, (void)chunk;
	json_free(summary);
	if (failed == UINT64_MAX)
		return "the answer is no summary of an upload";
	return failed ? "lines of an upload were refused" : NULL;
}

static void acknowledge(void *arg, uint64_t chunk, FILE *file)
{
	const uint64_t first = load_options.from + chunk * LINES;

	for (uint64_t i = first; i < first + n_lines(chunk); i++)
		fprintf(file, "%s %" PRIu64 "\n", (const char *)arg, i);
}

static char word_ue[] = "ue", word_member[] = "member"; // in the file of what was acknowledged

static int upload(const char *what, const char *path,
		  size_t (*write)(void *arg, uint64_t item, char *body), char *acknowledged,
		  struct load_result *result)
{
	const struct load_job job = {
		.what = what,
		.n = (load_options.count + LINES - 1) / LINES,
		.method = "POST",
		.path = path,
		.content_type = "application/x-ndjson",
		.is_upload = true,
		.body_max = (size_t)LINES * LINE_MAX_,
		.write = write,
		.check = check,
		.acknowledge = acknowledge,
		.arg = acknowledged,
	};

	return load_run(&job, result);
}

// Group names are the caller's text, and go into a path.
static bool name_is_plain(const char *name)
{
	return *name && strlen(name) < PATH / 2 &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._@") ==
		       strlen(name);
}

static int fill_group(struct load_result *result)
{
	char path[PATH];
	int status;

	snprintf(path, sizeof(path), "/akma-push/v1/groups/%s", group);
	status = load_call("PUT", path, "{}", NULL, NULL);
	if (status < 200 || status > 299)
		return -EIO;
	snprintf(path, sizeof(path), "/akma-push/v1/groups/%s/members", group);
	return upload("members", path, write_members, word_member, result);
}

static int report(const struct load_result *ues, const struct load_result *members)
{
	const struct load_result *results[] = {ues, members};
	struct json_writer *w = load_options.json ? json_write() : NULL;
	bool good = true;

	if (w) {
		json_put_uint(w, "subscribers", load_options.count);
		json_open_array(w, "uploads");
	}
	for (unsigned i = 0; i < 2; i++) {
		if (!results[i]->what)
			continue;
		good &= load_good(results[i]);
		if (w) {
			json_open_object(w, NULL);
			load_put(results[i], w);
			json_close(w);
		} else {
			load_print(results[i]);
		}
	}
	if (w) {
		json_close(w);
		load_write_json(w);
	}
	return good ? 0 : 1;
}

int load_provision(int argc, char **argv)
{
	static struct load_result ues, members;
	struct subscriber_address last;

	if (load_options_parse(&command, argc, argv, 0) < 0)
		return 2;
	if (group && !name_is_plain(group)) {
		fputs("--group: letters, digits, '-', '.', '_' and '@' only\n", stderr);
		return 2;
	}
	if (subscriber_net_init(&net, is_v6 ? SUBSCRIBER_V6 : SUBSCRIBER_V4, (uint16_t)port,
				first_address)) {
		fprintf(stderr, "--first: %s: %s\n", first_address,
			is_v6 ? "no IPv6 address that 9,999,999,999 others follow"
			      : "no IPv4 address that 16,711,679 others follow");
		return 2;
	}
	if (!no_address &&
	    subscriber_address(&net, load_options.from + load_options.count - 1, &last)) {
		fputs("--count: there are not so many addresses and ports\n", stderr);
		return 2;
	}
	if (!members_only && upload("provision", "/akma-push/v1/ues", write_ues, word_ue, &ues))
		return 1;
	if (group && fill_group(&members))
		return 1;
	return report(&ues, &members);
}
