#include "tools/ctl/ctl_call.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "tools/ctl/ctl_format.h"

enum { SHOWN_MAX = 600 };

// ---- What went wrong

static void put_clean(const char *before, const char *text, const char *behind)
{
	char clean[SHOWN_MAX];

	if (text && *text)
		fprintf(stderr, "%s%s%s", before, ctl_clean(clean, sizeof(clean), text), behind);
}

// The detail is not told apart when it only says what the title or the first parameter says.
static void tell_detail(const struct json_reader *problem)
{
	const struct json *params = ctl_list(problem, "invalidParams");
	struct json_reader first = ctl_item(problem, params, 0);
	const char *detail = ctl_text(problem, "detail"), *param = ctl_text(&first, "param");

	if (!detail || strcasecmp(detail, ctl_text(problem, "title")) == 0)
		return;
	if (!param || strncmp(detail, param, strlen(param)) != 0)
		put_clean("  ", detail, "\n");
}

static void tell_hint(const char *cause)
{
	static const struct {
		const char *cause, *hint;
	} hints[] = {
		{"AF_NOT_FOUND", "akmapushctl af list shows those that are"},
		{"AF_SUSPENDED", "akmapushctl af resume lets it push again"},
		{"GROUP_NOT_FOUND", "akmapushctl group list shows those there are"},
		{"PUSH_NOT_FOUND", "akmapushctl push list shows those there are"},
		{"PUSH_FINISHED", "akmapushctl push show tells how it ended"},
	};

	for (unsigned i = 0; cause && i < sizeof(hints) / sizeof(hints[0]); i++) {
		if (strcmp(hints[i].cause, cause) == 0)
			fprintf(stderr, "  %s\n", hints[i].hint);
	}
}

static void tell_params(const struct json_reader *problem)
{
	const struct json *params = ctl_list(problem, "invalidParams");

	for (size_t i = 0; i < json_array_len(params); i++) {
		struct json_reader param = ctl_item(problem, params, i);

		put_clean("  ", ctl_text(&param, "param"), "");
		put_clean(": ", ctl_text(&param, "reason"), "");
		fputc('\n', stderr);
	}
}

static void tell_known(const struct ctl *ctl, const struct json_reader *problem, int status)
{
	put_clean("akmapushctl: ", ctl->doing, ": ");
	put_clean("", ctl_text(problem, "title"), "");
	put_clean(" (", ctl_text(problem, "cause"), "");
	fprintf(stderr, ", %d)\n", status);
	tell_detail(problem);
	tell_params(problem);
	tell_hint(ctl_text(problem, "cause"));
}

// "akmapushctl: push show ID: No such push (PUSH_NOT_FOUND, 404)", the detail, each wrong
// parameter, what may help.
static void tell_problem(const struct ctl *ctl, const struct ctl_response *response)
{
	struct problem ignored;
	struct json *json;
	struct json_reader problem = {.pointer = "", .problem = &ignored};

	problem_init(&ignored);
	json = json_parse(response->body, response->body_len, &ignored);
	problem.object = json;
	if (!json || !ctl_text(&problem, "title"))
		ctl_fail(CTL_REFUSED, "the daemon answered with status %d", response->status);
	else
		tell_known(ctl, &problem, response->status);
	if (response->retry_after_s)
		fprintf(stderr, "  try again in %u s\n", response->retry_after_s);
	json_free(json);
}

static void print_body(const struct ctl_response *response)
{
	fwrite(response->body, 1, response->body_len, stdout);
	if (!response->body_len || response->body[response->body_len - 1] != '\n')
		putchar('\n');
}

static int refused(const struct ctl *ctl, struct ctl_response *response)
{
	if (ctl->json && response->body_len)
		print_body(response);
	else
		tell_problem(ctl, response);
	ctl_response_free(response);
	return CTL_REFUSED;
}

static int unreachable(const struct ctl *ctl, struct ctl_response *response, int error)
{
	ctl_response_free(response);
	if (error == -ECANCELED)
		return CTL_INTERRUPTED; // told by who broke off
	if (error == -ENOMEM)
		return ctl_fail(CTL_REFUSED, "out of memory");
	if (error == -EPROTO)
		return ctl_fail(CTL_UNREACHABLE, "the connection to the daemon at %s broke: %s",
				ctl->socket, response->error);
	ctl_fail(CTL_UNREACHABLE, "no daemon reached at %s: %s", ctl->socket, response->error);
	fputs("  Check that akmapushd runs (systemctl status akmapushd), that admin.socket of its\n"
	      "  configuration is this path (else --socket PATH or AKMAPUSH_SOCKET), and that you\n"
	      "  are root or the daemon's own user.\n",
	      stderr);
	return CTL_UNREACHABLE;
}

// ---- Requests

int ctl_call(struct ctl *ctl, const struct ctl_request *request, struct ctl_response *response)
{
	int error;

	if (request->type && !request->read && !request->body)
		return ctl_fail(CTL_REFUSED, "out of memory");
	error = ctl_http(ctl->socket, request, response);
	if (error)
		return unreachable(ctl, response, error);
	if (response->status >= 400)
		return refused(ctl, response);
	return CTL_OK;
}

