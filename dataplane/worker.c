#include "dataplane/worker.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"

enum { MS_NS = 1000 * 1000, SLEEP_MAX_NS = 1000 * MS_NS };

// ---- Commands

static void set_tuning(struct worker *w, const struct dp_tuning *tuning)
{
	w->tuning = *tuning;
	w->pauses = (struct lap_pauses){(uint64_t)tuning->lap_pause_ms * MS_NS,
					(uint64_t)tuning->lap_pause_max_ms * MS_NS};
	pace_set(&w->pace, (tuning->rate + w->n_workers - 1) / w->n_workers, w->now_ns);
}

static void start(struct worker *w, struct dp_push *push)
{
	struct part *part = &push->parts[w->index];

	running_put(&w->running, part);
	worker_schedule(w, part);
}

static void stop(struct worker *w, const uint8_t push_id[16], enum dp_state state)
{
	struct part *part = running_find(&w->running, push_id);

	if (part && part->mode != PART_SWEEP) // else it is over, or on its way there
		worker_sweep(w, part, state);
}

static bool tell_fence(struct worker *w, uint64_t token)
{
	struct worker_event *event = ring_reserve(&w->events);

	if (!event)
		return false;
	*event = (struct worker_event){.kind = DP_EVENT_FENCE, .token = token};
	ring_push(&w->events);
	w->told = true;
	return true;
}

bool worker_apply(struct worker *w, struct command *command)
{
	struct context *context = &w->contexts[command->handle];

	switch (command->kind) {
	case COMMAND_PUT_KEY:
		context_put_key(context, &command->key.kakma, command->key.expiry);
		mem_wipe(&command->key.kakma, sizeof(command->key.kakma));
		worker_make_due(w, command->handle);
		return true;
	case COMMAND_DEL_KEY:
		context_del_key(context);
		return true;
	case COMMAND_PUT_ADDRESS:
		context_put_address(context, &command->address);
		worker_make_due(w, command->handle);
		return true;
	case COMMAND_DEL_ADDRESS:
		context_del_address(context);
		return true;
	case COMMAND_START:
		start(w, command->push);
		return true;
	case COMMAND_STOP:
		stop(w, command->stop.push_id, command->stop.state);
		return true;
	case COMMAND_AF_RATE:
		worker_set_af_rate(w, command->handle, command->rate);
		return true;
	case COMMAND_TUNE:
		set_tuning(w, &command->tuning);
		return true;
	case COMMAND_FENCE:
		return tell_fence(w, command->token);
	}
	return true;
}

static bool apply_commands(struct worker *w)
{
	struct command *command;
	unsigned n;

	for (n = 0; n < WORKER_COMMAND_BURST && (command = ring_front(&w->commands)); n++) {
		if (!worker_apply(w, command))
			break;
		ring_pop(&w->commands);
	}
	return n > 0;
}

// ---- The round

static void tell_control(struct worker *w)
{
	uint64_t one = 1;

	if (!w->told)
		return;
	w->told = false;
	if (w->event_fd >= 0 && write(w->event_fd, &one, sizeof(one)) < 0)
		return; // the counter is full: control is being woken anyway
}

bool worker_turn(struct worker *w)
{
	bool busy;

	w->now_ns = clock_mono_ns(w->clock);
	w->now_s = clock_unix_s(w->clock);
	w->looks = WORKER_LOOKS;
	busy = apply_commands(w);
	busy |= worker_uplink(w);
	busy |= worker_downlink(w);
	tell_control(w);
	return busy;
}

// Until something arrives or the next lap is due. Armed first, then one more look: what comes after
// that look wakes it.
static void nap(struct worker *w)
{
	uint64_t until;

	w->io_ops->arm(w->io);
	if (worker_turn(w) || atomic_load(&w->stop)) {
		w->io_ops->wait(w->io, 0);
		return;
	}
	until = worker_downlink_ns(w);
	until = until > w->now_ns ? until - w->now_ns : 0;
	w->io_ops->wait(w->io, until < SLEEP_MAX_NS ? until : SLEEP_MAX_NS);
}

