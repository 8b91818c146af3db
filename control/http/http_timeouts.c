#include "control/http/http_timeouts.h"

#include <time.h>

#include "control/http/http_exchange.h"
#include "control/http/http_problem.h"
#include "control/http/http_upload.h"

static void request_slow(struct exchange *x)
{
	x->door->stats.requests_slow++;
	if (x->state == EXCHANGE_HEADERS) {
		exchange_wait(x, NULL);
		x->ops->reset(x);
		return;
	}
	if (x->state == EXCHANGE_UPLOAD)
		upload_gone(x);
	problem_refuse(x, PROBLEM_REQUEST_TIMEOUT, NULL);
}

static void answer_slow(struct exchange *x)
{
	x->door->stats.answers_slow++;
	exchange_wait(x, NULL);
	x->ops->reset(x);
}

static void expire(struct exchange_list *list, uint64_t before_s, void (*slow)(struct exchange *))
{
	struct exchange *x;

	while ((x = TAILQ_FIRST(list)) != NULL && x->since_s < before_s)
		slow(x);
}

void timeouts_tick(struct door *door, uint64_t now_s, int64_t unix_s)
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
