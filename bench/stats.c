#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/bench.h"

static int compare(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static double quantile(const double *sorted, unsigned n, double q)
{
	return sorted[(unsigned)((n - 1) * q + 0.5)];
}

void bench_figures(struct bench_figures *figures, const struct bench_variant *variant,
		   const struct bench_variant *reference, unsigned rounds)
{
	static double sorted[BENCH_ROUNDS_MAX];

	memcpy(sorted, variant->ns, rounds * sizeof(sorted[0]));
	qsort(sorted, rounds, sizeof(sorted[0]), compare);
	figures->median = quantile(sorted, rounds, 0.5);
	figures->p10 = quantile(sorted, rounds, 0.1);
	figures->min = sorted[0];
	for (unsigned i = 0; i < rounds; i++)
		sorted[i] = reference->ns[i] / variant->ns[i];
	qsort(sorted, rounds, sizeof(sorted[0]), compare);
	figures->rate = quantile(sorted, rounds, 0.5);
}

static void print_json(const char *bench, const char *what, const char *reference,
		       const char *variant, const struct bench_figures *f, unsigned rounds)
{
	printf("{\"bench\":\"%s\",\"variant\":\"%s\",%s,\"rounds\":%u,\"ns_median\":%.1f,"
	       "\"ns_p10\":%.1f,\"ns_min\":%.1f,\"reference\":\"%s\",\"rate\":%.3f}\n",
	       bench, variant, what, rounds, f->median, f->p10, f->min, reference, f->rate);
}

static void print_row(const char *variant, const struct bench_figures *f)
{
	printf("%-24s %10.1f %10.1f %10.1f %12.0f %8.3f\n", variant, f->median, f->p10, f->min,
	       1e9 / f->median, f->rate);
}

// The members of a JSON object without their quotes.
static void print_title(const char *bench, const char *what, unsigned rounds)
{
	printf("%s: ", bench);
	for (; *what; what++) {
		if (*what != '"')
			putchar(*what == ',' || *what == ':' ? ' ' : *what);
	}
	printf(" rounds %u\n", rounds);
}

void bench_print(const char *bench, const char *what, struct bench_variant *const variant[],
		 unsigned n, unsigned rounds, bool json)
{
	struct bench_figures figures;

	if (!json) {
		print_title(bench, what, rounds);
		printf("%-24s %10s %10s %10s %12s %8s\n", "variant", "ns median", "p10", "min",
		       "per second", "rate");
	}
	for (unsigned i = 0; i < n; i++) {
		bench_figures(&figures, variant[i], variant[0], rounds);
		if (json)
			print_json(bench, what, variant[0]->name, variant[i]->name, &figures,
				   rounds);
		else
			print_row(variant[i]->name, &figures);
	}
	fflush(stdout);
}
