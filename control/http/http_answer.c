// Answers: copied or drawn from a source, handed to the session, let go when the stream is over.

#include "control/http/http_answer.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "control/http/http_exchange.h"

void http_set_header(struct http_request *request, const char *name, const char *value)
{
	struct exchange *x = exchange_of(request);
	struct field *field = &x->answer.set[x->answer.n_set];

	assert(x->answer.n_set < EXCHANGE_SET_MAX && x->state != EXCHANGE_ANSWERED);
	field->name = text_copy(&x->text, name, strlen(name));
	field->value = text_copy(&x->text, value, strlen(value));
	if (field->name != NULL && field->value != NULL)
		x->answer.n_set++;
}

// From here on the handler has nothing to do with it.
static void answered(struct exchange *x, int status, const char *type)
{
	assert(x->owed && 100 < status && status < 600);
	if (x->state == EXCHANGE_UPLOAD && !x->upload.busy)
		exchange_upload_free(x); // else whoever is busy does so
	x->state = EXCHANGE_ANSWERED;
	x->owed = false;
	x->answer.status = status;
	x->answer.type = type != NULL ? text_copy(&x->text, type, strlen(type)) : NULL;
	x->door->by_class[x->op][status / 100]++;
}

static void send_or_release(struct exchange *x)
{
	if (x->session == NULL) {
		answer_closed(x);
		exchange_release(x);
		return;
	}
	exchange_wait(x, &x->door->leaving);
	x->ops->answer(x);
}

void http_answer(struct http_request *request, int status, const char *type, const void *body,
		 size_t len)
{
	struct exchange *x = exchange_of(request);

	answered(x, status, type);
	if (x->session != NULL && body != NULL && len > 0 && !x->is_head) {
		x->answer.body = (const uint8_t *)text_copy(&x->text, body, len);
		x->answer.len = x->answer.body != NULL ? len : 0;
		if (x->answer.body == NULL) {
			exchange_wait(x, NULL);
			x->ops->reset(x);
			return;
		}
	}
	send_or_release(x);
}

void http_answer_stream(struct http_request *request, int status, const char *type,
			const struct http_source *source, void *ctx)
{
	struct exchange *x = exchange_of(request);

	answered(x, status, type);
	x->answer.source = source;
	x->answer.source_ctx = ctx;
	send_or_release(x);
}

bool answer_is_stream(const struct exchange *x)
{
	return x->answer.source != NULL;
}

size_t answer_left(const struct exchange *x)
{
	return x->answer.len - x->answer.at;
}

void answer_sent(struct exchange *x, size_t n)
{
	assert(n <= answer_left(x));
	x->answer.at += n;
	exchange_wait(x, &x->door->leaving);
}

long answer_fill(struct exchange *x, uint8_t *to, size_t max)
{
	long n = x->answer.source->next(x->answer.source_ctx, to, max);

	assert(n <= (long)max);
	x->answer.is_dry = n == -EAGAIN;
	exchange_wait(x, x->answer.is_dry ? NULL : &x->door->leaving);
	return n;
}

void http_more(struct http_request *request)
{
	struct exchange *x = exchange_of(request);

	if (!x->answer.is_dry)
		return;
	x->answer.is_dry = false;
	exchange_wait(x, &x->door->leaving);
	x->ops->more(x);
}

void answer_closed(struct exchange *x)
{
	const struct http_source *source = x->answer.source;

	x->answer.source = NULL;
	if (source != NULL)
		source->done(x->answer.source_ctx);
}
