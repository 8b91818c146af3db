#pragma once
// AFs: registrations (one operator's decision per FQDN), kept in memory whole, durable in the
// store. Control thread only.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crypto/akma.h"

struct app;

enum { AF_GROUPS_MAX = 64, AF_DESCRIPTION_MAX = 256 };

struct af {
	char fqdn[AKMA_FQDN_MAX + 1]; // normalised
	uint32_t index;               // dense; the AF's place in the data plane's paces
	bool suspended;
	bool trusted; // may name and see SUPIs; else GPSI only
	bool hot;     // its K_AFs are kept by the data plane
	bool all_ues; // allowed targets: every UE, or the members of these groups
	unsigned n_groups;
	uint32_t groups[AF_GROUPS_MAX]; // group numbers
	uint64_t rate;                  // datagrams a second; 0: no limit
	uint32_t push_rate;             // pushes accepted a second; 0: no limit
	uint64_t quota;                 // targets a day (UTC); 0: no limit
	uint32_t targets_max;           // of one push; 0: the configuration's
	uint32_t payload_max;           // octets; 0: the protocol's
	char description[AF_DESCRIPTION_MAX + 1];

	// Not of the registration, durable with the pushes: see push_id.h.
	uint8_t last_push_id[16];
	// Not durable: token bucket and the day's uses.
	uint64_t push_tokens, push_tokens_at_ns, quota_used, quota_day;
	uint64_t strangers_used, strangers_day;
};

struct af_registry;

int af_load(struct app *app); // from the store, at start
void af_registry_free(struct af_registry *afs);

// By FQDN as given (it is normalised first); NULL when there is none.
struct af *af_find(const struct app *app, const char *fqdn, size_t len);
// The same for an FQDN that is normalised already.
struct af *af_find_normal(const struct app *app, const char *fqdn);
// In the order of their FQDNs, i = 0, 1, …; NULL at the end.
struct af *af_at(const struct app *app, uint32_t i);

// Whether the AF's registration allows this UE (its groups, or all).
bool af_allows(const struct app *app, const struct af *af, uint32_t handle);

// Takes one push of n targets from rate and quota: 0, or the seconds to wait (for a 429).
unsigned af_admit(const struct app *app, struct af *af, uint32_t n_targets);
// What af_admit would say; takes nothing.
unsigned af_wait(const struct app *app, const struct af *af, uint32_t n_targets);

// Takes n strangers, identities that are not known or not the AF's to reach, from what it may name
// in a day: 0, or the seconds to wait. Both kinds count alike, so that the answer tells them not
// apart.
unsigned af_admit_strangers(const struct app *app, struct af *af, uint32_t n);
