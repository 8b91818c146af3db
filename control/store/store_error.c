#include "control/store/store_error.h"

#include <stdarg.h>
#include <stdio.h>

#include "control/store/store.h"

int store_error(char *error, int status, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(error, STORE_ERROR_MAX, format, args);
	va_end(args);
	return status;
}
