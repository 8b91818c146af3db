#include "tools/ctl/ctl_ue.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "tools/ctl/ctl_call.h"
#include "tools/ctl/ctl_format.h"
#include "tools/ctl/ctl_table.h"
#include "tools/ctl/ctl_upload.h"

static struct {
	const char *supi, *gpsi, *address, *file;
	uint64_t port;
	bool no_address;
} put_options;

static int path_of(char path[CTL_PATH_MAX], const char *id)
{
	return ctl_path(path, "/akma-push/v1/ues/", id, "");
}

// ---- show, delete

static void put_text(struct ctl_table *table, const char *label, const char *text)
{
	ctl_table_text(table, label);
	ctl_table_text(table, text ? text : "-");
}

static void put_key(struct ctl_table *table, const struct json_reader *ue)
{
	const char *expiry = ctl_text(ue, "keyExpiry");
	char line[CTL_TIME_MAX + 40], time[CTL_TIME_MAX];

	if (!ctl_flag(ue, "registered", false)) {
		put_text(table, "key", "none: not registered");
		return;
	}
	snprintf(line, sizeof(line), "registered; its K_AFs last until %s",
		 expiry ? ctl_time(time, expiry) : "?");
	put_text(table, "key", line);
}

static void show(const struct json_reader *ue)
{
	static const struct ctl_column columns[] = {{NULL}, {NULL}};
	struct ctl_table *table = ctl_table_new(columns, 2);
	const char *address = ctl_text(ue, "address");
	char line[100];

	put_text(table, "SUPI", ctl_text(ue, "supi"));
	put_text(table, "GPSI", ctl_text(ue, "gpsi"));
	if (address)
		snprintf(line, sizeof(line), strchr(address, ':') ? "[%s]:%u" : "%s:%u", address,
			 (unsigned)ctl_uint(ue, "port"));
	put_text(table, "address", address ? line : NULL);
	put_key(table, ue);
	if (json_has(ue, "handle")) {
		ctl_table_text(table, "handle");
		ctl_table_number(table, ctl_uint(ue, "handle"));
	}
	ctl_table_show(table);
}

static int run_show(struct ctl *ctl, char **operands, unsigned n)
{
	char path[CTL_PATH_MAX];
	int code = path_of(path, operands[0]);

	(void)n;
	return code ? code : ctl_show(ctl, path, show);
}

static int run_delete(struct ctl *ctl, char **operands, unsigned n)
{
	char path[CTL_PATH_MAX];
	int code = path_of(path, operands[0]);

	(void)n;
	return code ? code : ctl_delete(ctl, path, operands[0], "deleted");
}

// ---- put

static bool is_address(const char *text)
{
	struct in6_addr ip;

	return inet_pton(AF_INET, text, &ip) == 1 || inet_pton(AF_INET6, text, &ip) == 1;
}

// "SUPI GPSI ADDRESS PORT", in this order or another, each of them or not.
static const char *write_ue(struct json_writer *w, char *line, const void *arg)
{
	bool has_identity = false, has_address = false;
	uint64_t port = 0;
	char *rest;

	(void)arg;
	for (char *word = strtok_r(line, " \t,", &rest); word;
	     word = strtok_r(NULL, " \t,", &rest)) {
		if (ctl_is_supi(word) || ctl_is_gpsi(word)) {
			json_put_string(w, ctl_is_supi(word) ? "supi" : "gpsi", word);
			has_identity = true;
		} else if (strcmp(word, "-") == 0) {
			json_put_null(w, "address");
		} else if (is_address(word)) {
			json_put_string(w, "address", word);
			has_address = true;
		} else if (args_uint(word, 1, UINT16_MAX, &port)) {
			return "a word is neither SUPI, GPSI, address, port nor -";
		}
	}
	if (port && !has_address)
		return "a port without an address";
	if (port)
		json_put_uint(w, "port", port);
	return has_identity ? NULL : "neither SUPI nor GPSI";
}

static int put_file(struct ctl *ctl)
{
	static const char *const figures[] = {"lines", "stored", "failed", NULL};
	const struct ctl_upload upload = {
		.path = "/akma-push/v1/ues",
		.file = put_options.file,
		.what = "stored",
		.takes_json = true,
		.line = write_ue,
		.figures = figures,
	};

	return ctl_upload(ctl, &upload);
}

// What came of the one line; with --json the code only.
static int show_stored(const struct ctl *ctl, const struct json_reader *top)
{
	const char *name = put_options.supi ? put_options.supi : put_options.gpsi;
	struct json_reader error = ctl_item(top, ctl_list(top, "errors"), 0);
	const char *detail = ctl_text(&error, "detail"), *cause = ctl_text(&error, "cause");
	char clean[CTL_CELL_MAX];

	if (ctl_uint(top, "failed"))
		return ctl->json ? CTL_REFUSED
				 : ctl_fail(CTL_REFUSED, "ue put %s: %s (%s)", name,
					    ctl_clean(clean, sizeof(clean),
						      detail ? detail : "refused"),
					    cause ? cause : "?");
	if (!ctl->json)
		printf("%s stored\n", name);
	return CTL_OK;
}

