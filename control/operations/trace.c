// A trace has room for some hundred lines, so that nobody waits for its peer: neither the data
// plane nor other traces.

#include "control/operations/trace.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "control/api/answer.h"
#include "control/app.h"
#include "control/json/problem.h"
#include "control/operations/trace_line.h"
#include "control/operations/trace_own.h"
#include "control/registry/ue.h"

enum {
	COPIES_A_TURN = 256,
	HANDLES = 2, // of twins
	TEXT = 1 << 20,
	TEXT_LINES = TEXT - TRACE_LINE_MAX, // what is left is for the last line
	SECOND_NS = 1000000000,
};

struct trace {
	struct app *app;
	struct http_request *request; // as long as somebody takes the answer
	bool is_over;                 // its last line is written
	uint32_t handle[HANDLES];     // DP_NONE: none
	bool is_on[HANDLES];          // the data plane copies
	uint64_t begin_ns, end_ns;    // monotonic
	uint64_t unix_ns;             // at begin_ns
	uint64_t count;               // datagrams to show; 0: no limit
	uint64_t n, lost;
	uint64_t lost_before; // by the data plane
	// Of the last datagram.
	uint8_t peer[16], own[16];
	uint16_t own_port;
	char *text; // [TEXT]; NULL: the place is free
	size_t text_len, text_at;
};

struct traces {
	struct trace trace[TRACES_MAX];
};

struct traces *traces_new(void)
{
	return calloc(1, sizeof(struct traces));
}

void traces_free(struct traces *traces)
{
	for (unsigned i = 0; traces && i < TRACES_MAX; i++)
		free(traces->trace[i].text);
	free(traces);
}

// ---- What the data plane is told

// The place is free when the data plane copies no more: handles that are traced are few.
static void settle(struct trace *t)
{
	bool is_on = false;

	for (unsigned i = 0; i < HANDLES; i++) {
		if (t->is_on[i])
			t->is_on[i] = !dp_trace(t->app->dp, t->handle[i], false);
		is_on |= t->is_on[i];
	}
	if (is_on || t->request)
		return;
	free(t->text);
	*t = (struct trace){0};
}

static bool switch_on(struct trace *t)
{
	for (unsigned i = 0; i < HANDLES; i++) {
		if (t->handle[i] == DP_NONE)
			continue;
		t->is_on[i] = dp_trace(t->app->dp, t->handle[i], true);
		if (!t->is_on[i])
			return false;
	}
	return true;
}

// Of the host: captures are compared with others, for which milliseconds are too coarse.
static uint64_t unix_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * SECOND_NS + (uint64_t)now.tv_nsec;
}

static uint64_t lost_by_dataplane(const struct app *app)
{
	uint64_t counts[REASON_COUNT];

	dp_counters(app->dp, DP_NONE, counts);
	return counts[REASON_TRACE_LOST];
}

// ---- Lines

// False when they find no room: the peer is behind.
static bool add(struct trace *t, const char *line, size_t len, size_t max)
{
	if (t->text_len + len > max && t->text_at) {
		t->text_len -= t->text_at;
		memmove(t->text, t->text + t->text_at, t->text_len);
		t->text_at = 0;
	}
	if (!len || t->text_len + len > max)
		return false;
	memcpy(t->text + t->text_len, line, len);
	t->text_len += len;
	if (t->request)
		http_more(t->request);
	return true;
}

static bool add_begin(struct trace *t, uint64_t seconds)
{
	char supi[DP_IDENTITY_MAX + 1], gpsi[DP_IDENTITY_MAX + 1], line[TRACE_LINE_MAX];
	const struct trace_begin begin = {
		.supi = ue_identity(t->app, t->handle[0], DP_SUPI, supi) ? supi : NULL,
		.gpsi = ue_identity(t->app, t->handle[0], DP_GPSI, gpsi) ? gpsi : NULL,
		.seconds = seconds,
		.count = t->count,
	};

	return add(t, line, trace_line_begin(line, &begin), TEXT_LINES);
}

