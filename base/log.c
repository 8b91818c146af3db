#include "base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { LINE_MAX_LEN = 1024 };

static const char *const names[] = {"error", "warn", "info", "debug"};
static atomic_int threshold = LOG_INFO;

int log_set_level(const char *name)
{
	for (int i = 0; i <= LOG_DEBUG; i++) {
		if (!strcmp(name, names[i])) {
			atomic_store(&threshold, i);
			return 0;
		}
	}
	return -EINVAL;
}

void log_write(enum log_level level, const char *area, const char *format, ...)
{
	char line[LINE_MAX_LEN];
	va_list args;
	int len;

	if ((int)level > atomic_load_explicit(&threshold, memory_order_relaxed))
		return;
	len = snprintf(line, sizeof(line), "%s %s: ", names[level], area);
	va_start(args, format);
	len += vsnprintf(line + len, sizeof(line) - (size_t)len, format, args);
	va_end(args);
	if (len > LINE_MAX_LEN - 2)
		len = LINE_MAX_LEN - 2;
	line[len++] = '\n';
	if (write(STDERR_FILENO, line, (size_t)len) < 0)
		return; // nowhere left to complain to
}
