// The generator: takes items when they are due and there is room, judges answers, asks again what
// may be asked again.
#include "tools/load/load_run.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "tools/h2client.h"
#include "tools/load/load_options.h"
#include "tools/load/reply.h"
#include "tools/progress.h"
#include "tools/waiting.h"

enum {
	TICK_NS = 50000000,   // at the latest we look at time and signals
	AGAIN_NS = 100000000, // pause before an item that got no answer is asked again
	AGAIN_MAX_S = 30,     // the most that a Retry-After makes us wait
	TRIES_MAX = 1000,
	UPLOAD_STREAMS = 4,
};

struct op {
	struct run *run;
	struct op *next_free;
	uint64_t item, intended_ns;
	unsigned tries;
	char *body;
	char key[LOAD_KEY];
	char path[LOAD_PATH];
};

struct run {
	const struct load_job *job;
	struct load_result *result;
	struct h2client *client;
	struct op *ops, *free;
	unsigned n_ops, n_open;
	char *bodies;
	struct waiting waiting;
	uint64_t next;     // the first item not asked yet
	double pause_ns;   // between items, open loop; else 0
	uint64_t heard_ns; // the last answer
	struct progress progress;
	FILE *acknowledged;
};

static volatile sig_atomic_t interrupted;

static void on_signal(int number)
{
	(void)number;
	interrupted = 1;
}

bool load_interrupted(void)
{
	return interrupted;
}

void load_note(struct load_result *result, const char *format, ...)
{
	char text[LOAD_PROBLEM];
	va_list args;
	unsigned i;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	for (i = 0; i < result->n_problems; i++) {
		if (strcmp(result->problems[i].text, text) == 0)
			break;
	}
	if (i == LOAD_PROBLEMS_MAX)
		return;
	if (i == result->n_problems) {
		result->n_problems++;
		strcpy(result->problems[i].text, text);
	}
	result->problems[i].n++;
}

static void stop(struct run *run, const char *why)
{
	if (why)
		load_note(run->result, "%s", why);
	run->result->is_stopped |= why != NULL;
	h2client_stop(run->client);
}

static uint64_t due_ns(const struct run *run, uint64_t item)
{
	return run->result->started_ns + (uint64_t)((double)item * run->pause_ns);
}

static bool has_more(const struct run *run, uint64_t now_ns)
{
	double limit = run->job->seconds;

	if (interrupted || run->next == run->job->n)
		return false;
	return limit == 0 || (double)(now_ns - run->result->started_ns) < limit * 1e9;
}

static void end_if_over(struct run *run, uint64_t now_ns)
{
	if (run->n_open == 0 && run->waiting.n == 0 && !has_more(run, now_ns))
		stop(run, interrupted ? "interrupted" : NULL);
}

// Why an answer is not what was wanted; NULL when it is.
static void note_failure(struct run *run, const struct h2_response *response, const char *wrong)
{
	char cause[40], detail[120];

	if (response->status < 0) {
		load_note(run->result, "%s: %s", load_options_server(),
			  strerror(-response->status));
	} else if (wrong) {
		load_note(run->result, "%d: %s", response->status, wrong);
	} else {
		reply_problem(response, cause, sizeof(cause), detail, sizeof(detail));
		load_note(run->result, "%d %s %s", response->status, cause, detail);
	}
}

// Whether, and after which pause, an item is asked again.
static bool is_repeated(const struct op *op, const struct h2_response *response, uint64_t *pause_ns)
{
	uint64_t s = response->retry_after_s;

	*pause_ns = AGAIN_NS;
	if (op->tries >= TRIES_MAX || interrupted)
		return false;
	if (response->status < 0)
		return load_options.retry && response->status != -EMSGSIZE;
	if (response->status != 429 && response->status != 503)
		return false;
	if (s)
		*pause_ns = (s < AGAIN_MAX_S ? s : AGAIN_MAX_S) * 1000000000;
	return s || load_options.retry;
}

static void op_free(struct op *op)
{
	op->next_free = op->run->free;
	op->run->free = op;
	op->run->n_open--;
}

