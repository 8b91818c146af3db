// Pushes from acceptance to results, over the real registries and data plane.

#include <criterion/criterion.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/apply.h"
#include "control/push/push_id.h"
#include "control/push/push_registry.h"
#include "control/registry/ue.h"
#include "tests/kit/push_world.h"

static const char meters[] = "meters.example.com";
static const char pushes[] = "/akma-push/v1/meters.example.com/pushes";

#define BODY(target) "{\"target\":" target ",\"payload\":\"aGVsbG8=\",\"validityPeriod\":60}"
#define ONE(gpsi)    BODY("{\"gpsi\":\"" gpsi "\"}")

static struct world *some_world(unsigned n_devices)
{
	struct world *world = world_new(1);

	if (n_devices)
		world_ues(world, 0, n_devices);
	world_af(world, meters, "{\"allowedUes\":{\"all\":true}}");
	return world;
}

#define EXPECT_STATUS(world, status, method, path, content)                                        \
	do {                                                                                       \
		int found_ = world_ask(world, method, path, content);                              \
		cr_assert_eq(found_, status, "%d: %s", found_, world_answer.body);                 \
	} while (0)
#define EXPECT_HAS(text)     cr_assert(world_has(text), "no %s in %s", text, world_answer.body)
#define EXPECT_HAS_NOT(text) cr_assert_not(world_has(text), "%s in %s", text, world_answer.body)

static const char *path_of(const char *id, const char *rest)
{
	static char path[400];

	snprintf(path, sizeof(path), "%s/%s%s", pushes, id, rest);
	return path;
}

// Pushes and gives the id.
static void push(struct world *world, const char *body, char id[37])
{
	EXPECT_STATUS(world, 201, HTTP_POST, pushes, body);
	world_push_id(id);
}

static void get(struct world *world, const char *id)
{
	EXPECT_STATUS(world, 200, HTTP_GET, path_of(id, ""), NULL);
}

static void get_results(struct world *world, const char *id)
{
	EXPECT_STATUS(world, 200, HTTP_GET, path_of(id, "/results"), NULL);
}

static unsigned count_lines(void)
{
	unsigned n = 0;

	for (size_t i = 0; i < world_answer.len; i++)
		n += world_answer.body[i] == '\n';
	return n;
}

// ---- The way of a push

Test(push, reaches_one)
{
	struct world *world = some_world(1);
	uint8_t octets[PUSH_ID];
	char id[37];

	world->devices[0].reply = "ok!";
	push(world, ONE("msisdn-4900000"), id);
	EXPECT_HAS("\"afId\":\"meters.example.com\"");
	EXPECT_HAS("\"targets\":1");
	EXPECT_HAS("\"created\":\"2027-01-15T08:00:00.");
	world_run(world, 10, 50);
	get(world, id);
	EXPECT_HAS("\"state\":\"FINISHED\"");
	world_run(world, 100, 50);
	get(world, id);
	EXPECT_HAS("\"state\":\"FINISHED\"");
	EXPECT_HAS("\"states\":{\"DELIVERED\":1}");
	EXPECT_HAS("\"deliveryResults\":{\"SUCCESS\":1}");
	EXPECT_HAS("\"datagramsSent\":1");
	get_results(world, id);
	cr_assert_str_eq(world_answer.body,
			 "{\"gpsi\":\"msisdn-4900000\",\"reply\":\"b2sh\",\"state\":"
			 "\"DELIVERED\",\"deliveryResult\":\"SUCCESS\"}\n");
	push_id_parse(id, octets);
	cr_assert_eq(world_delivered(world, 0, octets), 1);
	cr_assert_eq(push_store_count(world->store, STORE_PROGRESS), 0);
	cr_assert_eq(push_store_count(world->store, STORE_TARGET), 0);
	cr_assert_eq(push_store_count(world->store, STORE_PUSH), 3, "what is over and two indexes");
	cr_assert_eq(world->app.pushes->n_live, 0);
	world_free(world);
}

Test(push, reaches_a_group)
{
	struct world *world = some_world(WORLD_DEVICES);
	char id[37];

	world_group(world, "all-meters", 0, WORLD_DEVICES);
	world->devices[3].status = 2;
	world->devices[4].deaf = true;
	push(world, BODY("{\"externalGroupId\":\"all-meters\"}"), id);
	world_run(world, 100, 100);
	get(world, id);
	EXPECT_HAS("\"state\":\"RUNNING\"");
	EXPECT_HAS("\"DELIVERED\":38");
	EXPECT_HAS("\"REFUSED\":1");
	EXPECT_HAS("\"SENT\":1");
	EXPECT_HAS("\"TRIGGERED\":1");
	world_run(world, 60, 1000);
	get(world, id);
	EXPECT_HAS("\"state\":\"FINISHED\"");
	EXPECT_HAS("\"UNCONFIRMED\":1");
	get_results(world, id);
	cr_assert_eq(count_lines(), WORLD_DEVICES);
	EXPECT_STATUS(world, 200, HTTP_GET, path_of(id, "/results?state=REFUSED,UNCONFIRMED"),
		      NULL);
	cr_assert_eq(count_lines(), 2);
	EXPECT_HAS(
		"\"gpsi\":\"msisdn-4900003\",\"state\":\"REFUSED\",\"deliveryResult\":\"FAILURE\"");
	EXPECT_HAS_NOT("supi");
	world_free(world);
}

Test(push, without_acknowledgement_ends_when_sent)
{
	struct world *world = some_world(2);
	char id[37];

	push(world,
	     "{\"target\":{\"all\":true},\"payload\":\"\",\"validityPeriod\":60,\"ackRequested\":"
	     "false,\"suite\":2}",
	     id);
	world_run(world, 20, 50);
	get(world, id);
	EXPECT_HAS("\"state\":\"FINISHED\"");
	EXPECT_HAS("\"states\":{\"SENT\":2}");
	EXPECT_HAS("\"deliveryResults\":{\"SUCCESS\":2}");
	world_free(world);
}

