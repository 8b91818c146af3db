#include "tools/load/load_pushes.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "control/json/json.h"
#include "tools/load/load.h"
#include "tools/load/reply.h"
#include "tools/progress.h"

enum { PAUSE_MS = 200, SHOWN_MAX = 100 };

const char *const load_state_names[LOAD_STATES] = {
	"PENDING",     "SENT",        "RECEIVED",    "DELIVERED",  "REFUSED",
	"TOO_OLD",     "EXPIRED",     "UNCONFIRMED", "NO_CONTEXT", "NO_ADDRESS",
	"KEY_EXPIRED", "NOT_ALLOWED", "REPLACED",    "RECALLED",
};

int load_pushes_init(struct load_pushes *pushes, const char *af, uint64_t n)
{
	*pushes = (struct load_pushes){.af = af, .n = n};
	pushes->push = calloc(n, sizeof(*pushes->push));
	pushes->round = calloc(n, sizeof(*pushes->round));
	return pushes->push && pushes->round ? 0 : -ENOMEM;
}

void load_pushes_fini(struct load_pushes *pushes)
{
	free(pushes->push);
	free(pushes->round);
}

static void sums_add(struct load_sums *sums, const struct load_sums *more)
{
	sums->targets += more->targets;
	sums->sent += more->sent;
	sums->success += more->success;
	for (unsigned i = 0; i < LOAD_STATES; i++)
		sums->state[i] += more->state[i];
}

static void write_path(void *arg, uint64_t item, char path[LOAD_PATH])
{
	const struct load_pushes *pushes = arg;

	snprintf(path, LOAD_PATH, "/akma-push/v1/%s/pushes/%s", pushes->af,
		 pushes->push[pushes->round[item]].id);
}

static struct load_sums sums_of(const struct json *resource)
{
	struct load_sums sums = {
		.targets = reply_uint(resource, NULL, "targets", 0),
		.sent = reply_uint(resource, NULL, "datagramsSent", 0),
		.success = reply_uint(resource, "deliveryResults", "SUCCESS", 0),
	};

	for (unsigned i = 0; i < LOAD_STATES; i++)
		sums.state[i] = reply_uint(resource, "states", load_state_names[i], 0);
	return sums;
}

static const char *look(void *arg, uint64_t item, const struct h2_response *response)
{
	struct load_pushes *pushes = arg;
	struct load_push *push = &pushes->push[pushes->round[item]];
	struct json *resource = reply_parse(response->body, response->body_len);
	struct load_sums sums = sums_of(resource);
	char state[16];

	if (!reply_text(resource, "state", state, sizeof(state))) {
		json_free(resource);
		return "the answer is no push";
	}
	json_free(resource);
	push->is_over = strcmp(state, "FINISHED") == 0;
	if (push->is_over)
		pushes->n_open--;
	sums_add(push->is_over ? &pushes->over : &pushes->open, &sums);
	return NULL;
}

// Asks once for every push that is not over. False when that went wrong.
static bool ask_round(struct load_pushes *pushes)
{
	static struct load_result result;
	struct load_job job = {
		.what = "wait",
		.method = "GET",
		.is_quiet = true,
		.path_of = write_path,
		.check = look,
		.arg = pushes,
	};

	for (uint64_t i = 0; i < pushes->n; i++) {
		if (pushes->push[i].id[0] && !pushes->push[i].is_over)
			pushes->round[job.n++] = i;
	}
	memset(&pushes->open, 0, sizeof(pushes->open));
	if (load_run(&job, &result) || !load_good(&result)) {
		load_print(&result);
		return false;
	}
	return true;
}

static void show(const struct load_pushes *pushes, struct progress *progress, bool is_end)
{
	const uint64_t done = pushes->over.success + pushes->open.success;
	char note[100];

	progress->total = pushes->over.targets + pushes->open.targets;
	snprintf(note, sizeof(note),
		 "%" PRIu64 " datagrams, %" PRIu64 " of %" PRIu64 " pushes over",
		 pushes->over.sent + pushes->open.sent, pushes->n - pushes->n_open, pushes->n);
	if (is_end)
		progress_end(progress, done, note);
	else
		progress_update(progress, done, note);
}

bool load_pushes_wait(struct load_pushes *pushes, double seconds)
{
	const struct timespec pause = {.tv_nsec = PAUSE_MS * 1000000};
	const uint64_t end_ns = clock_mono_ns(&clock_system) + (uint64_t)(seconds * 1e9);
	struct progress progress;

	progress_begin(&progress, "delivered", 0, load_options.quiet);
	while (pushes->n_open && !load_interrupted() && ask_round(pushes)) {
		show(pushes, &progress, false);
		if (clock_mono_ns(&clock_system) > end_ns)
			break;
		if (pushes->n_open)
			nanosleep(&pause, NULL);
	}
	show(pushes, &progress, true);
	return pushes->n_open == 0;
}

void load_pushes_print(const struct load_pushes *pushes)
{
	struct load_sums sums = pushes->over;

	sums_add(&sums, &pushes->open);
	printf("  targets %" PRIu64 ", succeeded %" PRIu64 ", datagrams sent %" PRIu64 "\n ",
	       sums.targets, sums.success, sums.sent);
	for (unsigned i = 0; i < LOAD_STATES; i++) {
		if (sums.state[i])
			printf(" %s %" PRIu64, load_state_names[i], sums.state[i]);
	}
	putchar('\n');
}

void load_pushes_put(const struct load_pushes *pushes, struct json_writer *w)
{
	struct load_sums sums = pushes->over;
	unsigned n_shown = 0;

	sums_add(&sums, &pushes->open);
	json_put_uint(w, "targets", sums.targets);
	json_put_uint(w, "succeeded", sums.success);
	json_put_uint(w, "datagrams_sent", sums.sent);
	json_put_uint(w, "unfinished", pushes->n_open);
	json_open_object(w, "states");
	for (unsigned i = 0; i < LOAD_STATES; i++) {
		if (sums.state[i])
			json_put_uint(w, load_state_names[i], sums.state[i]);
	}
	json_close(w);
	json_open_array(w, "pushes");
	for (uint64_t i = 0; i < pushes->n && n_shown < SHOWN_MAX; i++) {
		if (pushes->push[i].id[0]) {
			json_put_string(w, NULL, pushes->push[i].id);
			n_shown++;
		}
	}
	json_close(w);
}
