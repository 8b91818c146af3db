#ifndef AKMAPUSH_UE_OCTETS_H
#define AKMAPUSH_UE_OCTETS_H
// Octets, for any byte order and alignment: loads and stores in network byte order, comparison and
// wiping of secrets. The library calls memcpy, memmove, memset, memcmp and nothing else of libc; a
// platform without assert.h defines AKMAPUSH_UE_ASSERT.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifndef AKMAPUSH_UE_ASSERT
#include <assert.h>
#define AKMAPUSH_UE_ASSERT(condition) assert(condition)
#endif

// static_assert for C99; at file scope.
#define APUE_STATIC_ASSERT(name, condition) typedef char apue_check_##name[(condition) ? 1 : -1]

// n octets, at most 4, as a number and back.
static inline uint32_t apue_load_be(const uint8_t *p, unsigned n)
{
	uint32_t v = 0;

	while (n--)
		v = v << 8 | *p++;
	return v;
}

static inline void apue_store_be(uint8_t *p, unsigned n, uint32_t v)
{
	while (n--) {
		p[n] = (uint8_t)v;
		v >>= 8;
	}
}

// Whether n octets are equal, in time that depends on n alone.
static inline bool apue_equal_ct(const uint8_t *a, const uint8_t *b, size_t n)
{
	unsigned diff = 0;

	for (size_t i = 0; i < n; i++)
		diff |= (unsigned)(a[i] ^ b[i]);
	return diff == 0;
}

// Overwrites a secret; the compiler does not remove it.
void apue_wipe(void *p, size_t n);

#endif
