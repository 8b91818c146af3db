#include "tools/ctl/ctl_submit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/ctl/ctl_format.h"
#include "tools/ctl/ctl_payload.h"
#include "tools/ctl/ctl_push.h"
#include "tools/ctl/ctl_watch.h"

static struct ctl_push_options options;

static int watch(struct ctl *ctl, const struct ctl_doc *doc)
{
	const char *id = ctl_text(&doc->top, "pushId");

	return id ? ctl_watch(ctl, options.af, id)
		  : ctl_fail(CTL_REFUSED, "the daemon's answer has no id of the push");
}

static void show(const struct ctl_doc *doc, const char *done)
{
	const char *id = ctl_text(&doc->top, "pushId");
	const char *expiry = ctl_text(&doc->top, "expiry");
	char number[CTL_NUMBER_MAX], time[CTL_TIME_MAX];

	printf("%s %s, %s target%s, until %s\n", id ? id : "?", done,
	       ctl_number(number, ctl_uint(&doc->top, "targets")),
	       ctl_uint(&doc->top, "targets") == 1 ? "" : "s",
	       expiry ? ctl_time(time, expiry) : "?");
}

static int hand_in(struct ctl *ctl, struct ctl_request *request, bool is_replacement,
		   const char *done)
{
	struct ctl_body body;
	struct ctl_doc doc;
	int code = ctl_push_body(&options, is_replacement, &body);

	request->type = "application/json";
	request->body = body.text;
	request->body_len = body.len;
	if (!code)
		code = ctl_doc_call(ctl, request, &doc);
	ctl_body_free(&body);
	if (code)
		return code;
	if (options.wait) {
		code = watch(ctl, &doc);
	} else if (ctl->json) {
		ctl_doc_print(&doc);
	} else {
		show(&doc, done);
	}
	ctl_doc_free(&doc);
	return code;
}

