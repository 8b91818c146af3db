#include "tools/progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"

enum { BAR = 30 };

void progress_begin(struct progress *p, const char *what, uint64_t total, bool is_quiet)
{
	*p = (struct progress){
		.what = what,
		.total = total,
		.started_ns = clock_mono_ns(&clock_system),
		.is_tty = isatty(STDERR_FILENO),
		.is_quiet = is_quiet,
	};
	p->drawn_ns = p->started_ns;
}

static void bar_write(char bar[BAR + 1], double part)
{
	unsigned filled = (unsigned)(part * BAR);

	memset(bar, '-', BAR);
	memset(bar, '#', filled > BAR ? BAR : filled);
	bar[BAR] = 0;
}

static void draw(const struct progress *p, uint64_t now_ns, uint64_t done, const char *note)
{
	double s = (double)(now_ns - p->started_ns) / 1e9;
	double part = p->total ? (double)done / (double)p->total : 0;
	char bar[BAR + 1];

	if (p->is_tty)
		fputc('\r', stderr);
	fprintf(stderr, "%-10s ", p->what);
	if (p->total) {
		bar_write(bar, part);
		if (p->is_tty)
			fprintf(stderr, "[%s] ", bar);
		fprintf(stderr, "%3.0f%% %" PRIu64 "/%" PRIu64, 100 * part, done, p->total);
	} else {
		fprintf(stderr, "%" PRIu64, done);
	}
	fprintf(stderr, "  %.0f/s  %.1f s", s > 0 ? (double)(done - p->first) / s : 0, s);
	if (note && *note)
		fprintf(stderr, "  %s", note);
	fputs(p->is_tty ? "\033[K" : "\n", stderr);
	fflush(stderr);
}

void progress_update(struct progress *p, uint64_t done, const char *note)
{
	uint64_t now_ns = clock_mono_ns(&clock_system);
	uint64_t pause_ns = p->is_tty ? 100000000 : 2000000000;

	if (p->is_quiet || now_ns - p->drawn_ns < pause_ns)
		return;
	p->drawn_ns = now_ns;
	draw(p, now_ns, done, note);
}

void progress_end(struct progress *p, uint64_t done, const char *note)
{
	if (p->is_quiet)
		return;
	draw(p, clock_mono_ns(&clock_system), done, note);
	if (p->is_tty)
		fputc('\n', stderr);
}