int ctl_done(struct ctl *ctl, const struct ctl_request *request, const char *name, const char *done)
{
	struct ctl_response response;
	int code = ctl_call(ctl, request, &response);
	struct json_writer *w;
	struct ctl_body body;

	if (code)
		return code;
	ctl_response_free(&response);
	if (!ctl->json) {
		printf("%s %s\n", name, done);
		return CTL_OK;
	}
	w = json_write();
	json_put_string(w, "name", name);
	json_put_string(w, "done", done);
	ctl_body_take(&body, w);
	puts(body.text ? body.text : "{}");
	ctl_body_free(&body);
	return CTL_OK;
}

int ctl_delete(struct ctl *ctl, const char *path, const char *name, const char *done)
{
	const struct ctl_request request = {.method = "DELETE", .path = path};

	return ctl_done(ctl, &request, name, done);
}

int ctl_doc_call(struct ctl *ctl, const struct ctl_request *request, struct ctl_doc *doc)
{
	int code;

	*doc = (struct ctl_doc){0};
	code = ctl_call(ctl, request, &doc->response);
	if (code)
		return code;
	problem_init(&doc->problem);
	doc->json = json_parse(doc->response.body, doc->response.body_len, &doc->problem);
	if (!doc->json) {
		ctl_response_free(&doc->response);
		return ctl_fail(CTL_UNREACHABLE, "what answers at %s is not akmapushd: %s",
				ctl->socket, doc->problem.detail);
	}
	doc->top = (struct json_reader){doc->json, "", &doc->problem};
	return CTL_OK;
}

int ctl_doc_get(struct ctl *ctl, const char *path, struct ctl_doc *doc)
{
	const struct ctl_request request = {.method = "GET", .path = path};

	return ctl_doc_call(ctl, &request, doc);
}

int ctl_doc_send(struct ctl *ctl, const char *method, const char *path, const char *type,
		 struct json_writer *w, struct ctl_doc *doc)
{
	struct ctl_request request = {.method = method, .path = path, .type = type};
	struct ctl_body body;
	int code;

	ctl_body_take(&body, w);
	request.body = body.text;
	request.body_len = body.len;
	code = ctl_doc_call(ctl, &request, doc);
	ctl_body_free(&body);
	return code;
}

void ctl_doc_free(struct ctl_doc *doc)
{
	json_free(doc->json);
	ctl_response_free(&doc->response);
}

void ctl_doc_print(const struct ctl_doc *doc)
{
	print_body(&doc->response);
}

void ctl_doc_show(const struct ctl *ctl, struct ctl_doc *doc, ctl_show_fn *show)
{
	if (ctl->json)
		ctl_doc_print(doc);
	else
		show(&doc->top);
	ctl_doc_free(doc);
}

int ctl_show(struct ctl *ctl, const char *path, ctl_show_fn *show)
{
	struct ctl_doc doc;
	int code = ctl_doc_get(ctl, path, &doc);

	if (!code)
		ctl_doc_show(ctl, &doc, show);
	return code;
}

int ctl_path(char path[CTL_PATH_MAX], const char *before, const char *name, const char *behind)
{
	assert(strlen(before) < CTL_PATH_MAX);
	strcpy(path, before);
	if (!ctl_path_add(path, name) || strlen(path) + strlen(behind) >= CTL_PATH_MAX)
		return ctl_fail(CTL_USAGE, "the name is too long: %.40s…", name);
	strcat(path, behind);
	return CTL_OK;
}

void ctl_body_take(struct ctl_body *body, struct json_writer *w)
{
	body->text = json_take(w, &body->len);
}

void ctl_body_free(struct ctl_body *body)
{
	json_text_free(body->text, body->len);
	body->text = NULL;
}

// ---- Members

const char *ctl_text(const struct json_reader *object, const char *name)
{
	return object->object ? json_string(object, name, JSON_OPTIONAL, 0, SIZE_MAX) : NULL;
}

uint64_t ctl_uint(const struct json_reader *object, const char *name)
{
	return object->object ? json_uint(object, name, JSON_OPTIONAL, 0, UINT64_MAX, 0) : 0;
}

bool ctl_flag(const struct json_reader *object, const char *name, bool absent)
{
	return object->object ? json_bool(object, name, JSON_OPTIONAL, absent) : absent;
}

struct json_reader ctl_child(const struct json_reader *object, const char *name)
{
	struct json_reader child = *object;

	if (object->object)
		child.object = json_object(object, name, JSON_OPTIONAL);
	return child;
}

const struct json *ctl_list(const struct json_reader *object, const char *name)
{
	return object->object ? json_array(object, name, JSON_OPTIONAL, 0, SIZE_MAX) : NULL;
}

struct json_reader ctl_item(const struct json_reader *object, const struct json *list, size_t i)
{
	struct json_reader item = *object;

	item.object = json_array_at(list, i);
	if (!json_is_object(item.object))
		item.object = NULL;
	return item;
}
