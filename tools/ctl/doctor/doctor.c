#include "tools/ctl/doctor/doctor.h"

#include <stdarg.h>
#include <stdio.h>

const char *const doctor_state_names[DOCTOR_STATES] = {"ok", "warn", "fail"};

void doctor_say(struct doctor *d, enum doctor_state state, const char *name, const char *mend,
		const char *format, ...)
{
	struct doctor_line *const line = &d->line[d->n];
	va_list args;

	if (d->n == DOCTOR_LINES_MAX)
		return;
	d->n++;
	line->state = state;
	snprintf(line->name, sizeof(line->name), "%s", name);
	snprintf(line->mend, sizeof(line->mend), "%s", mend ? mend : "");
	va_start(args, format);
	vsnprintf(line->found, sizeof(line->found), format, args);
	va_end(args);
}

unsigned doctor_count(const struct doctor *d, enum doctor_state state)
{
	unsigned n = 0;

	for (unsigned i = 0; i < d->n; i++)
		n += d->line[i].state == state;
	return n;
}
