// The first and the last of the life of pushes here: those that were not over when the program
// ended are found again.

#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "base/log.h"
#include "control/app.h"
#include "control/push/push.h"
#include "control/push/push_registry.h"
#include "control/push/push_reply.h"
#include "control/push/push_retention.h"
#include "control/push/push_run.h"
#include "control/registry/af.h"
#include "control/store/store.h"

// Its progress, and whether it was stopped. 0 or -errno.
static int load_progress(struct app *app, struct push *push)
{
	uint8_t key[PUSH_KEY_MAX], value[PUSH_COUNTS_OCTETS];
	const uint8_t *id = push->facts.id;
	ssize_t len;

	len = store_get(app->store, STORE_PROGRESS, key, push_key_progress(key, id, 'S'), value, 1);
	if (len == 1 && value[0] < DP_STATE_COUNT)
		push->stop = value[0];
	else if (len != -ENOENT)
		return len < 0 ? (int)len : -EBADMSG;
	len = store_get(app->store, STORE_PROGRESS, key, push_key_progress(key, id, 'C'), value,
			sizeof(value));
	if (len == -ENOENT)
		return 0;
	if (len < 0 || (size_t)len > sizeof(value))
		return len < 0 ? (int)len : -EBADMSG;
	push->was_run = true;
	len = push_counts_read(value, (size_t)len, &push->noted);
	push->sent_before = push->noted.sent;
	return (int)len;
}

// Only a single push's handle is kept in memory.
static int load_handle(const struct push_live *live, uint32_t *handle)
{
	struct push_list list = {0};
	int error;

	*handle = DP_NONE;
	if (live->facts.n_targets > 1)
		return 0;
	error = live->chunk ? push_chunk_read(live->chunk, live->chunk_len, &list) : -EBADMSG;
	if (!error)
		*handle = list.handles[0];
	push_list_free(&list);
	return error;
}

static int load_push(struct app *app, const struct push_live *live)
{
	const struct af *af = af_find(app, live->facts.fqdn, strlen(live->facts.fqdn));
	struct push *push;
	uint32_t handle;
	int error = load_handle(live, &handle);

	if (error)
		return error;
	push = push_reserve(app, &live->facts, handle);
	if (!push)
		return -ENOMEM;
	push->may_reply = true;
	error = load_progress(app, push);
	if (error) {
		push_forget(app, push);
		return error;
	}
	if (!push->stop && (!af || af->suspended))
		push->stop = DP_NOT_ALLOWED;
	push_enter(app, push);
	if (push->stop)
		push_set_phase(app, push, PUSH_ENDING);
	return 0;
}

static int each(void *ctx, const uint8_t *key, size_t key_len, const uint8_t *value,
		size_t value_len)
{
	struct push_live live;
	char id[PUSH_ID_TEXT + 1];
	int error = push_live_read(value, value_len, &live);

	if (!error && key_len == 1 + PUSH_ID && !memcmp(key + 1, live.facts.id, PUSH_ID))
		error = load_push(ctx, &live);
	else
		error = -EBADMSG;
	if (error && key_len == 1 + PUSH_ID) {
		push_id_write(id, key + 1);
		log_error("push", "push %s can't be read from the store: %s", id, strerror(-error));
	}
	mem_wipe(&live, sizeof(live));
	return error;
}

int push_load(struct app *app)
{
	int error;

	app->pushes = push_registry_new(app);
	if (!app->pushes || push_replies_init(app->pushes) || push_retention_init(app->pushes))
		return -ENOMEM;
	error = store_scan(app->store, STORE_PUSH, "L", 1, "M", 1, each, app);
	if (!error && app->pushes->n_live)
		log_info("push", "%u pushes are not over: they go on", app->pushes->n_live);
	return error;
}

void push_close(struct app *app)
{
	if (!app->pushes)
		return;
	push_loop_leave(app->pushes);
	push_replies_free(app->pushes);
	push_retention_free(app->pushes);
	push_registry_free(app->pushes);
	app->pushes = NULL;
}