// What is not allowed is so from the start, whether it exists or not; what is unknown may come.
Test(push, list_with_strangers)
{
	struct world *world = some_world(3);
	char id[37];

	world_group(world, "mine", 0, 2);
	EXPECT_STATUS(world, 200, HTTP_PUT, "/akma-push/v1/afs/meters.example.com",
		      "{\"allowedUes\":{\"externalGroupIds\":[\"mine\"]}}");
	push(world,
	     BODY("{\"list\":[{\"gpsi\":\"msisdn-4900000\"},{\"gpsi\":\"msisdn-4900002\"},"
		  "{\"gpsi\":\"msisdn-4999999\"},{\"gpsi\":\"msisdn-4900000\"}]}"),
	     id);
	EXPECT_HAS("\"targets\":3");
	world_run(world, 50, 50);
	get(world, id);
	EXPECT_HAS("\"state\":\"FINISHED\"");
	EXPECT_HAS("\"DELIVERED\":1");
	EXPECT_HAS("\"NOT_ALLOWED\":2");
	get_results(world, id);
	EXPECT_HAS("{\"gpsi\":\"msisdn-4999999\",\"state\":\"NOT_ALLOWED\"");
	EXPECT_HAS("{\"gpsi\":\"msisdn-4900002\",\"state\":\"NOT_ALLOWED\"");
	cr_assert_eq(world->n_datagrams, 1);
	push(world, ONE("msisdn-4900002"), id);
	world_run(world, 50, 50);
	get(world, id);
	EXPECT_HAS("\"states\":{\"NOT_ALLOWED\":1}");
	world_free(world);
}

#define PAIR(a, b) BODY("{\"list\":[{\"gpsi\":\"" a "\"},{\"gpsi\":\"" b "\"}]}")

// Strangers take handles: there are so many a day, known or not, and the answer tells neither.
Test(push, strangers_of_a_day)
{
	struct world *world = some_world(4);
	char id[37], first[400];
	uint32_t handles;

	world_group(world, "mine", 0, 2);
	EXPECT_STATUS(world, 200, HTTP_PUT, "/akma-push/v1/afs/meters.example.com",
		      "{\"allowedUes\":{\"externalGroupIds\":[\"mine\"]}}");
	world->config->push.strangers_max = 3;
	push(world, PAIR("msisdn-4900002", "msisdn-4999999"), id);
	handles = dp_handles(world->app.dp);
	EXPECT_STATUS(world, 429, HTTP_POST, pushes, PAIR("msisdn-4999998", "msisdn-4999997"));
	EXPECT_HAS("NF_CONGESTION_RISK");
	cr_assert_str_eq(world_answer.retry_after, "57600"); // 08:00 UTC to midnight
	strcpy(first, world_answer.body);
	EXPECT_STATUS(world, 429, HTTP_POST, pushes, PAIR("msisdn-4900002", "msisdn-4900003"));
	cr_assert_str_eq(world_answer.body, first);
	cr_assert_eq(dp_handles(world->app.dp), handles);
	push(world, PAIR("msisdn-4900000", "msisdn-4900001"), id);
	push(world, ONE("msisdn-4900003"), id);
	EXPECT_STATUS(world, 429, HTTP_POST, pushes, ONE("msisdn-4900003"));
	EXPECT_STATUS(world, 429, HTTP_POST, pushes, ONE("msisdn-4999998"));
	world->unix_ms += 16ull * 3600 * 1000;
	push(world, ONE("msisdn-4999998"), id);
	cr_assert_eq(dp_handles(world->app.dp), handles + 1);
	world_free(world);
}

// Who may reach all is a stranger to nobody that is known.
Test(push, strangers_of_an_af_that_may_reach_all)
{
	struct world *world = some_world(2);
	char id[37];

	world->config->push.strangers_max = 1;
	push(world, PAIR("msisdn-4900000", "msisdn-4900001"), id);
	push(world, ONE("msisdn-4999999"), id);
	push(world, ONE("msisdn-4999999"), id);
	EXPECT_STATUS(world, 429, HTTP_POST, pushes, ONE("msisdn-4999998"));
	world_free(world);
}

Test(push, unknown_ue_is_reached_when_it_registers)
{
	struct world *world = some_world(0);
	char id[37];

	push(world, ONE("msisdn-4900000"), id);
	world_run(world, 20, 100);
	get(world, id);
	EXPECT_HAS("\"NO_CONTEXT\":1");
	world_ues(world, 0, 1);
	world_run(world, 50, 100);
	get(world, id);
	EXPECT_HAS("\"DELIVERED\":1");
	world_free(world);
}

static void named(void *ctx, int status)
{
	(void)ctx;
	cr_assert_eq(status, 0);
}

// More than a record takes, more than a chunk takes.
Test(push, long_lists, .timeout = 500)
{
	struct world *world = some_world(WORLD_DEVICES);
	struct store_batch *batch = apply_begin(&world->app);
	char id[37], gpsi[32];

	for (unsigned i = 0; i < 65400; i++) {
		sprintf(gpsi, "msisdn-55%07u", i);
		cr_assert_neq(ue_name(&world->app, batch, DP_GPSI, gpsi), DP_NONE);
	}
	store_commit(batch, named, NULL);
	world_turn(world, 0);
	push(world, BODY("{\"all\":true}"), id);
	EXPECT_HAS("\"targets\":65440");
	world_run(world, 1500, 10);
	EXPECT_STATUS(world, 200, HTTP_GET, path_of(id, "/results?state=DELIVERED"), NULL);
	cr_assert_eq(count_lines(), WORLD_DEVICES);
	world_run(world, 70, 1000);
	get(world, id);
	EXPECT_HAS("\"state\":\"FINISHED\"");
	EXPECT_HAS("\"DELIVERED\":40");
	EXPECT_HAS("\"NO_CONTEXT\":65400");
	get_results(world, id);
	cr_assert_eq(count_lines(), 65440);
	world_crash(world);
	EXPECT_STATUS(world, 200, HTTP_GET, path_of(id, "/results?state=DELIVERED"), NULL);
	cr_assert_eq(count_lines(), WORLD_DEVICES);
	world_free(world);
}

