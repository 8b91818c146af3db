#include "base/datetime.h"

#define DAY_MS 86400000ull

// The last moment of the year 9999; later ones have no text and are written as this one.
#define LAST_MS 253402300799999ull

static char *digits(char *at, unsigned n, unsigned value)
{
	for (unsigned i = n; i-- > 0; value /= 10)
		at[i] = (char)('0' + value % 10);
	return at + n;
}

// A day since 1970 as year, month and day of the Gregorian calendar. Years are counted from March,
// so that the leap day comes last, and in eras of 400 of them, which all have 146,097 days.
static void civil(unsigned day, unsigned *year, unsigned *month, unsigned *day_of_month)
{
	const unsigned shifted = day + 719468; // since 0000-03-01
	const unsigned era = shifted / 146097, of_era = shifted % 146097;
	const unsigned y = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	const unsigned of_year = of_era - (365 * y + y / 4 - y / 100);
	const unsigned m = (5 * of_year + 2) / 153; // from March

	*day_of_month = of_year - (153 * m + 2) / 5 + 1;
	*month = m < 10 ? m + 3 : m - 9;
	*year = era * 400 + y + (*month <= 2);
}

void datetime_write(char text[DATETIME_MAX], uint64_t unix_ms)
{
	const uint64_t ms = unix_ms < LAST_MS ? unix_ms : LAST_MS;
	const unsigned of_day = (unsigned)(ms % DAY_MS), s = of_day / 1000;
	unsigned year, month, day;

	civil((unsigned)(ms / DAY_MS), &year, &month, &day);
	text = digits(text, 4, year);
	*text++ = '-';
	text = digits(text, 2, month);
	*text++ = '-';
	text = digits(text, 2, day);
	*text++ = 'T';
	text = digits(text, 2, s / 3600);
	*text++ = ':';
	text = digits(text, 2, s / 60 % 60);
	*text++ = ':';
	text = digits(text, 2, s % 60);
	*text++ = '.';
	text = digits(text, 3, of_day % 1000);
	*text++ = 'Z';
	*text = 0;
}
