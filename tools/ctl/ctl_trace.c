#include "tools/ctl/ctl_trace.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tools/ctl/ctl_call.h"
#include "tools/ctl/ctl_format.h"
#include "tools/ctl/ctl_traced.h"
#include "tools/pcapng.h"

enum { DEFAULT_S = 60, MAX_S = 86400, COUNT_MAX = 1000000000, NS = 1000000000, CLOCK_MAX = 32 };

static struct {
	uint64_t seconds, count; // 0: not given
	const char *write;
} options;

struct trace {
	const struct ctl *ctl;
	const char *id, *path; // of the UE; of the capture, NULL: none
	FILE *file;            // once the trace has begun
	uint64_t n, lost;
	bool has_begun, has_ended; // the daemon said so
	int code;
};

// ---- The capture

static bool fail(struct trace *trace, const char *what)
{
	if (errno == EPIPE)
		return false; // who reads may go
	trace->code = ctl_fail(CTL_USAGE, "%s: %s: %s", trace->path, what, strerror(errno));
	return false;
}

// At once, for those who look on.
static bool put(struct trace *trace, const uint8_t *octets, size_t len)
{
	if (fwrite(octets, 1, len, trace->file) == len && !fflush(trace->file))
		return true;
	fail(trace, "it can't be written");
	return false;
}

static bool open_capture(struct trace *trace)
{
	uint8_t begin[PCAPNG_BEGIN_MAX];

	trace->file = strcmp(trace->path, "-") ? fopen(trace->path, "wb") : stdout;
	if (!trace->file)
		return fail(trace, "it can't be opened");
	return put(trace, begin, pcapng_begin(begin, "akmapushctl " AKMAPUSH_VERSION));
}

static bool capture(struct trace *trace, const struct ctl_traced *traced)
{
	uint8_t octets[CTL_TRACED_PACKET_MAX], block[PCAPNG_PACKET_MAX];
	const struct pcapng_packet packet = {
		.unix_ns = traced->unix_ns,
		.is_inbound = !traced->is_sent,
		.comment = traced->dropped,
		.octets = octets,
		.len = (uint32_t)ctl_traced_packet(traced, octets),
	};

	return put(trace, block, pcapng_packet(block, &packet));
}

static int close_capture(struct trace *trace)
{
	if (trace->file && trace->file != stdout && fclose(trace->file))
		fail(trace, "it can't be written");
	return trace->code;
}

// ---- For people

static const char *clock_of(char text[CLOCK_MAX], uint64_t unix_ns)
{
	const time_t s = (time_t)(unix_ns / NS);
	struct tm tm;
	size_t n;

	localtime_r(&s, &tm);
	n = strftime(text, CLOCK_MAX, "%H:%M:%S", &tm);
	snprintf(text + n, CLOCK_MAX - n, ".%06u", (unsigned)(unix_ns % NS / 1000));
	return text;
}

static bool print_head(void)
{
	printf("%s%-15s  %-8s  %-21s  %6s  %s%s\n", ctl_has_colours() ? "\033[1m" : "", "TIME", "",
	       "PEER", "OCTETS", "WHAT", ctl_has_colours() ? "\033[0m" : "");
	return !fflush(stdout);
}

static bool print(const struct ctl_traced *traced)
{
	char clock[CLOCK_MAX], peer[CTL_ENDPOINT_MAX], text[CTL_TRACED_TEXT_MAX];

	if (traced->is_sent)
		ctl_traced_endpoint(peer, traced->destination, traced->destination_port);
	else
		ctl_traced_endpoint(peer, traced->source, traced->source_port);
	printf("%s  %-8s  %-21s  %6u  %s", clock_of(clock, traced->unix_ns),
	       traced->is_sent ? "sent" : "received", peer, traced->len,
	       ctl_traced_text(text, traced));
	if (traced->dropped)
		printf("  (%s)", traced->dropped);
	putchar('\n');
	return !fflush(stdout);
}

// ---- Lines of the daemon

static bool on_begin(struct trace *trace)
{
	trace->has_begun = true;
	if (!trace->ctl->json)
		fprintf(stderr, "akmapushctl: tracing %s; Ctrl-C ends it\n", trace->id);
	if (trace->path)
		return open_capture(trace);
	return trace->ctl->json || print_head();
}

static bool on_datagram(struct trace *trace, const struct json_reader *line)
{
	struct ctl_traced traced;

	if (!ctl_traced_read(&traced, line)) {
		trace->code = ctl_fail(CTL_REFUSED, "the daemon sent a line that is none of ours");
		return false;
	}
	trace->n++;
	if (trace->file && !capture(trace, &traced))
		return false;
	return trace->path || trace->ctl->json || print(&traced);
}