// ---- Bad input

struct bad {
	int status;
	const char *cause;
	const char *body;
};

Test(push, bad_bodies)
{
	static const struct bad bad[] = {
		{400, "INVALID_MSG_FORMAT", ""},
		{400, "INVALID_MSG_FORMAT", "{\"target\":"},
		{400, "INVALID_MSG_FORMAT", "[]"},
		{400, "INVALID_MSG_FORMAT", BODY("{\"gpsi\":\"msisdn-4900000\"}") "x"},
		{400, "INVALID_MSG_FORMAT",
		 "{\"payload\":\"\",\"payload\":\"\",\"target\":{\"all\":true},\"validityPeriod\":"
		 "1}"},
		{400, "MANDATORY_IE_MISSING", "{}"},
		{400, "/validityPeriod", "{\"target\":{\"all\":true},\"payload\":\"\"}"},
		{400, "/payload", "{\"target\":{\"all\":true},\"validityPeriod\":1}"},
		{400, "/target", "{\"payload\":\"\",\"validityPeriod\":1}"},
		{400, "/target", BODY("{}")},
		{400, "/target", BODY("7")},
		{400, "/target", BODY("{\"gpsi\":\"msisdn-4900000\",\"all\":true}")},
		{400, "/target/gpsi", BODY("{\"gpsi\":\"4900000\"}")},
		{400, "/target/gpsi", BODY("{\"gpsi\":7}")},
		{400, "/target/all", BODY("{\"all\":false}")},
		{400, "/target/list", BODY("{\"list\":[]}")},
		{400, "/target/list/0", BODY("{\"list\":[7]}")},
		{400, "INCORRECT",
		 BODY("{\"list\":[{\"gpsi\":\"msisdn-4900000\",\"supi\":\"imsi-0010100000\"}]}")},
		{400, "MISSING", BODY("{\"list\":[{}]}")},
		{400, "UNKNOWN_IE", BODY("{\"list\":[{\"gpsi\":\"msisdn-4900000\",\"x\":1}]}")},
		{400, "UNKNOWN_IE", BODY("{\"everybody\":true}")},
		{400, "UNKNOWN_IE",
		 "{\"target\":{\"all\":true},\"payload\":\"\",\"validityPeriod\":1,\"paylod\":"
		 "\"\"}"},
		{400, "/validityPeriod",
		 "{\"target\":{\"all\":true},\"payload\":\"\",\"validityPeriod\":0}"},
		{400, "/validityPeriod",
		 "{\"target\":{\"all\":true},\"payload\":\"\",\"validityPeriod\":-5}"},
		{400, "/validityPeriod",
		 "{\"target\":{\"all\":true},\"payload\":\"\",\"validityPeriod\":99999999}"},
		{400, "/validityPeriod",
		 "{\"target\":{\"all\":true},\"payload\":\"\",\"validityPeriod\":1.5}"},
		{400, "/payload",
		 "{\"target\":{\"all\":true},\"payload\":\"a\",\"validityPeriod\":1}"},
		{400, "/suite",
		 "{\"target\":{\"all\":true},\"payload\":\"\",\"validityPeriod\":1,\"suite\":3}"},
		{400, "/segmentSize",
		 "{\"target\":{\"all\":true},\"payload\":\"\",\"validityPeriod\":1,"
		 "\"segmentSize\":1185}"},
		{400, "/ordered",
		 "{\"target\":{\"all\":true},\"payload\":\"\",\"validityPeriod\":1,\"ordered\":1}"},
		{400, "NOT_BUILT",
		 "{\"target\":{\"all\":true},\"payload\":\"\",\"validityPeriod\":1,\"priority\":"
		 "1}"},
		{400, "/notificationDestination",
		 "{\"target\":{\"all\":true},\"payload\":\"\",\"validityPeriod\":1,"
		 "\"notificationDestination\":\"http://x\"}"},
		{413, "PAYLOAD_TOO_LARGE",
		 "{\"target\":{\"all\":true},\"payload\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\","
		 "\"validityPeriod\":1,\"segmentSize\":1}"},
		{403, "NOT_AUTHORIZED", BODY("{\"supi\":\"imsi-0010100000\"}")},
		{403, "NOT_AUTHORIZED", BODY("{\"list\":[{\"supi\":\"imsi-0010100000\"}]}")},
		{404, "GROUP_NOT_FOUND", BODY("{\"externalGroupId\":\"nobody\"}")},
	};
	struct world *world = some_world(1);
	unsigned before = push_store_count(world->store, STORE_PUSH);
	char id[37];

	for (unsigned i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		int status = world_ask(world, HTTP_POST, pushes, bad[i].body);

		cr_assert_eq(status, bad[i].status, "%s: %d %s", bad[i].body, status,
			     world_answer.body);
		cr_assert(world_has(bad[i].cause), "%s: %s not in %s", bad[i].body, bad[i].cause,
			  world_answer.body);
	}
	cr_assert_eq(push_store_count(world->store, STORE_PUSH), before);
	cr_assert_eq(world->app.pushes->n_live, 0);
	cr_assert_eq(world->n_datagrams, 0);
	push(world, ONE("msisdn-4900000"), id);
	world_free(world);
}

