#pragma once
// Files of the kernel's, as a machine shows them below a root. What is not there, or is not of the
// form, reads as nothing. One thread.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tools/ctl/doctor/doctor.h"

enum { MACHINE_PATH_MAX = 1024, MACHINE_LINE_MAX = 4096 };

bool machine_has(const struct doctor *d, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
// The first line, without its end; false, and an empty text, when there is none.
bool machine_text(const struct doctor *d, char *text, size_t max, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
// The number at the beginning of the first line (0x…: hexadecimal).
bool machine_number(const struct doctor *d, int64_t *number, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
// What follows `key` in the first line that begins with it and a colon or blanks.
bool machine_value(const struct doctor *d, const char *path, const char *key,
		   char text[MACHINE_LINE_MAX]);
// The last part of what a symbolic link points to.
bool machine_link(const struct doctor *d, char *text, size_t max, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
// Calls `each` with the names in a folder that begin with `begin`, in order; how many there are.
typedef void machine_each(void *ctx, const char *name);
unsigned machine_list(const struct doctor *d, const char *folder, const char *begin,
		      machine_each *each, void *ctx);

// The first word of a text that is `word`, or begins with it where that ends in '='; NULL: none.
const char *machine_word(const char *text, const char *word);
