#include "control/api/push_json.h"

#include <string.h>

#include "base/datetime.h"
#include "control/json/json.h"
#include "control/push/push_view.h"

// ---- States as others know them

enum result {
	RESULT_SUCCESS,
	RESULT_TRIGGERED,
	RESULT_UNCONFIRMED,
	RESULT_EXPIRED,
	RESULT_FAILURE,
	RESULT_REPLACED,
	RESULT_TERMINATE,
	RESULT_COUNT,
};

static const char *const result_names[RESULT_COUNT] = {
	"SUCCESS", "TRIGGERED", "UNCONFIRMED", "EXPIRED", "FAILURE", "REPLACED", "TERMINATE",
};

static enum result result_of(enum dp_state state, bool ack_wanted)
{
	switch (state) {
	case DP_DELIVERED:
	case DP_RECEIVED:
		return RESULT_SUCCESS;
	case DP_SENT:
		return ack_wanted ? RESULT_TRIGGERED : RESULT_SUCCESS;
	case DP_PENDING:
		return RESULT_TRIGGERED;
	case DP_UNCONFIRMED:
		return RESULT_UNCONFIRMED;
	case DP_EXPIRED:
		return RESULT_EXPIRED;
	case DP_REPLACED:
		return RESULT_REPLACED;
	case DP_RECALLED:
		return RESULT_TERMINATE;
	default:
		return RESULT_FAILURE;
	}
}

const char *push_delivery_result(enum dp_state state, bool ack_wanted)
{
	return result_names[result_of(state, ack_wanted)];
}

static int state_of_name(const char *name, size_t len)
{
	for (int state = 0; state < DP_STATE_COUNT; state++) {
		const char *known = dp_state_name((enum dp_state)state);

		if (strlen(known) == len && !memcmp(known, name, len))
			return state;
	}
	return -1;
}

int push_states_parse(const char *names)
{
	int states = 0;

	for (;;) {
		size_t len = strcspn(names, ",");
		int state = state_of_name(names, len);

		if (state < 0)
			return -1;
		states |= 1 << state;
		if (!names[len])
			return states;
		names += len + 1;
	}
}

// ---- As JSON

static void put_datetime(struct json_writer *w, const char *name, uint64_t unix_ms)
{
	char text[DATETIME_MAX];

	datetime_write(text, unix_ms);
	json_put_string(w, name, text);
}

static void put_states(struct json_writer *w, const struct push_counts *counts)
{
	json_open_object(w, "states");
	for (unsigned state = 0; state < DP_STATE_COUNT; state++) {
		if (counts->of[state])
			json_put_uint(w, dp_state_name((enum dp_state)state), counts->of[state]);
	}
	json_close(w);
}

static void put_results(struct json_writer *w, const struct push_counts *counts, bool ack_wanted)
{
	uint64_t n[RESULT_COUNT] = {0};

	for (unsigned state = 0; state < DP_STATE_COUNT; state++)
		n[result_of((enum dp_state)state, ack_wanted)] += counts->of[state];
	json_open_object(w, "deliveryResults");
	for (unsigned result = 0; result < RESULT_COUNT; result++) {
		if (n[result])
			json_put_uint(w, result_names[result], n[result]);
	}
	json_close(w);
}

void push_json_write(struct json_writer *w, const struct push_view *view)
{
	const struct push_facts *facts = &view->facts;
	char id[PUSH_ID_TEXT + 1];

	push_id_write(id, facts->id);
	json_put_string(w, "pushId", id);
	json_put_string(w, "afId", facts->fqdn);
	json_put_string(w, "state", view->state);
	put_datetime(w, "created", facts->created_ms);
	put_datetime(w, "expiry", facts->expiry * 1000ull);
	json_put_uint(w, "targets", facts->n_targets);
	json_put_uint(w, "datagramsSent", view->counts.sent);
	json_put_bool(w, "ackRequested", facts->ack_wanted);
	json_put_bool(w, "ordered", facts->ordered);
	json_put_uint(w, "suite", facts->suite);
	json_put_uint(w, "segmentSize", facts->segment_size);
	put_states(w, &view->counts);
	put_results(w, &view->counts, facts->ack_wanted);
}
