// DELETE of a push: its open targets are RECALLED.

#include <stdlib.h>
#include <string.h>

#include "control/api/answer.h"
#include "control/api/push_api.h"
#include "control/api/push_handlers.h"
#include "control/apply.h"
#include "control/http/http.h"
#include "control/json/problem.h"
#include "control/push/push_registry.h"
#include "control/push/push_run.h"
#include "control/push/push_told.h"
#include "control/push/push_view.h"
#include "control/registry/af.h"
#include "control/store/store.h"

struct recall {
	struct change change;
	struct http_request *request;
	uint8_t id[PUSH_ID];
};

static int apply_recall(struct change *change, struct app *app)
{
	struct recall *recall = (struct recall *)change;
	struct push *push = push_find(app, recall->id);

	return push ? push_stop(app, push, DP_RECALLED) : 0;
}

static void recall_done(struct change *change, struct app *app, int status)
{
	struct recall *recall = (struct recall *)change;
	struct push *push = push_find(app, recall->id);

	if (push)
		push->stop_asked = false;
	if (status)
		problem_answer_cause(recall->request, problem_of_errno(status), "%s",
				     strerror(-status));
	else
		http_answer(recall->request, 204, NULL, NULL, 0);
	free(recall);
}

static void recall_push(struct http_request *request, struct app *app, struct push *push)
{
	struct store_batch *batch;
	struct recall *recall;

	batch = answer_begin(request, sizeof(*recall), (void **)&recall);
	if (!batch)
		return;
	*recall = (struct recall){.change = {.apply = apply_recall, .done = recall_done},
				  .request = request};
	memcpy(recall->id, push->facts.id, PUSH_ID);
	push_put_stop(batch, recall->id, DP_RECALLED);
	push->stop_asked = true;
	apply_commit(app, batch, &recall->change);
}

void push_delete(struct http_request *request, void *ctx)
{
	struct af *af = push_api_af(request, ctx);
	struct push_view view;
	uint8_t id[PUSH_ID];
	struct push *push;

	if (!af || !push_api_id(request, request->segment[1], id) ||
	    !push_api_view(request, ctx, af->fqdn, id, &view))
		return;
	push = push_find(ctx, id);
	if (!push_may_stop(push))
		problem_answer_cause(request, PROBLEM_PUSH_FINISHED, "the push is over");
	else
		recall_push(request, ctx, push);
}