static int run_submit(struct ctl *ctl, char **operands, unsigned n)
{
	char path[CTL_PATH_MAX];
	struct ctl_request request = {.method = "POST", .path = path};
	const char *key = options.idempotency_key;
	int code;

	(void)operands, (void)n;
	if (!options.af || !*options.af)
		return ctl_fail(CTL_USAGE, "push submit: in whose name? --af FQDN");
	if (key && (!*key || strlen(key) > 255 ||
		    key[strspn(key, " !\"#$%&'()*+,-./0123456789:;<=>?@"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`"
				    "abcdefghijklmnopqrstuvwxyz{|}~")]))
		return ctl_fail(CTL_USAGE, "--idempotency-key: 1 to 255 printable characters");
	code = ctl_path(path, "/akma-push/v1/", options.af, "/pushes");
	request.idempotency_key = key;
	return code ? code : hand_in(ctl, &request, false, "accepted");
}

static int run_replace(struct ctl *ctl, char **operands, unsigned n)
{
	char path[CTL_PATH_MAX];
	struct ctl_request request = {.method = "PUT", .path = path};
	int code = ctl_push_path(ctl, options.af, operands[0], "", path);

	(void)n;
	return code ? code : hand_in(ctl, &request, true, "accepted in its place");
}

// ---- The table's rows

#define COMMON_ARGS                                                                                \
	{ARG_TITLE, .name = "Target, one of"},                                                     \
		{ARG_TEXT, .name = "ue", .value = "ID", .help = "one UE, by SUPI or GPSI",         \
		 .target = &options.ue},                                                           \
		{ARG_TEXT, .name = "list", .value = "FILE",                                        \
		 .help = "those of a file, one identity a line; - is standard input",              \
		 .target = &options.list},                                                         \
		{ARG_TEXT, .name = "group", .value = "ID", .help = "the members of a group",       \
		 .target = &options.group},                                                        \
		{ARG_FLAG, .name = "all", .help = "every UE", .target = &options.all},             \
		{ARG_TITLE, .name = "Payload, one of, at most 18,944 octets"},                     \
		{ARG_TEXT, .name = "payload-text", .value = "TEXT", .help = "the text as it is",   \
		 .target = &options.payload_text},                                                 \
		{ARG_TEXT, .name = "payload-hex", .value = "HEX",                                  \
		 .help = "octets in hexadecimal digits", .target = &options.payload_hex},          \
		{ARG_TEXT, .name = "payload-file", .value = "FILE", .help = "a file's octets",     \
		 .target = &options.payload_file},                                                 \
		{ARG_TITLE, .name = "Manner"},                                                     \
		{ARG_TEXT, .name = "validity", .value = "TIME",                                    \
		 .help = "how long it is tried: 90s, 1h30m, 7d; default 1h",                       \
		 .target = &options.validity},                                                     \
		{ARG_FLAG, .name = "no-ack", .help = "sent once, without acknowledgements",        \
		 .target = &options.no_ack},                                                       \
		{ARG_FLAG, .name = "ordered",                                                      \
		 .help = "UEs refuse it after a later ordered push of the AF",                     \
		 .target = &options.ordered},                                                      \
		{ARG_UINT,                                                                         \
		 .name = "suite",                                                                  \
		 .value = "N",                                                                     \
		 .help = "1 AES-128-GCM, the default; 2 AES-256-GCM",                              \
		 .target = &options.suite,                                                         \
		 .min = 1,                                                                         \
		 .max = 2},                                                                        \
		{ARG_UINT,                                                                         \
		 .name = "segment-size",                                                           \
		 .value = "N",                                                                     \
		 .help = "octets of payload in a datagram, 1 to 1184, the default",                \
		 .target = &options.segment_size,                                                  \
		 .min = 1,                                                                         \
		 .max = 1184},                                                                     \
	{                                                                                          \
		ARG_FLAG, .name = "wait",                                                          \
			  .help = "follows it until it is over, as push watch does",               \
			  .target = &options.wait                                                  \
	}

static const struct arg submit_args[] = {
	{ARG_TEXT, .name = "af", .value = "FQDN", .help = "the AF in whose name; required",
	 .target = &options.af},
	COMMON_ARGS,
	{ARG_TEXT, .name = "idempotency-key", .value = "KEY",
	 .help = "submitted again with the same key it is one push",
	 .target = &options.idempotency_key},
	{0},
};

static const struct arg replace_args[] = {
	{ARG_TEXT, .name = "af", .value = "FQDN",
	 .help = "AF of the push; else the daemon is asked", .target = &options.af},
	COMMON_ARGS,
	{0},
};

const struct ctl_command ctl_push_submit_command = {
	.object = "push",
	.verb = "submit",
	.summary = "pushes a payload to a UE, a list, a group or all",
	.help = {.usage = "akmapushctl push submit [OPTION…] --af FQDN TARGET PAYLOAD",
		 .about = "Pushes a payload to one UE, a list, a group or all, in the name of an "
			  "AF, and "
			  "prints the id\nof the push.",
		 .examples =
			 "  akmapushctl push submit --af meter.example.com --group meters \\\n"
			 "    --payload-text 'report now' --validity 1h --wait\n"
			 "  akmapushctl push submit --af meter.example.com --ue msisdn-15551234567 "
			 "--payload-hex 0a01",
		 .args = submit_args,
		 .more = ctl_shared},
	.options = &options,
	.options_len = sizeof(options),
	.run = run_submit,
};

const struct ctl_command ctl_push_replace_command = {
	.object = "push",
	.verb = "replace",
	.min = 1,
	.max = 1,
	.summary = "puts a new push in the place of one that is not over",
	.help = {.usage = "akmapushctl push replace [OPTION…] ID PAYLOAD",
		 .about = "Puts a new push in the place of one that is not over: targets that are "
			  "not "
			  "final become\nREPLACED there. Without a target the new one goes to the "
			  "same "
			  "list.",
		 .examples = "  akmapushctl push replace 01982f2e-6c1a-7a40-8000-0242ac120002 \\\n"
			     "    --payload-text 'report tomorrow' --validity 1d",
		 .args = replace_args,
		 .more = ctl_shared},
	.options = &options,
	.options_len = sizeof(options),
	.run = run_replace,
};