static void end(struct trace *t, const char *cause)
{
	const struct trace_end told = {cause, t->n,
				       t->lost + lost_by_dataplane(t->app) - t->lost_before};
	char line[TRACE_LINE_MAX];

	if (t->is_over)
		return;
	t->is_over = true;
	add(t, line, trace_line_end(line, &told), TEXT);
	settle(t);
}

static void find_own(struct trace *t, const struct dp_datagram *datagram)
{
	const struct dp *const dp = t->app->dp;
	const uint8_t *const peer = datagram->peer.ip;

	if (t->own_port == datagram->own_port && !memcmp(t->peer, peer, sizeof(t->peer)))
		return;
	memcpy(t->peer, peer, sizeof(t->peer));
	t->own_port = datagram->own_port;
	trace_own(t->app->config, dp_io_name(dp), peer, (unsigned)(t->own_port - dp_port(dp, 0)),
		  t->own);
}

static void show(struct trace *t, const struct dp_datagram *datagram)
{
	char line[TRACE_LINE_MAX];
	size_t len;

	find_own(t, datagram);
	len = trace_line_datagram(line, datagram, t->own,
				  t->unix_ns + (datagram->time_ns - t->begin_ns));
	if (!add(t, line, len, TEXT_LINES)) {
		t->lost++;
		return;
	}
	t->n++;
	if (t->n == t->count)
		end(t, "COUNT");
}

// ---- From the loop

// The trace that is to see a datagram; one that was copied for an earlier trace is nobody's.
static struct trace *find(struct traces *traces, uint32_t handle, uint64_t time_ns)
{
	for (struct trace *t = traces->trace; t < traces->trace + TRACES_MAX; t++) {
		if (t->text && t->request && !t->is_over && t->begin_ns <= time_ns &&
		    (t->handle[0] == handle || t->handle[1] == handle))
			return t;
	}
	return NULL;
}

bool trace_poll(struct app *app)
{
	struct dp_datagram datagram;

	for (unsigned i = 0; i < COPIES_A_TURN; i++) {
		struct trace *t;

		if (!dp_poll_trace(app->dp, &datagram))
			return false;
		t = find(app->traces, datagram.handle, datagram.time_ns);
		if (t)
			show(t, &datagram);
	}
	return true;
}

void trace_tick(struct app *app)
{
	const uint64_t now_ns = clock_mono_ns(app->clock);

	for (struct trace *t = app->traces->trace; t < app->traces->trace + TRACES_MAX; t++) {
		if (t->text && !t->is_over && t->end_ns <= now_ns)
			end(t, "TIME");
		else if (t->text && (t->is_over || !t->request))
			settle(t);
	}
}

void trace_end_all(struct app *app)
{
	for (struct trace *t = app->traces->trace; t < app->traces->trace + TRACES_MAX; t++) {
		if (t->text)
			end(t, "SHUTDOWN");
	}
}

// ---- The answer

static long trace_next(void *source, uint8_t *to, size_t max)
{
	struct trace *t = source;
	size_t n = t->text_len - t->text_at < max ? t->text_len - t->text_at : max;

	if (!n)
		return t->is_over ? 0 : -EAGAIN;
	memcpy(to, t->text + t->text_at, n);
	t->text_at += n;
	if (t->text_at == t->text_len)
		t->text_at = t->text_len = 0;
	return (long)n;
}

static void trace_done(void *source)
{
	struct trace *t = source;

	t->is_over = true;
	t->request = NULL;
	settle(t);
}

// ---- The request

// A whole number in min..max; `absent` without it. False and the problem noted for anything else.
static bool read_number(struct http_request *request, const char *name, uint64_t max,
			uint64_t absent, uint64_t *value)
{
	const char *text = http_query(request, name);
	size_t len = text ? strspn(text, "0123456789") : 0;

	*value = absent;
	if (!text)
		return true;
	*value = strtoull(text, NULL, 10);
	if (len && len < 12 && !text[len] && *value && *value <= max)
		return true;
	problem_answer_cause(request, PROBLEM_INVALID_QUERY_PARAM, "%s: 1 to %llu", name,
			     (unsigned long long)max);
	return false;
}

