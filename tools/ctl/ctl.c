#include "tools/ctl/ctl.h"

#include <stdarg.h>
#include <stdio.h>

volatile sig_atomic_t ctl_interrupted;

int ctl_fail(int code, const char *format, ...)
{
	va_list args;

	fflush(stdout);
	fputs("akmapushctl: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	return code;
}
