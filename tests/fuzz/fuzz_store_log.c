// A block of one of the database's logs: damage that is found is a fragment of a type that is none,
// or one that claims more than there is.

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "control/store/store_log_format.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const size_t len = size < STORE_LOG_BLOCK ? size : STORE_LOG_BLOCK;
	const size_t at = store_log_format_damage(data, len);

	assert(at <= len);
	if (at < len) {
		assert(len - at >= 7);
		assert(data[at + 6] > 4 || at + 7 + (data[at + 4] | data[at + 5] << 8) > len);
	}
	return 0;
}
