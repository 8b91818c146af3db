#include "control/api/push_limits.h"

#include <errno.h>
#include <string.h>

#include "control/api/push_ask.h"
#include "control/app.h"
#include "control/json/problem.h"
#include "control/registry/af.h"
#include "control/store/store.h"

enum { RETRY_S = 1 };

static void refuse(struct problem *problem, enum problem_cause cause, unsigned retry_after_s,
		   const char *detail)
{
	problem_set(problem, cause, "%s", detail);
	problem->retry_after_s = retry_after_s;
}

// The one it replaces makes room for it.
static bool has_room_at_ue(const struct app *app, const struct push_ask *ask)
{
	const struct push *old = ask->replaces ? push_find(app, ask->old_id) : NULL;
	const struct push_list *list = &ask->material->list;
	unsigned n;

	if (list->n > 1 || list->n_barred)
		return true;
	n = push_singles(app, list->handles[0]);
	if (old && push_is_single(old) && old->handle == list->handles[0])
		n--;
	return n < PUSH_SINGLES_PER_UE;
}

// An AF that is new here, or here again, goes on after the last push_id of its FQDN.
static int read_last_id(struct app *app, struct af *af)
{
	uint8_t last[PUSH_ID];
	char key[64 + AKMA_FQDN_MAX];
	ssize_t len = store_get(app->store, STORE_META, key, push_key_last(key, af->fqdn), last,
				sizeof(last));

	if (len == -ENOENT)
		return 0;
	if (len != PUSH_ID)
		return len < 0 ? (int)len : -EBADMSG;
	memcpy(af->last_push_id, last, PUSH_ID);
	return 0;
}

static enum problem_cause next_id(struct app *app, struct af *af, uint64_t now_ms)
{
	static const uint8_t none[PUSH_ID];
	int error = 0;

	if (!memcmp(af->last_push_id, none, PUSH_ID))
		error = read_last_id(app, af);
	if (error)
		return problem_of_errno(error);
	error = push_id_next(af->last_push_id, now_ms, af->last_push_id);
	if (error)
		return error == -ETIME ? PROBLEM_CLOCK_BEHIND : PROBLEM_SYSTEM_FAILURE;
	return PROBLEM_NONE;
}

void push_limits_take(struct app *app, struct af *af, const struct push_ask *ask, uint64_t now_ms,
		      struct problem *problem)
{
	enum problem_cause cause;
	unsigned wait_s;

	if (app->pushes->n_live >= app->pushes->live_max) {
		refuse(problem, PROBLEM_NF_CONGESTION, RETRY_S, "too many pushes are not over");
		return;
	}
	if (!has_room_at_ue(app, ask)) {
		refuse(problem, PROBLEM_NF_CONGESTION_RISK, RETRY_S,
		       "too many pushes for this UE are outstanding");
		return;
	}
	cause = next_id(app, af, now_ms);
	if (cause != PROBLEM_NONE) {
		refuse(problem, cause, RETRY_S,
		       cause == PROBLEM_CLOCK_BEHIND ? "the clock was set back"
						     : "no push_id can be made");
		return;
	}
	wait_s = af_admit(app, af, ask->material->list.n);
	if (wait_s)
		refuse(problem, PROBLEM_NF_CONGESTION_RISK, wait_s,
		       "rate or quota of the AF is used up");
}
