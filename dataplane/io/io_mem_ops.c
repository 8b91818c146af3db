// The back end `mem`: a worker's end of a net in memory.

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/io/io_list.h"
#include "dataplane/io/io_mem_net.h"
#include "dataplane/io/io_wait.h"

static int mem_open(struct io **io, const struct io_config *config, char error[IO_ERROR_MAX])
{
	struct io *made = calloc(1, sizeof(*made));
	int status = made ? -EINVAL : -ENOMEM;

	if (!made || !config->arg)
		goto no_net;
	made->burst_max = config->burst_max;
	status = io_pool_init(&made->tx, config->burst_max);
	if (!status)
		status = io_pool_init(&made->rx, config->burst_max);
	if (status)
		goto no_pools;
	status = wake_open(&made->wake);
	if (status)
		goto no_pools;
	status = io_mem_attach(config->arg, made, config->port);
	if (status)
		goto no_port;
	*io = made;
	return 0;

no_port:
	wake_close(&made->wake);
no_pools:
	io_pool_fini(&made->tx);
	io_pool_fini(&made->rx);
no_net:
	free(made);
	snprintf(error, IO_ERROR_MAX, "mem: %s",
		 status == -EINVAL ? "a back end for tests, which needs a network in memory"
				   : strerror(-status));
	return status;
}

static void mem_close(struct io *io)
{
	io_mem_detach(io);
	wake_close(&io->wake);
	io_pool_fini(&io->tx);
	io_pool_fini(&io->rx);
	free(io);
}

static uint16_t mem_port(const struct io *io)
{
	return io->port;
}

static const char *mem_chosen(const struct io *io)
{
	(void)io;
	return io_mem_back_end.name;
}

static unsigned mem_datagram_max(const struct io *io)
{
	unsigned max;

	pthread_mutex_lock(&io->net->lock);
	max = io->net->datagram_max;
	pthread_mutex_unlock(&io->net->lock);
	return max;
}

static unsigned mem_lend(struct io *io, struct frame *frame[], unsigned n)
{
	return io_pool_take(&io->tx, frame, n);
}

static unsigned mem_transmit(struct io *io, struct frame *frame[], unsigned n)
{
	unsigned done = 0;

	assert(n <= io->burst_max);
	pthread_mutex_lock(&io->net->lock);
	while (done < n && io_mem_send(io, frame[done]))
		done++;
	pthread_mutex_unlock(&io->net->lock);
	io_pool_give(&io->tx, frame, n);
	return done;
}

static unsigned mem_receive(struct io *io, struct frame *frame[], unsigned n)
{
	assert(n <= io->burst_max);
	pthread_mutex_lock(&io->net->lock);
	n = io_pool_take(&io->rx, frame, n < io->inbox.n ? n : io->inbox.n);
	for (unsigned i = 0; i < n; i++)
		io_mem_take(io, frame[i]);
	io->net->counts.received += n;
	pthread_mutex_unlock(&io->net->lock);
	return n;
}

static void mem_release(struct io *io, struct frame *frame[], unsigned n)
{
	io_pool_give(&io->rx, frame, n);
}

static void mem_arm(struct io *io)
{
	wake_arm(&io->wake);
}

static void mem_wait(struct io *io, uint64_t timeout_ns)
{
	io_wait(&io->wake, NULL, 0, timeout_ns);
}

static void mem_wake(struct io *io)
{
	wake_signal(&io->wake);
}

static void mem_counts(const struct io *io, struct io_counts *counts)
{
	*counts = (struct io_counts){.tx_failed = io->tx_failed};
}

const struct io_ops io_mem_back_end = {
	.name = "mem",
	.open = mem_open,
	.close = mem_close,
	.port = mem_port,
	.chosen = mem_chosen,
	.datagram_max = mem_datagram_max,
	.lend = mem_lend,
	.transmit = mem_transmit,
	.receive = mem_receive,
	.release = mem_release,
	.arm = mem_arm,
	.wait = mem_wait,
	.wake = mem_wake,
	.counts = mem_counts,
};
