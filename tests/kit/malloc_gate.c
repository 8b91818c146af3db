#include "tests/kit/malloc_gate.h"

#include <stdatomic.h>
#include <stdlib.h>

static _Thread_local volatile bool closed; // the compiler knows malloc not to look at it
static atomic_uint passed;

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
void *__real_aligned_alloc(size_t align, size_t n);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);
void *__wrap_aligned_alloc(size_t align, size_t n);

void *__wrap_malloc(size_t n)
{
	passed += closed;
	return __real_malloc(n);
}

void *__wrap_calloc(size_t n, size_t size)
{
	passed += closed;
	return __real_calloc(n, size);
}

void *__wrap_realloc(void *p, size_t n)
{
	passed += closed;
	return __real_realloc(p, n);
}

void *__wrap_aligned_alloc(size_t align, size_t n)
{
	passed += closed;
	return __real_aligned_alloc(align, n);
}

void malloc_gate_close(void)
{
	closed = true;
}

void malloc_gate_open(void)
{
	closed = false;
}

unsigned malloc_gate_passed(void)
{
	return passed;
}

bool malloc_gate_works(void)
{
	void *volatile p;

	malloc_gate_close();
	p = malloc(1);
	malloc_gate_open();
	free(p);
	return atomic_exchange(&passed, 0) == 1;
}