// What a port's MTU leaves: FRAME_MAX - 48 octets of payload, or less.
static int push_of(struct world *world, unsigned len, const char *more, enum http_method method,
		   const char *path)
{
	char *body = malloc(2 * len + 200), *at = body;
	int status;

	at += sprintf(at, "{\"target\":{\"all\":true},\"validityPeriod\":60%s,\"payload\":\"",
		      more);
	memset(at, 'A', len / 3 * 4);
	at += len / 3 * 4;
	at += sprintf(at, len % 3 == 1 ? "AA==" : len % 3 == 2 ? "AAA=" : "");
	strcpy(at, "\"}");
	status = world_ask(world, method, path, body);
	free(body);
	return status;
}

Test(push, datagrams_fit_the_mtu)
{
	struct world *world = some_world(1);
	char path[200], id[37];
	uint64_t before;

	io_mem_set_datagram_max(world->net, 148);
	cr_expect_eq(push_of(world, 101, ",\"segmentSize\":101", HTTP_POST, pushes), 400);
	cr_expect(world_has("OPTIONAL_IE_INCORRECT") && world_has("/segmentSize") &&
			  world_has("at most 100:"),
		  "%s", world_answer.body);
	cr_expect_eq(push_of(world, 1000, ",\"segmentSize\":1184", HTTP_POST, pushes), 400);
	cr_expect_eq(push_of(world, 1601, "", HTTP_POST, pushes), 413);
	cr_expect(world_has("/payload") && world_has("at most 16 segments of 100 octets"), "%s",
		  world_answer.body);
	cr_expect_eq(world->app.pushes->n_live, 0, "nothing of them is there");

	before = world->n_datagrams;
	cr_expect_eq(push_of(world, 100, ",\"segmentSize\":1184", HTTP_POST, pushes), 201);
	cr_expect_eq(push_of(world, 100, ",\"segmentSize\":100", HTTP_POST, pushes), 201);
	cr_expect_eq(push_of(world, 1600, "", HTTP_POST, pushes), 201, "%s", world_answer.body);
	world_push_id(id);
	snprintf(path, sizeof(path), "%s/%s", pushes, id);
	cr_expect_eq(push_of(world, 101, ",\"segmentSize\":101", HTTP_PUT, path), 400);
	cr_expect_eq(world_ask(world, HTTP_GET, path, NULL), 200);
	cr_expect(world_has("\"segmentSize\":100"), "%s", world_answer.body);
	world_run(world, 20, 10);
	cr_expect_eq(world->n_datagrams - before, 1 + 1 + 16);

	io_mem_set_datagram_max(world->net, FRAME_MAX);
	cr_expect_eq(push_of(world, 1184, ",\"segmentSize\":1184", HTTP_POST, pushes), 201);
	cr_expect_eq(push_of(world, 1184, "", HTTP_POST, pushes), 201);
	world_free(world);
}

Test(push, payload_limits)
{
	struct world *world = some_world(1);
	size_t len = (DP_PAYLOAD_MAX + 3) / 3 * 4;
	char *body = malloc(len + 200), *at = body, id[37];

	// 18,944 octets are 6,314 groups of three and two: the last group ends with one '='.
	at += sprintf(at, "{\"target\":{\"all\":true},\"validityPeriod\":60,\"payload\":\"");
	memset(at, 'A', 25260);
	strcpy(at + 25259 - 1 + 1, "=\"}");
	push(world, body, id);
	memset(at, 'A', 25260);
	strcpy(at + 25260, "\"}");
	EXPECT_STATUS(world, 413, HTTP_POST, pushes, body);
	EXPECT_HAS("PAYLOAD_TOO_LARGE");
	free(body);
	EXPECT_STATUS(world, 200, HTTP_PUT, "/akma-push/v1/afs/meters.example.com",
		      "{\"allowedUes\":{\"all\":true},\"maxPayload\":4,\"maxTargets\":1}");
	EXPECT_STATUS(world, 413, HTTP_POST, pushes, ONE("msisdn-4900000"));
	EXPECT_STATUS(world, 400, HTTP_POST, pushes,
		      "{\"target\":{\"list\":[{\"gpsi\":\"msisdn-4900000\"},{\"gpsi\":\"msisdn-"
		      "4900001\"}]"
		      "},\"payload\":\"\",\"validityPeriod\":60}");
	EXPECT_HAS("TOO_MANY_TARGETS");
	world_free(world);
}

Test(push, unknown_resources_and_queries)
{
	struct world *world = some_world(1);
	char id[37], path[400];

	world_af(world, "locks.example.com", "{\"allowedUes\":{\"all\":true}}");
	push(world, ONE("msisdn-4900000"), id);
	EXPECT_STATUS(world, 404, HTTP_POST, "/akma-push/v1/nobody.example.com/pushes",
		      ONE("msisdn-4900000"));
	EXPECT_HAS("AF_NOT_FOUND");
	EXPECT_STATUS(world, 404, HTTP_GET, path_of("x", ""), NULL);
	EXPECT_STATUS(world, 404, HTTP_GET, path_of("01234567-89ab-7def-8123-456789abcdef", ""),
		      NULL);
	EXPECT_HAS("PUSH_NOT_FOUND");
	EXPECT_STATUS(world, 404, HTTP_DELETE, path_of("01234567-89ab-7def-8123-456789abcdef", ""),
		      NULL);
	snprintf(path, sizeof(path), "/akma-push/v1/locks.example.com/pushes/%s", id);
	EXPECT_STATUS(world, 404, HTTP_GET, path, NULL);
	EXPECT_HAS("PUSH_NOT_FOUND");
	EXPECT_STATUS(world, 404, HTTP_DELETE, path, NULL);
	EXPECT_STATUS(world, 404, HTTP_PUT, path, ONE("msisdn-4900000"));
	strcat(path, "/results");
	EXPECT_STATUS(world, 404, HTTP_GET, path, NULL);
	EXPECT_STATUS(world, 400, HTTP_GET, path_of(id, "/results?state=SENT,LOST"), NULL);
	EXPECT_HAS("INVALID_QUERY_PARAM");
	EXPECT_STATUS(world, 400, HTTP_GET, path_of(id, "/results?stat=SENT"), NULL);
	snprintf(path, sizeof(path), "%s?limit=0", pushes);
	EXPECT_STATUS(world, 400, HTTP_GET, path, NULL);
	snprintf(path, sizeof(path), "%s?state=GONE", pushes);
	EXPECT_STATUS(world, 400, HTTP_GET, path, NULL);
	cr_assert_eq(world_ask_as(world, &(struct ask){HTTP_GET, path_of(id, ""),
						       .peer_af = "locks.example.com"}),
		     403);
	cr_assert_eq(world_ask_as(world, &(struct ask){HTTP_GET, path_of(id, ""),
						       .peer_af = "METERS.example.com."}),
		     200);
	world_free(world);
}

