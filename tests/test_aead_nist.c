// AES-GCM implementations against the known answers of NIST's validation programme.

#include <criterion/criterion.h>

#include "tests/kit/gcm_nist.h"

Test(aead_nist, known_answers)
{
	for (unsigned i = 0; aead_implementations[i]; i++) {
		const struct aead_ops *const ops = aead_implementations[i];

		if (!ops->usable())
			cr_log_warn("this CPU does not run the implementation %s", ops->name);
		else
			cr_assert_eq(gcm_nist_wrong(ops), 0, "%s, vector %u", ops->name,
				     gcm_nist_wrong(ops));
	}
}
