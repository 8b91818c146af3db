#pragma once
// Requests as commands make them: what the daemon refuses and what stands in the way is told here,
// so a command goes on only when all is well. With --json a refusal's ProblemDetails go to standard
// output as they are. One thread.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "control/json/json.h"
#include "control/json/problem.h"
#include "tools/ctl/ctl.h"
#include "tools/ctl/ctl_http.h"

// CTL_OK with a good answer to free; otherwise told, and nothing to free.
int ctl_call(struct ctl *ctl, const struct ctl_request *request, struct ctl_response *response);
// For requests whose answer has no body: "NAME DONE", with --json {"name":NAME,"done":DONE}.
int ctl_done(struct ctl *ctl, const struct ctl_request *request, const char *name,
	     const char *done);
int ctl_delete(struct ctl *ctl, const char *path, const char *name, const char *done);

// An answer that is a JSON object, read leniently: what is missing is 0 or NULL.
struct ctl_doc {
	struct ctl_response response;
	struct json *json;
	struct problem problem;
	struct json_reader top;
};

int ctl_doc_call(struct ctl *ctl, const struct ctl_request *request, struct ctl_doc *doc);
int ctl_doc_get(struct ctl *ctl, const char *path, struct ctl_doc *doc);
// Sends what was written, which is gone then.
int ctl_doc_send(struct ctl *ctl, const char *method, const char *path, const char *type,
		 struct json_writer *w, struct ctl_doc *doc);
void ctl_doc_free(struct ctl_doc *doc);
void ctl_doc_print(const struct ctl_doc *doc); // as it is, one line end behind

// How an answer is shown to people.
typedef void ctl_show_fn(const struct json_reader *top);

// Shows the answer, with --json as it is, and frees it.
void ctl_doc_show(const struct ctl *ctl, struct ctl_doc *doc, ctl_show_fn *show);
// GET, and the answer shown.
int ctl_show(struct ctl *ctl, const char *path, ctl_show_fn *show);

// path = before + the name as a segment + behind; CTL_USAGE, told, when it is too long.
int ctl_path(char path[CTL_PATH_MAX], const char *before, const char *name, const char *behind);

// A body written with control/json/json.h; without memory its text is NULL, which ctl_call tells.
struct ctl_body {
	char *text;
	size_t len;
};
void ctl_body_take(struct ctl_body *body, struct json_writer *w);
void ctl_body_free(struct ctl_body *body);

const char *ctl_text(const struct json_reader *object, const char *name); // NULL: none
uint64_t ctl_uint(const struct json_reader *object, const char *name);
bool ctl_flag(const struct json_reader *object, const char *name, bool absent);
// A member that is an object; one that is missing reads as empty.
struct json_reader ctl_child(const struct json_reader *object, const char *name);
const struct json *ctl_list(const struct json_reader *object, const char *name); // may be NULL
struct json_reader ctl_item(const struct json_reader *object, const struct json *list, size_t i);
