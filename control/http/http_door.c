#include "control/http/http_exchange.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/bytes.h"
#include "control/http/http_session.h"

void http_limits_default(struct http_limits *limits)
{
	*limits = (struct http_limits){
		.connections = 1024,
		.streams = 1024,
		.requests = 16384,
		.uploads = 64,
		.header_octets = 16 * 1024,
		.body_max = 1024 * 1024,
		.bodies = 256 * 1024 * 1024,
		.request_s = 30,
		.answer_s = 30,
		.open_s = 10,
		.idle_s = 600,
	};
}

struct door *door_new(const struct http_limits *limits)
{
	struct door *door = calloc(1, sizeof(*door));

	if (door == NULL)
		return NULL;
	door->limits = *limits;
	TAILQ_INIT(&door->arriving);
	TAILQ_INIT(&door->leaving);
	TAILQ_INIT(&door->pool);
	return door;
}

static void door_free_if_empty(struct door *door)
{
	struct exchange *x;

	if (!door->closed || door->n_exchanges > 0)
		return;
	while ((x = TAILQ_FIRST(&door->pool)) != NULL) {
		TAILQ_REMOVE(&door->pool, x, waiting);
		free(x);
	}
	free(door);
}

void door_close(struct door *door)
{
	door->closed = true;
	door_free_if_empty(door);
}

static void request_slow(struct exchange *x)
{
	x->door->stats.requests_slow++;
	if (x->state == EXCHANGE_HEADERS) {
		exchange_wait(x, NULL);
		session_reset(x->session, x->stream_id);
		return;
	}
	if (x->state == EXCHANGE_UPLOAD)
		upload_gone(x);
	exchange_refuse(x, PROBLEM_REQUEST_TIMEOUT, NULL);
}

static void answer_slow(struct exchange *x)
{
	x->door->stats.answers_slow++;
	exchange_wait(x, NULL);
	session_reset(x->session, x->stream_id);
}

static void expire(struct exchange_list *list, uint64_t before_s, void (*slow)(struct exchange *))
{
	struct exchange *x;

	while ((x = TAILQ_FIRST(list)) != NULL && x->since_s < before_s)
		slow(x);
}

void door_tick(struct door *door, uint64_t now_s, int64_t unix_s)
{
	time_t t = (time_t)unix_s;
	struct tm tm;

	door->now_s = now_s;
	gmtime_r(&t, &tm);
	strftime(door->date, sizeof(door->date), "%a, %d %b %Y %H:%M:%S GMT", &tm);
	if (now_s > door->limits.request_s)
		expire(&door->arriving, now_s - door->limits.request_s, request_slow);
	if (now_s > door->limits.answer_s)
		expire(&door->leaving, now_s - door->limits.answer_s, answer_slow);
}

static struct exchange *take(struct door *door)
{
	struct exchange *x = TAILQ_FIRST(&door->pool);

	if (x == NULL)
		return malloc(sizeof(*x));
	TAILQ_REMOVE(&door->pool, x, waiting);
	door->n_pool--;
	return x;
}

struct exchange *exchange_new(struct door *door, struct session *session, int32_t stream_id)
{
	struct exchange *x;

	// Beyond `requests` there is still a 503 to say, but not without end.
	if (door->n_exchanges / 2 >= door->limits.requests)
		return NULL;
	x = take(door);
	if (x == NULL)
		return NULL;
	memset(x, 0, offsetof(struct exchange, text));
	text_init(&x->text);
	x->door = door;
	x->session = session;
	x->stream_id = stream_id;
	x->op = ROUTE_OPS_MAX;
	x->request.method = HTTP_METHODS;
	door->n_exchanges++;
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
	struct door *door = x->door;

	if (x->session != NULL || x->owed)
		return;
	exchange_wait(x, NULL);
	exchange_body_free(x);
	text_fini(&x->text);
	door->n_exchanges--;
	if (door->n_pool < EXCHANGE_POOL) {
		TAILQ_INSERT_HEAD(&door->pool, x, waiting);
		door->n_pool++;
	} else {
		free(x);
	}
	door_free_if_empty(door);
}

void exchange_closed(struct exchange *x)
{
	x->session = NULL;
	exchange_wait(x, NULL);
	if (x->state != EXCHANGE_ANSWERED)
		x->door->stats.requests_gone++;
	if (x->state == EXCHANGE_UPLOAD)
		upload_gone(x);
	if (x->state == EXCHANGE_ANSWERED)
		answer_closed(x);
	exchange_release(x);
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