Test(push, trusted_afs_see_supis)
{
	struct world *world = some_world(1);
	char id[37];

	EXPECT_STATUS(world, 200, HTTP_PUT, "/akma-push/v1/afs/meters.example.com",
		      "{\"allowedUes\":{\"all\":true},\"trusted\":true}");
	push(world, BODY("{\"supi\":\"imsi-0010100000\"}"), id);
	world_run(world, 50, 50);
	get_results(world, id);
	EXPECT_HAS("{\"supi\":\"imsi-0010100000\",\"gpsi\":\"msisdn-4900000\",");
	world_free(world);
}

// ---- Idempotency

Test(push, same_key_same_answer)
{
	struct world *world = some_world(2);
	struct ask ask = {HTTP_POST, pushes, ONE("msisdn-4900000"), .idempotency_key = "k 1"};
	struct answer first = {0}, second = {0};
	char id[37], again[37];

	world_start_ask(world, &ask, &first); // both under way at once
	world_start_ask(world, &ask, &second);
	world_run(world, 5, 0);
	cr_assert(first.is_there && second.is_there);
	cr_assert_eq(first.status, 201);
	cr_assert_eq(second.status, 201);
	cr_assert_str_eq(first.location, second.location);
	cr_assert_eq(world_ask_as(world, &ask), 201);
	cr_assert_str_eq(first.location, world_answer.location);
	world_push_id(id);
	world_run(world, 50, 50);
	world_crash(world);
	cr_assert_eq(world_ask_as(world, &ask), 201, "also when it is over, and after a crash");
	world_push_id(again);
	cr_assert_str_eq(id, again);
	EXPECT_HAS("\"DELIVERED\":1");
	cr_assert_eq(world->n_deliveries, 1);
	ask.body = ONE("msisdn-4900001");
	cr_assert_eq(world_ask_as(world, &ask), 409);
	EXPECT_HAS("IDEMPOTENCY_CONFLICT");
	ask.idempotency_key = "k 2";
	cr_assert_eq(world_ask_as(world, &ask), 201);
	ask.idempotency_key = "";
	cr_assert_eq(world_ask_as(world, &ask), 400);
	door_forget(&first);
	door_forget(&second);
	world_free(world);
}

Test(push, keys_are_forgotten_after_a_time)
{
	struct world *world = some_world(1);
	struct ask ask = {HTTP_POST, pushes, ONE("msisdn-4900000"), .idempotency_key = "k"};
	char first[400];

	cr_assert_eq(world_ask_as(world, &ask), 201);
	strcpy(first, world_answer.location);
	world_run(world, 10, 1000);
	cr_assert_eq(push_store_count(world->store, STORE_IDEMPOTENCY), 2);
	world_run(world, 25, 3600 * 1000);
	world_run(world, 2, 1000);
	cr_assert_eq(push_store_count(world->store, STORE_IDEMPOTENCY), 0);
	cr_assert_eq(world_ask_as(world, &ask), 201);
	cr_assert_str_neq(first, world_answer.location);
	world_free(world);
}

// A key may be remembered for longer than its push: a repetition still pushes nothing.
Test(push, key_of_a_push_that_was_deleted)
{
	struct world *world = some_world(1);
	struct ask ask = {HTTP_POST, pushes, ONE("msisdn-4900000"), .idempotency_key = "k"};
	char id[37];

	world->config->push.results_retention_s = 10;
	cr_assert_eq(world_ask_as(world, &ask), 201);
	world_push_id(id);
	world_run(world, 20, 1000);
	EXPECT_STATUS(world, 404, HTTP_GET, path_of(id, ""), NULL);
	for (unsigned i = 0; i < 2; i++) {
		cr_assert_eq(world_ask_as(world, &ask), 410);
		EXPECT_HAS("\"cause\":\"PUSH_DELETED\"");
		EXPECT_HAS(id);
		world_crash(world);
	}
	ask.body = ONE("msisdn-4900001");
	cr_assert_eq(world_ask_as(world, &ask), 409);
	EXPECT_HAS("IDEMPOTENCY_CONFLICT");
	cr_assert_eq(world->n_deliveries, 1);
	world_free(world);
}

