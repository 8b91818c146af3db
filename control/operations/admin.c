// /admin/v1: status, counters and tuning, on the admin socket.

#include <unistd.h>

#include "base/clock.h"
#include "base/datetime.h"
#include "control/api/answer.h"
#include "control/api/naanf.h"
#include "control/app.h"
#include "control/config/config.h"
#include "control/http/http_server.h"
#include "control/json/json.h"
#include "control/json/problem.h"
#include "control/operations/operations.h"
#include "control/operations/ports.h"
#include "control/push/push.h"
#include "control/registry/af.h"
#include "control/registry/group.h"
#include "control/registry/ue.h"
#include "control/store/store.h"
#include "dataplane/dp.h"

// ---- Status

static void put_ues(struct json_writer *w, const struct app *app)
{
	struct ue_stats stats;

	ue_stats(app, &stats);
	json_open_object(w, "ues");
	json_put_uint(w, "registered", stats.registered);
	json_put_uint(w, "addressed", stats.addressed);
	json_put_uint(w, "handles", stats.handles);
	json_put_uint(w, "handlesMax", app->config->dataplane.ues);
	json_close(w);
}

static void put_pushes(struct json_writer *w, const struct app *app)
{
	struct push_stats stats;

	push_stats(app, &stats);
	json_open_object(w, "pushes");
	json_put_uint(w, "accepted", stats.accepted);
	json_put_uint(w, "refused", stats.refused);
	json_put_uint(w, "finished", stats.finished);
	json_put_uint(w, "waiting", stats.waiting);
	json_put_uint(w, "running", stats.running);
	json_close(w);
}

static void put_dataplane(struct json_writer *w, const struct dp *dp)
{
	json_open_object(w, "dataplane");
	json_put_string(w, "io", dp_io_name(dp));
	json_put_string(w, "sha256", dp_sha256_name(dp));
	json_put_string(w, "aead", dp_aead_name(dp));
	json_put_string(w, "pages", dp_pages(dp));
	json_open_array(w, "ports");
	for (unsigned i = 0; i < dp_workers(dp); i++)
		json_put_uint(w, NULL, dp_port(dp, i));
	json_close(w);
	json_close(w);
}

static unsigned count_afs(const struct app *app)
{
	unsigned n = 0;

	while (af_at(app, n))
		n++;
	return n;
}

static unsigned count_groups(const struct app *app)
{
	unsigned n = 0;

	for (uint32_t i = group_next(app, 0); i != UINT32_MAX; i = group_next(app, i + 1))
		n++;
	return n;
}

static void get_status(struct http_request *request, void *ctx)
{
	const struct app *app = ctx;
	struct json_writer *w = json_write();
	char started[DATETIME_MAX], reason[128];
	bool is_good = health_is_good(app, reason, sizeof(reason));

	datetime_write(started, app->started_ms);
	json_put_string(w, "version", AKMAPUSH_VERSION);
	json_put_uint(w, "pid", (uint64_t)getpid());
	json_put_string(w, "started", started);
	json_put_uint(w, "uptime", (clock_unix_ms(app->clock) - app->started_ms) / 1000);
	json_put_string(w, "health", is_good ? "ok" : reason);
	put_dataplane(w, app->dp);
	put_ues(w, app);
	json_put_uint(w, "afs", count_afs(app));
	json_put_uint(w, "groups", count_groups(app));
	put_pushes(w, app);
	answer_json(request, 200, w);
}

// ---- Counters

static void put_counters(struct json_writer *w, const struct dp *dp, uint32_t worker)
{
	uint64_t counts[REASON_COUNT];

	dp_counters(dp, worker, counts);
	json_open_object(w, "counters");
	for (int i = 0; i < REASON_COUNT; i++)
		json_put_uint(w, reason_texts[i].metric, counts[i]);
	json_close(w);
}

static void put_store(struct json_writer *w, const struct app *app)
{
	struct store_stats stats;

	store_stats(app->store, &stats);
	json_open_object(w, "store");
	json_put_uint(w, "groups", stats.groups);
	json_put_uint(w, "batches", stats.batches);
	json_put_uint(w, "failed", stats.failed);
	json_put_uint(w, "octets", stats.bytes);
	json_put_real(w, "syncSeconds", (double)stats.sync_ns_sum / 1e9);
	json_put_uint(w, "queued", stats.queued);
	json_close(w);
}

static void put_naanf(struct json_writer *w)
{
	struct naanf_stats stats;

	naanf_stats(&stats);
	json_open_object(w, "naanf");
	json_put_uint(w, "registered", stats.registered);
	json_put_uint(w, "removed", stats.removed);
	json_put_uint(w, "served", stats.served);
	json_put_uint(w, "withoutContext", stats.without_context);
	json_put_uint(w, "expired", stats.expired);
	json_close(w);
}

static void put_operations(struct json_writer *w, const struct http_server *http)
{
	static const char *const classes[] = {NULL, "1xx", "2xx", "3xx", "4xx", "5xx"};
	struct http_op_stats op;

	json_open_array(w, "operations");
	for (unsigned n = 0; http_server_op(http, n, &op); n++) {
		json_open_object(w, NULL);
		json_put_string(w, "op", op.op);
		for (int class = 1; class <= 5; class ++) {
			if (op.by_class[class])
				json_put_uint(w, classes[class], op.by_class[class]);
		}
		json_close(w);
	}
	json_close(w);
}

