#include "control/api/naanf.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/datetime.h"
#include "base/text.h"
#include "control/api/answer.h"
#include "control/api/routes.h"
#include "control/app.h"
#include "control/apply.h"
#include "control/config/config.h"
#include "control/json/json.h"
#include "control/json/problem.h"
#include "control/registry/af.h"
#include "control/registry/record.h"
#include "control/registry/ue.h"
#include "control/store/store.h"
#include "crypto/akma.h"

enum { SUPP_FEAT_MAX = 256 };

static struct naanf_stats counts;

void naanf_stats(struct naanf_stats *stats)
{
	*stats = counts;
}

// ---- Reading

// Features are negotiated as TS 29.500 6.6 has it; this function has none. Whether it was asked.
static bool read_features(const struct json_reader *reader)
{
	const char *text = json_string(reader, "suppFeat", JSON_OPTIONAL, 0, SUPP_FEAT_MAX);

	if (text && strspn(text, "0123456789abcdefABCDEF") != strlen(text))
		problem_param(reader->problem, PROBLEM_OPTIONAL_IE_INCORRECT, "/suppFeat",
			      "hex digits are expected");
	return text != NULL;
}

// An A-KID is opaque here (TS 33.535 6.1): a NAI of printable characters, compared as octets.
static const char *read_akid(const struct json_reader *reader)
{
	const char *akid = json_string(reader, "aKId", JSON_REQUIRED, 1, RECORD_AKID_MAX);

	for (const char *c = akid; c && *c; c++) {
		if (*c >= '!' && *c <= '~')
			continue;
		problem_param(reader->problem, PROBLEM_MANDATORY_IE_INCORRECT, "/aKId",
			      "printable characters without blanks are expected");
		return NULL;
	}
	return akid;
}

// The body of a request; NULL when it was answered.
static struct json *read_body(struct http_request *request, struct json_reader *reader)
{
	struct json *document =
		json_parse((const char *)request->body, request->body_len, reader->problem);

	if (!document) {
		problem_answer(request, reader->problem);
		return NULL;
	}
	reader->object = document;
	reader->pointer = "";
	return document;
}

// ---- register-anchorkey

struct registration {
	struct change change;
	struct http_request *request;
	uint32_t handle;
	enum dp_identity kind;
	bool has_features;
	char id[DP_IDENTITY_MAX + 1];
	struct record_context context; // secret
};

static void registration_free(struct registration *r)
{
	mem_wipe(r, sizeof(*r));
	free(r);
}

static int apply_registration(struct change *change, struct app *app)
{
	struct registration *r = (struct registration *)change;

	return ue_apply_context(app, r->handle, &r->context);
}

static void registration_done(struct change *change, struct app *app, int status)
{
	struct registration *r = (struct registration *)change;
	struct json_writer *w;

	ue_saved(app, r->handle, status);
	if (status) {
		problem_answer_cause(r->request, problem_of_errno(status), "%s", strerror(-status));
		registration_free(r);
		return;
	}
	counts.registered++;
	w = json_write();
	if (r->has_features)
		json_put_string(w, "suppFeat", "0");
	json_put_string(w, r->kind == DP_SUPI ? "supi" : "gpsi", r->id);
	json_put_string(w, "aKId", r->context.akid);
	json_put_hex(w, "kAkma", r->context.kakma, sizeof(r->context.kakma));
	answer_json(r->request, 200, w);
	registration_free(r);
}

// The registration that a body asks for, or NULL and the request was answered.
static struct registration *read_registration(struct http_request *request)
{
	struct problem problem;
	struct json_reader reader = {.problem = &problem};
	struct registration *r;
	const char *id, *akid;
	struct json *document;

	problem_init(&problem);
	document = read_body(request, &reader);
	if (!document)
		return NULL;
	r = calloc(1, sizeof(*r));
	if (!r)
		problem_set(&problem, PROBLEM_INSUFFICIENT_RESOURCES, "no memory");
	if (r && ue_read_identity(&reader, &r->kind, &id))
		strcpy(r->id, id);
	akid = read_akid(&reader);
	if (r) {
		strcpy(r->context.akid, akid ? akid : "");
		json_hex(&reader, "kAkma", JSON_REQUIRED, r->context.kakma,
			 sizeof(r->context.kakma));
		r->has_features = read_features(&reader);
	}
	json_free(document);
	if (!problem_is(&problem))
		return r;
	problem_answer(request, &problem);
	if (r)
		registration_free(r);
	return NULL;
}

static uint32_t kaf_expiry(const struct app *app)
{
	uint64_t expiry = clock_unix_ms(app->clock) / 1000 + app->config->akma.kaf_lifetime_s;

	return expiry < UINT32_MAX ? (uint32_t)expiry : UINT32_MAX;
}

