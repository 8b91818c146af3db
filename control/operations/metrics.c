// GET /metrics: OpenMetrics 1.0 text.

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "control/api/naanf.h"
#include "control/app.h"
#include "control/apply.h"
#include "control/http/http_server.h"
#include "control/json/problem.h"
#include "control/operations/operations.h"
#include "control/operations/ports.h"
#include "control/push/push.h"
#include "control/registry/ue.h"
#include "control/store/store.h"
#include "dataplane/dp.h"

static void family(FILE *out, const char *name, const char *type, const char *help)
{
	fprintf(out, "# TYPE akmapush_%s %s\n# HELP akmapush_%s %s\n", name, type, name, help);
}

static void counter(FILE *out, const char *name, const char *help, uint64_t value)
{
	family(out, name, "counter", help);
	fprintf(out, "akmapush_%s_total %" PRIu64 "\n", name, value);
}

static void gauge(FILE *out, const char *name, const char *help, uint64_t value)
{
	family(out, name, "gauge", help);
	fprintf(out, "akmapush_%s %" PRIu64 "\n", name, value);
}

static void write_reasons(FILE *out, const struct dp *dp)
{
	uint64_t counts[DP_WORKERS_MAX][REASON_COUNT];

	for (unsigned i = 0; i < dp_workers(dp); i++)
		dp_counters(dp, i, counts[i]);
	for (int reason = 0; reason < REASON_COUNT; reason++) {
		const struct reason_text *text = &reason_texts[reason];

		family(out, text->metric, "counter", text->help);
		for (unsigned i = 0; i < dp_workers(dp); i++)
			fprintf(out, "akmapush_%s_total{worker=\"%u\"} %" PRIu64 "\n", text->metric,
				i, counts[i][reason]);
	}
}

static void write_ues(FILE *out, const struct app *app)
{
	struct ue_stats stats;

	ue_stats(app, &stats);
	gauge(out, "handles", "identities' handles given", stats.handles);
	gauge(out, "ues_registered", "subscribers with a key", stats.registered);
	gauge(out, "ues_addressed", "subscribers with an address", stats.addressed);
}

static void write_naanf(FILE *out)
{
	struct naanf_stats stats;

	naanf_stats(&stats);
	counter(out, "registrations", "contexts registered", stats.registered);
	counter(out, "removals", "contexts removed", stats.removed);
	counter(out, "keys_served", "K_AFs handed out", stats.served);
	counter(out, "keys_without_context", "K_AFs asked for with an unknown A-KID",
		stats.without_context);
	counter(out, "keys_expired", "K_AFs asked for after their lifetime", stats.expired);
}

static void write_pushes(FILE *out, const struct app *app)
{
	struct push_stats stats;

	push_stats(app, &stats);
	counter(out, "pushes_accepted", "pushes accepted", stats.accepted);
	counter(out, "pushes_refused", "pushes refused", stats.refused);
	counter(out, "pushes_refused_strangers",
		"of these: too many identities not known or not allowed", stats.strangers_refused);
	counter(out, "pushes_finished", "pushes finished", stats.finished);
	gauge(out, "pushes_waiting", "pushes that wait for their start", stats.waiting);
	gauge(out, "pushes_running", "pushes that run", stats.running);
}

static void write_store(FILE *out, const struct app *app)
{
	struct store_stats stats;

	store_stats(app->store, &stats);
	counter(out, "store_groups", "groups of batches made durable", stats.groups);
	counter(out, "store_batches", "batches made durable", stats.batches);
	counter(out, "store_failed", "batches refused", stats.failed);
	counter(out, "store_octets", "octets of keys and values written", stats.bytes);
	family(out, "store_sync_seconds", "counter", "time in commits");
	fprintf(out, "akmapush_store_sync_seconds_total %.6f\n", (double)stats.sync_ns_sum / 1e9);
	gauge(out, "store_queued", "batches queued", stats.queued);
	gauge(out, "store_good", "whether the last write went well", apply_status(app) == 0);
}

static void write_http(FILE *out, const struct app *app)
{
	struct http_op_stats op;
	struct http_stats stats;

	http_server_stats(app->http, &stats);
	counter(out, "http_connections", "connections accepted", stats.connections);
	counter(out, "http_connections_refused", "connections refused", stats.connections_refused);
	counter(out, "http_handshakes_failed", "TLS handshakes failed", stats.handshakes_failed);
	counter(out, "http_connections_bad", "connections ended for breaking the protocol",
		stats.connections_bad);
	counter(out, "http_requests_gone", "peers that went away before the answer",
		stats.requests_gone);
	counter(out, "http_requests_slow", "requests ended for slowness", stats.requests_slow);
	counter(out, "http_requests_refused", "requests refused by a limit",
		stats.requests_refused);
	counter(out, "http_octets_in", "octets received", stats.octets_in);
	counter(out, "http_octets_out", "octets sent", stats.octets_out);
	gauge(out, "http_connections_now", "connections open", stats.connections_now);
	gauge(out, "http_requests_now", "requests under way", stats.requests_now);
	family(out, "http_answers", "counter", "answers by operation and status class");
	for (unsigned n = 0; http_server_op(app->http, n, &op); n++) {
		for (int class = 1; class <= 5; class ++) {
			if (op.by_class[class])
				fprintf(out,
					"akmapush_http_answers_total{op=\"%s\",class=\"%dxx\"} "
					"%" PRIu64 "\n",
					op.op, class, op.by_class[class]);
		}
	}
}

static void get_metrics(struct http_request *request, void *ctx)
{
	const struct app *app = ctx;
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	if (!out) {
		problem_answer_cause(request, PROBLEM_INSUFFICIENT_RESOURCES, "no memory");
		return;
	}
	write_reasons(out, app->dp);
	ports_write(out, app->dp);
	write_ues(out, app);
	write_naanf(out);
	write_pushes(out, app);
	write_store(out, app);
	write_http(out, app);
	fputs("# EOF\n", out);
	if (fclose(out) == 0)
		http_answer(request, 200,
			    "application/openmetrics-text; version=1.0.0; charset=utf-8", text,
			    len);
	else
		problem_answer_cause(request, PROBLEM_INSUFFICIENT_RESOURCES, "no memory");
	free(text);
}

const struct http_route metrics_routes[] = {
	{HTTP_GET, "/metrics", HTTP_ROLE_OPERATOR, HTTP_NONE, 0, get_metrics, NULL, "metrics"},
	{0},
};