static bool ask_again(struct run *run, const struct op *op, uint64_t at_ns)
{
	const struct waiting_item item = {at_ns, op->item, op->intended_ns, op->tries + 1};

	run->result->retried++;
	return waiting_put(&run->waiting, &item);
}

static void judge(struct run *run, const struct op *op, const struct h2_response *response,
		  uint64_t now_ns)
{
	const struct load_job *job = run->job;
	const bool is_2xx = response->status >= 200 && response->status < 300;
	const char *wrong = is_2xx && job->check ? job->check(job->arg, op->item, response) : NULL;

	histogram_add(&run->result->latency, now_ns - op->intended_ns);
	if (!is_2xx || wrong) {
		run->result->failed++;
		note_failure(run, response, wrong);
		return;
	}
	run->result->done++;
	if (run->acknowledged && job->acknowledge)
		job->acknowledge(job->arg, op->item, run->acknowledged);
}

static void on_done(void *arg, const struct h2_response *response)
{
	struct op *op = arg;
	struct run *run = op->run;
	uint64_t now_ns = clock_mono_ns(&clock_system), pause_ns;

	if (response->status > 0)
		run->heard_ns = now_ns;
	if (!is_repeated(op, response, &pause_ns) || !ask_again(run, op, now_ns + pause_ns))
		judge(run, op, response, now_ns);
	op_free(op);
	end_if_over(run, now_ns);
}

static void ask(struct run *run, const struct waiting_item *item)
{
	const struct load_job *job = run->job;
	struct op *op = run->free;
	struct h2_request request = {
		.method = job->method,
		.path = job->path,
		.content_type = job->content_type,
		.body = op->body,
		.done = on_done,
		.arg = op,
	};
	int r;

	run->free = op->next_free;
	run->n_open++;
	op->item = item->item;
	op->intended_ns = item->intended_ns;
	op->tries = item->tries;
	if (job->write)
		request.body_len = job->write(job->arg, op->item, op->body);
	assert(request.body_len <= job->body_max);
	if (job->path_of) {
		job->path_of(job->arg, op->item, op->path);
		request.path = op->path;
	}
	if (job->key) {
		job->key(job->arg, op->item, op->key);
		request.idempotency_key = op->key;
	}
	r = h2client_request(run->client, &request);
	assert(r == 0); // there is room
}

// The next item that is due: one that waits to be asked again, or a new one.
static bool take(struct run *run, uint64_t now_ns, struct waiting_item *item)
{
	const struct waiting_item *first = waiting_first(&run->waiting);

	if (first && (first->due_ns <= now_ns || interrupted)) {
		*item = waiting_take(&run->waiting);
		return true;
	}
	// In a closed loop, what waits keeps its place among those under way.
	if (!has_more(run, now_ns) ||
	    (run->pause_ns == 0 && run->n_open + run->waiting.n >= run->n_ops) ||
	    (run->pause_ns > 0 && due_ns(run, run->next) > now_ns))
		return false;
	*item = (struct waiting_item){
		.item = run->next,
		.intended_ns = run->pause_ns > 0 ? due_ns(run, run->next) : now_ns,
	};
	run->next++;
	run->result->asked++;
	return true;
}

static void pump(struct run *run, uint64_t now_ns)
{
	struct waiting_item item;

	while (run->free && h2client_has_room(run->client) && take(run, now_ns, &item))
		ask(run, &item);
}

static void set_alarm(struct run *run, uint64_t now_ns)
{
	const struct waiting_item *first = waiting_first(&run->waiting);
	uint64_t at_ns = now_ns + TICK_NS;

	if (h2client_has_room(run->client)) {
		if (first && first->due_ns < at_ns)
			at_ns = first->due_ns;
		if (run->pause_ns > 0 && has_more(run, now_ns) && due_ns(run, run->next) < at_ns)
			at_ns = due_ns(run, run->next);
	}
	h2client_wake_at(run->client, at_ns);
}

static void on_room(void *arg)
{
	struct run *run = arg;
	uint64_t now_ns = clock_mono_ns(&clock_system);

	pump(run, now_ns);
	end_if_over(run, now_ns);
	set_alarm(run, now_ns);
}

