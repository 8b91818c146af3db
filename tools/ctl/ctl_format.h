#pragma once
// Figures, times and names as people read them, and durations as they write them. Any thread.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CTL_NUMBER_MAX = 32, CTL_TIME_MAX = 40 };

// 1234567 as "1,234,567".
char *ctl_number(char text[CTL_NUMBER_MAX], uint64_t value);
// Seconds as "3d 4h", "5m 6s": the two largest units.
char *ctl_span(char text[CTL_NUMBER_MAX], uint64_t seconds);
// "90s", "1h30m", "7d", "2w" or plain seconds; units in falling order, each once. 0 or -EINVAL.
int ctl_duration(const char *text, uint64_t *seconds);
// RFC 3339 in UTC as local time, "2026-01-02 03:04:05"; what is no such time stays as it is.
char *ctl_time(char text[CTL_TIME_MAX], const char *datetime);
// Characters of UTF-8 text: what it takes on the screen, wide characters aside.
size_t ctl_width(const char *text);
// Copies text without control characters, which could do things to a terminal; cut to max octets,
// terminator included.
char *ctl_clean(char *to, size_t max, const char *text);
// Octets in base64 as text in quotes where they are printable ASCII, else as hexadecimal digits;
// "?" when they are no base64 or longer than any reply.
enum { CTL_REPLY_OCTETS_MAX = 1232, CTL_REPLY_MAX = 2 * CTL_REPLY_OCTETS_MAX + 3 };
char *ctl_reply(char text[CTL_REPLY_MAX], const char *base64);

// Whether standard output shows colours: a terminal, and NO_COLOR is not set.
bool ctl_has_colours(void);
