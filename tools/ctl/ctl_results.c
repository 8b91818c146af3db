#include "tools/ctl/ctl_results.h"

#include <stdio.h>
#include <string.h>

#include "tools/ctl/ctl_format.h"
#include "tools/ctl/ctl_push.h"
#include "tools/ctl/ctl_word.h"

enum { IDENTITY_MAX = 256 };

static struct {
	const char *af, *states;
} options;

struct results {
	const struct ctl *ctl;
	bool has_head;
};

static bool print_row(const struct json_reader *result)
{
	const char *gpsi = ctl_text(result, "gpsi"), *supi = ctl_text(result, "supi");
	const char *state = ctl_text(result, "state");
	const char *outcome = ctl_text(result, "deliveryResult");
	const char *reply = ctl_text(result, "reply");
	char identity[IDENTITY_MAX], clean[IDENTITY_MAX], text[CTL_REPLY_MAX];

	snprintf(identity, sizeof(identity), "%s", gpsi ? gpsi : supi ? supi : "-");
	printf("%-32s  %-12s", ctl_clean(clean, sizeof(clean), identity), state ? state : "?");
	printf(reply ? "  %-11s" : "  %s", outcome ? outcome : "?");
	if (reply)
		printf("  %s", ctl_reply(text, reply));
	return putchar('\n') != EOF;
}

// Not a table: a push may have millions of targets, and nothing is kept.
static bool on_line(void *arg, const char *line, size_t len)
{
	struct results *results = arg;
	struct problem problem;
	struct json_reader result = {.pointer = "", .problem = &problem};
	struct json *json;
	bool goes_on;

	if (results->ctl->json)
		return printf("%s\n", line) > 0;
	problem_init(&problem);
	json = json_parse(line, len, &problem);
	if (!json)
		return len == 0;
	if (!results->has_head)
		printf("%s%-32s  %-12s  %-11s  %s%s\n", ctl_has_colours() ? "\033[1m" : "", "UE",
		       "STATE", "RESULT", "REPLY", ctl_has_colours() ? "\033[0m" : "");
	results->has_head = true;
	result.object = json;
	goes_on = print_row(&result);
	json_free(json);
	return goes_on;
}

// "DELIVERED,REFUSED"
static int check_states(const char *states)
{
	unsigned n = 0;

	while (ctl_push_states[n])
		n++;
	for (const char *at = states;; at++) {
		char state[32];
		const char *near;
		size_t len = strcspn(at, ",");

		snprintf(state, sizeof(state), "%.*s", (int)(len < 31 ? len : 31), at);
		near = ctl_word_nearest(state, ctl_push_states, n);
		if (!near || strcmp(near, state) != 0)
			return ctl_fail(CTL_USAGE,
					"--state: \"%s\" is no state of a target%s%s%s; see "
					"akmapushctl push results --help",
					state, near ? ", did you mean " : "", near ? near : "",
					near ? "?" : "");
		at += len;
		if (!*at)
			return CTL_OK;
	}
}

static int run(struct ctl *ctl, char **operands, unsigned n)
{
	struct results results = {.ctl = ctl};
	char path[CTL_PATH_MAX], behind[CTL_PATH_MAX] = "/results";
	const struct ctl_request request = {
		.method = "GET", .path = path, .line = on_line, .arg = &results};
	struct ctl_response response;
	int code;

	(void)n;
	if (options.states && check_states(options.states))
		return CTL_USAGE;
	if (options.states)
		snprintf(behind, sizeof(behind), "/results?state=%s", options.states);
	code = ctl_push_path(ctl, options.af, operands[0], behind, path);
	if (!code)
		code = ctl_call(ctl, &request, &response);
	if (!code)
		ctl_response_free(&response);
	return code;
}

static const struct arg args[] = {
	{ARG_TEXT, .name = "state", .value = "S[,S…]", .help = "only targets in these states",
	 .target = &options.states},
	{ARG_TEXT, .name = "af", .value = "FQDN",
	 .help = "AF of the push; else the daemon is asked", .target = &options.af},
	{0},
};

const struct ctl_command ctl_push_results_command = {
	.object = "push",
	.verb = "results",
	.min = 1,
	.max = 1,
	.summary = "the outcome for each target",
	.help = {.usage = "akmapushctl push results [OPTION…] ID",
		 .about = "Shows the outcome for each target, and what its application replied: as "
			  "text where it is,\nelse as hexadecimal digits. With --json one object a "
			  "line, replies in base64.\nStates: PENDING SENT RECEIVED DELIVERED "
			  "REFUSED "
			  "TOO_OLD EXPIRED UNCONFIRMED NO_CONTEXT\nNO_ADDRESS KEY_EXPIRED "
			  "NOT_ALLOWED "
			  "REPLACED RECALLED.",
		 .examples = "  akmapushctl push results 01982f2e-6c1a-7a40-8000-0242ac120002 "
			     "--state REFUSED,UNCONFIRMED",
		 .args = args,
		 .more = ctl_shared},
	.options = &options,
	.options_len = sizeof(options),
	.run = run,
};