Test(push, failed_request_leaves_its_key_free)
{
	struct world *world = some_world(1);
	struct ask ask = {HTTP_POST, pushes, ONE("msisdn-4900000"), .idempotency_key = "k"};
	struct answer waiting = {0};

	push_store_fail(world->store, -ENOSPC);
	world_start_ask(world, &ask, &waiting);
	cr_assert_eq(world_ask_as(world, &ask), 507);
	cr_assert_eq(waiting.status, 507, "the second has the outcome of the first");
	cr_assert_eq(world->app.pushes->n_live, 0);
	cr_assert_eq(push_singles(&world->app, 0), 0);
	push_store_fail(world->store, 0);
	world_run(world, 5, 1000);
	cr_assert_eq(world_ask_as(world, &ask), 201);
	world_run(world, 50, 50);
	cr_assert_eq(world->n_deliveries, 1);
	door_forget(&waiting);
	world_free(world);
}

// ---- Replace, recall, suspend

static void note_stopped(struct world *world, const char *id)
{
	push_id_parse(id, world->stopped[world->n_stopped++]);
}

Test(push, replaced)
{
	struct world *world = some_world(WORLD_DEVICES);
	char id[37], new_id[37], path[500];

	for (unsigned i = 1; i < WORLD_DEVICES; i++)
		world->devices[i].deaf = true;
	push(world, BODY("{\"all\":true}"), id);
	world_run(world, 20, 50);
	EXPECT_STATUS(world, 201, HTTP_PUT, path_of(id, ""),
		      "{\"payload\":\"\",\"validityPeriod\":60}");
	note_stopped(world, id);
	world_push_id(new_id);
	cr_assert_str_neq(id, new_id);
	EXPECT_HAS("\"targets\":40");
	get(world, id);
	EXPECT_HAS("\"state\":\"FINISHED\"");
	EXPECT_HAS("\"states\":{\"DELIVERED\":1,\"REPLACED\":39}");
	EXPECT_HAS("\"deliveryResults\":{\"SUCCESS\":1,\"REPLACED\":39}");
	for (unsigned i = 1; i < WORLD_DEVICES; i++)
		world->devices[i].deaf = false;
	world_run(world, 100, 100);
	get(world, new_id);
	EXPECT_HAS("\"states\":{\"DELIVERED\":40}");
	get(world, id);
	EXPECT_HAS("\"states\":{\"DELIVERED\":1,\"REPLACED\":39}");
	EXPECT_STATUS(world, 409, HTTP_PUT, path_of(id, ""), ONE("msisdn-4900000"));
	EXPECT_HAS("PUSH_FINISHED");
	cr_assert_not(world->sent_after_stop);
	snprintf(path, sizeof(path), "%s?state=FINISHED&limit=1", pushes);
	EXPECT_STATUS(world, 200, HTTP_GET, path, NULL);
	EXPECT_HAS(new_id);
	EXPECT_HAS_NOT(id);
	world_free(world);
}

Test(push, recalled)
{
	struct world *world = some_world(WORLD_DEVICES);
	char id[37];

	for (unsigned i = 0; i < WORLD_DEVICES; i++)
		world->devices[i].deaf = true;
	push(world, BODY("{\"all\":true}"), id);
	world_run(world, 20, 50);
	EXPECT_STATUS(world, 204, HTTP_DELETE, path_of(id, ""), NULL);
	note_stopped(world, id);
	EXPECT_STATUS(world, 409, HTTP_DELETE, path_of(id, ""), NULL);
	get(world, id);
	EXPECT_HAS("\"states\":{\"RECALLED\":40}");
	EXPECT_HAS("\"deliveryResults\":{\"TERMINATE\":40}");
	world_run(world, 50, 100);
	get(world, id);
	EXPECT_HAS("\"states\":{\"RECALLED\":40}");
	cr_assert_not(world->sent_after_stop);
	cr_assert_eq(world->app.pushes->n_live, 0);
	world_free(world);
}

Test(push, recall_that_is_not_durable_did_not_happen)
{
	struct world *world = some_world(1);
	char id[37];

	world->devices[0].deaf = true;
	push(world, ONE("msisdn-4900000"), id);
	world_run(world, 5, 50);
	push_store_fail(world->store, -EIO);
	EXPECT_STATUS(world, 503, HTTP_DELETE, path_of(id, ""), NULL);
	push_store_fail(world->store, 0);
	world_run(world, 2, 1000);
	world->devices[0].deaf = false;
	world_run(world, 50, 200);
	get(world, id);
	EXPECT_HAS("\"states\":{\"DELIVERED\":1}");
	world_free(world);
}

Test(push, suspended_and_deleted_afs)
{
	struct world *world = some_world(WORLD_DEVICES);
	char id[20][37];

	for (unsigned i = 0; i < WORLD_DEVICES; i++)
		world->devices[i].deaf = true;
	for (unsigned i = 0; i < 20; i++)
		push(world, BODY("{\"all\":true}"), id[i]);
	world_run(world, 20, 50);
	get(world, id[19]);
	EXPECT_HAS("\"state\":\"WAITING\"");
	EXPECT_STATUS(world, 200, HTTP_PUT, "/akma-push/v1/afs/meters.example.com",
		      "{\"allowedUes\":{\"all\":true},\"suspended\":true}");
	for (unsigned i = 0; i < 20; i++)
		note_stopped(world, id[i]);
	EXPECT_STATUS(world, 403, HTTP_POST, pushes, BODY("{\"all\":true}"));
	EXPECT_HAS("AF_SUSPENDED");
	EXPECT_STATUS(world, 200, HTTP_PUT, "/akma-push/v1/afs/meters.example.com",
		      "{\"allowedUes\":{\"all\":true}}");
	world_crash(world); // their ends were not durable yet; that they are stopped was
	world_run(world, 50, 100);
	for (unsigned i = 0; i < 20; i++) {
		get(world, id[i]);
		EXPECT_HAS("\"states\":{\"NOT_ALLOWED\":40}");
	}
	cr_assert_not(world->sent_after_stop);
	push(world, BODY("{\"all\":true}"), id[0]);
	EXPECT_STATUS(world, 204, HTTP_DELETE, "/akma-push/v1/afs/meters.example.com", NULL);
	note_stopped(world, id[0]);
	world_run(world, 50, 100);
	EXPECT_STATUS(world, 404, HTTP_GET, path_of(id[0], ""), NULL);
	EXPECT_HAS("AF_NOT_FOUND");
	cr_assert_not(world->sent_after_stop);
	cr_assert_eq(world->app.pushes->n_live, 0);
	world_free(world);
}

