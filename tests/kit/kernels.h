#pragma once
// A Criterion test over every SHA-256 kernel of the list: the parameter is the place in the list,
// and a kernel that this CPU cannot run is skipped with a word.

#include <criterion/criterion.h>
#include <criterion/parameterized.h>

#include "crypto/sha256.h"

enum { KERNELS_MAX = 16 };

static inline struct criterion_test_params kernel_params(void)
{
	static unsigned index[KERNELS_MAX];
	unsigned n = 0;

	while (sha256_kernels[n] && n < KERNELS_MAX) {
		index[n] = n;
		n++;
	}
	return cr_make_param_array(unsigned, index, n);
}

#define KERNEL_TEST(module, test)                                                                  \
	static void test_##test(const struct sha256_ops *sha);                                     \
	ParameterizedTestParameters(module, test)                                                  \
	{                                                                                          \
		return kernel_params();                                                            \
	}                                                                                          \
	ParameterizedTest(unsigned *index, module, test)                                           \
	{                                                                                          \
		const struct sha256_ops *const sha = sha256_kernels[*index];                       \
                                                                                                   \
		if (!sha->usable())                                                                \
			cr_skip("this CPU does not run the kernel %s", sha->name);                 \
		test_##test(sha);                                                                  \
	}                                                                                          \
	static void test_##test(const struct sha256_ops *sha)
