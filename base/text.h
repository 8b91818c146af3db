#pragma once
// Octets as text and back: hexadecimal, base64 (RFC 4648 section 4, strict: padding required, no
// other characters, unused bits zero). And lists of words. Any thread.

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

// The decimal digits of n and a terminator into text (TEXT_UINT_MAX octets); returns how many
// digits.
enum { TEXT_UINT_MAX = 21 };
size_t uint_write(char *text, uint64_t n);

// 2n lower-case digits and a terminator into text.
void hex_write(char *text, const void *octets, size_t n);
// Exactly n octets from 2n digits of either case; text_len = 2n. 0 or -EBADMSG, octets untouched
// then.
int hex_parse(const char *text, size_t text_len, void *octets, size_t n);

// Characters that base64_write makes of n octets, without the terminator.
size_t base64_len(size_t n);
void base64_write(char *text, const void *octets, size_t n);
// Octets written, -EBADMSG for bad text, -EMSGSIZE when they are more than max.
ssize_t base64_parse(const char *text, size_t text_len, void *octets, size_t max);

// "a, b" from "a" and "b"; what does not fit is left out.
void list_add(char *list, size_t size, const char *word);
