// GET …/results: one line for each target, in the order of the list, in memory that does not depend
// on how many there are: a chunk of the list with its states, and some lines. The push may end
// between two parts of the answer; each part takes the states from where they are then.

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/text.h"
#include "control/api/push_api.h"
#include "control/api/push_handlers.h"
#include "control/api/push_json.h"
#include "control/app.h"
#include "control/http/http.h"
#include "control/json/problem.h"
#include "control/push/push_material.h"
#include "control/push/push_told.h"
#include "control/push/push_view.h"
#include "control/registry/af.h"
#include "control/registry/ue.h"
#include "control/store/store.h"

enum {
	TARGETS_A_BLOCK = 64,
	// {"supi":"…","gpsi":"…","state":"…","deliveryResult":"…","reply":"…"}: identities are
	// printable ASCII, of which a quote or backslash takes two.
	LINE_MAX_OCTETS = 128 + 4 * DP_IDENTITY_MAX + 4 * (DP_REPLY_MAX + 2) / 3,
	BLOCK_OCTETS = TARGETS_A_BLOCK * LINE_MAX_OCTETS,
};

struct results {
	struct app *app;
	struct push_facts facts;
	bool sees_supi;
	unsigned wanted; // bit per state

	uint32_t next_chunk;
	struct push_list list; // the chunk that is being told
	uint32_t next;         // target of it
	uint8_t states[PUSH_CHUNK];
	uint8_t value[PUSH_CHUNK_OCTETS]; // as read

	// Replies to the targets of a block.
	struct {
		uint32_t handle;
		uint16_t len;
		uint8_t octets[DP_REPLY_MAX];
	} reply[TARGETS_A_BLOCK];
	unsigned n_replies;

	char text[BLOCK_OCTETS]; // lines made
	size_t text_len, text_at;
};

// ---- The list and its states

static int read_chunk(struct results *r)
{
	uint8_t key[PUSH_KEY_MAX];
	ssize_t len = store_get(r->app->store, STORE_TARGET, key,
				push_key_target(key, r->facts.id, r->next_chunk), r->value,
				PUSH_CHUNK_OCTETS);

	if (len < 0)
		return len == -ENOENT ? -EBADMSG : (int)len;
	return len > PUSH_CHUNK_OCTETS ? -EBADMSG
				       : push_chunk_read(r->value, (size_t)len, &r->list);
}

static int read_short_list(struct results *r)
{
	struct push_material *material;
	struct push_over over;
	int error = push_over_get(r->app, r->facts.id, &over, r->value);

	_Static_assert((int)PUSH_OVER_MAX <= (int)PUSH_CHUNK_OCTETS, "either is read into value");
	if (!error)
		return push_chunk_read(over.chunk, over.chunk_len, &r->list);
	if (error != -ENOENT)
		return error;
	material = push_material_load(r->app, &r->facts, &error);
	if (!material)
		return error;
	r->list = material->list;
	material->list = (struct push_list){0};
	push_material_free(material);
	return 0;
}

// 0 and the next chunk, or an empty list at the end.
static int next_list(struct results *r)
{
	bool is_short = r->facts.n_targets <= PUSH_INLINE;
	int error;

	push_list_free(&r->list);
	r->next = 0;
	if (r->next_chunk == push_chunks(r->facts.n_targets))
		return 0;
	error = is_short ? read_short_list(r) : read_chunk(r);
	r->next_chunk++;
	return error;
}

static void live_states(struct results *r, const struct push *push, uint32_t n)
{
	for (uint32_t i = r->next; i < r->next + n; i++) {
		enum dp_state state =
			push_list_is_barred(&r->list, i) ? DP_NOT_ALLOWED : DP_PENDING;

		if (push->dp)
			state = dp_push_state(push->dp,
					      dp_push_place(push->dp, r->list.handles[i]));
		r->states[i] = (uint8_t)push_told_state(push, state);
	}
}

static int final_states(struct results *r)
{
	uint8_t key[PUSH_KEY_MAX];
	struct push_over over;
	ssize_t len;
	int error;

	if (r->facts.n_targets <= PUSH_INLINE) {
		error = push_over_get(r->app, r->facts.id, &over, r->value);
		return error ? error
			     : push_states_read(over.states, over.states_len, r->states, r->list.n);
	}
	len = store_get(r->app->store, STORE_PROGRESS, key,
			push_key_states(key, r->facts.id, 'F', r->next_chunk - 1), r->value,
			PUSH_CHUNK_OCTETS);
	if (len < 0)
		return (int)len;
	return push_states_read(r->value, (size_t)len, r->states, r->list.n);
}

// States of the next n targets, from the data plane as long as it has them.
static int find_states(struct results *r, uint32_t n)
{
	const struct push *push = push_find(r->app, r->facts.id);

	if (!push)
		return final_states(r);
	live_states(r, push, n);
	return 0;
}

// ---- Replies

static int note_reply(void *ctx, const uint8_t *key, size_t key_len, const uint8_t *value,
		      size_t value_len)
{
	struct results *r = ctx;

	if (key_len != PUSH_ID + 4 || !value_len || value_len > 1 + DP_REPLY_MAX)
		return -EBADMSG;
	r->reply[r->n_replies].handle = load32_be(key + PUSH_ID);
	r->reply[r->n_replies].len = (uint16_t)(value_len - 1); // behind the status
	memcpy(r->reply[r->n_replies].octets, value + 1, value_len - 1);
	return ++r->n_replies == TARGETS_A_BLOCK;
}