static void put_http(struct json_writer *w, const struct app *app)
{
	struct http_stats stats;

	http_server_stats(app->http, &stats);
	json_open_object(w, "http");
	json_put_uint(w, "connections", stats.connections);
	json_put_uint(w, "connectionsNow", stats.connections_now);
	json_put_uint(w, "connectionsRefused", stats.connections_refused);
	json_put_uint(w, "connectionsBad", stats.connections_bad);
	json_put_uint(w, "requests", stats.requests);
	json_put_uint(w, "requestsNow", stats.requests_now);
	json_put_uint(w, "requestsRefused", stats.requests_refused);
	json_put_uint(w, "octetsIn", stats.octets_in);
	json_put_uint(w, "octetsOut", stats.octets_out);
	put_operations(w, app->http);
	json_close(w);
}

static void get_stats(struct http_request *request, void *ctx)
{
	const struct app *app = ctx;
	struct json_writer *w = json_write();

	json_open_array(w, "workers");
	for (unsigned i = 0; i < dp_workers(app->dp); i++) {
		json_open_object(w, NULL);
		json_put_uint(w, "worker", i);
		put_counters(w, app->dp, i);
		ports_put_worker(w, app->dp, i);
		json_close(w);
	}
	json_close(w);
	put_counters(w, app->dp, DP_NONE);
	ports_put(w, app->dp);
	put_ues(w, app);
	put_naanf(w);
	put_pushes(w, app);
	put_store(w, app);
	put_http(w, app);
	answer_json(request, 200, w);
}

// ---- Tuning

static void answer_tuning(struct http_request *request, const struct dp_tuning *tuning)
{
	struct json_writer *w = json_write();

	json_put_uint(w, "burst", tuning->burst);
	json_put_uint(w, "rate", tuning->rate);
	json_put_uint(w, "lapPause", tuning->lap_pause_ms);
	json_put_uint(w, "lapPauseMax", tuning->lap_pause_max_ms);
	answer_json(request, 200, w);
}

static void get_tuning(struct http_request *request, void *app)
{
	struct dp_tuning tuning;

	dp_tuning(((struct app *)app)->dp, &tuning);
	answer_tuning(request, &tuning);
}

// What a body leaves out stays as it is.
static void read_tuning(const struct json_reader *reader, struct dp_tuning *tuning)
{
	static const char *const known[] = {"burst", "rate", "lapPause", "lapPauseMax", NULL};

	json_only(reader, known);
	tuning->burst =
		(unsigned)json_uint(reader, "burst", JSON_OPTIONAL, 1, DP_BURST_MAX, tuning->burst);
	tuning->rate = json_uint(reader, "rate", JSON_OPTIONAL, 0, CONFIG_RATE_MAX, tuning->rate);
	tuning->lap_pause_ms =
		(uint32_t)json_uint(reader, "lapPause", JSON_OPTIONAL, CONFIG_LAP_PAUSE_MIN_MS,
				    CONFIG_LAP_PAUSE_LIMIT_MS, tuning->lap_pause_ms);
	tuning->lap_pause_max_ms =
		(uint32_t)json_uint(reader, "lapPauseMax", JSON_OPTIONAL, CONFIG_LAP_PAUSE_MIN_MS,
				    CONFIG_LAP_PAUSE_MAX_LIMIT_MS, tuning->lap_pause_max_ms);
	if (tuning->lap_pause_max_ms < tuning->lap_pause_ms)
		problem_param(reader->problem, PROBLEM_OPTIONAL_IE_INCORRECT, "/lapPauseMax",
			      "less than lapPause");
}

static void put_tuning(struct http_request *request, void *ctx)
{
	struct problem problem;
	struct json_reader reader = {.pointer = "", .problem = &problem};
	struct dp_tuning tuning;
	struct app *app = ctx;
	struct json *document;

	problem_init(&problem);
	dp_tuning(app->dp, &tuning);
	document = json_parse((const char *)request->body, request->body_len, &problem);
	if (document) {
		reader.object = document;
		read_tuning(&reader, &tuning);
		json_free(document);
	}
	if (problem_is(&problem))
		problem_answer(request, &problem);
	else if (!dp_tune(app->dp, &tuning))
		answer_congestion(request);
	else
		answer_tuning(request, &tuning);
}

const struct http_route admin_routes[] = {
	{HTTP_GET, "/admin/v1/status", HTTP_ROLE_ADMIN, HTTP_NONE, 0, get_status, NULL,
	 "admin-status"},
	{HTTP_GET, "/admin/v1/stats", HTTP_ROLE_ADMIN, HTTP_NONE, 0, get_stats, NULL,
	 "admin-stats"},
	{HTTP_GET, "/admin/v1/tuning", HTTP_ROLE_ADMIN, HTTP_NONE, 0, get_tuning, NULL,
	 "admin-get-tuning"},
	{HTTP_PUT, "/admin/v1/tuning", HTTP_ROLE_ADMIN, HTTP_JSON, 0, put_tuning, NULL,
	 "admin-put-tuning"},
	{0},
};
