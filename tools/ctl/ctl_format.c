#include "tools/ctl/ctl_format.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"

char *ctl_number(char text[CTL_NUMBER_MAX], uint64_t value)
{
	char digits[CTL_NUMBER_MAX];
	int n = snprintf(digits, sizeof(digits), "%" PRIu64, value);
	char *to = text;

	for (int i = 0; i < n; i++) {
		if (i && (n - i) % 3 == 0)
			*to++ = ',';
		*to++ = digits[i];
	}
	*to = '\0';
	return text;
}

static const struct {
	char letter;
	uint32_t seconds;
} units[] = {{'w', 7 * 86400}, {'d', 86400}, {'h', 3600}, {'m', 60}, {'s', 1}};
enum { N_UNITS = sizeof(units) / sizeof(units[0]) };

char *ctl_span(char text[CTL_NUMBER_MAX], uint64_t seconds)
{
	unsigned i = 1; // weeks are for reading only

	while (i + 1 < N_UNITS && seconds < units[i].seconds)
		i++;
	if (i + 1 == N_UNITS)
		snprintf(text, CTL_NUMBER_MAX, "%" PRIu64 "s", seconds);
	else
		snprintf(text, CTL_NUMBER_MAX, "%" PRIu64 "%c %" PRIu64 "%c",
			 seconds / units[i].seconds, units[i].letter,
			 seconds % units[i].seconds / units[i + 1].seconds, units[i + 1].letter);
	return text;
}

int ctl_duration(const char *text, uint64_t *seconds)
{
	uint64_t sum = 0, part;
	unsigned unit = 0;

	do {
		char *end;

		if (*text < '0' || *text > '9')
			return -EINVAL;
		errno = 0;
		part = strtoull(text, &end, 10);
		if (errno)
			return -EINVAL;
		if (!*end && !unit) {
			*seconds = part;
			return 0;
		}
		while (unit < N_UNITS && units[unit].letter != *end)
			unit++;
		if (unit == N_UNITS || __builtin_mul_overflow(part, units[unit].seconds, &part) ||
		    __builtin_add_overflow(sum, part, &sum))
			return -EINVAL;
		unit++;
		text = end + 1;
	} while (*text);
	*seconds = sum;
	return 0;
}

char *ctl_time(char text[CTL_TIME_MAX], const char *datetime)
{
	struct tm utc = {0}, local;
	const char *end = strptime(datetime, "%Y-%m-%dT%H:%M:%S", &utc);
	time_t t = end ? timegm(&utc) : 0;

	if (!end || (*end != '.' && *end != 'Z') || !localtime_r(&t, &local))
		return ctl_clean(text, CTL_TIME_MAX, datetime);
	strftime(text, CTL_TIME_MAX, "%Y-%m-%d %H:%M:%S", &local);
	return text;
}

size_t ctl_width(const char *text)
{
	size_t n = 0;

	for (; *text; text++)
		n += (*text & 0xc0) != 0x80;
	return n;
}

char *ctl_clean(char *to, size_t max, const char *text)
{
	size_t n = 0;

	for (; text[n] && n + 1 < max; n++)
		to[n] = (unsigned char)text[n] < 0x20 || text[n] == 0x7f ? '?' : text[n];
	to[n] = '\0';
	return to;
}

char *ctl_reply(char text[CTL_REPLY_MAX], const char *base64)
{
	uint8_t octets[CTL_REPLY_OCTETS_MAX];
	ssize_t n = base64_parse(base64, strlen(base64), octets, sizeof(octets));
	ssize_t i = 0;

	while (i < n && isascii(octets[i]) && isprint(octets[i]))
		i++;
	if (n < 0)
		strcpy(text, "?");
	else if (i == n)
		snprintf(text, CTL_REPLY_MAX, "\"%.*s\"", (int)n, (const char *)octets);
	else
		hex_write(text, octets, (size_t)n);
	return text;
}

bool ctl_has_colours(void)
{
	const char *off = getenv("NO_COLOR");

	return (!off || !*off) && isatty(STDOUT_FILENO);
}
