#pragma once
// Octets of one request or answer: strings and small bodies, taken from the front of a block, given
// back and wiped together. The first block lies in the exchange itself, so that an ordinary request
// allocates nothing.

#include <stddef.h>
#include <stdint.h>

enum { TEXT_INLINE = 2048, TEXT_BLOCK = 8192 };

struct text_block {
	struct text_block *next;
	size_t size;
	size_t used;
	char octets[];
};

struct text {
	struct text_block *blocks; // allocated ones, the newest first
	size_t used;               // of inline_
	char inline_[TEXT_INLINE];
};

void text_init(struct text *text);
void text_fini(struct text *text);

// n octets, not aligned; NULL without memory.
char *text_take(struct text *text, size_t n);
// A terminated copy.
char *text_copy(struct text *text, const void *octets, size_t n);
