#pragma once
// Moments as text: RFC 3339 in UTC with milliseconds, "2026-01-02T03:04:05.678Z". Any thread.

#include <stdint.h>

enum { DATETIME_MAX = 32 };

void datetime_write(char text[DATETIME_MAX], uint64_t unix_ms);
