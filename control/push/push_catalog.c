#include "control/push/push_catalog.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "control/app.h"
#include "control/push/push_told.h"
#include "control/push/push_view.h"
#include "control/store/store.h"

const char *const push_phase_names[] = {"WAITING", "RUNNING", "FINISHED", NULL};

// The newest push_ids found, newest first, each once; never more than the limit.
struct found {
	struct app *app;
	const struct push_catalog *catalog;
	uint8_t (*id)[PUSH_ID];
	unsigned n;
};

// Puts an id in its place; false when it has none among the newest.
static bool add(struct found *found, const uint8_t id[PUSH_ID])
{
	unsigned limit = found->catalog->limit, at = found->n;

	while (at > 0 && memcmp(found->id[at - 1], id, PUSH_ID) < 0)
		at--;
	if (at > 0 && !memcmp(found->id[at - 1], id, PUSH_ID))
		return true; // its end is durable, but still known in memory too
	if (at == limit)
		return false;
	if (found->n == limit)
		found->n--;
	memmove(found->id + at + 1, found->id + at, (found->n - at) * PUSH_ID);
	memcpy(found->id[at], id, PUSH_ID);
	found->n++;
	return true;
}

// ---- In memory

static void add_queue(struct found *found, const struct push_queue *queue)
{
	const char *phase = found->catalog->phase;
	struct push *push;

	TAILQ_FOREACH_REVERSE(push, &queue->pushes, push_tailq, of_af)
	{
		if (phase && strcmp(phase, push_told_phase(push)))
			continue;
		if (!add(found, push->facts.id))
			return; // those before it are older
	}
}

static void add_live(struct found *found)
{
	struct push_registry *pushes = found->app->pushes;
	const char *fqdn = found->catalog->fqdn;
	const struct push_queue *queue = fqdn ? push_queue_find(found->app, fqdn) : NULL;

	if (queue)
		add_queue(found, queue);
	for (unsigned i = 0; !fqdn && i < PUSH_FQDN_HEADS; i++) {
		LIST_FOREACH(queue, &pushes->by_fqdn[i], by_fqdn)
		add_queue(found, queue);
	}
}

// ---- In the store: newest first, too

static int add_key(void *ctx, const uint8_t *key, size_t key_len, const uint8_t *value,
		   size_t value_len)
{
	struct found *found = ctx;
	uint8_t id[PUSH_ID];

	(void)value;
	(void)value_len;
	push_key_id(id, key, key_len);
	return !add(found, id);
}

static int add_over(struct found *found)
{
	const char *fqdn = found->catalog->fqdn;
	uint8_t from[PUSH_KEY_MAX] = {'O'}, to[PUSH_KEY_MAX] = {'O' + 1};
	size_t len = fqdn ? push_key_af(from, fqdn) : 1;
	int status;

	if (fqdn) {
		memcpy(to, from, len);
		to[len - 1]++; // behind the zero that ends the name
	}
	status = store_scan(found->app->store, STORE_PUSH, from, len, to, len, add_key, found);
	return status < 0 ? status : 0;
}

// ---- Both

static int tell(const struct found *found, push_catalog_fn *each, void *ctx)
{
	const char *phase = found->catalog->phase;

	for (unsigned i = 0; i < found->n; i++) {
		struct push_view view;
		int error = push_view_get(found->app, found->id[i], &view);

		if (error && error != -ENOENT)
			return error;
		if (!error && (!phase || !strcmp(phase, view.state)))
			each(ctx, &view);
	}
	return 0;
}

int push_catalog_each(struct app *app, const struct push_catalog *catalog, push_catalog_fn *each,
		      void *ctx)
{
	struct found found = {.app = app, .catalog = catalog};
	int error = 0;

	found.id = calloc(catalog->limit, sizeof(*found.id));
	if (!found.id)
		return -ENOMEM;
	add_live(&found);
	if (!catalog->phase || !strcmp(catalog->phase, "FINISHED"))
		error = add_over(&found);
	if (!error)
		error = tell(&found, each, ctx);
	free(found.id);
	return error;
}
