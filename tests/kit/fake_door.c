// What services call of the door and of pushes, for tests that never get there through them.

#include <stdlib.h>

#include "control/http/http.h"
#include "control/json/problem.h"
#include "control/push/push.h"

void *http_app(const struct http_request *request)
{
	(void)request;
	abort();
}

void http_answer(struct http_request *request, int status, const char *type, const void *body,
		 size_t len)
{
	(void)request;
	(void)status;
	(void)type;
	(void)body;
	(void)len;
	abort();
}
