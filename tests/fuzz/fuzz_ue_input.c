// A device under hostile and under genuine datagrams, with everything that an application, a
// storage and a clock may do around them. The first octet chooses the configuration, what follows
// is a list of commands for two UEs that share a pool: see `commands`.
//
// It does as akmapush_ue.h tells, and aborts when a push is delivered twice, when something leaves
// that must not, or when what a UE says of itself is out of bounds.

#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "ue/peer.h"

enum { IDS = 256, AFS = 2, UES = 2, KEPT = 4, START_S = 17000000, STEP_S = 8, FAR = 250 };

static const struct akmapush_ue_address functions[2] = {
	{.octets = {[15] = 1}, .port = 1},
	{.octets = {[15] = 2}, .port = 0},
};
static const struct akmapush_ue_af afs[AFS] = {
	{"a.example", {0xff, 'A', 'K', 'P', 1}, functions, 2},
	{"b.example", {0xff, 'A', 'K', 'P', 1}, functions + 1, 1},
};

static uint64_t memory[UES][2048], pool[1024];
static uint8_t datagram[1400], scratch[AKMAPUSH_UE_SEGMENT_MAX], out[AKMAPUSH_UE_DATAGRAM_MAX];

struct device {
	struct akmapush_ue *ue;
	uint8_t key;  // number of the current one
	bool refused; // by rule 7: only a new key helps
	int32_t blob_len;
	uint8_t blob[12000];
	uint8_t delivered[AFS][IDS];
	struct akmapush_ue_push_id kept[KEPT]; // that the application may answer later
	unsigned n_kept;
};

static struct device devices[UES];

struct run {
	const uint8_t *octets;
	size_t n;
	struct akmapush_ue_config config;
	struct akmapush_ue_now now;
	struct device *device; // that the command is for
};

static void must(bool condition)
{
	if (!condition)
		abort();
}

static uint8_t next(struct run *run)
{
	if (run->n == 0)
		return 0;
	run->n--;
	return *run->octets++;
}

// Unix seconds in push_id number i; the last few are more than a day ahead.
static uint32_t push_s(unsigned i)
{
	return START_S + i * STEP_S + (i >= FAR ? 200000 : 0);
}

static void push_id(unsigned i, uint8_t id[16])
{
	uint64_t ms = push_s(i) * UINT64_C(1000);

	memset(id, 0, 16);
	for (unsigned k = 0; k < 6; k++)
		id[k] = (uint8_t)(ms >> (40 - 8 * k));
	id[6] = 0x70;
	id[8] = 0x80;
	id[15] = (uint8_t)i;
}

static void kakma_of(const struct run *run, uint8_t number, uint8_t kakma[32])
{
	memset(kakma, number, 32);
	kakma[0] = (uint8_t)(run->device - devices);
}

static void save(struct run *run)
{
	struct device *d = run->device;

	d->blob_len = akmapush_ue_save(d->ue, &run->now, d->blob, sizeof(d->blob));
	must(d->blob_len > 0 && (size_t)d->blob_len <= akmapush_ue_state_max(&run->config));
}

static void ack(struct run *run, const struct akmapush_ue_push_id *id, bool may_leave)
{
	struct akmapush_ue_address to;
	int32_t n = akmapush_ue_ack(run->device->ue, id, &run->now, out, sizeof(out), &to);

	must(n <= (int32_t)sizeof(out) && n >= -60008);
	if (n <= 0)
		return;
	must(may_leave && n >= AKMAPUSH_UE_ACK_MIN && to.port != 0);
	must(to.octets[15] == 1 || to.octets[15] == 2);
	n = akmapush_ue_ack(run->device->ue, id, &run->now, out, sizeof(out), &to);
	must(n <= -2000 && n >= -60008); // the next one is not due at once
}

static void application(struct run *run, const struct akmapush_ue_push *push)
{
	struct device *d = run->device;
	uint8_t sum = 0;

	must(push->id.af < AFS && push->payload_len <= AKMAPUSH_UE_PAYLOAD_MAX);
	must(d->delivered[push->id.af][push->id.octets[15]]++ == 0);
	for (size_t i = 0; i < push->payload_len; i++)
		sum |= push->payload[i] ^ 'x'; // all of it can be read, and is what was sealed
	must(sum == 0);
	d->kept[d->n_kept++ % KEPT] = push->id;
}

