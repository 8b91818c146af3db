#include "control/http/http_exchange.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"

struct exchange *exchange_new(struct door *door, struct session *session,
			      const struct exchange_ops *ops, const struct http_peer *peer,
			      int32_t stream_id)
{
	struct exchange *x = door_take(door, sizeof(*x));

	if (x == NULL)
		return NULL;
	memset(x, 0, offsetof(struct exchange, text));
	text_init(&x->text);
	x->door = door;
	x->session = session;
	x->ops = ops;
	x->peer = peer;
	x->stream_id = stream_id;
	x->op = ROUTE_OPS_MAX;
	x->request.method = HTTP_METHODS;
	exchange_wait(x, &door->arriving);
	return x;
}

void exchange_wait(struct exchange *x, struct exchange_list *list)
{
	if (x->waits != NULL)
		TAILQ_REMOVE(x->waits, x, waiting);
	x->waits = list;
	x->since_s = x->door->now_s;
	if (list != NULL)
		TAILQ_INSERT_TAIL(list, x, waiting);
}

void exchange_release(struct exchange *x)
{
	if (x->session != NULL || x->owed)
		return;
	exchange_wait(x, NULL);
	exchange_body_free(x);
	text_fini(&x->text);
	door_give(x->door, x);
}

// A small body lies in the text; its place there is not given back when it grows out of it.
static bool body_is_text(const struct exchange *x)
{
	return x->body_cap <= TEXT_INLINE / 2;
}

void exchange_body_free(struct exchange *x)
{
	if (x->body == NULL)
		return;
	if (!body_is_text(x)) {
		mem_wipe(x->body, x->body_cap);
		free(x->body);
	}
	x->door->stats.bodies_now -= x->body_cap;
	x->body = NULL;
	x->body_len = 0;
	x->body_cap = 0;
}

int exchange_body_room(struct exchange *x, size_t n)
{
	size_t need = x->body_len + n + 1, len = x->body_len;
	size_t cap = x->body_cap > 0 ? x->body_cap : TEXT_INLINE / 4;
	uint8_t *body;

	if (need <= x->body_cap)
		return 0;
	while (cap < need)
		cap *= 2;
	if (x->door->stats.bodies_now + cap > x->door->limits.bodies)
		return -ENOSPC;
	body = cap <= TEXT_INLINE / 2 ? (uint8_t *)text_take(&x->text, cap) : malloc(cap);
	if (body == NULL)
		return -ENOMEM;
	if (len > 0)
		memcpy(body, x->body, len);
	exchange_body_free(x);
	x->body = body;
	x->body_len = len;
	x->body_cap = cap;
	x->door->stats.bodies_now += cap;
	return 0;
}

void exchange_upload_free(struct exchange *x)
{
	x->door->stats.uploads_now--;
	exchange_body_free(x);
}
