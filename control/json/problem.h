#pragma once
// Errors as ProblemDetails (RFC 9457 with the members of TS 29.571): the one table of causes, and
// the answer made from it. A problem is filled while a request is read; several parameters can be
// wrong at once. Control thread only.

#include <stdbool.h>
#include <stddef.h>

struct http_request;

// cause, HTTP status, title: X-macro, so that enum, text and docs are one list. Causes of TS 29.500
// table 5.2.7.2-1 where one fits, else of our own.
#define PROBLEM_CAUSES(X)                                                                          \
	X(INVALID_MSG_FORMAT, 400, "The body is not well-formed")                                  \
	X(MANDATORY_IE_MISSING, 400, "A mandatory member is missing")                              \
	X(MANDATORY_IE_INCORRECT, 400, "A mandatory member is incorrect")                          \
	X(OPTIONAL_IE_INCORRECT, 400, "An optional member is incorrect")                           \
	X(UNKNOWN_IE, 400, "A member is not known here")                                           \
	X(NOT_BUILT, 400, "A member is not supported by this version")                             \
	X(INVALID_QUERY_PARAM, 400, "A query parameter is incorrect")                              \
	X(TOO_MANY_TARGETS, 400, "The push has too many targets")                                  \
	X(NOT_AUTHORIZED, 403, "The peer may not do this")                                         \
	X(UA_STAR_ID_NOT_SERVED, 403, "Keys of this Ua* protocol identifier are not handed out")   \
	X(AF_SUSPENDED, 403, "The AF is suspended")                                                \
	X(RESOURCE_URI_STRUCTURE_NOT_FOUND, 404, "No such path")                                   \
	X(AF_NOT_FOUND, 404, "The AF is not registered")                                           \
	X(GROUP_NOT_FOUND, 404, "No such group")                                                   \
	X(UE_NOT_FOUND, 404, "No such UE")                                                         \
	X(PUSH_NOT_FOUND, 404, "No such push")                                                     \
	X(METHOD_NOT_ALLOWED, 405, "The resource does not take this method")                       \
	X(REQUEST_TIMEOUT, 408, "The request took too long to arrive")                             \
	X(IDENTITY_CONFLICT, 409, "The identity belongs to another subscriber")                    \
	X(IDEMPOTENCY_CONFLICT, 409, "The Idempotency-Key was used for another request")           \
	X(PUSH_FINISHED, 409, "The push is over")                                                  \
	X(UE_TRACED, 409, "The UE is being traced already")                                        \
	X(PUSH_DELETED, 410, "The push was deleted after its time")                                \
	X(PAYLOAD_TOO_LARGE, 413, "The body or payload is too large")                              \
	X(URI_TOO_LONG, 414, "The path is too long")                                               \
	X(UNSUPPORTED_MEDIA_TYPE, 415, "The media type is not taken here")                         \
	X(HEADERS_TOO_LARGE, 431, "The header fields are too large")                               \
	X(NF_CONGESTION_RISK, 429, "Too many requests")                                            \
	X(SYSTEM_FAILURE, 500, "Internal error")                                                   \
	X(NF_CONGESTION, 503, "The function is congested")                                         \
	X(CLOCK_BEHIND, 503, "The clock is behind the last push of this AF")                       \
	X(STORE_UNAVAILABLE, 503, "The store can't be written")                                    \
	X(INSUFFICIENT_RESOURCES, 507, "No room is left")

enum problem_cause {
#define X(cause, status, title) PROBLEM_##cause,
	PROBLEM_CAUSES(X)
#undef X
		PROBLEM_NONE,
};

enum { PROBLEM_PARAMS_MAX = 8 };

struct problem {
	enum problem_cause cause; // of the first thing found wrong
	char detail[256];
	unsigned n_params;
	struct {
		char param[64]; // JSON pointer or name: "/target/gpsi"
		char reason[96];
	} params[PROBLEM_PARAMS_MAX]; // what is beyond is not reported
	unsigned retry_after_s;       // 0: no Retry-After header
};

void problem_init(struct problem *problem); // PROBLEM_NONE
static inline bool problem_is(const struct problem *problem)
{
	return problem->cause != PROBLEM_NONE;
}

// Notes what is wrong; the first cause and detail stay.
void problem_set(struct problem *problem, enum problem_cause cause, const char *detail, ...)
	__attribute__((format(printf, 3, 4)));
// The same for one parameter of the request.
void problem_param(struct problem *problem, enum problem_cause cause, const char *param,
		   const char *reason, ...) __attribute__((format(printf, 4, 5)));

int problem_status(enum problem_cause cause);
const char *problem_name(enum problem_cause cause);

// A store's or table's -errno as a cause: -ENOSPC and -ENOMEM 507; -EIO, -EROFS, -EBUSY and -EAGAIN
// 503; -EEXIST 409; else 500.
enum problem_cause problem_of_errno(int error);

// Answers the request with the problem; the request is gone afterwards.
void problem_answer(struct http_request *request, const struct problem *problem);
void problem_answer_cause(struct http_request *request, enum problem_cause cause,
			  const char *detail, ...) __attribute__((format(printf, 3, 4)));
