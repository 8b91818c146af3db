#include "control/push/push_view.h"

#include <errno.h>

#include "control/app.h"
#include "control/push/push_told.h"
#include "control/store/store.h"

int push_over_get(struct app *app, const uint8_t id[PUSH_ID], struct push_over *over,
		  uint8_t value[PUSH_OVER_MAX])
{
	uint8_t key[PUSH_KEY_MAX];
	ssize_t len = store_get(app->store, STORE_PUSH, key, push_key_over(key, id), value,
				PUSH_OVER_MAX);

	if (len < 0)
		return (int)len;
	return len > PUSH_OVER_MAX ? -EBADMSG : push_over_read(value, (size_t)len, over);
}

int push_view_get(struct app *app, const uint8_t id[PUSH_ID], struct push_view *view)
{
	const struct push *push = push_find(app, id);
	uint8_t value[PUSH_OVER_MAX];
	struct push_over over;
	int error;

	if (push) {
		view->facts = push->facts;
		view->state = push_told_phase(push);
		push_told_counts(push, &view->counts);
		return 0;
	}
	error = push_over_get(app, id, &over, value);
	if (error)
		return error;
	view->facts = over.facts;
	view->counts = over.counts;
	view->state = "FINISHED";
	return 0;
}