static void register_anchorkey(struct http_request *request, void *ctx)
{
	struct registration *r = read_registration(request);
	struct store_batch *batch;
	struct app *app = ctx;

	if (!r)
		return;
	batch = apply_begin(app);
	if (!batch) {
		registration_free(r);
		answer_congestion(request);
		return;
	}
	r->change = (struct change){.apply = apply_registration, .done = registration_done};
	r->request = request;
	r->handle = ue_name(app, batch, r->kind, r->id);
	if (r->handle == DP_NONE) {
		store_abort(batch);
		registration_free(r);
		problem_answer_cause(request, PROBLEM_INSUFFICIENT_RESOURCES,
				     "the table of UEs is full");
		return;
	}
	r->context.stamp = ue_stamp(app);
	r->context.expiry = kaf_expiry(app);
	ue_store_context(app, batch, r->handle, &r->context);
	apply_commit(app, batch, &r->change);
}

// ---- retrieve-applicationkey

struct retrieval {
	char fqdn[AKMA_FQDN_MAX + 1];
	uint8_t ua_star_id[AKMA_UA_STAR_ID];
	const char *akid;
	bool anonymous, has_features;
};

// afId in JSON: the FQDN followed by the ten hex digits of the Ua* protocol identifier.
static void read_af_id(const struct json_reader *reader, struct retrieval *r)
{
	enum { UA_DIGITS = 2 * AKMA_UA_STAR_ID };
	const char *text = json_string(reader, "afId", JSON_REQUIRED, 1, 512);
	size_t len = text ? strlen(text) : 0;

	if (!text)
		return;
	if (len > UA_DIGITS &&
	    !hex_parse(text + len - UA_DIGITS, UA_DIGITS, r->ua_star_id, sizeof(r->ua_star_id)) &&
	    akma_fqdn_parse(text, len - UA_DIGITS, r->fqdn) >= 0)
		return;
	problem_param(reader->problem, PROBLEM_MANDATORY_IE_INCORRECT, "/afId",
		      "an FQDN and ten hex digits of a Ua* protocol identifier are expected");
}

static void answer_kaf(struct http_request *request, const struct app *app,
		       const struct retrieval *r, const struct af *af, uint32_t handle,
		       const uint8_t kaf[AKMA_KEY], uint32_t expiry_s)
{
	char id[DP_IDENTITY_MAX + 1], expiry[DATETIME_MAX];
	struct json_writer *w = json_write();

	datetime_write(expiry, expiry_s * 1000ull);
	if (r->has_features)
		json_put_string(w, "suppFeat", "0");
	json_put_hex(w, "kaf", kaf, AKMA_KEY);
	json_put_string(w, "expiry", expiry);
	if (!r->anonymous && ue_identity(app, handle, DP_GPSI, id))
		json_put_string(w, "gpsi", id);
	if (!r->anonymous && af && af->trusted && ue_identity(app, handle, DP_SUPI, id))
		json_put_string(w, "supi", id);
	answer_json(request, 200, w);
}

// Without a key, or with one whose K_AFs are over: 204, as the OpenAPI has it.
static void serve(struct http_request *request, const struct app *app, const struct retrieval *r,
		  const struct af *af)
{
	uint32_t handle = dp_find(app->dp, DP_AKID, r->akid, strlen(r->akid)), expiry = 0;
	struct akma_af_id af_id;
	uint8_t kaf[AKMA_KEY];
	bool has_key;

	akma_af_id_init(&af_id, r->fqdn, r->ua_star_id);
	has_key =
		handle != DP_NONE && dp_kaf(app->dp, handle, af_id.octets, af_id.len, kaf, &expiry);
	if (has_key && expiry > clock_unix_s(app->clock)) {
		counts.served++;
		answer_kaf(request, app, r, af, handle, kaf, expiry);
	} else {
		counts.expired += has_key;
		counts.without_context += !has_key;
		http_answer(request, 204, NULL, NULL, 0);
	}
	mem_wipe(kaf, sizeof(kaf));
}

static bool is_push_id(const struct app *app, const uint8_t ua_star_id[AKMA_UA_STAR_ID])
{
	return !memcmp(ua_star_id, app->config->akma.mode_d_id, AKMA_UA_STAR_ID) ||
	       !memcmp(ua_star_id, app->config->akma.mode_k_id, AKMA_UA_STAR_ID);
}

