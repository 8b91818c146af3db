// akmapush-load af: onboards an application function.
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "control/json/json.h"
#include "crypto/akma.h"
#include "tools/load/load.h"

static const char *af;
static struct arg_texts groups;
static bool trusted, suspended;
static uint64_t rate, push_rate, quota;

static const struct arg args[] = {
	{ARG_TITLE, 0, "AF", NULL, NULL, NULL, 0, 0},
	{ARG_TEXT, 0, "af", "FQDN", "its name (needed)", &af, 0, 0},
	{ARG_TEXTS, 0, "group", "ID", "it may push to this group only; may be repeated", &groups, 0,
	 0},
	{ARG_FLAG, 0, "trusted", NULL, "it may name SUPIs and sees them", &trusted, 0, 0},
	{ARG_FLAG, 0, "suspended", NULL, "it may do nothing, and its pushes end", &suspended, 0, 0},
	{ARG_UINT, 0, "datagram-rate", "N", "at most N datagrams a second", &rate, 1, 1000000000},
	{ARG_UINT, 0, "push-rate", "N", "at most N pushes a second", &push_rate, 1, 1000000000},
	{ARG_UINT, 0, "quota", "N", "at most N targets a day", &quota, 1, INT64_MAX},
	{0},
};

static const struct args_command command = {
	"akmapush-load af --af FQDN [OPTION...]",
	"Registers an AF, or replaces its registration: who it is and whom it may reach.",
	"  akmapush-load af --af utility.example                   may reach every UE\n"
	"  akmapush-load af --af utility.example --group meters    may reach this group",
	args,
	load_args,
};

static void put_allowed(struct json_writer *w)
{
	json_open_object(w, "allowedUes");
	if (groups.n == 0) {
		json_put_bool(w, "all", true);
	} else {
		json_open_array(w, "externalGroupIds");
		for (unsigned i = 0; i < groups.n; i++)
			json_put_string(w, NULL, groups.text[i]);
		json_close(w);
	}
	json_close(w);
}

static char *write_registration(size_t *len)
{
	struct json_writer *w = json_write();

	put_allowed(w);
	json_put_bool(w, "trusted", trusted);
	json_put_bool(w, "suspended", suspended);
	if (rate)
		json_put_uint(w, "rate", rate);
	if (push_rate)
		json_put_uint(w, "pushRate", push_rate);
	if (quota)
		json_put_uint(w, "quota", quota);
	return json_take(w, len);
}

static int report(const char *fqdn, int status)
{
	if (load_options.json)
		printf("{\"af\":\"%s\",\"status\":%d}\n", fqdn, status);
	else if (status == 201 || status == 200)
		printf("af: %s is %s\n", fqdn, status == 201 ? "registered" : "replaced");
	return status == 201 || status == 200 ? 0 : 1;
}

int load_af(int argc, char **argv)
{
	char fqdn[AKMA_FQDN_MAX + 1], path[AKMA_FQDN_MAX + 40], *json;
	size_t len;
	int status;

	if (load_options_parse(&command, argc, argv, 0) < 0)
		return 2;
	if (!af || akma_fqdn_parse(af, strlen(af), fqdn) < 0) {
		fputs("--af: the AF's name is needed, a full one such as utility.example\n",
		      stderr);
		return 2;
	}
	snprintf(path, sizeof(path), "/akma-push/v1/afs/%s", fqdn);
	json = write_registration(&len);
	if (!json)
		return 1;
	status = load_call("PUT", path, json, NULL, NULL);
	json_text_free(json, len);
	return report(fqdn, status);
}
