#include "control/json/problem.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

static const struct {
	const char *name;
	int status;
} causes[] = {
#define X(cause, status, title) [PROBLEM_##cause] = {#cause, status},
	PROBLEM_CAUSES(X)
#undef X
};

void problem_init(struct problem *problem)
{
	problem->cause = PROBLEM_NONE;
	problem->detail[0] = '\0';
	problem->n_params = 0;
	problem->retry_after_s = 0;
}

void problem_set(struct problem *problem, enum problem_cause cause, const char *detail, ...)
{
	va_list args;

	assert(cause < PROBLEM_NONE);
	if (problem_is(problem))
		return;
	problem->cause = cause;
	va_start(args, detail);
	vsnprintf(problem->detail, sizeof(problem->detail), detail, args);
	va_end(args);
}

void problem_param(struct problem *problem, enum problem_cause cause, const char *param,
		   const char *reason, ...)
{
	unsigned n = problem->n_params;
	char text[sizeof(problem->params[0].reason)];
	va_list args;

	va_start(args, reason);
	vsnprintf(text, sizeof(text), reason, args);
	va_end(args);
	problem_set(problem, cause, "%s: %s", param, text);
	if (n == PROBLEM_PARAMS_MAX)
		return;
	snprintf(problem->params[n].param, sizeof(problem->params[n].param), "%s", param);
	snprintf(problem->params[n].reason, sizeof(problem->params[n].reason), "%s", text);
	problem->n_params++;
}

int problem_status(enum problem_cause cause)
{
	assert(cause < PROBLEM_NONE);
	return causes[cause].status;
}

const char *problem_name(enum problem_cause cause)
{
	assert(cause < PROBLEM_NONE);
	return causes[cause].name;
}

enum problem_cause problem_of_errno(int error)
{
	switch (error) {
	case -ENOSPC:
	case -ENOMEM:
		return PROBLEM_INSUFFICIENT_RESOURCES;
	case -EIO:
	case -EROFS:
		return PROBLEM_STORE_UNAVAILABLE;
	case -EBUSY:
	case -EAGAIN:
		return PROBLEM_NF_CONGESTION;
	case -EEXIST:
		return PROBLEM_IDENTITY_CONFLICT;
	default:
		return PROBLEM_SYSTEM_FAILURE;
	}
}
