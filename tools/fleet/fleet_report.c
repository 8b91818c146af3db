// What the fleet has seen.
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "control/json/json.h"
#include "tools/fleet/fleet.h"

enum { PUSHES_SHOWN = 100 };

static const struct {
	const char *name, *text;
} counters[] = {
#define X(name, text) {#name, text},
	FLEET_COUNTERS(X)
#undef X
};

static const struct {
	const char *name;
	double q;
} quantiles[] = {
	{"p50_ms", 0.5}, {"p90_ms", 0.9}, {"p99_ms", 0.99}, {"p999_ms", 0.999}, {"max_ms", 1}};

static void write_uuid(char text[37], const uint8_t id[DELIVERIES_PUSH_ID])
{
	static const uint8_t groups[] = {4, 2, 2, 2, 6};

	for (unsigned i = 0; i < sizeof(groups); i++) {
		hex_write(text, id, groups[i]);
		text += 2 * groups[i];
		id += groups[i];
		*text++ = '-';
	}
	text[-1] = 0;
}

static void put_push(struct json_writer *w, const struct delivery *push)
{
	char id[37];

	write_uuid(id, push->push_id);
	json_put_string(w, "push_id", id);
	json_put_uint(w, "ues", push->distinct);
	json_put_uint(w, "again", push->again);
}

static void put_counters(const struct fleet *fleet, struct json_writer *w)
{
	for (unsigned i = 0; i < FLEET_COUNTERS_CNT; i++)
		json_put_uint(w, counters[i].name, fleet_sum(fleet, i));
}

static void print_json(struct json_writer *w, FILE *file)
{
	size_t len;
	char *text = json_take(w, &len);

	if (!text)
		return;
	fprintf(file, "%s\n", text);
	fflush(file);
	json_text_free(text, len);
}

void fleet_report_line(struct fleet *fleet, FILE *file, double seconds)
{
	struct json_writer *w = json_write();
	const struct deliveries_sums sums = deliveries_sums(&fleet->deliveries);
	struct delivery latest;

	json_put_real(w, "seconds", seconds);
	put_counters(fleet, w);
	json_put_uint(w, "pushes", sums.pushes);
	json_put_uint(w, "complete", sums.complete);
	if (deliveries_latest(&fleet->deliveries, 0, &latest)) {
		json_open_object(w, "latest");
		put_push(w, &latest);
		json_close(w);
	}
	print_json(w, file);
}

static void merge_latency(const struct fleet *fleet, struct histogram *latency)
{
	histogram_init(latency);
	for (unsigned i = 0; i < fleet->options.threads; i++)
		histogram_merge(latency, &fleet->workers[i].latency);
}

static void summary_json(struct fleet *fleet, FILE *file, double seconds)
{
	static struct histogram latency;
	struct json_writer *w = json_write();
	const struct deliveries_sums sums = deliveries_sums(&fleet->deliveries);
	struct delivery push;

	merge_latency(fleet, &latency);
	json_put_uint(w, "ues", fleet->options.count);
	json_put_real(w, "seconds", seconds);
	put_counters(fleet, w);
	json_put_uint(w, "bytes_per_ue", fleet->stride + sizeof(*fleet->registered));
	json_put_uint(w, "pushes_seen", sums.pushes);
	json_put_uint(w, "distinct", sums.distinct);
	json_put_uint(w, "complete", sums.complete);
	for (unsigned i = 0; i < sizeof(quantiles) / sizeof(quantiles[0]); i++)
		json_put_uint(w, quantiles[i].name, histogram_quantile(&latency, quantiles[i].q));
	json_open_object(w, "outcomes");
	for (unsigned i = 0; i < AKMAPUSH_UE_OUTCOME_CNT; i++) {
		if (fleet_outcome_sum(fleet, i))
			json_put_uint(w, akmapush_ue_outcome_text(i), fleet_outcome_sum(fleet, i));
	}
	json_close(w);
	json_open_array(w, "pushes");
	for (uint64_t i = 0; i < PUSHES_SHOWN && deliveries_latest(&fleet->deliveries, i, &push);
	     i++) {
		json_open_object(w, NULL);
		put_push(w, &push);
		json_close(w);
	}
	json_close(w);
	print_json(w, file);
}

static void summary_lines(struct fleet *fleet, FILE *file, double seconds)
{
	static struct histogram latency;
	const struct deliveries_sums sums = deliveries_sums(&fleet->deliveries);

	merge_latency(fleet, &latency);
	fprintf(file, "%" PRIu64 " UEs, %zu octets each, %.1f s\n", fleet->options.count,
		fleet->stride + sizeof(*fleet->registered), seconds);
	for (unsigned i = 0; i < FLEET_COUNTERS_CNT; i++)
		fprintf(file, "%12" PRIu64 "  %s\n", fleet_sum(fleet, i), counters[i].text);
	fprintf(file, "%12" PRIu64 "  pushes, %" PRIu64 " pairs of push and UE\n", sums.pushes,
		sums.distinct);
	fprintf(file, "Outcomes:");
	for (unsigned i = 0; i < AKMAPUSH_UE_OUTCOME_CNT; i++) {
		if (fleet_outcome_sum(fleet, i))
			fprintf(file, "  %s %" PRIu64, akmapush_ue_outcome_text(i),
				fleet_outcome_sum(fleet, i));
	}
	fprintf(file, "\nMilliseconds from push to delivery:");
	for (unsigned i = 0; i < sizeof(quantiles) / sizeof(quantiles[0]); i++)
		fprintf(file, "  %.*s %" PRIu64, (int)strlen(quantiles[i].name) - 3,
			quantiles[i].name, histogram_quantile(&latency, quantiles[i].q));
	fputc('\n', file);
}

void fleet_summary(struct fleet *fleet, FILE *file, bool json, double seconds)
{
	if (json)
		summary_json(fleet, file, seconds);
	else
		summary_lines(fleet, file, seconds);
}
