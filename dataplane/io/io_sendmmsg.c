// One sendmmsg a run of datagrams of one family: order is kept, and what is done is a prefix.

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "dataplane/io/io_list.h"
#include "dataplane/io/io_socket.h"

static int sendmmsg_open(struct io **io, const struct io_config *config, char error[IO_ERROR_MAX])
{
	struct io *made = malloc(sizeof(*made));
	int status;

	if (!made) {
		snprintf(error, IO_ERROR_MAX, "out of memory");
		return -ENOMEM;
	}
	status = io_socket_init(made, &io_sendmmsg, config, error);
	if (status) {
		free(made);
		return status;
	}
	*io = made;
	return 0;
}

static void sendmmsg_close(struct io *io)
{
	io_socket_fini(io);
	free(io);
}

// The run of wanted datagrams at the front that are of the first one's family; its length.
static unsigned write_run(struct io *io, struct frame *frame[], unsigned n)
{
	const enum io_family family = io_family(frame[0]);
	unsigned i;

	for (i = 0; i < n && frame[i]->len && io_family(frame[i]) == family; i++) {
		io->vector[i] = (struct iovec){frame[i]->data, frame[i]->len};
		io->message[i].msg_hdr = (struct msghdr){
			.msg_name = &io->peer[i],
			.msg_namelen = io_peer_write(&io->peer[i], frame[i]),
			.msg_iov = &io->vector[i],
			.msg_iovlen = 1,
		};
	}
	return i;
}

// Sends from the front of a run of n; how many are done with, 0: no room. The kernel stops at a
// datagram that fails and says why only when it is the first.
static unsigned send_run(struct io *io, struct frame *frame[], unsigned n)
{
	const int fd = io->fd[io_family(frame[0])];
	unsigned run = write_run(io, frame, n);
	int sent;

	if (fd < 0) {
		for (unsigned i = 0; i < run; i++)
			io_fail(io, frame[i]);
		return run;
	}
	do {
		sent = sendmmsg(fd, io->message, run, MSG_DONTWAIT);
	} while (sent < 0 && errno == EINTR);
	if (sent > 0)
		return (unsigned)sent;
	if (io_is_full(errno))
		return 0;
	io_fail(io, frame[0]);
	return 1;
}

static unsigned sendmmsg_transmit(struct io *io, struct frame *frame[], unsigned n)
{
	unsigned done = 0, step = 1;

	assert(n <= io->burst_max);
	while (done < n && step) {
		step = frame[done]->len ? send_run(io, frame + done, n - done) : 1;
		done += step;
	}
	io_pool_give(&io->tx, frame, n);
	return done;
}

const struct io_ops io_sendmmsg = {
	.name = "sendmmsg",
	.open = sendmmsg_open,
	.close = sendmmsg_close,
	.port = io_socket_port,
	.chosen = io_socket_chosen,
	.datagram_max = io_socket_datagram_max,
	.lend = io_socket_lend,
	.transmit = sendmmsg_transmit,
	.receive = io_socket_receive,
	.release = io_socket_release,
	.arm = io_socket_arm,
	.wait = io_socket_wait,
	.wake = io_socket_wake,
	.counts = io_socket_counts,
};