static void stop_down(struct run *run)
{
	char why[LOAD_PROBLEM];

	snprintf(why, sizeof(why), "%s: %s", load_options_server(),
		 strerror(-h2client_error(run->client)));
	stop(run, why);
}

static void look_at_time(struct run *run, uint64_t now_ns)
{
	const uint64_t timeout_ns = load_options.timeout_s * 1000000000;
	char note[64];

	snprintf(note, sizeof(note), "%" PRIu64 " failed, %" PRIu64 " again", run->result->failed,
		 run->result->retried);
	progress_update(&run->progress, run->result->done, note);
	if (now_ns - run->heard_ns > timeout_ns && (run->n_open || run->waiting.n))
		stop(run, "no answer for too long (see --timeout)");
	else if (h2client_is_down(run->client))
		stop_down(run);
	else if (interrupted && run->waiting.n)
		stop(run, "interrupted");
}

static void on_tick(void *arg)
{
	struct run *run = arg;

	on_room(run);
	look_at_time(run, clock_mono_ns(&clock_system));
}

// Says what can't be opened; returns the error.
static int complain(const struct run *run, const char *what, int error)
{
	if (error)
		fprintf(stderr, "%s: %s: %s\n", run->job->what, what,
			error == -EINVAL ? "no such host, or a path too long" : strerror(-error));
	return error;
}

static int run_open(struct run *run)
{
	const bool is_upload = run->job->is_upload;
	const struct h2client_options options = {
		.host = load_options.host,
		.port = load_options.port,
		.socket = load_options.socket,
		.connections = is_upload ? 1 : (unsigned)load_options.connections,
		.streams = is_upload ? UPLOAD_STREAMS : (unsigned)load_options.streams,
		.reconnect = load_options.retry,
		.room = on_room,
		.tick = on_tick,
		.arg = run,
	};

	run->n_ops = options.connections * options.streams;
	run->ops = calloc(run->n_ops, sizeof(*run->ops));
	run->bodies = malloc(run->n_ops * run->job->body_max + 1);
	if (!run->ops || !run->bodies)
		return complain(run, "requests", -ENOMEM);
	for (unsigned i = 0; i < run->n_ops; i++) {
		run->ops[i].run = run;
		run->ops[i].body = run->bodies + i * run->job->body_max;
		run->ops[i].next_free = run->free;
		run->free = &run->ops[i];
	}
	if (load_options.acknowledged) {
		run->acknowledged = fopen(load_options.acknowledged, "a");
		if (!run->acknowledged)
			return complain(run, load_options.acknowledged, -errno);
	}
	return complain(run, load_options_server(), h2client_open(&run->client, &options));
}

static void run_close(struct run *run)
{
	if (run->client)
		h2client_close(run->client);
	if (run->acknowledged && fclose(run->acknowledged))
		load_note(run->result, "%s: %s", load_options.acknowledged, strerror(errno));
	waiting_fini(&run->waiting);
	free(run->ops);
	free(run->bodies);
}

int load_run(const struct load_job *job, struct load_result *result)
{
	struct run run = {.job = job, .result = result};
	int r;

	memset(result, 0, sizeof(*result));
	result->what = job->what;
	result->wanted = job->n;
	signal(SIGINT, on_signal);
	signal(SIGTERM, on_signal);
	if (job->is_open && load_options.rate > 0)
		run.pause_ns = 1e9 / load_options.rate;
	progress_begin(&run.progress, job->what, job->n == UINT64_MAX ? 0 : job->n,
		       load_options.quiet || job->is_quiet);
	result->started_ns = run.heard_ns = clock_mono_ns(&clock_system);
	r = job->n ? run_open(&run) : 0;
	if (!r && job->n)
		h2client_run(run.client);
	result->ended_ns = clock_mono_ns(&clock_system);
	if (job->n == UINT64_MAX || job->seconds > 0)
		result->wanted = result->asked;
	run_close(&run);
	progress_end(&run.progress, result->done, NULL);
	return r;
}

bool load_good(const struct load_result *result)
{
	return !result->is_stopped && result->failed == 0 && result->done == result->wanted;
}
