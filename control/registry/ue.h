#pragma once
// UEs: identities, keys and addresses of subscribers. A handle
// is given when an identity is first named (by a registration, a UE resource, a group's member list
// or a push). When two handles turn out to be one subscriber (a SUPI and a GPSI are bound after
// both were named) they become twins: what is written to one is written to the other, and lists
// take the first of them. Control thread only.
//
// What an identity names is in memory before it is durable, which harms nobody; so every batch that
// uses a handle whose name may not be in the store yet carries that name too. Keys and addresses
// are in memory when they are durable.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dataplane/dp.h"

struct app;
struct json_reader;
struct problem;
struct record_context;
struct store_batch;
struct ue_registry;

int ue_load(struct app *app); // identities, keys, addresses from the store, before the workers run
void ue_registry_free(struct ue_registry *ues);

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
uint32_t ue_twin(const struct app *app, uint32_t handle);  // the other of twins, or DP_NONE
// The SUPI or GPSI of a subscriber, whichever of the twins has it; its length, 0 for none.
size_t ue_identity(const struct app *app, uint32_t handle, enum dp_identity kind,
		   char id[DP_IDENTITY_MAX + 1]);

bool ue_is_registered(const struct app *app, uint32_t handle); // there is a key

struct ue_stats {
	uint32_t handles;    // named
	uint32_t twins;      // pairs
	uint32_t registered; // subscribers with a key
	uint32_t addressed;  // subscribers with an address
};
void ue_stats(const struct app *app, struct ue_stats *stats);

// ---- For those who change UEs: ue_*.c, naanf.c

// Changes whenever twins are made or parted: what was made of ue_first is then out of date.
uint64_t ue_twins_epoch(const struct app *app);
// Handles become twins, or part; memory only.
void ue_link(struct app *app, uint32_t a, uint32_t b);
void ue_unlink(struct app *app, uint32_t handle);

// Puts the identities of a handle (and of its twin) into the batch.
void ue_save(struct app *app, struct store_batch *batch, uint32_t handle);
// The batch with the names of a handle came to its end: status as in a change's done.
void ue_saved(struct app *app, uint32_t handle, int status);

// A change of identities of a handle was not durable: they and its twin are what the store has. All
// that was under way fails with it, so this is the way back whatever came in between.
void ue_restore(struct app *app, uint32_t handle);

// A moment in microseconds that no registration had before.
uint64_t ue_stamp(struct app *app);

// A registration: puts the context into the batch, in place of what the subscriber had; that of
// another subscriber with the same A-KID goes.
void ue_store_context(struct app *app, struct store_batch *batch, uint32_t handle,
		      const struct record_context *context);
// The same in memory, once it is durable. 0 or -EAGAIN, as in a change's apply.
int ue_apply_context(struct app *app, uint32_t handle, const struct record_context *context);
void ue_store_address(struct app *app, struct store_batch *batch, uint32_t handle,
		      const struct dp_address *address); // NULL: none
int ue_apply_address(struct app *app, uint32_t handle, const struct dp_address *address);
// Takes the key away (and the A-KID).
void ue_store_no_context(struct app *app, struct store_batch *batch, uint32_t handle);
int ue_apply_no_context(struct app *app, uint32_t handle);
// Takes key and address of one handle of a UE that was deleted; a twin that a later change gave it
// meanwhile keeps its own.
int ue_apply_deleted(struct app *app, uint32_t handle);
// Handles have become twins: the newest key and the address there is go to both. From apply.
int ue_apply_twins(struct app *app, uint32_t handle);