// ---- Order and limits

Test(push, sixteen_lists_run_the_rest_waits_in_order)
{
	struct world *world = some_world(2);
	char id[20][37], single[37];

	world->devices[0].deaf = world->devices[1].deaf = true;
	for (unsigned i = 0; i < 20; i++) {
		push(world, BODY("{\"all\":true}"), id[i]);
		if (i)
			cr_assert_gt(strcmp(id[i], id[i - 1]), 0, "push_ids grow");
	}
	push(world, ONE("msisdn-4900000"), single);
	world_run(world, 10, 50);
	for (unsigned i = 0; i < 20; i++) {
		get(world, id[i]);
		EXPECT_HAS(i < 16 ? "\"state\":\"RUNNING\"" : "\"state\":\"WAITING\"");
	}
	get(world, single);
	EXPECT_HAS("\"state\":\"WAITING\"");
	EXPECT_STATUS(world, 204, HTTP_DELETE, path_of(id[17], ""), NULL);
	EXPECT_STATUS(world, 204, HTTP_DELETE, path_of(id[3], ""), NULL);
	world_run(world, 10, 50);
	get(world, id[16]);
	EXPECT_HAS("\"state\":\"RUNNING\"");
	get(world, id[17]);
	EXPECT_HAS("\"states\":{\"RECALLED\":2}");
	EXPECT_HAS("\"datagramsSent\":0");
	get(world, id[18]);
	EXPECT_HAS("\"state\":\"WAITING\"");
	world_run(world, 70, 1000); // what waits expires too
	get(world, id[19]);
	EXPECT_HAS("\"state\":\"FINISHED\"");
	world_run(world, 100, 10);
	cr_assert_eq(world->app.pushes->n_live, 0);
	world_free(world);
}

Test(push, sixteen_singles_of_a_ue)
{
	struct world *world = some_world(2);
	char id[37];

	world->devices[0].deaf = true;
	for (unsigned i = 0; i < 16; i++)
		push(world, ONE("msisdn-4900000"), id);
	EXPECT_STATUS(world, 429, HTTP_POST, pushes, ONE("msisdn-4900000"));
	EXPECT_HAS("NF_CONGESTION_RISK");
	cr_assert_str_neq(world_answer.retry_after, "");
	EXPECT_STATUS(world, 201, HTTP_PUT, path_of(id, ""), ONE("msisdn-4900000"));
	push(world, ONE("msisdn-4900001"), id);
	world->devices[0].deaf = false;
	world_run(world, 50, 200);
	push(world, ONE("msisdn-4900000"), id);
	world_free(world);
}

Test(push, rate_quota_and_room)
{
	struct world *world = some_world(2);
	char id[37];

	EXPECT_STATUS(world, 200, HTTP_PUT, "/akma-push/v1/afs/meters.example.com",
		      "{\"allowedUes\":{\"all\":true},\"quota\":3}");
	push(world, BODY("{\"all\":true}"), id);
	EXPECT_STATUS(world, 429, HTTP_POST, pushes, BODY("{\"all\":true}"));
	push(world, ONE("msisdn-4900000"), id);
	EXPECT_STATUS(world, 200, HTTP_PUT, "/akma-push/v1/afs/meters.example.com",
		      "{\"allowedUes\":{\"all\":true}}");
	world->devices[0].deaf = true;
	world->app.pushes->live_max = 5;
	while (world_ask(world, HTTP_POST, pushes, ONE("msisdn-4900000")) == 201)
		;
	cr_assert_eq(world_answer.status, 503);
	EXPECT_HAS("NF_CONGESTION");
	cr_assert_str_neq(world_answer.retry_after, "");
	push_store_queue_max(world->store, 0);
	EXPECT_STATUS(world, 503, HTTP_POST, pushes, ONE("msisdn-4900001"));
	push_store_queue_max(world->store, UINT32_MAX);
	world_free(world);
}

Test(push, clock_set_back)
{
	struct world *world = some_world(1);
	char id[37];

	push(world, ONE("msisdn-4900000"), id);
	world->unix_ms -= 61000;
	EXPECT_STATUS(world, 503, HTTP_POST, pushes, ONE("msisdn-4900000"));
	EXPECT_HAS("CLOCK_BEHIND");
	world_crash(world);
	EXPECT_STATUS(world, 503, HTTP_POST, pushes, ONE("msisdn-4900000"));
	world->unix_ms += 2000;
	push(world, ONE("msisdn-4900000"), id);
	world_free(world);
}

Test(push, running_places_are_shared_by_afs)
{
	struct world *world = some_world(4);
	char body[200], id[37], path[400];

	world_af(world, "locks.example.com", "{\"allowedUes\":{\"all\":true}}");
	for (unsigned i = 0; i < 4; i++)
		world->devices[i].deaf = true;
	for (unsigned i = 0; i < 60; i++) {
		sprintf(body, ONE("msisdn-490000%u"), i % 4);
		push(world, body, id);
	}
	world->app.pushes->running_max = 60;
	EXPECT_STATUS(world, 201, HTTP_POST, "/akma-push/v1/locks.example.com/pushes",
		      BODY("{\"all\":true}"));
	snprintf(path, sizeof(path), "%s", world_answer.location);
	EXPECT_STATUS(world, 200, HTTP_GET, path, NULL);
	EXPECT_HAS("\"state\":\"WAITING\"");
	EXPECT_STATUS(world, 204, HTTP_DELETE, path_of(id, ""), NULL);
	world_run(world, 10, 50);
	EXPECT_STATUS(world, 200, HTTP_GET, path, NULL);
	EXPECT_HAS("\"state\":\"RUNNING\"");
	world_free(world);
}