// The order of akmapush_ue.h: persist, deliver, acknowledge.
static void feed(struct run *run, size_t len, uint8_t mood)
{
	const struct akmapush_ue_address strange = {.octets = {[15] = 9}, .port = 9},
					 open = {.octets = {[15] = 2}, .port = 5};
	const struct akmapush_ue_address *sources[4] = {functions, NULL, &strange, &open};
	uint8_t *exact = malloc(len ? len : 1);
	enum akmapush_ue_outcome outcome;
	struct akmapush_ue_push push;

	must(exact != NULL);
	memcpy(exact, datagram, len);
	outcome = akmapush_ue_input(run->device->ue, exact, len, sources[mood & 3], &run->now,
				    scratch, &push);
	free(exact);
	must(outcome < AKMAPUSH_UE_OUTCOME_CNT);
	must(push.persist || outcome != AKMAPUSH_UE_DELIVERED);
	must((push.payload != NULL) == (outcome == AKMAPUSH_UE_DELIVERED));
	if (push.persist && mood & 4) { // the storage fails
		if (outcome == AKMAPUSH_UE_DELIVERED) {
			akmapush_ue_withdraw(run->device->ue, &push.id);
			ack(run, &push.id, false);
		}
		return;
	}
	if (push.persist)
		save(run);
	if (outcome == AKMAPUSH_UE_DELIVERED)
		application(run, &push);
	if (!(mood & 8))
		ack(run, &push.id, outcome <= AKMAPUSH_UE_ANSWERED_LAST && push.ack_wanted);
}

static void raw(struct run *run)
{
	uint8_t mood = next(run);
	size_t len = (size_t)next(run) << 8 | next(run);

	len %= sizeof(datagram);
	for (size_t i = 0; i < len; i++)
		datagram[i] = next(run);
	feed(run, len, mood & 3);
}

// Sealed by this harness, so that what lies behind the tag is reached. `form`: suite, flags, key,
// AF.
static void seal_and_feed(struct run *run, uint8_t form, struct apue_push_fields *fields,
			  uint8_t mood)
{
	static uint8_t payload[AKMAPUSH_UE_SEGMENT_MAX];
	uint8_t kakma[32], kaf[32];
	size_t len;

	memset(payload, 'x', sizeof(payload));
	fields->suite = 1 + (form & 1);
	fields->flags = form >> 1 & 3;
	fields->payload = payload;
	if (fields->payload_len > sizeof(payload))
		fields->payload_len = sizeof(payload);
	kakma_of(run, run->device->key - (form >> 3 & 3), kakma);
	must(apue_kaf(run->config.crypto, kakma, &afs[form >> 5 & 1], kaf));
	len = apue_push_seal(run->config.crypto, kaf, fields, datagram);
	if (len)
		feed(run, len, mood);
}

// One datagram of any form, whether it goes with others or not.
static void sealed(struct run *run)
{
	uint8_t id[16], form = next(run), segment = next(run);
	struct apue_push_fields fields = {
		.segment_cnt = segment & 15,
		.segment_index = segment >> 4,
		.push_id = id,
	};

	push_id(next(run), id);
	fields.expiry = START_S + next(run) * 100u;
	fields.ref = form >> 4 & 1;
	fields.payload_len = next(run) * (form >> 6) * 2u;
	seal_and_feed(run, form, &fields, next(run));
}

// Some segments of one push, mostly one after the other, so that pushes become complete.
static void segments(struct run *run)
{
	uint8_t id[16], form = next(run), cnt = 2 + next(run) % 15, n = next(run) % 24;
	struct apue_push_fields fields = {.segment_cnt = cnt, .push_id = id};
	size_t size = 1 + next(run) * 4u, last;

	push_id(next(run), id);
	fields.expiry = START_S + next(run) * 100u;
	last = next(run) * size / 255;
	for (unsigned i = 0; i < n; i++) {
		uint8_t order = next(run);

		fields.segment_index = order & 128 ? (order & 15) % cnt : i % cnt;
		fields.payload_len = fields.segment_index + 1 == cnt ? last : size;
		seal_and_feed(run, form, &fields, order & 64 ? order >> 4 & 3 : 0);
	}
}

static void renew(struct run *run)
{
	struct device *d = run->device;

	akmapush_ue_fini(d->ue);
	d->ue = akmapush_ue_init(memory[d - devices], sizeof(memory[0]), &run->config);
	must(d->ue != NULL);
}