static int find_replies(struct results *r, uint32_t n)
{
	uint8_t from[PUSH_KEY_MAX], to[PUSH_KEY_MAX];
	size_t len = push_key_reply(from, r->facts.id, r->list.handles[r->next]);
	int status;

	r->n_replies = 0;
	push_key_reply(to, r->facts.id, r->list.handles[r->next + n - 1] + 1);
	status = store_scan(r->app->store, STORE_REPLY, from, len, to, len, note_reply, r);
	return status < 0 ? status : 0;
}

// ---- Lines

static void put_text(struct results *r, const char *text)
{
	size_t len = strlen(text);

	memcpy(r->text + r->text_len, text, len);
	r->text_len += len;
}

static void put_member(struct results *r, const char *name, const char *value)
{
	put_text(r, name);
	for (; *value; value++) {
		if (*value == '"' || *value == '\\')
			r->text[r->text_len++] = '\\';
		r->text[r->text_len++] = *value;
	}
	put_text(r, "\",");
}

static void put_reply(struct results *r, uint32_t handle)
{
	for (unsigned i = 0; i < r->n_replies; i++) {
		if (r->reply[i].handle != handle || !r->reply[i].len)
			continue;
		put_text(r, "\"reply\":\"");
		base64_write(r->text + r->text_len, r->reply[i].octets, r->reply[i].len);
		r->text_len += base64_len(r->reply[i].len);
		put_text(r, "\",");
	}
}

static void put_line(struct results *r, uint32_t handle, enum dp_state state)
{
	char id[DP_IDENTITY_MAX + 1];

	put_text(r, "{");
	if (r->sees_supi && ue_identity(r->app, handle, DP_SUPI, id))
		put_member(r, "\"supi\":\"", id);
	if (ue_identity(r->app, handle, DP_GPSI, id))
		put_member(r, "\"gpsi\":\"", id);
	put_reply(r, handle);
	put_member(r, "\"state\":\"", dp_state_name(state));
	put_member(r, "\"deliveryResult\":\"", push_delivery_result(state, r->facts.ack_wanted));
	r->text[r->text_len - 1] = '}'; // in the place of the last comma
	r->text[r->text_len++] = '\n';
}

// Lines of the next targets. 0, or -errno; no lines at the end.
static int make_lines(struct results *r)
{
	uint32_t n;
	int error;

	if (r->next == r->list.n) {
		error = next_list(r);
		if (error || !r->list.n)
			return error;
	}
	n = r->list.n - r->next < TARGETS_A_BLOCK ? r->list.n - r->next : TARGETS_A_BLOCK;
	error = find_states(r, n);
	if (!error)
		error = find_replies(r, n);
	if (error)
		return error;
	for (uint32_t i = r->next; i < r->next + n; i++) {
		if (r->wanted >> r->states[i] & 1)
			put_line(r, r->list.handles[i], r->states[i]);
	}
	r->next += n;
	return 0;
}

// ---- The answer

static bool is_at_end(const struct results *r)
{
	return r->next == r->list.n && r->next_chunk == push_chunks(r->facts.n_targets);
}

static long results_next(void *ctx, uint8_t *to, size_t max)
{
	struct results *r = ctx;
	size_t n;

	while (r->text_at == r->text_len) {
		r->text_at = r->text_len = 0;
		if (is_at_end(r))
			return 0;
		if (make_lines(r))
			return -EIO;
	}
	n = r->text_len - r->text_at < max ? r->text_len - r->text_at : max;
	memcpy(to, r->text + r->text_at, n);
	r->text_at += n;
	return (long)n;
}

static void results_done(void *ctx)
{
	struct results *r = ctx;

	push_list_free(&r->list);
	mem_wipe(r->reply, sizeof(r->reply));
	free(r);
}

static bool read_query(struct http_request *request, unsigned *wanted)
{
	static const char *const known[] = {"state", NULL};
	const char *unknown = http_query_unknown(request, known), *state;
	struct problem problem;
	int states;

	problem_init(&problem);
	if (unknown)
		problem_param(&problem, PROBLEM_INVALID_QUERY_PARAM, unknown, "not known here");
	state = http_query(request, "state");
	states = state ? push_states_parse(state) : (1 << DP_STATE_COUNT) - 1;
	if (states < 0)
		problem_param(&problem, PROBLEM_INVALID_QUERY_PARAM, "state",
			      "states of targets, parted by commas");
	*wanted = (unsigned)states;
	if (!problem_is(&problem))
		return true;
	problem_answer(request, &problem);
	return false;
}

void push_results(struct http_request *request, void *ctx)
{
	static const struct http_source source = {results_next, results_done};
	struct af *af = push_api_af(request, ctx);
	struct push_view view;
	uint8_t id[PUSH_ID];
	struct results *r;
	unsigned wanted;

	if (!af || !push_api_id(request, request->segment[1], id) ||
	    !push_api_view(request, ctx, af->fqdn, id, &view) || !read_query(request, &wanted))
		return;
	r = calloc(1, sizeof(*r));
	if (!r) {
		problem_answer_cause(request, PROBLEM_INSUFFICIENT_RESOURCES, "no memory");
		return;
	}
	r->app = ctx;
	r->facts = view.facts;
	r->wanted = wanted;
	r->sees_supi = push_api_sees_supi(request, af);
	http_answer_stream(request, 200, "application/x-ndjson", &source, r);
}
