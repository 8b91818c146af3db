#pragma once
// Handlers of the push API, for its routes. Control thread only.

struct http_request;

void push_post(struct http_request *request, void *ctx);     // push_accept.c
void push_put(struct http_request *request, void *ctx);      // push_accept.c
void push_get(struct http_request *request, void *ctx);      // push_read.c
void push_get_any(struct http_request *request, void *ctx);  // push_read.c
void push_list_own(struct http_request *request, void *ctx); // push_read.c
void push_list_all(struct http_request *request, void *ctx); // push_read.c
void push_delete(struct http_request *request, void *ctx);   // push_recall.c
void push_results(struct http_request *request, void *ctx);  // push_results.c
void push_info(struct http_request *request, void *ctx);     // push_info.c
