#pragma once
// What a push needs to run beside its facts: into the store when it is accepted, from there into
// the data plane when its turn has come. Control thread only.

#include <stdint.h>

#include "control/push/push_list.h"
#include "control/push/push_record.h"
#include "dataplane/dp.h"

struct app;
struct push;
struct store_batch;

// Secrets are wiped by push_material_free.
struct push_material {
	uint8_t secret[PUSH_SECRET];
	uint8_t payload[DP_PAYLOAD_MAX];
	struct push_list list;
};
void push_material_free(struct push_material *material); // NULL is fine

// All that never changes of a push. 0 or -ENOMEM.
int push_material_put(struct store_batch *batch, const struct push_facts *facts,
		      const struct push_material *material);
// From the store; NULL with -EBADMSG, -EIO, -ENOMEM in *error.
struct push_material *push_material_load(struct app *app, const struct push_facts *facts,
					 int *error);
// The push's part in the data plane, not started. 0, or -errno.
int push_make_dp(struct app *app, struct push *push, const struct push_material *material);