static void *run(void *arg)
{
	struct worker *w = arg;

	while (!atomic_load_explicit(&w->stop, memory_order_relaxed)) {
		if (!worker_turn(w))
			nap(w);
	}
	return NULL;
}

int worker_start(struct worker *w)
{
	int error = pthread_create(&w->thread, NULL, run, w);
	char name[16];

	if (error)
		return -error;
	w->has_thread = true;
	snprintf(name, sizeof(name), "worker-%u", w->index);
	pthread_setname_np(w->thread, name);
	return 0;
}

void worker_stop(struct worker *w)
{
	if (!w->has_thread)
		return;
	atomic_store(&w->stop, true);
	w->io_ops->wake(w->io);
	pthread_join(w->thread, NULL);
	w->has_thread = false;
}

// ---- Open and close

size_t worker_size(const struct dp_config *config)
{
	return ring_size(WORKER_COMMANDS, sizeof(struct command)) +
	       ring_size(WORKER_EVENTS, sizeof(struct worker_event)) +
	       ring_size(WORKER_REPLIES, sizeof(struct worker_reply)) +
	       DP_AF_MAX * (sizeof(struct pace) + sizeof(struct af_line)) +
	       config->push_max * sizeof(struct part *) + running_size(config->push_max) + 4096;
}

static int take_ring(struct ring *ring, struct arena *arena, uint32_t capacity, uint32_t item_size)
{
	void *memory = arena_take(arena, ring_size(capacity, item_size), 64);

	if (!memory)
		return -ENOMEM;
	ring_init(ring, memory, capacity, item_size);
	return 0;
}

static int take_memory(struct worker *w, const struct dp_config *config, struct arena *arena)
{
	int error = take_ring(&w->commands, arena, WORKER_COMMANDS, sizeof(struct command));

	if (!error)
		error = take_ring(&w->events, arena, WORKER_EVENTS, sizeof(struct worker_event));
	if (!error)
		error = take_ring(&w->replies, arena, WORKER_REPLIES, sizeof(struct worker_reply));
	if (!error)
		error = running_init(&w->running, config->push_max, arena);
	w->pace_af = arena_take(arena, DP_AF_MAX * sizeof(struct pace), 64);
	w->line_af = arena_take(arena, DP_AF_MAX * sizeof(struct af_line), 64);
	w->due.heap = arena_take(arena, config->push_max * sizeof(struct part *), 64);
	if (error || !w->pace_af || !w->line_af || !w->due.heap)
		return error ? error : -ENOMEM;
	for (unsigned af = 0; af < DP_AF_MAX; af++)
		line_init(&w->line_af[af].line);
	return 0;
}

static int open_io(struct worker *w, const struct dp_config *config, char error[DP_ERROR_MAX])
{
	struct io_config io = {
		.source = {config->source[0], config->source[1]},
		.port = (uint16_t)(config->port ? config->port + w->index : 0),
		.burst_max = DP_BURST_MAX,
		.arg = config->io_arg,
	};

	return w->io_ops->open(&w->io, &io, error);
}

int worker_open(struct worker *w, const struct worker_config *config, struct arena *arena,
		char error[DP_ERROR_MAX])
{
	int status;

	*w = (struct worker){
		.index = config->index,
		.n_workers = config->dp->n_workers,
		.clock = config->dp->clock,
		.sha = config->sha,
		.aead_ops = config->aead_ops,
		.io_ops = io_find(config->dp->io),
		.contexts = config->contexts,
		.event_fd = config->dp->event_fd,
		.looks = WORKER_LOOKS,
	};
	w->now_ns = clock_mono_ns(w->clock);
	w->now_s = clock_unix_s(w->clock);
	line_init(&w->ready);
	line_init(&w->ending);
	set_tuning(w, &config->dp->tuning);
	status = take_memory(w, config->dp, arena);
	if (status)
		return status;
	w->aead = w->aead_ops->open();
	if (!w->aead)
		return -ENOMEM;
	status = open_io(w, config->dp, error);
	if (status)
		w->aead_ops->close(w->aead);
	return status;
}

void worker_close(struct worker *w)
{
	w->io_ops->close(w->io);
	w->aead_ops->close(w->aead);
}