static int put_one(struct ctl *ctl)
{
	struct json_writer *w = json_write();
	struct ctl_doc doc;
	int code;

	if (put_options.supi)
		json_put_string(w, "supi", put_options.supi);
	if (put_options.gpsi)
		json_put_string(w, "gpsi", put_options.gpsi);
	if (put_options.address)
		json_put_string(w, "address", put_options.address);
	if (put_options.no_address)
		json_put_null(w, "address");
	if (put_options.port)
		json_put_uint(w, "port", put_options.port);
	code = ctl_doc_send(ctl, "POST", "/akma-push/v1/ues", "application/x-ndjson", w, &doc);
	if (code)
		return code;
	code = show_stored(ctl, &doc.top);
	if (ctl->json)
		ctl_doc_print(&doc);
	ctl_doc_free(&doc);
	return code;
}

static int run_put(struct ctl *ctl, char **operands, unsigned n)
{
	const bool is_one = put_options.supi || put_options.gpsi;

	(void)operands, (void)n;
	if (is_one == (put_options.file != NULL))
		return ctl_fail(CTL_USAGE,
				"ue put: --supi and --gpsi, one of them, or --file FILE");
	if (put_options.file && (put_options.address || put_options.no_address || put_options.port))
		return ctl_fail(CTL_USAGE, "ue put: addresses are in the file");
	if (put_options.address && put_options.no_address)
		return ctl_fail(CTL_USAGE, "ue put: --address or --no-address, not both");
	if (put_options.port && !put_options.address)
		return ctl_fail(CTL_USAGE, "ue put: --port goes with --address");
	return is_one ? put_one(ctl) : put_file(ctl);
}

// ---- The table's rows

static const struct arg put_args[] = {
	{ARG_TEXT, .name = "supi", .value = "SUPI", .help = "imsi-… or nai-…",
	 .target = &put_options.supi},
	{ARG_TEXT, .name = "gpsi", .value = "GPSI",
	 .help = "msisdn-… or extid-…; with --supi it is bound to it", .target = &put_options.gpsi},
	{ARG_TEXT, .name = "address", .value = "IP", .help = "where the UE is reached",
	 .target = &put_options.address},
	{ARG_UINT, .name = "port", .value = "N", .help = "its UDP port; default 48470",
	 .target = &put_options.port, .min = 1, .max = UINT16_MAX},
	{ARG_FLAG, .name = "no-address", .help = "takes the address away",
	 .target = &put_options.no_address},
	{ARG_TEXT, .name = "file", .value = "FILE", .help = "many UEs; - is standard input",
	 .target = &put_options.file},
	{0},
};

const struct ctl_command ctl_ue_show_command = {
	.object = "ue",
	.verb = "show",
	.min = 1,
	.max = 1,
	.summary = "what is known of a UE",
	.help = {.usage = "akmapushctl ue show [OPTION…] SUPI|GPSI",
		 .about = "Shows identities, address and state of the key of a UE; never the key.",
		 .examples = "  akmapushctl ue show msisdn-15551234567",
		 .more = ctl_shared},
	.run = run_show,
};

const struct ctl_command ctl_ue_put_command = {
	.object = "ue",
	.verb = "put",
	.summary = "binds identities, sets addresses",
	.help = {.usage = "akmapushctl ue put [OPTION…]",
		 .about = "Binds the identities of a UE and sets its address, or of many from a "
			  "file: a line has\nSUPI, GPSI or both, then address and port, with "
			  "blanks or "
			  "commas between; - for an address\ntakes it away. A line that begins "
			  "with { "
			  "is taken as JSON, as the push API has it.",
		 .examples = "  akmapushctl ue put --supi imsi-001010000000001 \\\n"
			     "    --gpsi msisdn-15551234567 --address 127.1.0.1\n"
			     "  akmapushctl ue put --file ues.csv",
		 .args = put_args,
		 .more = ctl_shared},
	.options = &put_options,
	.options_len = sizeof(put_options),
	.run = run_put,
};

const struct ctl_command ctl_ue_delete_command = {
	.object = "ue",
	.verb = "delete",
	.min = 1,
	.max = 1,
	.summary = "takes away key, address and binding of a UE",
	.help = {.usage = "akmapushctl ue delete [OPTION…] SUPI|GPSI",
		 .about = "Takes away key, address and binding of a UE. No datagram leaves for it "
			  "until it registers\nagain; the identities stay members of their groups.",
		 .examples = "  akmapushctl ue delete imsi-001010000000001",
		 .more = ctl_shared},
	.run = run_delete,
};
