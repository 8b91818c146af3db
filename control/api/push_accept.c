// Acceptance: a push is checked, made durable with everything that never changes of it, put in its
// place, and answered. The one it replaces is stopped in the same batch.

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/clock.h"
#include "control/api/answer.h"
#include "control/api/push_api.h"
#include "control/api/push_ask.h"
#include "control/api/push_handlers.h"
#include "control/api/push_limits.h"
#include "control/api/push_spec.h"
#include "control/api/push_target.h"
#include "control/app.h"
#include "control/http/http.h"
#include "control/json/json.h"
#include "control/json/problem.h"
#include "control/push/push_run.h"
#include "control/push/push_told.h"
#include "control/push/push_view.h"
#include "control/registry/af.h"
#include "control/store/store.h"

// ---- The change

static void free_ask(struct push_ask *ask)
{
	push_material_free(ask->material);
	free(ask);
}

static int apply_ask(struct change *change, struct app *app)
{
	struct push_ask *ask = (struct push_ask *)change;
	struct push *old = ask->replaces ? push_find(app, ask->old_id) : NULL;
	struct push *push = ask->push;
	const struct af *af = af_find_normal(app, push->facts.fqdn);
	bool is_late = !af || af->suspended; // decided while it was on its way

	if (old && push_stop(app, old, DP_REPLACED))
		return -EAGAIN;
	if (is_late && !push_store_stop(app, ask->id, DP_NOT_ALLOWED))
		return -EAGAIN; // the AF may be back before the end of the push is durable
	ask->push = NULL;
	push_enter(app, push);
	app->pushes->n_accepted++;
	if (is_late)
		return push_stop(app, push, DP_NOT_ALLOWED);
	push_try_start(app, push, ask->material);
	return 0;
}

static void ask_done(struct change *change, struct app *app, int status)
{
	struct push_ask *ask = (struct push_ask *)change;

	push_ask_leave(app, ask);
	if (status) {
		push_forget(app, ask->push);
		app->pushes->n_refused++;
	} else {
		push_target_saved(app, &ask->material->list);
	}
	push_ask_answer(app, ask, status);
	free_ask(ask);
}

// ---- Into the store

// All of it in one batch. 0 or -ENOMEM.
static int fill(struct app *app, struct store_batch *batch, const struct push_ask *ask)
{
	const struct push_facts *facts = &ask->push->facts;
	char last[64 + AKMA_FQDN_MAX];

	if (push_material_put(batch, facts, ask->material))
		return -ENOMEM;
	store_put(batch, STORE_META, last, push_key_last(last, facts->fqdn), facts->id, PUSH_ID);
	if (ask->has_key)
		idempotency_put(app, batch, &ask->idempotency, facts->id);
	if (ask->replaces)
		push_put_stop(batch, ask->old_id, DP_REPLACED);
	return 0;
}

// ---- Asking

// The list of what is replaced, when no other target is named.
static void take_old_list(struct app *app, struct af *af, struct push_ask *ask,
			  struct problem *problem)
{
	const struct push *old = push_find(app, ask->old_id);
	struct push_material *material;
	int error;

	material = push_material_load(app, &old->facts, &error);
	if (!material) {
		problem_set(problem, problem_of_errno(error), "the list of the push can't be read");
		return;
	}
	ask->material->list = material->list;
	material->list = (struct push_list){0};
	push_material_free(material);
	push_target_again(app, af, &ask->material->list, problem);
}

static struct push *reserve(struct app *app, const struct af *af, const struct push_spec *spec,
			    const struct push_list *list, uint64_t now_ms)
{
	struct push_facts facts = {
		.created_ms = now_ms,
		.expiry = (uint32_t)(now_ms / 1000) + spec->validity_s,
		.n_targets = list->n,
		.n_barred = list->n_barred,
		.suite = spec->suite,
		.ack_wanted = spec->ack_wanted,
		.ordered = spec->ordered,
		.segment_size = spec->segment_size,
		.payload_len = (uint16_t)spec->payload_len,
	};

	memcpy(facts.id, af->last_push_id, PUSH_ID);
	memcpy(facts.fqdn, af->fqdn, sizeof(facts.fqdn));
	return push_reserve(app, &facts, list->handles[0]);
}

// From what was asked for to a full batch; the problem says why not.
static void prepare(struct http_request *request, struct app *app, struct af *af,
		    const struct push_spec *spec, struct store_batch *batch, struct push_ask *ask,
		    struct problem *problem)
{
	uint64_t now_ms = clock_unix_ms(app->clock);
	struct push_material *material = calloc(1, sizeof(*material));

