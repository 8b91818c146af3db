#include "base/wake.h"

#include <errno.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

int wake_open(struct wake *wake)
{
	wake->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	atomic_init(&wake->armed, false);
	return wake->fd < 0 ? -errno : 0;
}

void wake_close(struct wake *wake)
{
	close(wake->fd);
	wake->fd = -1;
}

void wake_arm(struct wake *wake)
{
	atomic_store(&wake->armed, true); // sequentially consistent: ordered before the last look
}

void wake_drain(struct wake *wake)
{
	uint64_t count;

	if (read(wake->fd, &count, sizeof(count)) < 0)
		return; // taken already
}

void wake_disarm(struct wake *wake)
{
	if (!atomic_exchange(&wake->armed, false))
		wake_drain(wake); // a signal on its way costs one empty round later
}

void wake_signal(struct wake *wake)
{
	uint64_t one = 1;

	// An exchange, not a load: it orders the work before the look at `armed`.
	if (atomic_exchange(&wake->armed, false) && write(wake->fd, &one, sizeof(one)) < 0)
		return; // the counter is full: the sleeper is awake anyway
}
