#include "bench/floor.h"

#include <stddef.h>

#include "bench/floor_list.h"

const struct sha256_floor *const sha256_floors[] = {
#ifdef HAVE_X86_FLOORS
	&sha256_floor_avx512,
	&sha256_floor_shani,
#endif
	NULL,
};

const struct aead_floor *const aead_floors[] = {
#ifdef HAVE_X86_FLOORS
	&aead_floor_vaes512,
	&aead_floor_aesni,
#endif
	NULL,
};

const struct sha256_floor *sha256_floor_best(void)
{
	const struct sha256_floor *const *floor = sha256_floors;

	while (*floor && !(*floor)->usable())
		floor++;
	return *floor;
}

const struct aead_floor *aead_floor_best(void)
{
	const struct aead_floor *const *floor = aead_floors;

	while (*floor && !(*floor)->usable())
		floor++;
	return *floor;
}