	ask->material = material;
	if (!material || getrandom(material->secret, PUSH_SECRET, 0) != PUSH_SECRET) {
		problem_set(problem, PROBLEM_INSUFFICIENT_RESOURCES, "no memory");
		return;
	}
	memcpy(material->payload, spec->payload, spec->payload_len);
	if (spec->target)
		push_target_resolve(app, batch, af, spec->target, push_api_sees_supi(request, af),
				    &material->list, problem);
	else
		take_old_list(app, af, ask, problem);
	if (!problem_is(problem))
		push_limits_take(app, af, ask, now_ms, problem);
	if (problem_is(problem))
		return;
	ask->push = reserve(app, af, spec, &material->list, now_ms);
	if (!ask->push || fill(app, batch, ask)) {
		problem_set(problem, PROBLEM_INSUFFICIENT_RESOURCES, "no memory");
		return;
	}
	memcpy(ask->id, ask->push->facts.id, PUSH_ID);
}

static void give_up(struct app *app, struct store_batch *batch, struct push_ask *ask)
{
	store_abort(batch);
	if (ask->push)
		push_forget(app, ask->push);
	free_ask(ask);
}

// `like`: what is known of the request so far.
static void ask_for(struct http_request *request, struct app *app, struct af *af,
		    const struct push_spec *spec, const struct push_ask *like)
{
	struct problem problem;
	struct store_batch *batch;
	struct push_ask *ask;

	batch = answer_begin(request, sizeof(*ask), (void **)&ask);
	if (!batch) {
		app->pushes->n_refused++;
		return;
	}
	*ask = *like;
	ask->change = (struct change){.apply = apply_ask, .done = ask_done};
	ask->request = request;
	problem_init(&problem);
	prepare(request, app, af, spec, batch, ask, &problem);
	if (!problem_is(&problem)) {
		push_ask_enter(app, ask);
		apply_commit(app, batch, &ask->change);
		return;
	}
	give_up(app, batch, ask);
	app->pushes->n_refused++;
	problem_answer(request, &problem);
}

// ---- Handlers

// Reads the key, if any; false when the request has been answered.
static bool take_key(struct http_request *request, struct app *app, const struct af *af,
		     const char *method, const char *resource, struct push_ask *like)
{
	const char *key = http_header(request, "idempotency-key");
	struct problem problem;

	if (!key)
		return true;
	if (!idempotency_is_key(key)) {
		problem_init(&problem);
		problem_param(&problem, PROBLEM_OPTIONAL_IE_INCORRECT, "Idempotency-Key",
			      "1 to %u printable ASCII characters", IDEMPOTENCY_KEY_MAX);
		problem_answer(request, &problem);
		return false;
	}
	idempotency_init(&like->idempotency, af->fqdn, key, method, resource, request->body,
			 request->body_len);
	like->has_key = true;
	return !push_asked_before(request, app, &like->idempotency);
}

static void read_and_ask(struct http_request *request, struct app *app, struct af *af,
			 const struct push_ask *like)
{
	struct push_spec spec;
	struct problem problem;
	struct json *document;

	problem_init(&problem);
	document = json_parse((const char *)request->body, request->body_len, &problem);
	if (document)
		push_spec_read(&spec, app, af, document, like->replaces, &problem);
	if (problem_is(&problem)) {
		app->pushes->n_refused++;
		problem_answer(request, &problem);
	} else {
		ask_for(request, app, af, &spec, like);
	}
	json_free(document);
}

static bool is_suspended(struct http_request *request, const struct af *af)
{
	if (af->suspended)
		problem_answer_cause(request, PROBLEM_AF_SUSPENDED, "%s is suspended", af->fqdn);
	return af->suspended;
}

void push_post(struct http_request *request, void *ctx)
{
	struct af *af = push_api_af(request, ctx);
	struct push_ask like = {.replaces = false};

	if (af && take_key(request, ctx, af, "POST", "", &like) && !is_suspended(request, af))
		read_and_ask(request, ctx, af, &like);
}

void push_put(struct http_request *request, void *ctx)
{
	struct af *af = push_api_af(request, ctx);
	struct push_ask like = {.replaces = true};
	struct push_view view;

	if (!af || !push_api_id(request, request->segment[1], like.old_id) ||
	    !take_key(request, ctx, af, "PUT", request->segment[1], &like) ||
	    is_suspended(request, af) || !push_api_view(request, ctx, af->fqdn, like.old_id, &view))
		return;
	if (!push_may_stop(push_find(ctx, like.old_id))) {
		problem_answer_cause(request, PROBLEM_PUSH_FINISHED, "the push is over");
		return;
	}
	read_and_ask(request, ctx, af, &like);
}
