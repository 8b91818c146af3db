#pragma once
// What the handlers of the push API share. Each answers the request when it gives NULL or false.
// Control thread only.

#include <stdbool.h>
#include <stdint.h>

#include "control/push/push_id.h"

struct af;
struct app;
struct http_request;
struct push_view;

// The AF of the path, if the peer may act as it: 403, 404.
struct af *push_api_af(struct http_request *request, struct app *app);
// Whether SUPIs may be named by and shown to the peer.
bool push_api_sees_supi(const struct http_request *request, const struct af *af);
// The push_id of a path's segment: 404.
bool push_api_id(struct http_request *request, const char *segment, uint8_t id[PUSH_ID]);
// A push, of this AF (NULL: of any): 404, and the same for another AF's.
bool push_api_view(struct http_request *request, struct app *app, const char *fqdn,
		   const uint8_t id[PUSH_ID], struct push_view *view);
// The push as it is told.
void push_api_answer(struct http_request *request, int status, const struct push_view *view);
// 201, Location, the push that was accepted; 410 when it is over and was deleted since.
void push_api_created(struct http_request *request, struct app *app, const uint8_t id[PUSH_ID]);
