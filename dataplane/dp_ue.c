// UEs behind dp.h: identities, keys and addresses.

#include <assert.h>
#include <errno.h>

#include "base/bytes.h"
#include "crypto/akma.h"
#include "dataplane/plane.h"

// ---- Directory

uint32_t dp_find(const struct dp *dp, enum dp_identity kind, const char *id, size_t len)
{
	return directory_find(&dp->directory, kind, id, len);
}

uint32_t dp_new(struct dp *dp)
{
	return directory_new(&dp->directory);
}

uint32_t dp_handles(const struct dp *dp)
{
	return dp->directory.n;
}

int dp_set_handles(struct dp *dp, uint32_t n)
{
	if (n > dp->directory.max)
		return -ENOSPC;
	if (n > dp->directory.n)
		dp->directory.n = n;
	return 0;
}

int dp_bind(struct dp *dp, uint32_t handle, enum dp_identity kind, const char *id, size_t len)
{
	return directory_bind(&dp->directory, handle, kind, id, len);
}

void dp_unbind(struct dp *dp, uint32_t handle, enum dp_identity kind)
{
	directory_unbind(&dp->directory, handle, kind);
}

size_t dp_identity(const struct dp *dp, uint32_t handle, enum dp_identity kind,
		   char id[DP_IDENTITY_MAX + 1])
{
	return directory_identity(&dp->directory, handle, kind, id);
}

bool dp_akid_digest(const struct dp *dp, uint32_t handle, uint8_t digest[16])
{
	return directory_akid(&dp->directory, handle, digest);
}

// ---- Contexts

static struct worker *owner(struct dp *dp, uint32_t handle)
{
	return &dp->workers[context_slot(handle) % dp->config.n_workers];
}

void dp_context(const struct dp *dp, uint32_t handle, struct dp_context *context)
{
	struct context copy;

	assert(handle < dp->directory.n);
	context_snapshot(&dp->contexts[handle], &copy);
	*context = (struct dp_context){
		.has_key = copy.has & CONTEXT_HAS_KEY,
		.has_address = copy.has & CONTEXT_HAS_ADDRESS,
		.expiry = copy.expiry,
		.address.port = copy.port,
	};
	memcpy(context->address.ip, copy.ip, sizeof(copy.ip));
	mem_wipe(&copy, sizeof(copy));
}

bool dp_kaf(const struct dp *dp, uint32_t handle, const void *af_id, size_t af_id_len,
	    uint8_t kaf[32], uint32_t *expiry)
{
	struct akma_af_id id = {.len = (uint16_t)af_id_len};
	struct context copy;
	bool has_key;

	assert(handle < dp->directory.n && af_id_len <= AKMA_AF_ID_MAX);
	memcpy(id.octets, af_id, af_id_len);
	context_snapshot(&dp->contexts[handle], &copy);
	has_key = copy.has & CONTEXT_HAS_KEY;
	if (has_key)
		akma_kaf_one(dp->sha, &copy.kakma, &id, kaf);
	*expiry = copy.expiry;
	mem_wipe(&copy, sizeof(copy));
	return has_key;
}

bool dp_put_key(struct dp *dp, uint32_t handle, const uint8_t kakma[32], uint32_t expiry)
{
	struct command command = {COMMAND_PUT_KEY, handle, .key.expiry = expiry};
	uint8_t key[1][HMAC_KEY];
	bool given;

	assert(handle < dp->directory.n);
	memcpy(key[0], kakma, HMAC_KEY);
	hmac_key_init(dp->sha, key, 1, &command.key.kakma);
	given = plane_give(dp, owner(dp, handle), &command);
	mem_wipe(key, sizeof(key));
	mem_wipe(&command, sizeof(command));
	return given;
}

static bool give_handle(struct dp *dp, enum command_kind kind, uint32_t handle)
{
	struct command command = {kind, handle};

	assert(handle < dp->directory.n);
	return plane_give(dp, owner(dp, handle), &command);
}

bool dp_del_key(struct dp *dp, uint32_t handle)
{
	return give_handle(dp, COMMAND_DEL_KEY, handle);
}

bool dp_put_address(struct dp *dp, uint32_t handle, const struct dp_address *address)
{
	struct command command = {COMMAND_PUT_ADDRESS, handle, .address = *address};

	assert(handle < dp->directory.n);
	return plane_give(dp, owner(dp, handle), &command);
}

bool dp_del_address(struct dp *dp, uint32_t handle)
{
	return give_handle(dp, COMMAND_DEL_ADDRESS, handle);
}