static bool on_event(struct trace *trace, const struct json_reader *line)
{
	const char *event = ctl_text(line, "event");

	if (event && !strcmp(event, "BEGIN"))
		return on_begin(trace);
	if (!event || strcmp(event, "END"))
		return on_datagram(trace, line);
	trace->has_ended = true;
	trace->lost = ctl_uint(line, "lost");
	return true;
}

static bool on_line(void *arg, const char *text, size_t len)
{
	struct trace *trace = arg;
	struct problem problem;
	struct json_reader line = {.pointer = "", .problem = &problem};
	struct json *json;
	bool goes_on;

	if (trace->ctl->json && (printf("%s\n", text) < 0 || fflush(stdout)))
		return false;
	problem_init(&problem);
	json = json_parse(text, len, &problem);
	line.object = json;
	goes_on = on_event(trace, &line);
	json_free(json);
	return goes_on;
}

// ---- The command

static void summary(const struct trace *trace)
{
	bool is_in_file = trace->file && trace->file != stdout;
	char n[CTL_NUMBER_MAX], lost[CTL_NUMBER_MAX];

	if (trace->ctl->json || !trace->has_begun)
		return;
	fprintf(stderr, "akmapushctl: %s datagram%s of %s%s%s", ctl_number(n, trace->n),
		trace->n == 1 ? "" : "s", trace->id, is_in_file ? " in " : "",
		is_in_file ? trace->path : "");
	if (trace->lost)
		fprintf(stderr, "; %s missing: too many at a time", ctl_number(lost, trace->lost));
	fputc('\n', stderr);
}

// Breaking off, by an interrupt or because who reads has gone, is a good end.
static int follow(struct ctl *ctl, struct trace *trace, const char *path, uint64_t seconds)
{
	const struct ctl_request request = {.method = "GET",
					    .path = path,
					    .line = on_line,
					    .stall_s = (unsigned)seconds + CTL_STALL_S,
					    .arg = trace};
	struct ctl_response response;
	int code = ctl_call(ctl, &request, &response);

	if (!code)
		ctl_response_free(&response);
	if (!code && !trace->has_ended)
		code = ctl_fail(CTL_UNREACHABLE, "the daemon ended the trace too early");
	if (code && code != CTL_INTERRUPTED)
		trace->code = code;
	summary(trace);
	return close_capture(trace);
}

static int run(struct ctl *ctl, char **operands, unsigned n)
{
	struct trace trace = {.ctl = ctl, .id = operands[0], .path = options.write};
	const uint64_t seconds = options.seconds ? options.seconds : DEFAULT_S;
	char path[CTL_PATH_MAX], query[64];
	bool to_stdout = options.write && !strcmp(options.write, "-");

	(void)n;
	if (options.write && !*options.write)
		return ctl_fail(CTL_USAGE, "--write: a file is missing");
	if (to_stdout && ctl->json)
		return ctl_fail(CTL_USAGE, "--json and --write - are for the same output");
	if (to_stdout && isatty(STDOUT_FILENO))
		return ctl_fail(CTL_USAGE, "a capture is nothing for a terminal: "
					   "--write FILE, or a pipe");
	snprintf(query, sizeof(query), "/trace?seconds=%llu", (unsigned long long)seconds);
	if (options.count)
		snprintf(query, sizeof(query), "/trace?seconds=%llu&count=%llu",
			 (unsigned long long)seconds, (unsigned long long)options.count);
	if (ctl_path(path, "/admin/v1/ues/", operands[0], query))
		return CTL_USAGE;
	return follow(ctl, &trace, path, seconds);
}

static const struct arg args[] = {
	{ARG_UINT, .name = "seconds", .value = "N", .help = "ends after this time; default 60",
	 .target = &options.seconds, .min = 1, .max = MAX_S},
	{ARG_UINT, .name = "count", .value = "N", .help = "ends after so many datagrams",
	 .target = &options.count, .min = 1, .max = COUNT_MAX},
	{ARG_TEXT, .name = "write", .value = "FILE",
	 .help = "writes a capture (pcapng) instead; - is standard output",
	 .target = &options.write},
	{0},
};

const struct ctl_command ctl_trace_ue_command = {
	.object = "trace",
	.verb = "ue",
	.min = 1,
	.max = 1,
	.summary = "the datagrams of one UE as they leave and arrive",
	.help = {.usage = "akmapushctl trace ue [OPTION…] ID",
		 .about = "Shows the datagrams of one UE, by SUPI or GPSI, as they leave and "
			  "arrive, sealed as they are on\nthe wire. It ends by itself or with "
			  "Ctrl-C.",
		 .examples = "  akmapushctl trace ue imsi-001010000000001 --seconds 600\n"
			     "  akmapushctl trace ue msisdn-15551234567 --write - | wireshark -k "
			     "-i -",
		 .args = args,
		 .more = ctl_shared},
	.options = &options,
	.options_len = sizeof(options),
	.run = run,
};
