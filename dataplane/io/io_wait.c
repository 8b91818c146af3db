#include "dataplane/io/io_wait.h"

#include <assert.h>
#include <poll.h>
#include <time.h>

enum { NS_PER_S = 1000000000 };

void io_wait(struct wake *wake, const int fd[], unsigned n, uint64_t timeout_ns)
{
	const struct timespec timeout = {(time_t)(timeout_ns / NS_PER_S),
					 (long)(timeout_ns % NS_PER_S)};
	struct pollfd on[IO_WAIT_MAX + 1];

	assert(n <= IO_WAIT_MAX);
	if (timeout_ns) {
		for (unsigned i = 0; i < n; i++)
			on[i] = (struct pollfd){.fd = fd[i], .events = POLLIN};
		on[n] = (struct pollfd){.fd = wake->fd, .events = POLLIN};
		if (ppoll(on, n + 1, &timeout, NULL) > 0 && on[n].revents & POLLIN)
			wake_drain(wake);
	}
	wake_disarm(wake);
}
