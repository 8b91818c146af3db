#pragma once
// What handlers of the control plane have in common at their ends. Control thread only.

#include <stddef.h>

struct http_request;
struct json_writer;
struct store_batch;

// Answers with the document, application/json; 507 without memory for it.
void answer_json(struct http_request *request, int status, struct json_writer *w);

// 503 with Retry-After: store or apply queue are full.
void answer_congestion(struct http_request *request);
// The same for another reason.
void answer_later(struct http_request *request, const char *why);

// A batch and the memory (zero, for the caller to free) of a change that goes with it; NULL when
// there is no room for either, and the request has been answered.
struct store_batch *answer_begin(struct http_request *request, size_t size, void **change);
