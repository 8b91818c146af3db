#include "tools/load/load_report.h"

#include <inttypes.h>
#include <stdio.h>

#include "control/json/json.h"
#include "tools/load/load_options.h"

static const struct {
	const char *name, *member;
	double q;
} quantiles[] = {
	{"p50", "p50_ms", 0.5},      {"p90", "p90_ms", 0.9}, {"p99", "p99_ms", 0.99},
	{"p99.9", "p999_ms", 0.999}, {"max", "max_ms", 1},
};

enum { QUANTILES = sizeof(quantiles) / sizeof(quantiles[0]) };

static double seconds(const struct load_result *result)
{
	return (double)(result->ended_ns - result->started_ns) / 1e9;
}

static double per_second(const struct load_result *result)
{
	return seconds(result) > 0 ? (double)result->done / seconds(result) : 0;
}

void load_print(const struct load_result *result)
{
	printf("%s: %" PRIu64 " of %" PRIu64 " done, %" PRIu64 " failed, %" PRIu64
	       " asked again, %.2f s, %.0f per second\n",
	       result->what, result->done, result->wanted, result->failed, result->retried,
	       seconds(result), per_second(result));
	if (result->latency.n) {
		printf("  latency ms: mean %.3f", histogram_mean(&result->latency) / 1e6);
		for (unsigned i = 0; i < QUANTILES; i++)
			printf("  %s %.3f", quantiles[i].name,
			       (double)histogram_quantile(&result->latency, quantiles[i].q) / 1e6);
		putchar('\n');
	}
	for (unsigned i = 0; i < result->n_problems; i++)
		printf("  %" PRIu64 " x %s\n", result->problems[i].n, result->problems[i].text);
}

void load_put(const struct load_result *result, struct json_writer *w)
{
	json_put_string(w, "what", result->what);
	json_put_uint(w, "wanted", result->wanted);
	json_put_uint(w, "done", result->done);
	json_put_uint(w, "failed", result->failed);
	json_put_uint(w, "retried", result->retried);
	json_put_real(w, "seconds", seconds(result));
	json_put_real(w, "per_second", per_second(result));
	json_put_real(w, "mean_ms", histogram_mean(&result->latency) / 1e6);
	for (unsigned i = 0; i < QUANTILES; i++)
		json_put_real(w, quantiles[i].member,
			      (double)histogram_quantile(&result->latency, quantiles[i].q) / 1e6);
	json_open_array(w, "problems");
	for (unsigned i = 0; i < result->n_problems; i++) {
		json_open_object(w, NULL);
		json_put_uint(w, "count", result->problems[i].n);
		json_put_string(w, "problem", result->problems[i].text);
		json_close(w);
	}
	json_close(w);
}

void load_write_json(struct json_writer *w)
{
	size_t len;
	char *text = json_take(w, &len);

	if (!text) {
		fputs("out of memory\n", stderr);
		return;
	}
	printf("%s\n", text);
	json_text_free(text, len);
}

int load_finish(const struct load_result *result)
{
	if (load_options.json) {
		struct json_writer *w = json_write();

		load_put(result, w);
		load_write_json(w);
	} else {
		load_print(result);
	}
	return load_good(result) ? 0 : 1;
}
