// Uploads of lines: cut where they arrive, handed out one by one, held back by the peer's window.
// The body buffer holds what was not handed out: part of a line, and while the handler holds back
// also what the peer's window let through.

#include "control/http/http_upload.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "control/http/http_exchange.h"
#include "control/http/http_problem.h"

void upload_gone(struct exchange *x)
{
	x->owed = false;
	x->state = EXCHANGE_HANDLED;
	exchange_upload_free(x);
	x->request.route->upload->gone(x->upload.ctx);
}

static void refuse(struct exchange *x, enum problem_cause cause, const char *detail)
{
	upload_gone(x);
	problem_refuse(x, cause, detail);
}

void upload_begin(struct exchange *x, bool complete)
{
	x->state = EXCHANGE_UPLOAD;
	x->owed = true;
	x->door->stats.uploads_now++;
	exchange_wait(x, &x->door->arriving);
	x->upload.busy = true;
	x->upload.ctx = x->request.route->upload->begin(&x->request);
	x->upload.busy = false;
	if (x->state != EXCHANGE_UPLOAD) {
		exchange_upload_free(x);
		return;
	}
	assert(x->upload.ctx != NULL); // NULL means answered
	if (complete)
		upload_end(x);
}

// The next line in the body, without its end; NULL when there is no whole one.
static char *next_line(struct exchange *x, size_t *len, size_t *next)
{
	char *body = (char *)x->body;
	size_t left = x->body_len - x->upload.scanned;
	char *end = left > 0 ? memchr(body + x->upload.scanned, '\n', left) : NULL;
	char *line = body + x->upload.line_at;

	x->upload.scanned = end != NULL ? (size_t)(end - body) : x->body_len;
	if (end == NULL && (!x->upload.complete || x->upload.line_at == x->body_len))
		return NULL;
	*next = x->upload.scanned + (end != NULL);
	end = body + x->upload.scanned;
	if (end > line && end[-1] == '\r')
		end--;
	*len = (size_t)(end - line);
	return line;
}

// Hands out what is whole; ends when that is used up, held back, or answered.
static void hand_out(struct exchange *x)
{
	const struct http_upload *upload = x->request.route->upload;
	size_t len = 0, next = 0;
	char *line;

	while (x->state == EXCHANGE_UPLOAD && (line = next_line(x, &len, &next)) != NULL) {
		char end = line[len];
		int status = 0;

		if (len > x->body_max)
			break; // see pump
		x->upload.resumed = false;
		line[len] = '\0';
		if (len > 0)
			status = upload->line(x->upload.ctx, line, len);
		line[len] = end;
		if (status == -EAGAIN && x->upload.resumed)
			continue;
		x->upload.held = status == -EAGAIN;
		if (status == -EAGAIN)
			return;
		assert(status == 0 || x->state != EXCHANGE_UPLOAD); // an error has been answered
		x->upload.line_at = next;
		x->upload.scanned = next;
	}
}

// Moves what is left to the front and lets the peer send as much as was used up.
static void compact(struct exchange *x)
{
	size_t left = x->body_len - x->upload.line_at;
	size_t keep = x->upload.held ? left : 0;

	if (x->upload.line_at > 0) {
		memmove(x->body, x->body + x->upload.line_at, left);
		x->body_len = left;
		x->upload.scanned -= x->upload.line_at;
		x->upload.line_at = 0;
	}
	if (x->upload.unconsumed > keep) {
		x->ops->consume(x, x->upload.unconsumed - keep);
		x->upload.unconsumed = keep;
	}
}

static void pump(struct exchange *x)
{
	const struct http_upload *upload = x->request.route->upload;

	x->upload.held = false;
	x->upload.busy = true;
	hand_out(x);
	x->upload.busy = false;
	if (x->state != EXCHANGE_UPLOAD) {
		x->ops->consume(x, x->upload.unconsumed);
		exchange_upload_free(x);
		return;
	}
	compact(x);
	if (!x->upload.held && x->body_len > x->body_max) {
		refuse(x, PROBLEM_PAYLOAD_TOO_LARGE, "a line is too long");
		return;
	}
	exchange_wait(x, x->upload.held || x->upload.complete ? NULL : &x->door->arriving);
	if (x->upload.held || !x->upload.complete)
		return;
	x->state = EXCHANGE_HANDLED;
	exchange_upload_free(x);
	upload->end(x->upload.ctx);
}

void upload_data(struct exchange *x, const uint8_t *octets, size_t n)
{
	if (exchange_body_room(x, n) < 0) {
		x->ops->consume(x, x->upload.unconsumed + n);
		refuse(x, PROBLEM_NF_CONGESTION, "no memory for the body");
		return;
	}
	memcpy(x->body + x->body_len, octets, n);
	x->body_len += n;
	x->upload.unconsumed += n;
	if (!x->upload.held)
		pump(x);
}

void upload_end(struct exchange *x)
{
	x->upload.complete = true;
	if (exchange_body_room(x, 0) < 0) { // for the end of a last line without one
		refuse(x, PROBLEM_NF_CONGESTION, "no memory for the body");
		return;
	}
	if (!x->upload.held)
		pump(x);
}

void http_resume(struct http_request *request)
{
	struct exchange *x = exchange_of(request);

	x->upload.resumed = true;
	if (x->state == EXCHANGE_UPLOAD && !x->upload.busy && x->upload.held)
		pump(x);
}
