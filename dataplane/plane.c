#include "dataplane/plane.h"

#include "dataplane/commands.h"

bool plane_give(struct dp *dp, struct worker *worker, struct command *command)
{
	struct command *place;

	if (!dp->started)
		return commands_apply(worker, command);
	place = ring_reserve(&worker->commands);
	if (!place)
		return false;
	*place = *command;
	ring_push(&worker->commands);
	worker->io_ops->wake(worker->io);
	return true;
}

bool plane_give_all(struct dp *dp, const struct command *command)
{
	for (unsigned i = 0; i < dp->config.n_workers; i++) {
		if (dp->started && !ring_room(&dp->workers[i].commands))
			return false;
	}
	for (unsigned i = 0; i < dp->config.n_workers; i++) {
		struct command copy = *command;

		plane_give(dp, &dp->workers[i], &copy);
	}
	return true;
}
