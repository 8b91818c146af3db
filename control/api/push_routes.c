// /akma-push/v1/{afId}/pushes, push-info, and pushes as the operator sees them.

#include "control/api/push_handlers.h"
#include "control/api/routes.h"

#define PUSHES "/akma-push/v1/{afId}/pushes"
enum { PUSH_ROLES = HTTP_ROLE_AF };

const struct http_route push_routes[] = {
	{HTTP_POST, PUSHES, PUSH_ROLES, HTTP_JSON, .handle = push_post, .op = "push"},
	{HTTP_GET, PUSHES, PUSH_ROLES, HTTP_NONE, .handle = push_list_own, .op = "list-pushes"},
	{HTTP_GET, PUSHES "/{pushId}", PUSH_ROLES, HTTP_NONE, .handle = push_get, .op = "get-push"},
	{HTTP_PUT, PUSHES "/{pushId}", PUSH_ROLES, HTTP_JSON, .handle = push_put,
	 .op = "replace-push"},
	{HTTP_DELETE, PUSHES "/{pushId}", PUSH_ROLES, HTTP_NONE, .handle = push_delete,
	 .op = "recall-push"},
	{HTTP_GET, PUSHES "/{pushId}/results", PUSH_ROLES, HTTP_NONE, .handle = push_results,
	 .op = "push-results"},
	{HTTP_POST, "/akma-push/v1/{afId}/push-info", PUSH_ROLES, HTTP_JSON, .handle = push_info,
	 .op = "push-info"},
	{0},
};

const struct http_route push_admin_routes[] = {
	{HTTP_GET, "/admin/v1/pushes", HTTP_ROLE_ADMIN, HTTP_NONE, .handle = push_list_all,
	 .op = "admin-pushes"},
	{HTTP_GET, "/admin/v1/pushes/{pushId}", HTTP_ROLE_ADMIN, HTTP_NONE, .handle = push_get_any,
	 .op = "admin-push"},
	{0},
};
