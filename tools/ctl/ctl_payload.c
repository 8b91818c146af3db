#include "tools/ctl/ctl_payload.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/text.h"
#include "tools/ctl/ctl_format.h"
#include "tools/ctl/ctl_upload.h"

enum { VALIDITY_DEFAULT_S = 3600 };

// ---- Target

static void put_identity(struct json_writer *w, const char *identity)
{
	json_put_string(w, ctl_is_supi(identity) ? "supi" : "gpsi", identity);
}

// A line of a list: an identity, or nothing (*identity is empty then).
static int read_identity(const char *name, unsigned number, char *line, const char **identity)
{
	size_t len = strlen(line);

	while (len && strchr(" \t\r\n", line[len - 1]))
		line[--len] = '\0';
	line += strspn(line, " \t");
	if (*line == '#')
		line += strlen(line);
	*identity = line;
	if (*line && !ctl_is_supi(line) && !ctl_is_gpsi(line))
		return ctl_fail(CTL_USAGE,
				"--list %s, line %u: \"%.40s\" is neither SUPI nor GPSI: imsi-, "
				"nai-, msisdn- or extid- is expected",
				name, number, line);
	if (line[strcspn(line, " \t")])
		return ctl_fail(CTL_USAGE, "--list %s, line %u: more than one word", name, number);
	return CTL_OK;
}

static int put_lines(struct json_writer *w, const char *name, FILE *file)
{
	char line[CTL_LINE_MAX + 2];
	const char *identity;
	unsigned n_lines = 0, n = 0;

	while (fgets(line, sizeof(line), file)) {
		n_lines++;
		if (strlen(line) == sizeof(line) - 1)
			return ctl_fail(CTL_USAGE, "--list %s, line %u: too long", name, n_lines);
		if (read_identity(name, n_lines, line, &identity))
			return CTL_USAGE;
		if (!*identity)
			continue;
		json_open_object(w, NULL);
		put_identity(w, identity);
		json_close(w);
		n++;
	}
	if (ferror(file))
		return ctl_fail(CTL_USAGE, "--list %s: %s", name, strerror(errno));
	return n ? CTL_OK : ctl_fail(CTL_USAGE, "--list %s: no identity is in it", name);
}

// Identities of a file, one a line.
static int put_list(struct json_writer *w, const char *name)
{
	FILE *file = strcmp(name, "-") == 0 ? stdin : fopen(name, "re");
	int code;

	if (!file)
		return ctl_fail(CTL_USAGE, "--list %s: %s", name, strerror(errno));
	json_open_array(w, "list");
	code = put_lines(w, name, file);
	json_close(w);
	if (file == stdin)
		clearerr(stdin);
	else
		fclose(file);
	return code;
}

static int put_target(struct json_writer *w, const struct ctl_push_options *o, bool may_miss)
{
	int n = !!o->ue + !!o->list + !!o->group + o->all, code = CTL_OK;

	if (n == 0 && may_miss)
		return CTL_OK;
	if (n != 1)
		return ctl_fail(CTL_USAGE,
				"to whom? one of --ue ID, --list FILE, --group ID, --all");
	if (o->ue && !ctl_is_supi(o->ue) && !ctl_is_gpsi(o->ue))
		return ctl_fail(CTL_USAGE,
				"--ue: \"%.40s\" is neither SUPI nor GPSI: imsi-, nai-, msisdn- or "
				"extid- is expected",
				o->ue);
	json_open_object(w, "target");
	if (o->ue)
		put_identity(w, o->ue);
	else if (o->list)
		code = put_list(w, o->list);
	else if (o->group)
		json_put_string(w, "externalGroupId", o->group);
	else
		json_put_bool(w, "all", true);
	json_close(w);
	return code;
}

// ---- Payload

static int read_file(const char *name, uint8_t octets[CTL_PAYLOAD_MAX + 1], size_t *n)
{
	FILE *file = strcmp(name, "-") == 0 ? stdin : fopen(name, "re");
	int code = CTL_OK;

	if (!file)
		return ctl_fail(CTL_USAGE, "--payload-file %s: %s", name, strerror(errno));
	*n = fread(octets, 1, CTL_PAYLOAD_MAX + 1, file);
	if (ferror(file))
		code = ctl_fail(CTL_USAGE, "--payload-file %s: %s", name, strerror(errno));
	if (file == stdin)
		clearerr(stdin);
	else
		fclose(file);
	return code;
}

static int read_payload(const struct ctl_push_options *o, uint8_t octets[CTL_PAYLOAD_MAX + 1],
			size_t *n)
{
	const char *text = o->payload_hex ? o->payload_hex : o->payload_text;
	size_t len = text ? strlen(text) : 0;

	*n = 0;
	if (!!o->payload_hex + !!o->payload_text + !!o->payload_file != 1)
		return ctl_fail(CTL_USAGE, "what? one of --payload-text TEXT, --payload-hex HEX, "
					   "--payload-file FILE");
	if (o->payload_file) {
		int code = read_file(o->payload_file, octets, n);

		if (code)
			return code;
	} else {
		*n = o->payload_hex ? len / 2 : len;
		if (*n <= CTL_PAYLOAD_MAX && o->payload_text)
			memcpy(octets, text, *n);
		else if (*n <= CTL_PAYLOAD_MAX && (len % 2 || hex_parse(text, len, octets, *n)))
			return ctl_fail(CTL_USAGE,
					"--payload-hex: pairs of hexadecimal digits only");
	}
	if (*n > CTL_PAYLOAD_MAX)
		return ctl_fail(CTL_USAGE, "the payload has more than %u octets", CTL_PAYLOAD_MAX);
	return CTL_OK;
}

static int put_payload(struct json_writer *w, const struct ctl_push_options *o)
{
	uint8_t octets[CTL_PAYLOAD_MAX + 1];
	size_t n;
	int code = read_payload(o, octets, &n);

	if (!code)
		json_put_base64(w, "payload", octets, n);
	mem_wipe(octets, sizeof(octets));
	return code;
}

// ---- Manner

static int put_manner(struct json_writer *w, const struct ctl_push_options *o)
{
	uint64_t validity_s = VALIDITY_DEFAULT_S;

	if (o->validity && ctl_duration(o->validity, &validity_s))
		return ctl_fail(CTL_USAGE,
				"--validity: \"%.40s\" is no duration such as 90s, 1h30m, 7d",
				o->validity);
	json_put_uint(w, "validityPeriod", validity_s);
	json_put_bool(w, "ackRequested", !o->no_ack);
	json_put_bool(w, "ordered", o->ordered);
	if (o->suite)
		json_put_uint(w, "suite", o->suite);
	if (o->segment_size)
		json_put_uint(w, "segmentSize", o->segment_size);
	return CTL_OK;
}

int ctl_push_body(const struct ctl_push_options *options, bool is_replacement,
		  struct ctl_body *body)
{
	struct json_writer *w = json_write();
	int code = put_target(w, options, is_replacement);

	if (!code)
		code = put_payload(w, options);
	if (!code)
		code = put_manner(w, options);
	ctl_body_take(body, w);
	return code;
}
