#pragma once
// Octets: loads and stores in network byte order and in the other, comparison and wiping of
// secrets. Nothing here is aligned or aliased by cast: wire structures are read and written through
// these. The built-in memcpy is never a call: _FORTIFY_SOURCE=3 makes one of the other's stores
// where it can work out the size of the object at run time.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline uint16_t load16_be(const void *p)
{
	const uint8_t *b = p;

	return (uint16_t)(b[0] << 8 | b[1]);
}

static inline uint32_t load32_be(const void *p)
{
	uint32_t v;

	__builtin_memcpy(&v, p, sizeof(v));
	return __builtin_bswap32(v);
}

static inline uint64_t load64_be(const void *p)
{
	uint64_t v;

	__builtin_memcpy(&v, p, sizeof(v));
	return __builtin_bswap64(v);
}

static inline void store16_be(void *p, uint16_t v)
{
	v = __builtin_bswap16(v);
	__builtin_memcpy(p, &v, sizeof(v));
}

static inline void store32_be(void *p, uint32_t v)
{
	v = __builtin_bswap32(v);
	__builtin_memcpy(p, &v, sizeof(v));
}

static inline void store64_be(void *p, uint64_t v)
{
	v = __builtin_bswap64(v);
	__builtin_memcpy(p, &v, sizeof(v));
}

static inline uint32_t load32_le(const void *p)
{
	uint32_t v;

	__builtin_memcpy(&v, p, sizeof(v));
	return v;
}

static inline uint64_t load64_le(const void *p)
{
	uint64_t v;

	__builtin_memcpy(&v, p, sizeof(v));
	return v;
}

static inline void store64_le(void *p, uint64_t v)
{
	__builtin_memcpy(p, &v, sizeof(v));
}

// Whether the n octets at a and b are equal, in time that depends on n alone.
static inline bool mem_equal_ct(const void *a, const void *b, size_t n)
{
	const uint8_t *x = a, *y = b;
	uint8_t diff = 0;

	for (size_t i = 0; i < n; i++)
		diff |= x[i] ^ y[i];
	return diff == 0;
}

// Overwrites a secret; the compiler does not remove it.
static inline void mem_wipe(void *p, size_t n)
{
	explicit_bzero(p, n);
}

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
	       "bytes.h swaps: little-endian hosts only");
