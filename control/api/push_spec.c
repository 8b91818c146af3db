#include "control/api/push_spec.h"

#include "control/app.h"
#include "control/config/config.h"
#include "control/json/json.h"
#include "control/json/problem.h"
#include "control/registry/af.h"

// Members of TS 29.122 and of the push API that this version does not know what to do with: better
// refused than ignored.
static void refuse_not_built(const struct json_reader *reader)
{
	static const char *const names[] = {"priority", "notBefore", "collapseKey",
					    "notificationDestination", NULL};

	for (unsigned i = 0; names[i]; i++) {
		char pointer[64] = "/";

		if (!json_has(reader, names[i]))
			continue;
		for (unsigned at = 0; names[i][at]; at++)
			pointer[at + 1] = names[i][at];
		problem_param(reader->problem, PROBLEM_NOT_BUILT, pointer,
			      "not supported by this version");
	}
}

// Segments of segmentSize, or one of the payload's, as datagrams that the ports can send.
static void check_segments(const struct push_spec *spec, unsigned segment_max,
			   const struct json_reader *reader)
{
	if (spec->segment_size && spec->payload_len > (size_t)spec->segment_size * DP_SEGMENTS_MAX)
		problem_param(reader->problem, PROBLEM_PAYLOAD_TOO_LARGE, "/payload",
			      "at most %u segments of %u octets", DP_SEGMENTS_MAX,
			      spec->segment_size);
	if (spec->segment_size > segment_max && spec->payload_len > segment_max)
		problem_param(reader->problem, PROBLEM_OPTIONAL_IE_INCORRECT, "/segmentSize",
			      "at most %u: longer datagrams do not fit the MTU of a port",
			      segment_max);
}

static void read_payload(struct push_spec *spec, const struct af *af,
			 const struct json_reader *reader)
{
	size_t max = af->payload_max && af->payload_max < DP_PAYLOAD_MAX ? af->payload_max
									 : DP_PAYLOAD_MAX;
	long len = json_base64(reader, "payload", JSON_REQUIRED, spec->payload, max,
			       PROBLEM_PAYLOAD_TOO_LARGE);

	if (len < 0)
		return;
	spec->payload_len = (size_t)len;
}

void push_spec_read(struct push_spec *spec, const struct app *app, const struct af *af,
		    const struct json *object, bool is_replacement, struct problem *problem)
{
	static const char *const known[] = {"target",
					    "payload",
					    "validityPeriod",
					    "ackRequested",
					    "ordered",
					    "suite",
					    "segmentSize",
					    "priority",
					    "notBefore",
					    "collapseKey",
					    "notificationDestination",
					    NULL};
	const unsigned segment_max = dp_segment_max(app->dp);
	struct json_reader reader = {object, "", problem};

	json_only(&reader, known);
	refuse_not_built(&reader);
	spec->target =
		json_object(&reader, "target", is_replacement ? JSON_OPTIONAL : JSON_REQUIRED);
	spec->validity_s = (uint32_t)json_uint(&reader, "validityPeriod", JSON_REQUIRED, 1,
					       app->config->push.validity_max_s, 0);
	spec->ack_wanted = json_bool(&reader, "ackRequested", JSON_OPTIONAL, true);
	spec->ordered = json_bool(&reader, "ordered", JSON_OPTIONAL, false);
	spec->suite = (uint8_t)json_uint(&reader, "suite", JSON_OPTIONAL, 1, 2, 1);
	spec->segment_size = (uint16_t)json_uint(&reader, "segmentSize", JSON_OPTIONAL, 1,
						 DP_SEGMENT_MAX, segment_max);
	read_payload(spec, af, &reader);
	check_segments(spec, segment_max, &reader);
}
