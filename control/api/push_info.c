// POST /akma-push/v1/{afId}/push-info: mode K. An AF that seals itself gets K_AF by the UE's
// identity, under the Ua* identifier that is for this alone (docs/specification.md 2, 3). There is
// one answer for a UE that is unknown, not allowed or without a key.

#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/datetime.h"
#include "control/api/answer.h"
#include "control/api/push_api.h"
#include "control/api/push_handlers.h"
#include "control/app.h"
#include "control/config/config.h"
#include "control/http/http.h"
#include "control/json/json.h"
#include "control/json/problem.h"
#include "control/registry/af.h"
#include "control/registry/ue.h"

enum { AKID_DIGEST = 16 };

struct info {
	uint8_t kaf[AKMA_KEY];
	uint32_t expiry;
	uint8_t akid[AKID_DIGEST];
};

// What is asked for; the problem says what is wrong.
static const char *read_ask(struct http_request *request, const struct app *app,
			    const struct af *af, const struct json *object, enum dp_identity *kind,
			    struct problem *problem)
{
	static const char *const known[] = {"supi", "gpsi", "uaStarId", NULL};
	struct json_reader reader = {object, "", problem};
	uint8_t ua_star_id[AKMA_UA_STAR_ID];
	const char *id = NULL;

	json_only(&reader, known);
	ue_read_identity(&reader, kind, &id);
	if (json_hex(&reader, "uaStarId", JSON_OPTIONAL, ua_star_id, AKMA_UA_STAR_ID) &&
	    memcmp(ua_star_id, app->config->akma.mode_k_id, AKMA_UA_STAR_ID))
		problem_set(problem, PROBLEM_UA_STAR_ID_NOT_SERVED,
			    "push-info serves its own Ua* identifier only");
	if (!problem_is(problem) && *kind == DP_SUPI && !push_api_sees_supi(request, af))
		problem_set(problem, PROBLEM_NOT_AUTHORIZED,
			    "this AF names UEs by their GPSI only");
	return id;
}

// The A-KID stands at one of twins.
static bool read_akid(const struct app *app, uint32_t handle, uint8_t digest[AKID_DIGEST])
{
	uint32_t twin = ue_twin(app, handle);

	return dp_akid_digest(app->dp, handle, digest) ||
	       (twin != DP_NONE && dp_akid_digest(app->dp, twin, digest));
}

static bool find_info(const struct app *app, const struct af *af, enum dp_identity kind,
		      const char *id, struct info *info)
{
	uint32_t handle = ue_find(app, kind, id);
	struct akma_af_id af_id;

	if (handle == DP_NONE || !af_allows(app, af, handle))
		return false;
	akma_af_id_init(&af_id, af->fqdn, app->config->akma.mode_k_id);
	return dp_kaf(app->dp, handle, af_id.octets, af_id.len, info->kaf, &info->expiry) &&
	       info->expiry > clock_unix_s(app->clock) && read_akid(app, handle, info->akid);
}

static void answer(struct http_request *request, const struct info *info)
{
	struct json_writer *w = json_write();
	char expiry[DATETIME_MAX];

	datetime_write(expiry, info->expiry * 1000ull);
	json_put_hex(w, "kaf", info->kaf, sizeof(info->kaf));
	json_put_string(w, "expiry", expiry);
	json_put_hex(w, "aKIdRef", info->akid, sizeof(info->akid));
	http_set_header(request, "cache-control", "no-store");
	answer_json(request, 200, w);
}

void push_info(struct http_request *request, void *ctx)
{
	struct af *af = push_api_af(request, ctx);
	struct json *document;
	enum dp_identity kind = DP_GPSI;
	struct problem problem;
	struct info info;
	const char *id = NULL;

	if (!af)
		return;
	problem_init(&problem);
	document = json_parse((const char *)request->body, request->body_len, &problem);
	if (document)
		id = read_ask(request, ctx, af, document, &kind, &problem);
	if (!problem_is(&problem) && af->suspended)
		problem_set(&problem, PROBLEM_AF_SUSPENDED, "%s is suspended", af->fqdn);
	if (!problem_is(&problem) && !find_info(ctx, af, kind, id, &info))
		problem_set(&problem, PROBLEM_UE_NOT_FOUND, "no such UE");
	if (problem_is(&problem))
		problem_answer(request, &problem);
	else
		answer(request, &info);
	mem_wipe(&info, sizeof(info));
	json_free(document);
}
