#pragma once
// One line an event to standard error: "level area: what happened". Secrets and A-KIDs never go in.
// Any thread; a line is written with one call. The hot path of a worker does not log.

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

// Lines above this level are dropped; LOG_INFO at start. Returns -EINVAL for an unknown name.
int log_set_level(const char *name);

void log_write(enum log_level level, const char *area, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#define log_error(area, ...) log_write(LOG_ERROR, area, __VA_ARGS__)
#define log_warn(area, ...)  log_write(LOG_WARN, area, __VA_ARGS__)
#define log_info(area, ...)  log_write(LOG_INFO, area, __VA_ARGS__)
#define log_debug(area, ...) log_write(LOG_DEBUG, area, __VA_ARGS__)