// The policy of TS 33.535 6.2: which AF gets keys at all. False when the request was answered.
static bool is_served(struct http_request *request, const struct app *app,
		      const struct retrieval *r, const struct af *af)
{
	char peer[AKMA_FQDN_MAX + 1];

	if (request->peer_af &&
	    (akma_fqdn_parse(request->peer_af, strlen(request->peer_af), peer) < 0 ||
	     strcmp(peer, r->fqdn) != 0)) {
		problem_answer_cause(request, PROBLEM_NOT_AUTHORIZED,
				     "the peer may not act for this AF");
		return false;
	}
	if (is_push_id(app, r->ua_star_id)) {
		problem_answer_cause(request, PROBLEM_UA_STAR_ID_NOT_SERVED,
				     "the identifiers of AKMA push are not served here");
		return false;
	}
	if (!af && app->config->akma.require_af_registration) {
		problem_answer_cause(request, PROBLEM_NOT_AUTHORIZED, "the AF is not registered");
		return false;
	}
	if (af && af->suspended) {
		problem_answer_cause(request, PROBLEM_AF_SUSPENDED, "the AF is suspended");
		return false;
	}
	return true;
}

static void retrieve_applicationkey(struct http_request *request, void *app)
{
	struct problem problem;
	struct json_reader reader = {.problem = &problem};
	struct retrieval r = {0};
	struct json *document;
	const struct af *af;

	problem_init(&problem);
	document = read_body(request, &reader);
	if (!document)
		return;
	read_af_id(&reader, &r);
	r.akid = read_akid(&reader);
	r.anonymous = json_bool(&reader, "anonInd", JSON_OPTIONAL, false);
	r.has_features = read_features(&reader);
	if (problem_is(&problem)) {
		problem_answer(request, &problem);
	} else {
		af = af_find_normal(app, r.fqdn);
		if (is_served(request, app, &r, af))
			serve(request, app, &r, af);
	}
	json_free(document);
}

// ---- remove-context

struct context_removal {
	struct change change;
	struct http_request *request;
	uint32_t handle;
};

static int apply_removal(struct change *change, struct app *app)
{
	return ue_apply_no_context(app, ((struct context_removal *)change)->handle);
}

static void removal_done(struct change *change, struct app *app, int status)
{
	struct context_removal *r = (struct context_removal *)change;

	(void)app;
	if (status) {
		problem_answer_cause(r->request, problem_of_errno(status), "%s", strerror(-status));
	} else {
		counts.removed++;
		http_answer(r->request, 204, NULL, NULL, 0);
	}
	free(r);
}

// The subscriber that a body names by its SUPI; DP_NONE and the request was answered.
static uint32_t read_removal(struct http_request *request, struct app *app)
{
	struct problem problem;
	struct json_reader reader = {.problem = &problem};
	uint32_t handle = DP_NONE;
	struct json *document;
	const char *supi;

	problem_init(&problem);
	document = read_body(request, &reader);
	if (!document)
		return DP_NONE;
	supi = json_string(&reader, "supi", JSON_REQUIRED, 1, DP_IDENTITY_MAX);
	if (supi && !ue_is_supi(supi))
		problem_param(&problem, PROBLEM_MANDATORY_IE_INCORRECT, "/supi",
			      "imsi- and 5 to 15 digits, or nai- and a NAI");
	if (!problem_is(&problem)) {
		handle = ue_find(app, DP_SUPI, supi);
		if (handle == DP_NONE || !ue_is_registered(app, handle)) {
			handle = DP_NONE;
			problem_set(&problem, PROBLEM_UE_NOT_FOUND,
				    "there is no context of this UE");
		}
	}
	json_free(document);
	if (problem_is(&problem))
		problem_answer(request, &problem);
	return handle;
}

static void remove_context(struct http_request *request, void *ctx)
{
	struct app *app = ctx;
	uint32_t handle = read_removal(request, app);
	struct store_batch *batch;
	struct context_removal *r;

	if (handle == DP_NONE)
		return;
	batch = answer_begin(request, sizeof(*r), (void **)&r);
	if (!batch)
		return;
	r->change = (struct change){.apply = apply_removal, .done = removal_done};
	r->request = request;
	r->handle = handle;
	ue_store_no_context(app, batch, handle);
	apply_commit(app, batch, &r->change);
}

const struct http_route naanf_routes[] = {
	{HTTP_POST, "/naanf-akma/v1/register-anchorkey", HTTP_ROLE_AUSF, HTTP_JSON, 0,
	 register_anchorkey, NULL, "register-anchorkey"},
	{HTTP_POST, "/naanf-akma/v1/retrieve-applicationkey", HTTP_ROLE_AF, HTTP_JSON, 0,
	 retrieve_applicationkey, NULL, "retrieve-applicationkey"},
	{HTTP_POST, "/naanf-akma/v1/remove-context", HTTP_ROLE_AUSF, HTTP_JSON, 0, remove_context,
	 NULL, "remove-context"},
	{0},
};
