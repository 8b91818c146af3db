#include "base/cpu_list.h"

#include <ctype.h>
#include <stdlib.h>

// The next range of the list; false at its end.
static bool next(const char **list, unsigned *first, unsigned *last)
{
	char *end;
	unsigned long n;

	if (!isdigit((unsigned char)**list))
		return false;
	n = strtoul(*list, &end, 10);
	if (n >= CPU_LIST_CPUS)
		return false;
	*first = *last = (unsigned)n;
	if (*end == '-' && isdigit((unsigned char)end[1])) {
		n = strtoul(end + 1, &end, 10);
		if (n >= CPU_LIST_CPUS || n < *first)
			return false;
		*last = (unsigned)n;
	}
	*list = end + (*end == ',');
	return true;
}

bool cpu_list_is_valid(const char *list)
{
	const char *rest = list;
	unsigned first, last;

	while (next(&rest, &first, &last)) {
		for (unsigned cpu = first; cpu <= last; cpu++) {
			if (cpu_list_has(rest, cpu))
				return false;
		}
	}
	return rest > list && !*rest && rest[-1] != ',';
}

unsigned cpu_list_at(const char *list, unsigned i)
{
	unsigned first = 0, last = 0;

	while (next(&list, &first, &last) && i > last - first)
		i -= last - first + 1;
	return first + i;
}

unsigned cpu_list_count(const char *list)
{
	unsigned first, last, n = 0;

	while (next(&list, &first, &last))
		n += last - first + 1;
	return n;
}

bool cpu_list_has(const char *list, unsigned cpu)
{
	unsigned first, last;

	while (next(&list, &first, &last)) {
		if (first <= cpu && cpu <= last)
			return true;
	}
	return false;
}

bool cpu_list_meet(const char *a, const char *b)
{
	unsigned first, last;

	while (next(&a, &first, &last)) {
		for (unsigned cpu = first; cpu <= last; cpu++) {
			if (cpu_list_has(b, cpu))
				return true;
		}
	}
	return false;
}
