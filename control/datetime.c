#include "control/datetime.h"

#include <stdio.h>
#include <time.h>

void datetime_write(char text[DATETIME_MAX], uint64_t unix_ms)
{
	time_t s = (time_t)(unix_ms / 1000);
	struct tm tm;

	if (!gmtime_r(&s, &tm) || tm.tm_year > 8099) { // beyond the year 9999 there is no text
		s = 0;
		gmtime_r(&s, &tm);
	}
	snprintf(text, DATETIME_MAX, "%04u-%02u-%02uT%02u:%02u:%02u.%03uZ",
		 (unsigned)(tm.tm_year + 1900) % 10000, (unsigned)(tm.tm_mon + 1) % 100,
		 (unsigned)tm.tm_mday % 100, (unsigned)tm.tm_hour % 100, (unsigned)tm.tm_min % 100,
		 (unsigned)tm.tm_sec % 100, (unsigned)(unix_ms % 1000));
}