static bool read_query(struct http_request *request, uint64_t *seconds, uint64_t *count)
{
	static const char *const known[] = {"seconds", "count", NULL};
	const char *unknown = http_query_unknown(request, known);

	if (unknown) {
		problem_answer_cause(request, PROBLEM_INVALID_QUERY_PARAM, "%s: not known here",
				     unknown);
		return false;
	}
	return read_number(request, "seconds", TRACE_MAX_S, TRACE_DEFAULT_S, seconds) &&
	       read_number(request, "count", TRACE_COUNT_MAX, 0, count);
}

// The first handle of the UE of the path, or DP_NONE and the request is answered.
static uint32_t find_ue(struct http_request *request, struct app *app)
{
	const char *id = request->segment[0];
	struct problem problem;
	uint32_t handle;

	if (!ue_is_supi(id) && !ue_is_gpsi(id)) {
		problem_init(&problem);
		problem_param(&problem, PROBLEM_MANDATORY_IE_INCORRECT, "ueId",
			      "it is neither SUPI nor GPSI");
		problem_answer(request, &problem);
		return DP_NONE;
	}
	handle = ue_find(app, ue_is_supi(id) ? DP_SUPI : DP_GPSI, id);
	if (handle == DP_NONE)
		problem_answer_cause(request, PROBLEM_UE_NOT_FOUND, "no such UE");
	return handle;
}

// A free place for a UE that is in none; NULL and the request is answered.
static struct trace *find_place(struct http_request *request, struct traces *traces,
				const uint32_t handle[HANDLES])
{
	struct trace *place = NULL;

	for (struct trace *t = traces->trace; t < traces->trace + TRACES_MAX; t++) {
		if (!t->text)
			place = t;
		for (unsigned i = 0; t->text && i < HANDLES * HANDLES; i++) {
			if (handle[i / 2] == DP_NONE || handle[i / 2] != t->handle[i % 2])
				continue;
			problem_answer_cause(request, PROBLEM_UE_TRACED,
					     "another trace of it has to end first");
			return NULL;
		}
	}
	if (!place)
		answer_later(request, "as many UEs are traced as can be at a time");
	return place;
}

static void begin(struct http_request *request, struct trace *t, uint64_t seconds)
{
	static const struct http_source source = {trace_next, trace_done};

	t->text = malloc(TEXT);
	if (!t->text || !add_begin(t, seconds)) {
		free(t->text);
		*t = (struct trace){0};
		problem_answer_cause(request, PROBLEM_INSUFFICIENT_RESOURCES, "no memory");
		return;
	}
	if (!switch_on(t)) {
		t->is_over = true;
		settle(t);
		answer_later(request, "the data plane's queue is full");
		return;
	}
	t->request = request;
	http_answer_stream(request, 200, "application/x-ndjson", &source, t);
}

static void get_trace(struct http_request *request, void *ctx)
{
	struct app *app = ctx;
	uint64_t seconds, count, now_ns = clock_mono_ns(app->clock);
	uint32_t handle[HANDLES] = {find_ue(request, app)};
	struct trace *t;

	if (handle[0] == DP_NONE || !read_query(request, &seconds, &count))
		return;
	handle[1] = ue_twin(app, handle[0]);
	t = find_place(request, app->traces, handle);
	if (!t)
		return;
	*t = (struct trace){
		.app = app,
		.handle = {handle[0], handle[1]},
		.begin_ns = now_ns,
		.end_ns = now_ns + seconds * SECOND_NS,
		.unix_ns = unix_ns(),
		.count = count,
		.lost_before = lost_by_dataplane(app),
	};
	begin(request, t, seconds);
}

const struct http_route trace_routes[] = {
	{HTTP_GET, "/admin/v1/ues/{ueId}/trace", HTTP_ROLE_ADMIN, HTTP_NONE, .handle = get_trace,
	 .op = "admin-trace"},
	{0},
};