// ---- Lists of pushes, retention, mode K

Test(push, lists_newest_first)
{
	struct world *world = some_world(2);
	char id[6][37], path[400];

	world->devices[1].deaf = true;
	for (unsigned i = 0; i < 6; i++) {
		push(world, i % 2 ? ONE("msisdn-4900001") : ONE("msisdn-4900000"), id[i]);
		world_run(world, 20, 20);
	}
	EXPECT_STATUS(world, 200, HTTP_GET, pushes, NULL);
	for (unsigned i = 1; i < 6; i++)
		cr_assert_gt(strstr(world_answer.body, id[i - 1]),
			     strstr(world_answer.body, id[i]));
	snprintf(path, sizeof(path), "%s?state=RUNNING&limit=2", pushes);
	EXPECT_STATUS(world, 200, HTTP_GET, path, NULL);
	EXPECT_HAS(id[5]);
	EXPECT_HAS(id[3]);
	EXPECT_HAS_NOT(id[1]);
	EXPECT_HAS_NOT(id[4]);
	cr_assert_eq(world_ask_as(world, &(struct ask){HTTP_GET, "/admin/v1/pushes?state=FINISHED",
						       .roles = 15}),
		     200);
	EXPECT_HAS(id[0]);
	EXPECT_HAS_NOT(id[1]);
	snprintf(path, sizeof(path), "/admin/v1/pushes/%s", id[0]);
	EXPECT_STATUS(world, 200, HTTP_GET, path, NULL);
	EXPECT_HAS("\"afId\":\"meters.example.com\"");
	world_free(world);
}

Test(push, results_are_deleted_after_their_time)
{
	struct world *world = some_world(WORLD_DEVICES);
	char id[37];

	world->devices[0].reply = "ok";
	push(world, BODY("{\"all\":true}"), id);
	world_run(world, 50, 100);
	get(world, id);
	EXPECT_HAS("\"state\":\"FINISHED\"");
	cr_assert_eq(push_store_count(world->store, STORE_REPLY), 1);
	world_run(world, 8 * 24, 3600 * 1000);
	world_run(world, 3, 1000);
	EXPECT_STATUS(world, 404, HTTP_GET, path_of(id, ""), NULL);
	cr_assert_eq(push_store_count(world->store, STORE_PUSH), 0);
	cr_assert_eq(push_store_count(world->store, STORE_REPLY), 0);
	cr_assert_eq(push_store_count(world->store, STORE_TARGET), 0);
	cr_assert_eq(push_store_count(world->store, STORE_PROGRESS), 0);
	world_free(world);
}

Test(push, ends_and_replies_wait_for_the_store)
{
	struct world *world = some_world(3);
	char id[37];

	world->devices[1].reply = "late";
	push(world, BODY("{\"all\":true}"), id);
	push_store_fail(world->store, -ENOSPC);
	world_run(world, 100, 100);
	get(world, id);
	EXPECT_HAS("\"DELIVERED\":3");
	cr_assert_eq(world->app.pushes->n_live, 1);
	push_store_fail(world->store, 0);
	world_run(world, 30, 100);
	cr_assert_eq(world->app.pushes->n_live, 0);
	get_results(world, id);
	EXPECT_HAS("\"reply\":\"bGF0ZQ==\"");
	world_free(world);
}

Test(push, info_of_mode_k)
{
	static const char path[] = "/akma-push/v1/meters.example.com/push-info";
	struct world *world = some_world(3);
	char unknown[500], strange[500];

	EXPECT_STATUS(world, 200, HTTP_POST, path, "{\"gpsi\":\"msisdn-4900000\"}");
	EXPECT_HAS("\"kaf\":\"");
	EXPECT_HAS("\"aKIdRef\":\"");
	EXPECT_STATUS(world, 200, HTTP_POST, path,
		      "{\"gpsi\":\"msisdn-4900000\",\"uaStarId\":\"FF414B5002\"}");
	EXPECT_STATUS(world, 403, HTTP_POST, path,
		      "{\"gpsi\":\"msisdn-4900000\",\"uaStarId\":\"ff414b5001\"}");
	EXPECT_HAS("UA_STAR_ID_NOT_SERVED");
	EXPECT_STATUS(world, 400, HTTP_POST, path,
		      "{\"gpsi\":\"msisdn-4900000\",\"uaStarId\":\"ff\"}");
	EXPECT_STATUS(world, 400, HTTP_POST, path, "{}");
	EXPECT_STATUS(world, 403, HTTP_POST, path, "{\"supi\":\"imsi-0010100000\"}");
	EXPECT_STATUS(world, 404, HTTP_POST, path, "{\"gpsi\":\"msisdn-4999999\"}");
	strcpy(unknown, world_answer.body);
	world_group(world, "one", 0, 1);
	EXPECT_STATUS(world, 200, HTTP_PUT, "/akma-push/v1/afs/meters.example.com",
		      "{\"allowedUes\":{\"externalGroupIds\":[\"one\"]}}");
	EXPECT_STATUS(world, 404, HTTP_POST, path, "{\"gpsi\":\"msisdn-4900001\"}");
	strcpy(strange, world_answer.body);
	cr_assert_str_eq(unknown, strange, "one answer for all that is not to be told");
	EXPECT_STATUS(world, 200, HTTP_POST, path, "{\"gpsi\":\"msisdn-4900000\"}");
	world_free(world);
}
