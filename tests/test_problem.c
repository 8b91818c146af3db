#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <errno.h>
#include <string.h>

#include "control/json/problem.h"

Test(problem, the_first_cause_stays)
{
	struct problem problem;

	problem_init(&problem);
	cr_assert(not(problem_is(&problem)));
	problem_set(&problem, PROBLEM_AF_NOT_FOUND, "no %s", "one");
	problem_set(&problem, PROBLEM_UE_NOT_FOUND, "other");
	problem_param(&problem, PROBLEM_UNKNOWN_IE, "/x", "why %d", 3);
	cr_assert(eq(int, problem.cause, PROBLEM_AF_NOT_FOUND));
	cr_assert_str_eq(problem.detail, "no one");
	cr_assert(eq(u32, problem.n_params, 1));
	cr_assert_str_eq(problem.params[0].reason, "why 3");
}

Test(problem, texts_of_any_length_are_cut)
{
	static char text[1000];
	struct problem problem;

	memset(text, 'x', sizeof(text) - 1);
	problem_init(&problem);
	for (unsigned i = 0; i < 2 * PROBLEM_PARAMS_MAX; i++)
		problem_param(&problem, PROBLEM_UNKNOWN_IE, text, "%s", text);
	cr_assert(eq(u32, problem.n_params, PROBLEM_PARAMS_MAX));
	cr_assert(eq(sz, strlen(problem.detail), sizeof(problem.detail) - 1));
	cr_assert(eq(sz, strlen(problem.params[7].param), sizeof(problem.params[7].param) - 1));
	cr_assert(eq(sz, strlen(problem.params[7].reason), sizeof(problem.params[7].reason) - 1));
}

Test(problem, every_cause_has_a_status_of_an_error)
{
	for (unsigned cause = 0; cause < PROBLEM_NONE; cause++) {
		int status = problem_status((enum problem_cause)cause);

		cr_assert(400 <= status && status < 600);
		cr_assert(gt(sz, strlen(problem_name((enum problem_cause)cause)), 0));
	}
	cr_assert_str_eq(problem_name(PROBLEM_CLOCK_BEHIND), "CLOCK_BEHIND");
	cr_assert(eq(int, problem_status(PROBLEM_INSUFFICIENT_RESOURCES), 507));
}

Test(problem, errors_of_tables_and_store)
{
	cr_assert(eq(int, problem_status(problem_of_errno(-ENOSPC)), 507));
	cr_assert(eq(int, problem_status(problem_of_errno(-ENOMEM)), 507));
	cr_assert(eq(int, problem_status(problem_of_errno(-EIO)), 503));
	cr_assert(eq(int, problem_status(problem_of_errno(-EBUSY)), 503));
	cr_assert(eq(int, problem_status(problem_of_errno(-EEXIST)), 409));
	cr_assert(eq(int, problem_status(problem_of_errno(-EINVAL)), 500));
}
