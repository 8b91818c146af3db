#include "tests/kit/malloc_gate.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>

#if defined(__has_feature)
#define HAS(feature) __has_feature(feature)
#else
#define HAS(feature) 0
#endif

static _Thread_local volatile bool closed; // the compiler knows malloc not to look at it
static atomic_uint passed;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || HAS(address_sanitizer) ||     \
	HAS(thread_sanitizer)

// The sanitizer has taken malloc's place already, and tells.
int __sanitizer_install_malloc_and_free_hooks(void (*on_malloc)(const volatile void *, size_t),
					      void (*on_free)(const volatile void *));

static void on_malloc(const volatile void *p, size_t n)
{
	(void)p, (void)n;
	passed += closed;
}

static void on_free(const volatile void *p)
{
	passed += closed && p;
}

__attribute__((constructor)) static void install(void)
{
	(void)__sanitizer_install_malloc_and_free_hooks(on_malloc,
							on_free); // else it does not work
}

#else

#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

// glibc's own, by the names that it has for those who stand in their places.
void *__libc_malloc(size_t n);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t n);
void *__libc_memalign(size_t align, size_t n);
void __libc_free(void *p);

void *malloc(size_t n)
{
	passed += closed;
	return __libc_malloc(n);
}

void *calloc(size_t n, size_t size)
{
	passed += closed;
	return __libc_calloc(n, size);
}

void *realloc(void *p, size_t n)
{
	passed += closed;
	return __libc_realloc(p, n);
}

void *aligned_alloc(size_t align, size_t n)
{
	passed += closed;
	return __libc_memalign(align, n);
}

int posix_memalign(void **p, size_t align, size_t n)
{
	passed += closed;
	*p = __libc_memalign(align, n);
	return *p ? 0 : ENOMEM;
}

void free(void *p)
{
	passed += closed && p;
	__libc_free(p);
}

void *mmap(void *at, size_t n, int protection, int flags, int fd, off_t offset)
{
	passed += closed;
	return (void *)syscall(SYS_mmap, at, n, protection, flags, fd, offset);
}

#endif

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
	free(p);
	malloc_gate_open();
	return atomic_exchange(&passed, 0) == 2;
}
