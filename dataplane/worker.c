#include "dataplane/worker.h"

#include <errno.h>
#include <unistd.h>

#include "base/cpu_list.h"

enum { MS_NS = 1000 * 1000 };

// ---- What it tells control

bool worker_tell(struct worker *w, const struct worker_event *event)
{
	struct worker_event *place = ring_reserve(&w->events);

	if (!place)
		return false;
	*place = *event;
	ring_push(&w->events);
	w->told = true;
	return true;
}

struct worker_reply *worker_reserve_reply(struct worker *w)
{
	return ring_reserve(&w->replies);
}

void worker_push_reply(struct worker *w)
{
	ring_push(&w->replies);
	w->told = true;
}

void worker_hold_copy(struct worker *w, const struct frame *frame, uint32_t handle,
		      enum reason reason, uint64_t time_ns)
{
	if (!trace_hold(&w->trace, frame, handle, reason, time_ns))
		worker_count(w, REASON_TRACE_LOST, 1);
}

void worker_give_copies(struct worker *w)
{
	w->told |= w->trace.n_held > 0;
	trace_give(&w->trace);
}

void worker_wake_control(struct worker *w)
{
	uint64_t one = 1;

	if (!w->told)
		return;
	w->told = false;
	if (w->event_fd >= 0 && write(w->event_fd, &one, sizeof(one)) < 0)
		return; // the counter is full: control is being woken anyway
}

// ---- Tuning

void worker_tune(struct worker *w, const struct dp_tuning *tuning)
{
	w->tuning = *tuning;
	w->pauses = (struct lap_pauses){(uint64_t)tuning->lap_pause_ms * MS_NS,
					(uint64_t)tuning->lap_pause_max_ms * MS_NS};
	pace_set(&w->pace, (tuning->rate + w->n_workers - 1) / w->n_workers, w->now_ns);
}

// ---- Open and close

size_t worker_size(const struct dp_config *config)
{
	return ring_size(MAIL_COMMANDS, sizeof(struct command)) +
	       ring_size(MAIL_EVENTS, sizeof(struct worker_event)) +
	       ring_size(MAIL_REPLIES, sizeof(struct worker_reply)) +
	       ring_size(TRACE_COPIES, sizeof(struct trace_copy)) +
	       DP_AF_MAX * (sizeof(struct pace) + sizeof(struct af_line)) +
	       config->push_max * sizeof(struct part *) + running_size(config->push_max) +
	       kaf_cache_size(config->kaf_cache, config->n_workers) + 4096;
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
	int error = take_ring(&w->commands, arena, MAIL_COMMANDS, sizeof(struct command));

	if (!error)
		error = take_ring(&w->events, arena, MAIL_EVENTS, sizeof(struct worker_event));
	if (!error)
		error = take_ring(&w->replies, arena, MAIL_REPLIES, sizeof(struct worker_reply));
	if (!error)
		error = take_ring(&w->trace.copies, arena, TRACE_COPIES, sizeof(struct trace_copy));
	if (!error)
		error = running_init(&w->running, config->push_max, arena);
	w->pace_af = arena_take(arena, DP_AF_MAX * sizeof(struct pace), 64);
	w->line_af = arena_take(arena, DP_AF_MAX * sizeof(struct af_line), 64);
	w->due.heap = arena_take(arena, config->push_max * sizeof(struct part *), 64);
	if (!error)
		error = kaf_cache_init(&w->protect.cache, config->kaf_cache, config->n_workers,
				       w->index, arena);
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
		.cpu = config->dp->cpus ? (int)cpu_list_at(config->dp->cpus, config->index) : -1,
		.clock = config->dp->clock,
		.io_ops = io_find(config->dp->io),
		.contexts = config->contexts,
		.event_fd = config->dp->event_fd,
		.looks = WORKER_LOOKS,
	};
	w->now_ns = clock_mono_ns(w->clock);
	w->now_s = clock_unix_s(w->clock);
	line_init(&w->ready);
	line_init(&w->quiet);
	worker_tune(w, &config->dp->tuning);
	status = protect_init(&w->protect, config->sha, config->aead_ops);
	if (status)
		return status;
	status = take_memory(w, config->dp, arena);
	if (!status)
		status = open_io(w, config->dp, error);
	if (status)
		protect_fini(&w->protect);
	return status;
}

void worker_close(struct worker *w)
{
	w->io_ops->close(w->io);
	protect_fini(&w->protect);
}