// With a crash what was not saved is lost. Sometimes the AFs have changed places.
static void restart(struct run *run)
{
	static const struct akmapush_ue_af turned[AFS] = {
		{"b.example", {0xff, 'A', 'K', 'P', 1}, functions + 1, 1},
		{"a.example", {0xff, 'A', 'K', 'P', 1}, functions, 2},
	};
	uint8_t how = next(run);

	if (how & 1)
		save(run);
	renew(run);
	if (how & 2) { // there and back
		const struct akmapush_ue_config config = run->config;

		run->config.afs = turned;
		renew(run);
		must(akmapush_ue_load(run->device->ue, &run->now, run->device->blob,
				      (size_t)run->device->blob_len) == 0);
		save(run);
		run->config = config;
		renew(run);
	}
	must(akmapush_ue_load(run->device->ue, &run->now, run->device->blob,
			      (size_t)run->device->blob_len) == 0);
}

// Rule 7. What is dated past the floor, or sealed under the next key, may come again: nothing tells
// a UE without lists.
static void recover(struct run *run)
{
	struct device *d = run->device;
	uint8_t current[32], previous[32];
	int error;

	if (d->refused)
		return;
	kakma_of(run, d->key, current);
	kakma_of(run, d->key - 1, previous);
	renew(run);
	error = akmapush_ue_recover(d->ue, current, next(run) & 1 ? previous : NULL, &run->now);
	must(error == (run->now.trusted ? 0 : AKMAPUSH_UE_EREFUSED));
	d->refused = error != 0;
	for (unsigned i = 0; i < IDS; i++)
		if (error || push_s(i) > run->now.unix_s + 120)
			d->delivered[0][i] = d->delivered[1][i] = 0;
	save(run);
}

static void pass(struct run *run)
{
	uint8_t amount = next(run);
	uint64_t ms = (amount & 127) * (amount & 128 ? UINT64_C(3600000) : UINT64_C(700));

	run->now.ms += ms;
	run->now.unix_s += (uint32_t)(ms / 1000);
	if (akmapush_ue_poll(run->device->ue, &run->now))
		save(run);
}

static void authenticate(struct run *run)
{
	struct device *d = run->device;
	uint8_t kakma[32], how = next(run);

	if (d->key >= 200) // keys do not come again,
		return;
	if (d->refused || !(how & 1)) // but the current one may be given twice
		d->key++;
	d->refused = false;
	kakma_of(run, d->key, kakma);
	must(akmapush_ue_set_kakma(d->ue, kakma, &run->now) == 0);
	save(run);
}

static void answer(struct run *run)
{
	struct device *d = run->device;
	uint8_t which = next(run), status = next(run), len = next(run);
	const struct akmapush_ue_push_id *id = &d->kept[which % KEPT];

	memset(scratch, 'r', sizeof(scratch));
	if (akmapush_ue_answer(d->ue, id, status % 4, scratch, len, &run->now) == 0) {
		must(status % 4 == 1 || status % 4 == 2);
		must(akmapush_ue_answer(d->ue, id, 2, NULL, 0, &run->now) == AKMAPUSH_UE_EFINAL);
		save(run);
	}
	if (which & 128)
		ack(run, id, true);
}

static void trust(struct run *run)
{
	run->now.trusted = !run->now.trusted;
}

static void (*const commands[16])(struct run *run) = {
	raw,    sealed, pass,   authenticate, restart, answer,   trust,    recover,
	sealed, sealed, sealed, sealed,       sealed,  segments, segments, segments,
};

static void start(struct run *run, uint8_t shape)
{
	static const uint8_t list_max[4] = {64, 5, 1, 0};

	run->config.crypto = &akmapush_ue_crypto_openssl;
	run->config.afs = afs;
	run->config.n_afs = AFS;
	run->config.list_max = list_max[shape & 3];
	run->config.n_replies = shape & 4 ? 0 : 3;
	run->config.reply_max = 100;
	if (!(shape & 8))
		run->config.pool =
			akmapush_ue_pool_init(pool, sizeof(pool), 1 + (shape >> 4 & 1), 3000);
	memset(devices, 0, sizeof(devices));
	for (unsigned i = 0; i < UES; i++) {
		run->device = &devices[i];
		run->device->ue = akmapush_ue_init(memory[i], sizeof(memory[i]), &run->config);
		must(run->device->ue != NULL);
		authenticate(run);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t n)
{
	struct run run = {.octets = octets, .n = n, .now = {1000, START_S, true}};

	start(&run, next(&run));
	while (run.n > 0) {
		uint8_t command = next(&run);

		run.device = &devices[command >> 7];
		commands[command & 15](&run);
	}
	for (unsigned i = 0; i < UES; i++)
		akmapush_ue_fini(devices[i].ue);
	return 0;
}
