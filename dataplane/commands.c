// Commands: what control asks of a worker.

#include "dataplane/commands.h"

#include "base/bytes.h"
#include "dataplane/frame.h"
#include "dataplane/turns.h"

enum { COMMAND_BURST = 256 }; // applied between two bursts

// ---- What was sent but waits for its way, in the back end: it was to stop too

struct ue {
	const struct worker *w;
	uint32_t handle;
};

static bool is_of_ue(const void *ctx, const uint8_t *octets, unsigned len)
{
	const struct ue *const ue = ctx;
	const struct part *part;
	uint32_t place;

	if (len < FRAME_MIN)
		return false;
	part = running_find(&ue->w->running, octets + FRAME_AT_PUSH_ID);
	if (!part)
		return false;
	place = ref_to_place(&part->push->ref_key, load32_be(octets + FRAME_AT_REF));
	return place < part->push->n_places && part->push->handles[place] == ue->handle;
}

static bool is_of_push(const void *push_id, const uint8_t *octets, unsigned len)
{
	return len >= FRAME_MIN && !memcmp(octets + FRAME_AT_PUSH_ID, push_id, MESSAGE_PUSH_ID);
}

static void drop_ue(struct worker *w, uint32_t handle)
{
	const struct ue ue = {w, handle};

	if (w->io_ops->drop)
		w->io_ops->drop(w->io, is_of_ue, &ue);
}

static void drop_push(struct worker *w, const uint8_t push_id[MESSAGE_PUSH_ID])
{
	if (w->io_ops->drop)
		w->io_ops->drop(w->io, is_of_push, push_id);
}

// ---- UEs

static void put_key(struct worker *w, struct command *command)
{
	kaf_cache_drop(&w->protect.cache, command->handle);
	context_put_key(&w->contexts[command->handle], &command->key.kakma, command->key.expiry);
	mem_wipe(&command->key.kakma, sizeof(command->key.kakma));
	turns_make_due(w, command->handle);
}

static void del_key(struct worker *w, uint32_t handle)
{
	kaf_cache_drop(&w->protect.cache, handle);
	context_del_key(&w->contexts[handle]);
	drop_ue(w, handle);
}

static void del_address(struct worker *w, uint32_t handle)
{
	context_del_address(&w->contexts[handle]);
	drop_ue(w, handle);
}

static void put_address(struct worker *w, const struct command *command)
{
	context_put_address(&w->contexts[command->handle], &command->address);
	turns_make_due(w, command->handle);
}

// ---- Pushes

static void start(struct worker *w, struct dp_push *push)
{
	struct part *part = push_part(push, w->index);

	running_put(&w->running, part);
	turns_schedule(w, part);
}

static void stop(struct worker *w, const uint8_t push_id[MESSAGE_PUSH_ID], enum dp_state state)
{
	struct part *part = running_find(&w->running, push_id);

	if (part && part->mode != PART_SWEEP) // else it is over, or on its way there
		turns_sweep(w, part, state);
	drop_push(w, push_id);
}

// ---- A command

static bool tell_fence(struct worker *w, uint64_t token)
{
	return worker_tell(w, &(struct worker_event){.kind = DP_EVENT_FENCE, .token = token});
}

bool commands_apply(struct worker *w, struct command *command)
{
	switch (command->kind) {
	case COMMAND_PUT_KEY:
		put_key(w, command);
		return true;
	case COMMAND_DEL_KEY:
		del_key(w, command->handle);
		return true;
	case COMMAND_PUT_ADDRESS:
		put_address(w, command);
		return true;
	case COMMAND_DEL_ADDRESS:
		del_address(w, command->handle);
		return true;
	case COMMAND_START:
		start(w, command->push);
		return true;
	case COMMAND_STOP:
		stop(w, command->stop.push_id, command->stop.state);
		return true;
	case COMMAND_AF_RATE:
		turns_set_af_rate(w, command->handle, command->rate);
		return true;
	case COMMAND_AF_HOT:
		kaf_cache_set_hot(&w->protect.cache, command->handle, command->hot);
		return true;
	case COMMAND_TUNE:
		worker_tune(w, &command->tuning);
		return true;
	case COMMAND_TRACE:
		(command->on ? trace_put : trace_del)(&w->trace, command->handle);
		return true;
	case COMMAND_FENCE:
		return tell_fence(w, command->token);
	}
	return true;
}

bool commands_take(struct worker *w)
{
	struct command *command;
	unsigned n;

	for (n = 0; n < COMMAND_BURST && (command = ring_front(&w->commands)); n++) {
		if (!commands_apply(w, command))
			break;
		ring_pop(&w->commands);
	}
	return n > 0;
}
