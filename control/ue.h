#pragma once
// UEs: identities, keys and addresses of subscribers, and their resources in the push API. A handle
// is given when an identity is first named (by a registration, a UE resource, a group's member list
// or a push). When two handles turn out to be one subscriber (a SUPI and a GPSI are bound after
// both were named) they become twins: what is written to one is written to the other, and lists
// take the first of them. Control thread only.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dataplane/dp.h"

struct app;
struct http_route;
struct json_reader;
struct store_batch;

int ue_load(struct app *app); // identities, keys, addresses from the store, before the workers run
extern const struct http_route ue_routes[];

// The form of an identity: imsi-<5..15 digits>, nai-<…>; msisdn-<5..15 digits>, extid-<…@…>.
// Printable ASCII, no blanks, at most 255 octets. False for anything else.
bool ue_is_supi(const char *id);
bool ue_is_gpsi(const char *id);

// Reads exactly one of "supi" and "gpsi" of an object. False with the problem noted.
bool ue_read_identity(const struct json_reader *reader, enum dp_identity *kind, const char **id);

// The handle of an identity (the first of twins), named now if it was not; the naming is put into
// the batch. DP_NONE when the table is full.
uint32_t ue_name(struct app *app, struct store_batch *batch, enum dp_identity kind, const char *id);
// The same for an identity that must exist already; DP_NONE when it does not.
uint32_t ue_find(const struct app *app, enum dp_identity kind, const char *id);
uint32_t ue_first(const struct app *app, uint32_t handle); // of twins
